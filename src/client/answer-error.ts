import type { Failure } from '../errors.js';
import {
  APIError,
  type APIErrorDetails,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from './api-errors.js';
import { withoutSecrets } from './redact.js';
import { requestIdOf, requestNamed } from './request-id.js';
import { isOrganizationCap } from './retry-timing.js';

/** An answer other than 200, its body read as far as the bound allows. */
export interface RefusedAnswer {
  method: string;
  path: string;
  /** What the path names, by column. */
  parent?: Readonly<Record<string, string>> | undefined;
  status: number;
  /** Checked. */
  requestId?: string | undefined;
  retryAfter?: number | undefined;
  body: string;
  /** Removed wherever the answer repeats them. */
  secrets: readonly string[];
}

/**
 * The types of the API's errors. Only one of these passes into a message: whatever else the API writes may name people, and
 * is for programs that ask for it (`apiMessage`, `type`, `errorCode`, `body`).
 * https://docs.claude.com/en/api/errors
 */
const TYPES = new Set([
  'api_error',
  'authentication_error',
  'billing_error',
  'conflict_error',
  'internal_error',
  'invalid_request_error',
  'not_found_error',
  'overloaded_error',
  'permission_error',
  'rate_limit_error',
  'request_too_large',
  'timeout_error',
]);

/** Makes the typed error of an answer other than 200. */
export function answerError(answer: RefusedAnswer): APIError {
  const body = withoutSecrets(answer.body, answer.secrets);
  const served = parseErrorBody(body);
  const { code, failure, what } = verdict(answer, served.apiMessage ?? '');
  const requestId = answer.requestId ?? requestIdOf(served.requestId, answer.secrets);
  const message =
    `${answer.method} ${answer.path} was answered with ${answer.status}${requestNamed(requestId)}: ${what}` +
    (TYPES.has(served.type ?? '') ? ` The API calls it ${served.type}.` : '');
  const details: APIErrorDetails = { ...answer, ...served, requestId, body, code, failure };
  return new (errorClass(answer.status))(message, details);
}

function errorClass(status: number): new (message: string, details: APIErrorDetails) => APIError {
  if (status >= 500) return InternalServerError;
  return CLASSES.get(status) ?? APIError;
}

const CLASSES = new Map([
  [400, BadRequestError],
  [401, AuthenticationError],
  [403, PermissionDeniedError],
  [404, NotFoundError],
  [409, ConflictError],
  [429, RateLimitError],
]);

/** The places where the API says more; anything may be missing, and the body may be a proxy's HTML. */
function parseErrorBody(body: string): Pick<APIErrorDetails, 'type' | 'apiMessage' | 'errorCode'> & {
  requestId?: string;
} {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return {};
  }
  const error = member(json, 'error');
  return {
    ...text('type', member(error, 'type')),
    ...text('apiMessage', member(error, 'message')),
    ...text('requestId', member(json, 'request_id')),
    ...text('errorCode', member(member(error, 'details'), 'error_code')),
  };
}

const member = (json: unknown, name: string): unknown =>
  typeof json === 'object' && json !== null && Object.hasOwn(json, name)
    ? (json as Record<string, unknown>)[name]
    : undefined;

const text = <K extends string>(name: K, value: unknown): Partial<Record<K, string>> =>
  typeof value === 'string' ? ({ [name]: value } as Record<K, string>) : {};

/** The scopes in `Missing required scopes. Got: [...] Needed one of: [...]`; the oldest contract says it with 401. */
const SCOPES = /\b(?:read|write|delete):compliance_[a-z_]{1,40}\b/g;

interface Verdict {
  code: string;
  failure: Failure;
  /** What it means and what to try. */
  what: string;
}

function verdict({ status, parent = {}, path }: RefusedAnswer, apiMessage: string): Verdict {
  const scopes =
    apiMessage
      .slice(0, 2_000)
      .replace(/^.*Needed one of:/s, '')
      .match(SCOPES) ?? [];
  if ((status === 401 || status === 403) && scopes.length > 0) {
    return config('missing_scope', `the key lacks the scope ${scopes.join(' or ')}. Create one that has it.`);
  }
  if (isOrganizationCap(status, apiMessage)) {
    return system(
      'too_many_organizations',
      'the list of organisations is longer than the API serves in one answer; ask Anthropic for the paged contract.',
    );
  }
  if (status === 404 && namesParent(apiMessage, parent)) {
    return system('parent_not_found', 'what the list belongs to is not known, or no longer linked.');
  }
  if (status >= 300 && status < 400) {
    return config(
      'redirected',
      'redirects are not followed, so that the key stays here. Check the base URL.',
    );
  }
  return (
    VERDICTS.get(status) ??
    (status >= 500 ? SERVER_ERROR : system('unexpected_status', `${path} gave no page.`))
  );
}

const config = (code: string, what: string): Verdict => ({ code, failure: 'config', what });
const system = (code: string, what: string): Verdict => ({ code, failure: 'system', what });
const transient = (code: string, what: string): Verdict => ({ code, failure: 'transient', what });

const SERVER_ERROR = transient('server_error', 'the API failed. Try again later.');
const OVERLOADED = transient('overloaded', 'the API is overloaded. Try again later.');

const VERDICTS = new Map([
  [400, config('bad_request', 'the API does not accept the request. Is the Compliance API enabled?')],
  [401, config('authentication_failed', 'the key is invalid, deactivated or expired. Check it.')],
  [403, config('permission_denied', 'the key may not read this. Check its scopes.')],
  [
    404,
    config('not_found', 'there is no such address. Check the base URL, and that it is a compliance key.'),
  ],
  [407, config('proxy_refused', 'the proxy wants to be signed in to. Check its address.')],
  [408, transient('request_timeout', 'the API gave up waiting. Try again later.')],
  [409, system('conflict', 'the API is in a state that forbids this.')],
  [
    429,
    transient('rate_limited', 'the budget of requests is spent. Try again later, or ask for less at a time.'),
  ],
  [503, OVERLOADED],
  [529, OVERLOADED],
]);

/**
 * Whether the API names a parent, by its id or its kind (`Role not found.`). A bare `Not found` names none: no key, a key
 * of the wrong kind, or a wrong base URL.
 */
function namesParent(apiMessage: string, parent: Readonly<Record<string, string>>): boolean {
  return Object.entries(parent).some(([column, id]) => {
    const kind = column.replace(/_[^_]+$/, '').replace('z', '[sz]'); // organization_uuid: an organi[sz]ation
    return apiMessage.includes(id) || new RegExp(`\\b${kind}\\b`, 'i').test(apiMessage);
  });
}
