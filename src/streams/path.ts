import { ConfigError } from '../errors.js';
import type { ParentKey, Stream } from './stream.js';

/** Whether a text is a UUID or a tagged id, with nothing that could end or climb a segment of a path. */
export const isId = (text: string): boolean => /^[A-Za-z0-9_-]{1,128}$/.test(text);

/**
 * The path of one list of a stream.
 * @throws ConfigError `invalid_parent_id`
 */
export function pathOf({ path, name }: Pick<Stream, 'path' | 'name'>, parent: ParentKey = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, column: string) => {
    const id = parent[column];
    if (typeof id === 'string' && isId(id)) return encodeURIComponent(id);
    throw new ConfigError(
      `The ${column} of a list of ${name} must be letters, digits, - and _ only, at most 128. Nothing was requested.`,
      { code: 'invalid_parent_id' },
    );
  });
}
