import { parseUser, type User } from '../records.js';
import { usersSchema } from '../schema.js';
import { organizationSegment } from './organization-id.js';
import type { Stream } from './stream.js';

/** The members of one organisation. */
export const usersStream: Stream<User> = {
  schema: usersSchema,
  scope: 'read:compliance_user_data',
  perOrganization: true,
  sendsLimit: true,
  path: (organizationUuid = '') =>
    `/v1/compliance/organizations/${organizationSegment(organizationUuid)}/users`,
  parse: parseUser,
  keyOf: ({ id }) => id,
};
