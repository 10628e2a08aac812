import { ConfigError } from '../errors.js';
import type { ParentKey, Stream } from './stream.js';

/** UUIDs and tagged ids; nothing that could end or climb a path segment. */
const ID = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * The path of one list of a stream.
 * @throws ConfigError `invalid_parent_id`
 */
export function pathOf({ path, name }: Pick<Stream, 'path' | 'name'>, parent: ParentKey = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, column: string) => {
    const id = parent[column];
    if (typeof id === 'string' && ID.test(id)) return encodeURIComponent(id);
    throw new ConfigError(
      `The ${column} of a list of ${name} must be letters, digits, - and _ only, at most 128. Nothing was requested.`,
      { code: 'invalid_parent_id' },
    );
  });
}
