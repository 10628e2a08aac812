import { NotFoundError } from '../api-errors.js';
import { expiry } from '../client/expiry.js';
import type { PageRequest, Requester } from '../client/requester.js';
import type { Clock } from '../clock.js';
import { AbortedError, ConfigError } from '../errors.js';
import type { OnEvent } from '../events.js';
import type { Organization, OrganizationUser } from '../records.js';
import { merge } from './merge.js';
import { organizationsStream } from './organizations.js';
import type {
  AllUsersOptions,
  OrganizationPage,
  OrganizationsApi,
  ResumeOptions,
  UserPage,
  UserWalkOptions,
} from './organizations-api.js';
import { recordReadable } from './readable.js';
import { stillListed } from './still-listed.js';
import type { Stream } from './stream.js';
import { usersStream } from './users.js';
import { walk } from './walk.js';

/** What the reader stands on. */
export interface OrganizationsReaderOptions {
  requester: Requester;
  clock: Clock;
  pageSize: number;
  onEvent?: OnEvent | undefined;
}

/** Makes `client.organizations`. */
export function organizationsReader({
  requester,
  clock,
  pageSize,
  onEvent,
}: OrganizationsReaderOptions): OrganizationsApi {
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
