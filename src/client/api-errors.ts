import { ComplianceError, type ErrorDetails } from '../errors.js';

/** What an answer that is no page says about itself. */
export interface APIErrorDetails extends ErrorDetails {
  method: string;
  /** Without the query, which may hold a page token. */
  path: string;
  status: number;
  requestId?: string | undefined;
  /** `error.type` of the API, as served. */
  type?: string | undefined;
  /** `error.details.error_code` of the API, as served. */
  errorCode?: string | undefined;
  /** The API's own text, untouched. */
  apiMessage?: string | undefined;
  /** The body as text, at most 64 KiB of it. */
  body?: string | undefined;
}

/** The API answered, and the answer is no page: every HTTP status other than 200. */
export class APIError extends ComplianceError {
  readonly method: string;
  /** Without the query, which may hold a page token. */
  readonly path: string;
  readonly status: number;
  /** `request-id` of the answer: Anthropic's support asks for it. */
  readonly requestId: string | undefined;
  /**
   * `error.type` of the API: branch on it and on `status`, never on a message. Like all that the API writes, it is not
   * enumerable: it may name people.
   */
  declare readonly type: string | undefined;
  /** `error.details.error_code` of the API. Not enumerable. */
  declare readonly errorCode: string | undefined;
  /** The API's own text, unchanged except that the key is removed. Not enumerable, and never a part of a message. */
  declare readonly apiMessage: string | undefined;
  /** The body of the answer, at most 64 KiB. Not enumerable and never logged. */
  declare readonly body: string | undefined;

  constructor(message: string, details: APIErrorDetails) {
    super(message, details);
    this.method = details.method;
    this.path = details.path;
    this.status = details.status;
    this.requestId = details.requestId;
    for (const name of ['type', 'errorCode', 'apiMessage', 'body'] as const)
      Object.defineProperty(this, name, { value: details[name] });
  }
}

/** 400: a parameter, a page token, or an API that is not enabled for this organisation. */
export class BadRequestError extends APIError {}

/** 401: the key is invalid, deactivated or expired. */
export class AuthenticationError extends APIError {}

/** 403: the key is valid and lacks a scope. */
export class PermissionDeniedError extends APIError {}

/** 404: an organisation that is no longer linked, or a key or base URL of the wrong kind. */
export class NotFoundError extends APIError {}

/** 409: the API is in a state that forbids the request. */
export class ConflictError extends APIError {}

/** 429: the budget of the parent organisation is spent. */
export class RateLimitError extends APIError {
  /** What the answer asked to wait, in milliseconds, unbounded; undefined when it did not say. */
  readonly retryAfter: number | undefined;

  constructor(message: string, details: APIErrorDetails & { retryAfter?: number | undefined }) {
    super(message, details);
    this.retryAfter = details.retryAfter;
  }
}

/** 500 and above: the API failed. */
export class InternalServerError extends APIError {}

/** No answer: refused, reset, hung up, not resolved, not trusted, or interrupted. */
export class APIConnectionError extends ComplianceError {
  readonly method: string;
  /** Without the query, which may hold a page token. */
  readonly path: string;

  constructor(message: string, details: ErrorDetails & { method: string; path: string }) {
    super(message, { failure: 'transient', ...details });
    this.method = details.method;
    this.path = details.path;
  }
}

/** No complete answer in time. */
export class APITimeoutError extends APIConnectionError {}
