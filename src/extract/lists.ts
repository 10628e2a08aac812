import type { Requester } from '../client/requester.js';
import type { Clock } from '../clock.js';
import { ConfigError } from '../errors.js';
import type { OnEvent } from '../events.js';
import { decodedJson } from '../model/raw-json.js';
import { type Extra, recordParser } from '../model/records.js';
import { pathOf } from '../streams/path.js';
import { ownKey, type ParentKey, parentKeys, type Stream, type StreamRecord } from '../streams/stream.js';
import type { Fingerprints } from './fingerprints.js';
import { explainOff, goneDetector, verdictOf } from './gone.js';
import { merge } from './merge.js';
import { type Readable, recordReadable } from './readable.js';
import type { RecordPage } from './record-page.js';
import { placeFinder } from './through.js';
import { queryOf, walk } from './walk.js';

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, its waits included, at once. */
  signal?: AbortSignal | undefined;
}

/** One list of a stream. */
export interface ListOptions extends CallOptions {
  /**
   * Whose list it is: a value for each parent column of the stream. Default: `{}`, for streams without a parent. For one that
   * is read through any record of another stream, that record may be named; otherwise the first that has the list is found.
   */
  parent?: ParentKey | undefined;
  /** The keys of those records, where they are known: nothing is requested to find them. */
  through?: readonly string[] | undefined;
  /** Records a page, 1 to 1000; default: the client's `pageSize`. */
  limit?: number | undefined;
}

/** A walk that another process began. */
export interface ResumeOptions extends ListOptions {
  /** The `next` of the last page that was dealt with. */
  from?: string | undefined;
  /** The keys returned before, and from now on. */
  seen?: Fingerprints | undefined;
}

/** Every list of a stream. */
export interface AllOptions extends Omit<ListOptions, 'parent'> {
  /** Lists read at a time, 1 to 64; default 8. */
  concurrency?: number | undefined;
}

/** One page of a list as the API frames it. */
export interface ListPage<R> {
  data: R[];
  has_more: boolean;
  /** What `page` takes to continue; null at the end. */
  next_page: string | null;
}

/** What the readers of a client share. */
export interface ListsOptions {
  requester: Requester;
  clock: Clock;
  pageSize: number;
  maxListLength: number;
  onEvent?: OnEvent | undefined;
}

/** Reads the lists of any stream: the methods of the client. */
export type Lists = ReturnType<typeof createLists>;

export function createLists({ requester, clock, pageSize, maxListLength, onEvent }: ListsOptions) {
  const explain = goneDetector({
    clock,
    readKeys: async (stream, parent) => {
      const keys = new Set<string>();
      for await (const record of records(stream, { parent })) keys.add(ownKey(stream, record));
      return keys;
    },
  });

  const atFirstPlace = placeFinder((stream, options) => records(stream, options));

  /** The pages of one list, each with the token that continues after it. */
  async function* pages<S extends Stream>(
    stream: S,
    options: ResumeOptions = {},
  ): AsyncGenerator<RecordPage<StreamRecord<S>>, void, void> {
    const { walk, first } = await atFirstPlace(stream, options, async (parent) => {
      const walk = pagesAt(stream, { ...options, parent });
      return { walk, first: await walk.next() };
    });
    try {
      if (!first.done) yield first.value;
      yield* walk;
    } finally {
      await walk.return();
    }
  }

  async function* pagesAt<S extends Stream>(
    stream: S,
    { parent, limit = pageSize, from, seen, signal }: ResumeOptions & { parent: ParentKey },
  ): AsyncGenerator<RecordPage<StreamRecord<S>>, void, void> {
    try {
      const list = { requester, stream, ...aboutOf(parent), limit: checkLimit(limit), maxListLength };
      yield* walk({ ...list, from, seen, signal, onEvent });
    } catch (error) {
      throw await explain(error, { stream, parent, signal });
    }
  }

  /** One page: exactly one request, but for retries and for what a stream is read through. */
  const page = <S extends Stream>(
    stream: S,
    { limit, page: token, ...options }: ListOptions & { page?: string | undefined } = {},
  ): Promise<ListPage<StreamRecord<S>>> =>
    atFirstPlace(stream, options, async (parent) => {
      const query = {
        ...(limit !== undefined && queryOf(stream, { limit: checkLimit(limit) })),
        ...(token !== undefined && token !== '' && { page: token }),
      };
      const about = {
        path: pathOf(stream, parent),
        member: stream.list,
        stream: stream.name,
        ...aboutOf(parent),
      };
      const { records, isRaw, hasMore, next } = await requester
        .getPage({ ...about, query, signal: options.signal })
        .catch((error: unknown) => {
          throw explainOff(error, stream);
        });
      const parse = recordParser<StreamRecord<S>>(stream);
      const data = records.map((record) => parse(isRaw ? decodedJson(record as Extra) : record));
      return { data, has_more: hasMore, next_page: next };
    });

  /** Every record of one list, once each, in the order served. */
  async function* records<S extends Stream>(
    stream: S,
    options: ListOptions = {},
  ): AsyncGenerator<StreamRecord<S>, void, void> {
    for await (const { records } of pages(stream, options)) yield* records;
  }

  /** The same as a Readable in object mode, at most one page ahead of its reader. */
  const readable = (stream: Stream, options: ListOptions = {}): Readable =>
    recordReadable((signal) => pages(stream, { ...options, signal }), options.signal);

  /**
   * The keys of every list of a stream, in the order served: one for each record of its parent. A parent of that parent
   * that is gone meanwhile is reported (`slice-failed`, `gone`) and left out.
   */
  async function* parents(stream: Stream, options: CallOptions = {}): AsyncGenerator<ParentKey, void, void> {
    if (!stream.parent) {
      yield {};
      return;
    }
    const { stream: above } = stream.parent;
    for await (const parent of parents(above, options)) {
      for await (const { records } of pagesIfServed(above, { ...options, parent })) {
        const keys = records.map((record) => ownKey(above, record));
        yield* parentKeys(stream, parent, keys);
      }
    }
  }

  /**
   * Every record of every list of a stream as one Readable, several lists at a time, each record with the keys of its
   * parents. A list that is unavailable, or whose parent is gone meanwhile, is reported (`slice-failed`) and left out; any
   * other failure ends it.
   */
  const all = (stream: Stream, options: AllOptions = {}): Readable =>
    recordReadable((signal) => allPages(stream, { ...options, signal }), options.signal);

  async function* allPages(stream: Stream, { concurrency = 8, limit, signal }: AllOptions) {
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64) {
      throw new ConfigError('`concurrency` is 1 to 64 lists at a time.', { code: 'invalid_concurrency' });
    }
    yield* merge({
      sources: parents(stream, { signal }),
      open: (parent, signal) => keyedPages(stream, { parent, limit, signal }),
      concurrency,
      clock,
      signal,
    });
  }
  async function* keyedPages(stream: Stream, options: ListOptions & { parent: ParentKey }) {
    for await (const { records } of pagesIfServed(stream, options))
      yield { records: records.map((record) => ({ ...options.parent, ...record })) };
  }
  /** The pages of a list; that its parent is gone, or that it is unavailable, is reported and ends it. */
  async function* pagesIfServed(stream: Stream, options: ListOptions & { parent: ParentKey }) {
    const { parent } = options;
    try {
      yield* pages(stream, options);
    } catch (error) {
      const verdict = verdictOf(error);
      if (verdict === undefined || verdict === 'failed') throw error;
      const { code, message } = error as Error & { code: string };
      onEvent?.({ type: 'slice-failed', stream: stream.name, parent, verdict, code, message });
    }
  }

  return { pages, page, records, readable, parents, all };
}

const aboutOf = (parent: ParentKey) => (Object.keys(parent).length > 0 ? { parent } : {});

function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new ConfigError('`limit` is 1 to 1000 records a page. Nothing was requested.', {
    code: 'invalid_limit',
  });
}
