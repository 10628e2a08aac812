import { roles } from '../../../src/streams/roles.js';
import { defineStream, requiredText, text, timestamp } from '../../../src/streams/stream.js';

/** A made-up stream two levels deep: a list for each role of each organisation. */
export const grants = defineStream({
  name: 'grants',
  description: 'What each role grants.',
  scope: 'read:compliance_org_data',
  path: '/v1/compliance/organizations/{organization_uuid}/roles/{role_id}/grants',
  sendsLimit: true,
  parent: {
    stream: roles,
    column: 'role_id',
    description: 'The role that grants it.',
    folder: 'role_id',
  },
  fields: [
    requiredText('action', 'What is granted.'),
    text('note', 'Why.'),
    timestamp('granted_at', 'Since when.'),
  ],
  key: ['action'],
});
