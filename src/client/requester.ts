import type { Clock } from '../clock.js';
import { AbortedError, type ComplianceError, ConfigError, ProtocolError } from '../errors.js';
import type { OnEvent } from '../events.js';
import { VERSION } from '../version.js';
import { answerError } from './answer-error.js';
import { APIError, APITimeoutError } from './api-errors.js';
import { type BudgetReport, parseBudget } from './budget-report.js';
import { connectionError, isUnreachable } from './connection-error.js';
import type { Envelope } from './envelope.js';
import { type Expiry, expiry } from './expiry.js';
import type { Pacer } from './pacer.js';
import { readPage } from './page.js';
import { requestIdOf, requestNamed } from './request-id.js';
import { isRetried, parseRetryAfter, RETRY_AFTER_CAP, retryDelay } from './retry-timing.js';
import type { ClientSettings } from './settings.js';
import { ACCEPT_ENCODING, type Answer, type Transport } from './transport.js';

/** One page to ask for. */
export interface PageRequest {
  /** Below the base URL, each segment encoded. */
  path: string;
  query: Readonly<Record<string, string>>;
  /** The member of the answer that holds the records; default `data`. */
  member?: string | undefined;
  /** The stream that is read, for events. */
  stream?: string | undefined;
  /** What the path names, by column (`{ organization_uuid: '…' }`), for events and errors. */
  parent?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
}

/** One page, complete and valid. */
export interface Page extends Envelope {
  /** Of the body, decompressed. */
  readonly bytes: number;
  /** Whether no text in it needs an escape in JSON, and none has a lone surrogate. */
  readonly isPlain: boolean;
  /** Whether the texts of its records are raw, see `raw-text`. */
  readonly isRaw: boolean;
  /** SHA-256 of the body, without the token of the next page; null for an unusually large one. */
  readonly sha256: string | null;
  readonly requestId: string | undefined;
  /** When the attempt that gave it was sent, milliseconds since 1970. */
  readonly requestedAt: number;
}

/** Gets pages, one attempt after another until one is complete: the unit of retry is the page. */
export interface Requester {
  /** @throws APIError, APIConnectionError, ProtocolError, AbortedError */
  getPage(request: PageRequest): Promise<Page>;
  /** What the last answer said of the budget. */
  readonly budget: BudgetReport;
  /** Ends what is in flight and the connections. */
  close(): Promise<void>;
}

export interface RequesterOptions {
  settings: ClientSettings;
  transport: Transport;
  pacer: Pacer;
  clock: Clock;
  onEvent?: OnEvent | undefined;
  signal?: AbortSignal | undefined;
  /** Whether a host that cannot be reached ends the request at once, instead of being tried again. */
  failUnreachable?: boolean | undefined;
  /** In [0, 1): the jitter. */
  random?: () => number;
}

/** How much is read of an answer that is no page, in bytes. */
const ERROR_BODY = 64 * 1024;

/** Errors in a 200 that are likely to be gone at the next attempt. */
const RETRIED_CONTENTS = new Set(['body_empty', 'body_not_json', 'body_not_utf8']);

const METHOD = 'GET';

/** A failed attempt that is worth another, and why it failed. */
class Again {
  constructor(
    readonly cause: ComplianceError,
    readonly retryAfter?: number,
  ) {}
  get isRateLimited(): boolean {
    return this.cause instanceof APIError && this.cause.status === 429;
  }
}

/** Makes the requester of one client. */
export function createRequester(options: RequesterOptions): Requester {
  const { settings, transport, pacer, clock, onEvent, signal, random = Math.random } = options;
  const { failUnreachable = false } = options;
  const { origin, pathname } = new URL(settings.baseUrl);
  const base = `${origin}${pathname.replace(/\/+$/, '')}`;
  const headers = {
    'x-api-key': settings.apiKey,
    accept: 'application/json',
    'accept-encoding': ACCEPT_ENCODING,
    'user-agent': `claude-compliance-connector/${VERSION}`,
    ...(settings.anthropicVersion !== '' && { 'anthropic-version': settings.anthropicVersion }),
  };
  const closing = new AbortController();
  let budget: BudgetReport = {};

  async function getPage(request: PageRequest): Promise<Page> {
    using call = expiry({ clock, parents: [closing.signal, signal, request.signal] });
    using deadline = expiry({ clock, ms: settings.deadline, parents: [call.signal] });
    const endsAt = clock.elapsed() + settings.deadline;
    try {
      await pacer.take(deadline.signal);
    } catch (error) {
      throw ended(call.signal) ?? (deadline.expired ? unsent(request.path, settings.deadline) : error);
    }
    let refusals = 0; // answers 429, which use up time and not attempts
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await attemptPage(request, deadline);
      if (!(outcome instanceof Again)) {
        reportPage(request, outcome);
        return outcome;
      }
      const { cause, isRateLimited, retryAfter } = outcome;
      if (isRateLimited) refusals += 1;
      const step = isRateLimited ? refusals : attempt - refusals;
      const wait = retryDelay({ attempt: step, retryAfter, random: random() });
      // A 429 concerns all requests: the pacer pauses them, and this page waits in its line.
      if (isRateLimited) pacer.pause(wait);
      if (attempt - refusals > settings.maxRetries || clock.elapsed() + wait >= endsAt) throw cause;
      reportRetry(request, attempt, cause, wait);
      try {
        if (!isRateLimited) await clock.sleep(wait, deadline.signal);
        await pacer.take(deadline.signal);
      } catch (error) {
        throw ended(call.signal) ?? (deadline.expired ? cause : error);
      }
    }
  }

  /** One request and all of its answer, or why to try again; the caller has taken its share of the budget. */
  async function attemptPage(request: PageRequest, deadline: Expiry): Promise<Page | Again> {
    const { path } = request;
    const at = { method: METHOD, path };
    using attempt = expiry({ clock, ms: settings.timeout, parents: [deadline.signal] });
    const requestedAt = clock.now();
    let answer: Answer | undefined;
    try {
      const url = new URL(`${base}${path}`);
      url.search = new URLSearchParams(request.query).toString();
      answer = await transport.get({ url, headers, signal: attempt.signal });
      const report = parseBudget(answer.headers, clock.now());
      settle(report);
      if (answer.status !== 200) return await refused(request, answer, report);
      const requestId = idOf(answer);
      return { ...(await readPage(answer.body(), { list: request.member })), requestId, requestedAt };
    } catch (error) {
      if (!answer) pacer.settle();
      else answer.discard();
      if (error instanceof APIError) throw error;
      const over = ended(attempt.signal, attempt.expired || deadline.expired);
      if (over) throw over;
      if (error instanceof ProtocolError) return distrusted(path, answer && idOf(answer), error);
      if (deadline.expired) throw late(path, 'deadline_exceeded', settings.deadline);
      if (attempt.expired) return new Again(late(path, 'timeout', settings.timeout));
      const lost = connectionError(at, error);
      if (lost.failure === 'config' || (failUnreachable && isUnreachable(lost))) throw lost;
      return new Again(lost);
    }
  }

  const idOf = ({ headers }: Answer): string | undefined =>
    requestIdOf(headers['request-id'], [settings.apiKey]);

  function settle(report: BudgetReport): void {
    pacer.settle(report);
    if (report.limit !== undefined || report.remaining !== undefined) budget = report;
  }

  async function refused(request: PageRequest, answer: Answer, report: BudgetReport): Promise<Again> {
    const { status, headers: served } = answer;
    const asked = parseRetryAfter(served['retry-after'], clock.now());
    const error = answerError({
      method: METHOD,
      path: request.path,
      parent: request.parent,
      status,
      requestId: idOf(answer),
      retryAfter: asked,
      body: await readText(answer),
      secrets: [settings.apiKey],
    });
    // A spent budget is back at the later of the two.
    const wait = Math.max(asked ?? 0, status === 429 ? (report.resetIn ?? 0) : 0);
    if (isRetried(status, served['x-should-retry'], error.apiMessage ?? '')) return new Again(error, wait);
    if (status === 429) pacer.pause(Math.min(wait, RETRY_AFTER_CAP));
    throw error;
  }

  function reportPage({ path, stream, parent }: PageRequest, { records, bytes, requestId }: Page): void {
    onEvent?.({
      type: 'page',
      path,
      records: records.length,
      bytes,
      ...(stream !== undefined && { stream }),
      ...(parent !== undefined && { parent }),
      ...(requestId !== undefined && { requestId }),
    });
  }

  function reportRetry({ path }: PageRequest, attempt: number, error: ComplianceError, wait: number): void {
    const status = error instanceof APIError ? { status: error.status } : {};
    onEvent?.({ type: 'retrying', path, attempt, code: error.code, ...status, until: clock.now() + wait });
  }

  /** The error that an aborted signal stands for, unless only its time limit was reached. */
  function ended(aborted: AbortSignal, isTime = false): Error | undefined {
    if (!aborted.aborted || isTime) return undefined;
    if (closing.signal.aborted) return closing.signal.reason as Error;
    return new AbortedError('The request was given up, because its signal was aborted.', aborted.reason);
  }

  return {
    getPage,
    get budget() {
      return budget;
    },
    async close() {
      closing.abort(new ConfigError('The client is closed. Open another one.', { code: 'client_closed' }));
      await transport.close();
    },
  };
}

/** The text of an answer that is no page, as far as the bound allows and the connection holds. */
async function readText(answer: Answer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body()) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= ERROR_BODY) break;
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).subarray(0, ERROR_BODY).toString('utf8');
}

function late(path: string, code: string, ms: number): APITimeoutError {
  return new APITimeoutError(`${METHOD} ${path} gave no complete answer within ${ms} ms. Try again later.`, {
    method: METHOD,
    path,
    code,
  });
}

function unsent(path: string, ms: number): APITimeoutError {
  return new APITimeoutError(
    `${METHOD} ${path} waited for the budget of requests for ${ms} ms, which is all that the deadline allows, and was not sent. Try again later, with a longer deadline, or ask for less at a time.`,
    { method: METHOD, path, code: 'deadline_exceeded' },
  );
}

/** Names the answer that cannot be trusted. */
function distrusted(path: string, requestId: string | undefined, error: ProtocolError): Again {
  const { code, message, cause } = error;
  const named = new ProtocolError(`The answer to ${METHOD} ${path}${requestNamed(requestId)} ${message}.`, {
    code,
    cause,
    path,
    requestId,
    failure: RETRIED_CONTENTS.has(code) ? 'transient' : 'system',
  });
  if (RETRIED_CONTENTS.has(code)) return new Again(named);
  throw named;
}
