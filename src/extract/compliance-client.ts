import { createPacer } from '../client/pacer.js';
import type { ProxySettings } from '../client/proxy-address.js';
import { createRequester, type Requester } from '../client/requester.js';
import { type ClientSettingsInput, clientSettings } from '../client/settings.js';
import { type Dispatcher, openTransport } from '../client/transport.js';
import { type Clock, systemClock } from '../clock.js';
import type { OnEvent } from '../events.js';
import { parseSettings } from '../settings.js';
import { createLists, type Lists } from './lists.js';
import { type OrganizationsApi, organizationsApi } from './organizations-api.js';

/** All that a client takes; only `apiKey` is required. */
export interface ComplianceClientOptions extends ClientSettingsInput {
  /** Ends everything that the client does. */
  signal?: AbortSignal | undefined;
  /** Takes the events of its work; it must not throw. */
  onEvent?: OnEvent | undefined;
  /** An undici dispatcher, which the caller closes; `proxy` and `ca` are then ignored. */
  dispatcher?: Dispatcher | undefined;
  /** The proxy to go through; the environment is not read. */
  proxy?: ProxySettings | undefined;
  /** PEM certificates that are trusted besides Node's own. */
  ca?: string | undefined;
  /**
   * Whether a refused connection or an unknown host name ends a request at once. Default: it is tried again, as any
   * failure that may pass. For whoever waits for the answer.
   */
  failUnreachable?: boolean | undefined;
  /** Where time comes from; for tests. */
  clock?: Clock | undefined;
  /** The length of the budget's window in milliseconds; for tests, the API's is a minute. */
  budgetWindow?: number | undefined;
}

/** What the API last said of the budget that all programs of the parent organisation share. */
export interface RateLimit {
  /** Requests in a window. */
  limit: number | undefined;
  /** Requests of it that are left. */
  remaining: number | undefined;
  /** When more are left, by the server's clock. */
  reset: Date | undefined;
}

/**
 * Reads the lists of Anthropic's Compliance API, within its budget; nothing is lost or doubled. Close it when done:
 * `await using client = new ComplianceClient({ apiKey })`.
 */
export class ComplianceClient implements AsyncDisposable {
  /** The organisations that the key covers, and their users. */
  readonly organizations: OrganizationsApi;
  /** Where the API is. */
  readonly baseUrl: string;
  /** Records requested at a time, unless a call says otherwise. */
  readonly pageSize: number;
  /** The lists of any stream: `client.pages(roles, { parent: { organization_uuid } })`. */
  readonly pages: Lists['pages'];
  readonly page: Lists['page'];
  readonly records: Lists['records'];
  readonly readable: Lists['readable'];
  readonly parents: Lists['parents'];
  readonly all: Lists['all'];
  readonly #requester: Requester;

  /** @throws ConfigError `settings_invalid`, with every mistake at once */
  constructor(options: ComplianceClientOptions) {
    const { signal, onEvent, dispatcher, proxy, ca, clock = systemClock, budgetWindow, ...rest } = options;
    const { failUnreachable, ...input } = rest;
    const settings = parseSettings(clientSettings, input, 'the client');
    const { requestsPerMinute, budgetShare, pageSize, maxListLength } = settings;
    const window = budgetWindow === undefined ? {} : { window: budgetWindow };
    const pacer = createPacer({ clock, requestsPerMinute, budgetShare, onEvent, ...window });
    const transport = openTransport({ dispatcher, proxy, ca });
    this.#requester = createRequester({
      settings,
      transport,
      pacer,
      clock,
      onEvent,
      signal,
      failUnreachable,
    });
    this.baseUrl = settings.baseUrl;
    this.pageSize = pageSize;
    const lists = createLists({ requester: this.#requester, clock, pageSize, maxListLength, onEvent });
    ({
      pages: this.pages,
      page: this.page,
      records: this.records,
      readable: this.readable,
      parents: this.parents,
      all: this.all,
    } = lists);
    this.organizations = organizationsApi(lists);
  }

  /** What the last answer said of the budget; undefined before it said anything. */
  get rateLimit(): RateLimit | undefined {
    const { limit, remaining, reset } = this.#requester.budget;
    if (limit === undefined && remaining === undefined) return undefined;
    return { limit, remaining, reset: reset === undefined ? undefined : new Date(reset) };
  }

  /** Ends what is in flight and the connections; a request after it is a ConfigError `client_closed`. */
  async close(): Promise<void> {
    await this.#requester.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What `console.log` shows: never the key. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `ComplianceClient { baseUrl: '${this.baseUrl}' }`;
  }
}
