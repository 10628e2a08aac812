import { roles } from './roles.js';
import { defineStream, requiredText, type StreamRecord, text } from './stream.js';

/** What each role allows, as the API names it; an open list. */
export const rolePermissions = defineStream({
  name: 'role_permissions',
  description: 'What each role allows: an action, and on what.',
  scope: 'read:compliance_org_data',
  path: '/v1/compliance/organizations/{organization_uuid}/roles/{role_id}/permissions',
  sendsLimit: true,
  parent: {
    stream: roles,
    column: 'role_id',
    description: 'The role that allows it.',
    folder: 'rbac_role',
  },
  fields: [
    requiredText(
      'action',
      'What is allowed: an open list. `capability_access_all…` allows everything of its kind.',
    ),
    text('resource_type', 'The kind of thing that it is allowed on: an open list.'),
    text('resource_id', 'The one thing that it is allowed on.'),
  ],
  key: ['action', 'resource_type', 'resource_id'],
  isGrant: true,
});

/** A permission of one role as the API served it. */
export interface RolePermission extends StreamRecord<typeof rolePermissions> {}
