import { ofOrganization } from '../../../src/streams/of-organization.js';
import { defineStream, requiredText, text, timestamp } from '../../../src/streams/stream.js';

/** A made-up stream with a key of two fields: what somebody would write who adds a stream. */
export const badges = defineStream({
  name: 'badges',
  description: 'The badges of each organisation.',
  scope: 'read:compliance_org_data',
  path: '/v1/compliance/organizations/{organization_uuid}/badges',
  sendsLimit: true,
  parent: ofOrganization('The organisation that the badge belongs to.'),
  fields: [
    requiredText('series', 'The series of the badge.'),
    requiredText('number', 'The number of the badge within its series.'),
    text('label', 'What is printed on the badge.'),
    timestamp('issued_at', 'When the badge was issued.'),
  ],
  key: ['series', 'number'],
  isGuarded: true,
});
