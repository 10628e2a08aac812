import type { Requester } from '../client/requester.js';
import type { Clock } from '../clock.js';
import { ConfigError } from '../errors.js';
import type { OnEvent } from '../events.js';
import { recordParser } from '../model/records.js';
import { pathOf } from '../streams/path.js';
import { ownKey, type ParentKey, parentKeys, type Stream, type StreamRecord } from '../streams/stream.js';
import type { Fingerprints } from './fingerprints.js';
import { goneDetector, verdictOf } from './gone.js';
import { merge } from './merge.js';
import { type Readable, recordReadable } from './readable.js';
import { queryOf, type RecordPage, walk } from './walk.js';

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, its waits included, at once. */
  signal?: AbortSignal | undefined;
}

/** One list of a stream. */
export interface ListOptions extends CallOptions {
  /** Whose list it is: a value for each parent column of the stream. Default: `{}`, for streams without a parent. */
  parent?: ParentKey | undefined;
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
  onEvent?: OnEvent | undefined;
}

/** Reads the lists of any stream: the methods of the client. */
export type Lists = ReturnType<typeof createLists>;

export function createLists({ requester, clock, pageSize, onEvent }: ListsOptions) {
  const explain = goneDetector({
    clock,
    readKeys: async (stream, parent) => {
      const keys = new Set<string>();
      for await (const record of records(stream, { parent })) keys.add(ownKey(stream, record));
      return keys;
    },
  });

  /** The pages of one list, each with the token that continues after it. */
  async function* pages<S extends Stream>(
    stream: S,
    { parent = {}, limit = pageSize, from, seen, signal }: ResumeOptions = {},
  ): AsyncGenerator<RecordPage<StreamRecord<S>>, void, void> {
    const about = stream.parent ? { parent } : {};
    try {
      yield* walk({ requester, stream, ...about, limit: checkLimit(limit), from, seen, signal, onEvent });
    } catch (error) {
      throw await explain(error, { stream, parent, signal });
    }
  }

  /** One page: exactly one request, but for retries. */
  async function page<S extends Stream>(
    stream: S,
    { parent = {}, limit, page: token, signal }: ListOptions & { page?: string | undefined } = {},
  ): Promise<ListPage<StreamRecord<S>>> {
    const { records, hasMore, next } = await requester.getPage({
      path: pathOf(stream, parent),
      query: {
        ...(limit !== undefined && queryOf(stream, { limit: checkLimit(limit) })),
        ...(token !== undefined && token !== '' && { page: token }),
      },
      stream: stream.name,
      ...(stream.parent && { parent }),
      signal,
    });
    return {
      data: records.map(recordParser<StreamRecord<S>>(stream)),
      has_more: hasMore,
      next_page: next,
    };
  }

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
      for await (const { records } of pagesUnlessGone(above, { ...options, parent })) {
        const keys = records.map((record) => ownKey(above, record));
        yield* parentKeys(stream, parent, keys);
      }
    }
  }

  /**
   * Every record of every list of a stream as one Readable, several lists at a time, each record with the keys of its
   * parents. A parent that is gone meanwhile is reported (`slice-failed`, `gone`) and left out; any other failure ends it.
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
    for await (const { records } of pagesUnlessGone(stream, options))
      yield { records: records.map((record) => ({ ...options.parent, ...record })) };
  }
  /** The pages of a list; that its parent is gone is reported, and ends it. */
  async function* pagesUnlessGone(stream: Stream, options: ListOptions & { parent: ParentKey }) {
    const { parent } = options;
    try {
      yield* pages(stream, options);
    } catch (error) {
      if (verdictOf(error) !== 'gone') throw error;
      const { code, message } = error as Error & { code: string };
      onEvent?.({ type: 'slice-failed', stream: stream.name, parent, verdict: 'gone', code, message });
    }
  }

  return { pages, page, records, readable, parents, all };
}

function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new ConfigError('`limit` is 1 to 1000 records a page. Nothing was requested.', {
    code: 'invalid_limit',
  });
}
