import { ofOrganization } from './of-organization.js';
import {
  defineStream,
  personal,
  ranked,
  requiredText,
  type StreamRecord,
  timestamp,
  userId,
} from './stream.js';

/** The current members of every organisation; one person may be a member of several. */
export const users = defineStream({
  name: 'users',
  description: 'The current members of each organisation; one row a membership.',
  scope: 'read:compliance_user_data',
  path: '/v1/compliance/organizations/{organization_uuid}/users',
  sendsLimit: true,
  parent: ofOrganization('The organisation that this row is a membership of.'),
  fields: [
    userId(
      requiredText('id', 'The tagged id of the user (user_…): stable when the e-mail or the name changes.'),
    ),
    personal('name', 'full_name', 'The full name of the user.'),
    personal('email', 'email', 'The e-mail address of the user.'),
    ranked(
      [
        ['user', 'claude_code_user'],
        ['developer', 'billing'],
        ['membership_admin'],
        ['admin'],
        ['owner'],
        ['primary_owner'],
      ],
      'organization_role',
      'The role within this organisation: an open list.',
    ),
    timestamp('created_at', 'When the account was created (not when the user joined the organisation).'),
  ],
  key: ['id'],
  isDefault: true,
  isGuarded: true,
  movesBetweenLists: true,
});

/** A member of one organisation as the API served it. */
export interface User extends StreamRecord<typeof users> {}

/** A user of a stream over several organisations. */
export interface OrganizationUser extends User {
  organization_uuid: string;
}
