import { type ComplianceClient, checkListed, type Organization } from '../../../src/index.js';

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
  checkListed(
    org,
    listed.map(({ uuid }) => uuid),
  );
  const wanted = new Set(org.map((uuid) => uuid.toLowerCase()));
  return listed.filter(({ uuid }) => wanted.has(uuid.toLowerCase()));
}
