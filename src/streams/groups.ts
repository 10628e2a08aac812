import {
  defineStream,
  jsonArray,
  notNone,
  requiredText,
  type StreamRecord,
  text,
  timestamp,
} from './stream.js';

/** The groups of the parent organisation. */
export const groups = defineStream({
  name: 'groups',
  description: 'The groups of the parent organisation; a group gives its members roles.',
  scope: 'read:compliance_org_data',
  path: '/v1/compliance/groups',
  sendsLimit: true,
  fields: [
    requiredText('id', 'The tagged id of the group (rbac_group_…).'),
    text('name', 'The name of the group.'),
    text('description', 'What the group is for.'),
    text('source_type', 'Where the group is managed: direct, scim; an open list.'),
    notNone(
      jsonArray(
        'roles',
        'The ids of the roles that the group gives. Null: not known at the moment, never "none".',
      ),
    ),
    timestamp('created_at', 'When the group was created; may be unknown.'),
    timestamp('updated_at', 'When the group was changed last; may be unknown.'),
  ],
  key: ['id'],
});

/** A group as the API served it. */
export interface Group extends StreamRecord<typeof groups> {}
