/**
 * The one tree of errors. Every error says what was being done, to what, and what to try; none ever
 * holds a key, an e-mail address or the name of a person.
 */

/** Whose fault it is, in Airbyte's three words: what a person must change, what passes, what is broken. */
export type Failure = 'config' | 'transient' | 'system';

/** What every error is made from. */
export interface ErrorDetails {
  /** Stable, in snake_case; programs branch on it. */
  code: string;
  /** Default: the class's own. */
  failure?: Failure;
  cause?: unknown;
}

const EXIT_CODES = { config: 2, transient: 75, system: 1 } as const;

/** The root: catch this to catch everything that this package throws on purpose. */
export class ComplianceError extends Error {
  /** Stable, in snake_case; programs branch on it, never on the message. */
  readonly code: string;
  readonly failure: Failure;

  constructor(message: string, { code, failure = 'system', cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.failure = failure;
  }

  /** 2: configuration, 75: try again later, 1: anything else that was not landed. */
  get exitCode(): number {
    return EXIT_CODES[this.failure];
  }
}

/** Wrong usage or configuration: nothing was asked of the API yet, or the API says that it never will work. */
export class ConfigError extends ComplianceError {
  constructor(message: string, { code, cause }: { code: string; cause?: unknown }) {
    super(message, { code, failure: 'config', cause });
  }
}

/** A 200 that cannot be trusted: a foreign envelope, a cut list, a record without its key. */
export class ProtocolError extends ComplianceError {
  /** Of the request, without the query. */
  readonly path: string | undefined;
  /** `request-id` of the answer: Anthropic's support asks for it. */
  readonly requestId: string | undefined;

  constructor(
    message: string,
    details: ErrorDetails & { path?: string | undefined; requestId?: string | undefined },
  ) {
    super(message, details);
    this.path = details.path;
    this.requestId = details.requestId;
  }
}

/** Rows that a sink cannot encode. */
export class SinkError extends ComplianceError {}

/** A folder or a bucket that does not take or give back what it should. */
export class StorageError extends ComplianceError {}

/** Another run is working on the same run date, or was faster. */
export class LockedError extends ComplianceError {
  constructor(message: string, code = 'locked') {
    super(message, { code, failure: 'transient' });
  }
}

/** Everything could be done, but doing it would harm what is published. */
export class RefusedError extends ComplianceError {
  constructor(message: string, code: string) {
    super(message, { code });
  }
}

/** The caller's signal ended the work. */
export class AbortedError extends ComplianceError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'aborted', failure: 'transient', cause });
  }
}
