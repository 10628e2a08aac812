import { ComplianceError, keyText, type ParentKey, type RecordPage } from '../../src/index.js';
import type { Reading } from './reading.js';

/** Which list, and where to begin. */
export interface ListPagesOptions {
  parent: ParentKey;
  /** The page token of a state; undefined: the first page. */
  from: string | undefined;
  signal: AbortSignal;
}

/** The pages of one list. When the token is no longer accepted, the list starts over with a warning. */
export async function* listPages(
  { client, stream, log }: Pick<Reading, 'client' | 'stream' | 'log'>,
  { parent, from, signal }: ListPagesOptions,
): AsyncGenerator<RecordPage<object>, void, void> {
  try {
    yield* client.pages(stream, { parent, from, signal });
  } catch (error) {
    const isStale = error instanceof ComplianceError && error.code === 'stale_token';
    if (from === undefined || !isStale) throw error;
    log('WARN', `${listOf(parent)} starts over, since the page token of its state is no longer accepted.`);
    yield* client.pages(stream, { parent, signal });
  }
}

/** A list as messages name it, after the name of its stream. */
export const listOf = (parent: ParentKey = {}): string =>
  Object.keys(parent).length > 0 ? `the list of ${labelOf(parent)}` : 'the list';

/** A parent as messages name it: by the ids that the API served, as long as they look like ids. */
export function labelOf(parent: ParentKey): string {
  const text = keyText(parent);
  return /^[\w/-]{1,256}$/.test(text) ? text : '(an id that is not valid)';
}
