import { ComplianceError, type ParentKey } from '../../src/index.js';
import { labelOf } from './list-pages.js';

/** When this many lists in a row fail for the same reason, the reason is not in the lists: the stream is given up. */
export const MAX_CONSECUTIVE_FAILURES = 20;

/** The most lists that an error names. */
const MAX_NAMED = 10;

/** The lists of a stream that could not be read. */
export interface FailedLists {
  /** Notes that a list was read. */
  succeeded(): void;
  /** Notes that a list failed. @returns whether the rest is not worth a request */
  failed(parent: ParentKey, error: ComplianceError): boolean;
  /** What the stream ends with; undefined: no list failed. */
  toError(stream: string, listed: number): ComplianceError | undefined;
}

export function createFailedLists(): FailedLists {
  const failures: { parent: ParentKey; error: ComplianceError }[] = [];
  let consecutive = 0;
  return {
    succeeded() {
      consecutive = 0;
    },
    failed(parent, error) {
      consecutive = failures.at(-1)?.error.code === error.code ? consecutive + 1 : 1;
      failures.push({ parent, error });
      return consecutive >= MAX_CONSECUTIVE_FAILURES;
    },
    toError(stream, listed) {
      const [first] = failures;
      if (!first) return undefined;
      const named = failures.slice(0, MAX_NAMED).map(({ parent }) => labelOf(parent));
      const more = failures.length > MAX_NAMED ? ` and ${failures.length - MAX_NAMED} more` : '';
      const { code, failure, message } = first.error;
      return new ComplianceError(
        `${failures.length} of ${listed} lists of ${stream} could not be read: ${named.join(', ')}${more}. Of the others, what was reached has been sent; the next sync reads what is missing. The first error: ${message}`,
        { code, failure, cause: first.error },
      );
    },
  };
}
