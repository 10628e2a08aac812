import { type ComplianceClient, ConfigError, type Organization } from '../../../src/index.js';

/**
 * The organisations that the key lists; with `org`, only these.
 * @throws ConfigError `organization_not_listed`: what was asked for by name must not be missing silently
 */
export async function wantedOrganizations(
  client: ComplianceClient,
  org: readonly string[] | undefined,
): Promise<Organization[]> {
  const listed = await client.organizations.list();
  if (!org) return listed;
  const wanted = new Set(org.map((uuid) => uuid.toLowerCase()));
  const found = listed.filter(({ uuid }) => wanted.delete(uuid.toLowerCase()));
  if (wanted.size === 0) return found;
  throw new ConfigError(
    `The key does not list ${[...wanted].join(', ')}. Nothing was written. See which it lists: claude-compliance preview organizations`,
    { code: 'organization_not_listed' },
  );
}
