import { ProtocolError } from '../errors.js';

/** The records of one page and what comes after them; nothing of it is handed on before all of it is valid. */
export interface Envelope {
  /** As parsed, not checked beyond being objects. Who deals with them may take them out. */
  readonly records: object[];
  /** The token of the next page; null: this was the last. */
  readonly next: string | null;
  readonly hasMore: boolean;
}

/** What a page may hold at most, whatever its size. */
export interface EnvelopeLimits {
  readonly records: number;
  /** Levels of nesting, the envelope's own included. */
  readonly depth: number;
}

/** Longer than any token that fits into a request line everywhere. */
const TOKEN_LENGTH = 8_192;

/**
 * Reads the envelope of a page: `data` (or the member named `list`), `has_more`, `next_page`. A list that might be incomplete, or that is not
 * one, is an error and never an empty page: a false "no users" would wipe a snapshot.
 * @throws ProtocolError `foreign_envelope`, `data_missing`, `data_not_a_list`, `record_not_an_object`,
 * `too_many_records`, `too_deep`, `has_more_not_boolean`, `next_page_not_text`, `next_page_missing`, `next_page_unexpected`
 */
export function parseEnvelope(json: unknown, limits: EnvelopeLimits, list = 'data'): Envelope {
  if (!isObject(json)) throw fault('foreign_envelope', `is not an object with \`${list}\``);
  const data = own(json, list);
  if (data === undefined || data === null) throw fault('data_missing', `holds no \`${list}\``);
  if (!Array.isArray(data)) throw fault('data_not_a_list', `holds a \`${list}\` that is not a list`);
  if (data.length > limits.records) throw tooManyRecords(limits);
  if (!data.every(isObject)) throw fault('record_not_an_object', 'lists something that is not an object');
  if (exceedsDepth(json, limits.depth)) throw tooDeep(limits);

  const next = tokenOf(own(json, 'next_page'));
  const hasMore = own(json, 'has_more') ?? next !== null; // neither: the contract without pages, complete
  if (typeof hasMore !== 'boolean')
    throw fault('has_more_not_boolean', 'says neither yes nor no in `has_more`');
  if (hasMore && next === null) {
    throw fault('next_page_missing', 'says that there is more and gives no token for it');
  }
  if (!hasMore && next !== null) {
    throw fault('next_page_unexpected', 'says that there is no more and gives a token for more');
  }
  return { records: data, next, hasMore };
}

/** A 200 that is refused, in words for the end of "The answer …". */
export const fault = (code: string, what: string, cause?: unknown): ProtocolError =>
  new ProtocolError(what, { code, cause });

export const tooManyRecords = (limits: EnvelopeLimits): ProtocolError =>
  fault('too_many_records', `lists more than ${limits.records} records`);

export const tooDeep = (limits: EnvelopeLimits): ProtocolError =>
  fault('too_deep', `nests deeper than ${limits.depth} levels`);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (json: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(json, name) ? json[name] : undefined;

function tokenOf(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string' || value.length > TOKEN_LENGTH) {
    throw fault('next_page_not_text', 'gives a `next_page` that is not a text of bounded length');
  }
  return value;
}

/** Whether a value nests deeper than `levels`; looks no deeper than that itself. */
function exceedsDepth(value: object, levels: number): boolean {
  if (levels === 0) return true;
  return Object.values(value).some(
    (member) => typeof member === 'object' && member !== null && exceedsDepth(member, levels - 1),
  );
}
