import { ofOrganization } from './of-organization.js';
import { defineStream, requiredText, type StreamRecord, text, timestamp } from './stream.js';

/** The roles of every organisation, built-in and custom. */
export const roles = defineStream({
  name: 'roles',
  description: 'The roles of each organisation, built-in and custom.',
  scope: 'read:compliance_org_data',
  path: '/v1/compliance/organizations/{organization_uuid}/roles',
  sendsLimit: true,
  parent: ofOrganization('The organisation that the role belongs to.'),
  fields: [
    requiredText('id', 'The tagged id of the role (rbac_role_…).'),
    text('name', 'The name of the role.'),
    text('description', 'What the role is for.'),
    timestamp('created_at', 'When the role was created; may be unknown.'),
    timestamp('updated_at', 'When the role was changed last; may be unknown.'),
  ],
  key: ['id'],
});

/** A role of one organisation as the API served it. */
export interface Role extends StreamRecord<typeof roles> {}
