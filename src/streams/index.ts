import { apiKeys } from './api-keys.js';
import { groupMembers } from './group-members.js';
import { groups } from './groups.js';
import { organizationSettings } from './organization-settings.js';
import { organizations } from './organizations.js';
import { rolePermissions } from './role-permissions.js';
import { roles } from './roles.js';
import type { Stream } from './stream.js';
import { users } from './users.js';

/** Every stream of the directory, parents before children; another one is a file beside these and a line here. */
export const streams: readonly Stream[] = [
  organizations,
  users,
  roles,
  rolePermissions,
  groups,
  groupMembers,
  organizationSettings,
  apiKeys,
];

/** The dataset that a root of this connector holds. */
export const DATASET = 'directory';

/** The stream whose records `--org` chooses from. */
export const scopedStream: Stream = organizations;
