import { BadRequestError } from '../client/api-errors.js';
import { requestNamed } from '../client/request-id.js';
import type { Page, Requester } from '../client/requester.js';
import { ProtocolError } from '../errors.js';
import type { OnEvent } from '../events.js';
import { type CompactRecord, compactParser } from '../model/records.js';
import { textOf } from '../raw-text.js';
import { pathOf } from '../streams/path.js';
import type { ParentKey, Stream, StreamRecord } from '../streams/stream.js';
import { createFingerprints, type Fingerprints } from './fingerprints.js';
import { contentHasher } from './record-content.js';
import { type RecordPage, recordPage } from './record-page.js';

/** Which list to walk, and from where. */
export interface WalkOptions<S extends Stream> {
  requester: Requester;
  stream: S;
  parent?: ParentKey | undefined;
  /** Records a page; sent only where the stream sends it. */
  limit: number;
  /** The most records that the list may have, those in `seen` included. */
  maxListLength: number;
  /** The token to begin with; default: the first page. Such a walk is never restarted: what came before is not known here. */
  from?: string | undefined;
  /** The keys returned already; those of this walk are added as its pages are returned. */
  seen?: Fingerprints | undefined;
  signal?: AbortSignal | undefined;
  onEvent?: OnEvent | undefined;
}

/** Pages in a row without one new record, after which a walk is taken to be endless. */
const MAX_IDLE_PAGES = 500;

/**
 * Walks a list page by page. A page is requested when the one before has been dealt with, never earlier.
 * @throws ProtocolError `token_repeated`, `walk_endless`, `list_too_long`; BadRequestError `stale_token`; whatever a request throws
 */
export async function* walk<S extends Stream>(
  options: WalkOptions<S>,
): AsyncGenerator<RecordPage<StreamRecord<S>>, void, void> {
  const {
    requester,
    stream,
    parent,
    maxListLength,
    from,
    seen = createFingerprints(),
    signal,
    onEvent,
  } = options;
  const list = { stream: stream.name, ...(parent && { parent }) };
  const path = pathOf(stream, parent);
  const query = queryOf(stream, options);
  const { parse, expand } = compactParser<StreamRecord<S>>(stream);
  const keyOf = keyReader(stream);
  const contentOf = contentHasher(stream);

  let token = from || null;
  let tokens = createFingerprints();
  if (token !== null) tokens.add(token);
  let restarted = false;
  let pages = 0;
  let idle = 0;
  for (;;) {
    let page: Page;
    try {
      const paged = token === null ? query : { ...query, page: token };
      page = await requester.getPage({ path, query: paged, member: stream.list, ...list, signal });
    } catch (error) {
      if (token === null || !(error instanceof BadRequestError)) throw error;
      if (from || restarted) throw stale(error);
      restarted = true;
      token = null;
      tokens = createFingerprints();
      idle = -pages; // so many pages will hold nothing new
      onEvent?.({ type: 'walk-restarted', ...list });
      continue;
    }
    if (page.next !== null && !tokens.add(page.next)) {
      throw distrust(path, page, 'token_repeated', 'led back to a page of the same walk: it would never end');
    }
    const { served, duplicates, differing } = newRecords(page, { path, parse, keyOf, contentOf, seen });
    pages += 1;
    idle = served.records.length > 0 ? Math.min(idle, 0) : idle + 1;
    if (idle > MAX_IDLE_PAGES && page.next !== null) {
      throw distrust(
        path,
        page,
        'walk_endless',
        `was the last of ${MAX_IDLE_PAGES} pages without a new record`,
      );
    }
    if (seen.size > maxListLength) {
      throw distrust(
        path,
        page,
        'list_too_long',
        `brought the list to more than ${maxListLength} records: does it ever end? If it is right, raise maxListLength (--max-list-length)`,
      );
    }
    if (restarted ? differing > 0 : duplicates > 0)
      onEvent?.({ type: 'duplicates', ...list, dropped: duplicates, differing });
    const { next, requestId, requestedAt, bytes, sha256 } = page;
    const about = { ...(requestId !== undefined && { requestId }), ...(restarted && { restarted }) };
    const counts = { duplicates, differing };
    yield recordPage({ path, served, next, ...counts, requestedAt, bytes, sha256, ...about }, expand);
    if (page.next === null) return;
    token = page.next;
  }
}

/** The query of every page of a list, without the token: also the evidence of what was asked. */
export const queryOf = ({ sendsLimit }: Stream, { limit }: { limit: number }): Record<string, string> =>
  sendsLimit ? { limit: String(limit) } : {};

/** What names a record within its list, as one text. */
function keyReader({ key }: Stream): (record: CompactRecord) => string {
  const [first = '', ...rest] = key;
  if (rest.length === 0) return (record) => record[first] as string;
  return (record) => JSON.stringify(key.map((name) => record[name]));
}

/** How the records of a walk are read. */
interface Reading {
  path: string;
  parse: (json: unknown) => CompactRecord;
  keyOf: (record: CompactRecord) => string;
  contentOf: (record: CompactRecord, isRaw: boolean) => number;
  seen: Fingerprints;
}

/**
 * The records of a page that the walk has not returned yet; all of a page or nothing: a record that cannot be identified fails the
 * page. They are taken out of it: a walk that waits for its next page must hold none, or eight walks hold eight pages.
 */
function newRecords(page: Page, { path, parse, keyOf, contentOf, seen }: Reading) {
  const { isPlain, isRaw } = page;
  const served = page.records.splice(0);
  try {
    const parsed = served.map(parse);
    let differing = 0;
    const records = parsed.filter((record) => {
      const key = isRaw ? textOf(keyOf(record)) : keyOf(record);
      const content = contentOf(record, isRaw);
      const isNew = seen.add(key, content);
      if (!isNew && seen.differs(key, content)) differing += 1;
      return isNew;
    });
    const duplicates = served.length - records.length;
    return { served: { records, isPlain, isRaw }, duplicates, differing };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw distrust(path, page, error.code, `cannot be used: ${error.message}`);
  }
}

function distrust(path: string, { requestId }: Page, code: string, what: string): ProtocolError {
  const answer = `The answer to GET ${path}${requestNamed(requestId)}`;
  return new ProtocolError(`${answer} ${what}`, { code, path, requestId });
}

/** The same answer, explained as what it means in the middle of a walk. */
function stale(error: BadRequestError): BadRequestError {
  return new BadRequestError(
    `The token that continues the walk of ${error.path} is no longer accepted. Start the walk again. ${error.message}`,
    {
      ...error,
      code: 'stale_token',
      failure: 'transient',
      type: error.type,
      errorCode: error.errorCode,
      apiMessage: error.apiMessage,
      body: error.body,
      cause: error,
    },
  );
}
