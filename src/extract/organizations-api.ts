import { NotFoundError } from '../api-errors.js';
import { expiry } from '../client/expiry.js';
import type { PageRequest, Requester } from '../client/requester.js';
import type { Clock } from '../clock.js';
import { AbortedError, ConfigError } from '../errors.js';
import type { OnEvent } from '../events.js';
import type { Organization, OrganizationUser, User } from '../records.js';
import type { Fingerprints } from './fingerprints.js';
import { merge } from './merge.js';
import { organizationsStream } from './organizations.js';
import { type Readable, recordReadable } from './readable.js';
import { stillListed } from './still-listed.js';
import type { Stream } from './stream.js';
import { usersStream } from './users.js';
import { type RecordPage, walk } from './walk.js';

/** A page of users, with the token that continues after it. */
export type UserPage = RecordPage<User>;

/** A page of organisations, with the token that continues after it. */
export type OrganizationPage = RecordPage<Organization>;

/** One page of users as the API frames it. */
export interface UserList {
  data: User[];
  has_more: boolean;
  /** What `page` takes to go on; null at the end. */
  next_page: string | null;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, its waits included, at once. */
  signal?: AbortSignal | undefined;
}

/** What a walk of one organisation's users takes. */
export interface UserWalkOptions extends CallOptions {
  /** Users a page, 1 to 1000; default: the client's `pageSize`. */
  limit?: number | undefined;
}

/** What a walk takes that somebody else began. */
export interface ResumeOptions extends UserWalkOptions {
  /** The `next` of the last page that was dealt with. */
  from?: string | undefined;
  /** The keys handed out before, and from now on. */
  seen?: Fingerprints | undefined;
}

/** What `listUsers` takes. */
export interface UserListOptions extends CallOptions {
  /** 1 to 1000; default: the API's own, 500. */
  limit?: number | undefined;
  /** `next_page` of the page before. */
  page?: string | undefined;
}

/** What `streamAllUsers` takes. */
export interface AllUsersOptions extends UserWalkOptions {
  /** Organisations read at a time, 1 to 64; default 8. */
  concurrency?: number | undefined;
}

/** `client.organizations`: the organisations that the key covers, and their users. */
export interface OrganizationsApi {
  /** Every organisation, in the order served. */
  list(options?: CallOptions): Promise<Organization[]>;
  /** Every organisation, one at a time. */
  iter(options?: CallOptions): AsyncIterable<Organization>;
  /** Every organisation, as a Readable in object mode. */
  stream(options?: CallOptions): Readable;
  /** The list of organisations page by page. */
  organizationPages(options?: Omit<ResumeOptions, 'limit'>): AsyncIterable<OrganizationPage>;
  /** One page of users: exactly one request, but for retries. */
  listUsers(organizationUuid: string, options?: UserListOptions): Promise<UserList>;
  /** Every user of one organisation, once each, in the order served. */
  iterUsers(organizationUuid: string, options?: UserWalkOptions): AsyncIterable<User>;
  /** The same as a Readable in object mode, at most one page ahead of its reader. */
  streamUsers(organizationUuid: string, options?: UserWalkOptions): Readable;
  /**
   * The users of every organisation as one Readable of `OrganizationUser`s, several organisations at a time. One that is
   * unlinked meanwhile is told by an event (`slice-failed`, `gone`) and passed over; any other failure ends the stream.
   */
  streamAllUsers(options?: AllUsersOptions): Readable;
  /** The users of one organisation page by page, each with the token to resume after it. */
  pages(organizationUuid: string, options?: ResumeOptions): AsyncIterable<UserPage>;
}

/** What the API stands on. */
export interface OrganizationsApiOptions {
  requester: Requester;
  clock: Clock;
  pageSize: number;
  onEvent?: OnEvent | undefined;
}

/** Makes `client.organizations`. */
export function organizationsApi({
  requester,
  clock,
  pageSize,
  onEvent,
}: OrganizationsApiOptions): OrganizationsApi {
  const isListed = stillListed(async () => {
    const uuids = new Set<string>();
    for await (const { records } of organizationPages()) for (const { uuid } of records) uuids.add(uuid);
    return uuids;
  });

  function walkOf<R>(stream: Stream<R>, options: ResumeOptions, organizationUuid?: string) {
    const { limit = pageSize, from, seen, signal } = options;
    return walk({
      requester,
      stream,
      organizationUuid,
      limit: pageLimit(limit),
      from,
      seen,
      signal,
      onEvent,
    });
  }
  async function* organizationPages(
    options: ResumeOptions = {},
  ): AsyncGenerator<OrganizationPage, void, void> {
    yield* walkOf(organizationsStream, options);
  }
  async function* pages(
    organizationUuid: string,
    options: ResumeOptions = {},
  ): AsyncGenerator<UserPage, void, void> {
    try {
      yield* walkOf(usersStream, options, organizationUuid);
    } catch (error) {
      if (!(error instanceof NotFoundError) || error.code !== 'organization_not_found') throw error;
      throw (await isGone(organizationUuid, options.signal)) ? gone(error) : error;
    }
  }
  /** False as well when the list cannot be read: then nothing is known, and nothing may be called gone. */
  async function isGone(organizationUuid: string, signal: AbortSignal | undefined): Promise<boolean> {
    using wait = expiry({ clock, parents: [signal] });
    const aborted = new Promise<boolean>((resolve) => {
      wait.signal.addEventListener('abort', () => resolve(true));
    });
    const listed = await Promise.race([isListed(organizationUuid).catch(() => true), aborted]);
    if (signal?.aborted) {
      throw new AbortedError('The walk was given up, because its signal was aborted.', signal.reason);
    }
    return !listed;
  }
  async function* allUserPages(options: AllUsersOptions, signal: AbortSignal) {
    const { concurrency = 8, limit } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64) {
      throw new ConfigError('`concurrency` is 1 to 64 organisations at a time.', {
        code: 'invalid_concurrency',
      });
    }
    yield* merge({
      sources: iterate(organizationPages({ signal })),
      open: ({ uuid }, signal) => membershipPages(uuid, { limit, signal }),
      concurrency,
      clock,
      signal,
    });
  }
  async function* membershipPages(organizationUuid: string, options: UserWalkOptions) {
    try {
      for await (const { records } of pages(organizationUuid, options)) {
        yield {
          records: records.map(
            (user): OrganizationUser => ({ organization_uuid: organizationUuid, ...user }),
          ),
        };
      }
    } catch (error) {
      if (!(error instanceof NotFoundError) || error.code !== 'organization_gone') throw error;
      const { code, message } = error;
      onEvent?.({ type: 'slice-failed', organizationUuid, verdict: 'gone', code, message });
    }
  }

  return {
    async list(options) {
      const organizations: Organization[] = [];
      for await (const { records } of organizationPages(options)) organizations.push(...records);
      return organizations;
    },
    iter: (options) => iterate(organizationPages(options)),
    stream: (options) => recordReadable((signal) => organizationPages({ signal }), options?.signal),
    organizationPages,
    async listUsers(organizationUuid, { limit, page, signal } = {}) {
      const request: PageRequest = {
        path: usersStream.path(organizationUuid),
        query: {
          ...(limit !== undefined && { limit: String(pageLimit(limit)) }),
          ...(page !== undefined && page !== '' && { page }),
        },
        organizationUuid,
        signal,
      };
      const { records, hasMore, next } = await requester.getPage(request);
      return { data: records.map(usersStream.parse), has_more: hasMore, next_page: next };
    },
    iterUsers: (organizationUuid, options) => iterate(pages(organizationUuid, options)),
    streamUsers: (organizationUuid, options) =>
      recordReadable((signal) => pages(organizationUuid, { ...options, signal }), options?.signal),
    streamAllUsers: (options = {}) =>
      recordReadable((signal) => allUserPages(options, signal), options.signal),
    pages,
  };
}

async function* iterate<R>(pages: AsyncIterable<{ records: readonly R[] }>): AsyncGenerator<R, void, void> {
  for await (const { records } of pages) yield* records;
}

function pageLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new ConfigError('`limit` is 1 to 1000 users a page. Nothing was asked.', { code: 'invalid_limit' });
  }
  return limit;
}

function gone(error: NotFoundError): NotFoundError {
  return new NotFoundError(
    `The organisation is no longer linked: it is not listed any more. ${error.message}`,
    {
      ...error,
      code: 'organization_gone',
      failure: 'system',
      apiMessage: error.apiMessage,
      body: error.body,
      cause: error,
    },
  );
}
