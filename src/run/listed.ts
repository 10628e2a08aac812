import { ConfigError } from '../errors.js';

/**
 * What was asked for by name must not be missing silently; case does not matter in a UUID.
 * @throws ConfigError `organization_not_listed`
 */
export function checkListed(asked: readonly string[], listed: readonly string[]): void {
  const known = new Set(listed.map((uuid) => uuid.toLowerCase()));
  const missing = asked.filter((uuid) => !known.has(uuid.toLowerCase()));
  if (missing.length === 0) return;
  throw new ConfigError(
    `The key does not list ${missing.length === 1 ? 'the organisation' : 'the organisations'} ${missing.join(', ')}. Nothing was written. See which it lists: claude-compliance-connector preview organizations`,
    { code: 'organization_not_listed' },
  );
}
