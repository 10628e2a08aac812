import { BadRequestError } from '../api-errors.js';
import type { Page, Requester } from '../client/requester.js';
import { ProtocolError } from '../errors.js';
import type { OnEvent } from '../events.js';
import { redact } from '../redact.js';
import { createFingerprints, type Fingerprints } from './fingerprints.js';
import type { Stream } from './stream.js';

/** One page of a walk: its records, and the token by which the walk goes on after it. */
export interface RecordPage<R> {
  /** In the order served, without those that the walk handed out before. */
  records: R[];
  /** Continues the walk after this page; null: the walk is complete. */
  next: string | null;
  /** Records dropped because the walk had handed them out; after a restart these are all that came before it. */
  duplicates: number;
  requestId?: string;
  /** When it was asked for, milliseconds since 1970. */
  requestedAt: number;
  /** Of the body, decompressed. */
  bytes: number;
  /** Whether the walk had to begin anew before this page. */
  restarted?: boolean;
}

/** Which list to walk, and from where. */
export interface WalkOptions<R> {
  requester: Requester;
  stream: Stream<R>;
  organizationUuid?: string | undefined;
  /** Records a page; sent only where the stream sends it. */
  limit: number;
  /** The token to begin with; default: the first page. Such a walk is never restarted: what came before is not known here. */
  from?: string | undefined;
  /** The keys handed out already; those of this walk are added as its pages are handed out. */
  seen?: Fingerprints | undefined;
  signal?: AbortSignal | undefined;
  onEvent?: OnEvent | undefined;
}

/** Pages in a row without one new record, after which a walk is held to be endless. */
const IDLE_PAGES = 500;

/**
 * Walks a list page by page. A page is asked for when the one before has been dealt with, never earlier.
 * @throws ProtocolError `token_repeated`, `walk_endless`; BadRequestError `stale_token`; whatever a request throws
 */
export async function* walk<R>(options: WalkOptions<R>): AsyncGenerator<RecordPage<R>, void, void> {
  const { requester, stream, organizationUuid, from, seen = createFingerprints(), signal, onEvent } = options;
  const about = organizationUuid === undefined ? {} : { organizationUuid };
  const path = stream.path(organizationUuid);
  const query = stream.sendsLimit ? { limit: String(options.limit) } : {};

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
      page = await requester.getPage({ path, query: paged, organizationUuid, signal });
    } catch (error) {
      if (token === null || !(error instanceof BadRequestError)) throw error;
      if (from || restarted) throw stale(error);
      restarted = true;
      token = null;
      tokens = createFingerprints();
      idle = -pages; // so many pages will hold nothing new
      onEvent?.({ type: 'walk-restarted', ...about });
      continue;
    }
    if (page.next !== null && !tokens.add(page.next)) {
      throw distrust(path, page, 'token_repeated', 'led back to a page of the same walk: it would never end');
    }
    const parsed = parseAll(stream, page, path);
    const records = parsed.filter((record) => seen.add(stream.keyOf(record)));
    const duplicates = parsed.length - records.length;
    pages += 1;
    idle = records.length > 0 ? Math.min(idle, 0) : idle + 1;
    if (idle > IDLE_PAGES && page.next !== null) {
      throw distrust(path, page, 'walk_endless', `was the last of ${IDLE_PAGES} pages without a new record`);
    }
    if (duplicates > 0 && !restarted) onEvent?.({ type: 'duplicates', ...about, dropped: duplicates });
    yield {
      records,
      next: page.next,
      duplicates,
      requestedAt: page.requestedAt,
      bytes: page.bytes,
      ...(page.requestId !== undefined && { requestId: page.requestId }),
      ...(restarted && { restarted }),
    };
    if (page.next === null) return;
    token = page.next;
  }
}

/** All of a page or nothing: a record that cannot be known again fails the page. */
function parseAll<R>(stream: Stream<R>, page: Page, path: string): R[] {
  try {
    return page.records.map(stream.parse);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw distrust(path, page, error.code, `cannot be used: ${error.message}`);
  }
}

function distrust(path: string, { requestId }: Page, code: string, what: string): ProtocolError {
  const request = requestId === undefined ? '' : ` (request ${redact(requestId)})`;
  return new ProtocolError(`The answer to GET ${path}${request} ${what}`, { code, path, requestId });
}

/** The same answer, told as what it means in the middle of a walk. */
function stale(error: BadRequestError): BadRequestError {
  return new BadRequestError(
    `The token that continues the walk of ${error.path} is not accepted any more. Begin the walk anew. ${error.message}`,
    {
      ...error,
      code: 'stale_token',
      failure: 'transient',
      apiMessage: error.apiMessage,
      body: error.body,
      cause: error,
    },
  );
}
