import { groups } from './groups.js';
import { defineStream, personal, requiredText, type StreamRecord, timestamp, userId } from './stream.js';

/** Who is in each group. */
export const groupMembers = defineStream({
  name: 'group_members',
  description: 'The members of each group. One who left every organisation may still be listed.',
  scope: 'read:compliance_user_data',
  path: '/v1/compliance/groups/{group_id}/members',
  sendsLimit: true,
  parent: {
    stream: groups,
    column: 'group_id',
    description: 'The group that this row is a membership of.',
    folder: 'rbac_group',
  },
  fields: [
    userId(requiredText('user_id', 'The tagged id of the user (user_…).')),
    personal('email', 'email', 'The e-mail address of the user.'),
    timestamp('created_at', 'When the user joined the group; may be unknown.'),
    timestamp('updated_at', 'When the membership was changed last; may be unknown.'),
  ],
  key: ['user_id'],
});

/** A member of one group as the API served it. */
export interface GroupMember extends StreamRecord<typeof groupMembers> {}
