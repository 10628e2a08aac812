import { ConfigError } from '../errors.js';

/** UUIDs today, tagged ids one day; nothing that could end or climb a path segment. */
const ID = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * An organisation's id as a path segment.
 * @throws ConfigError `invalid_organization_id`
 */
export function organizationSegment(organizationUuid: string): string {
  if (typeof organizationUuid !== 'string' || !ID.test(organizationUuid)) {
    throw new ConfigError(
      'This cannot be the id of an organisation: letters, digits, - and _ only, at most 128. Nothing was asked.',
      { code: 'invalid_organization_id' },
    );
  }
  return encodeURIComponent(organizationUuid);
}
