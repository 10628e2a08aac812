import { organizations } from './organizations.js';
import type { Parent } from './stream.js';

/** Of streams that have one list for each organisation. */
export const ofOrganization = (description: string): Parent => ({
  stream: organizations,
  column: 'organization_uuid',
  description,
  folder: 'org_uuid',
});
