import { NotFoundError } from '../client/api-errors.js';
import { expiry } from '../client/expiry.js';
import type { Clock } from '../clock.js';
import { AbortedError, ComplianceError } from '../errors.js';
import { keyText, type ParentKey, type Stream } from '../streams/stream.js';
import { stillListed } from './still-listed.js';

/**
 * How a list that was not read ended: its parent is gone, the API does not serve it, or reading it failed. Undefined: the
 * error says nothing about the list.
 */
export function verdictOf(error: unknown): 'gone' | 'unavailable' | 'failed' | undefined {
  if (!(error instanceof ComplianceError)) return undefined;
  if (error.code === 'parent_gone') return 'gone';
  return error.code === 'list_unavailable' ? 'unavailable' : 'failed';
}

/** Reads the keys of every record of a list. */
export type ReadKeys = (stream: Stream, parent: ParentKey) => Promise<ReadonlySet<string>>;

/**
 * Explains the 404 of a list: its parent is gone when it is no longer in its own list, read again. The one place
 * where "gone" is decided.
 */
export function goneDetector({ readKeys, clock }: { readKeys: ReadKeys; clock: Clock }) {
  const lists = new Map<string, (key: string) => Promise<boolean>>();
  const listOf = (stream: Stream, parent: ParentKey): ((key: string) => Promise<boolean>) => {
    const name = `${stream.name}/${keyText(parent)}`;
    const known = lists.get(name) ?? stillListed(() => readKeys(stream, parent));
    lists.set(name, known);
    return known;
  };
  /** False as well when the list cannot be read, unless its own parent is gone: then nothing is known. */
  async function isGone(stream: Stream, parent: ParentKey, signal: AbortSignal | undefined) {
    if (!stream.parent) return false;
    const { [stream.parent.column]: own = '', ...grandparent } = parent;
    using wait = expiry({ clock, parents: [signal] });
    const aborted = new Promise<boolean>((resolve) => {
      wait.signal.addEventListener('abort', () => resolve(true));
    });
    const listed = listOf(
      stream.parent.stream,
      grandparent,
    )(own).catch((error: unknown) => verdictOf(error) !== 'gone');
    const isListed = await Promise.race([listed, aborted]);
    if (signal?.aborted) {
      throw new AbortedError('The walk was given up, because its signal was aborted.', signal.reason);
    }
    return !isListed;
  }

  /** What to throw instead of an error of a walk. */
  return async (
    error: unknown,
    list: { stream: Stream; parent: ParentKey; signal: AbortSignal | undefined },
  ): Promise<unknown> => {
    if (list.stream.mayBeOff) return explainOff(error, list.stream);
    if (!(error instanceof NotFoundError) || error.code !== 'parent_not_found') return error;
    return (await isGone(list.stream, list.parent, list.signal)) ? gone(error) : error;
  };
}

/** Explains the 404 of a list that may be off. The API gives one text for that and for a parent that it does not know. */
export function explainOff(error: unknown, { name, mayBeOff }: Stream): unknown {
  if (!mayBeOff || !(error instanceof NotFoundError)) return error;
  const what = `The API does not serve ${name} here: it is not enabled, or its parent is no longer linked.`;
  return explained(error, 'list_unavailable', what);
}

const gone = (error: NotFoundError): NotFoundError =>
  explained(error, 'parent_gone', 'What the list belongs to is gone: it is not listed any more.');

/** The same answer, as what it means for the list. */
function explained(error: NotFoundError, code: string, what: string): NotFoundError {
  return new NotFoundError(`${what} ${error.message}`, {
    ...error,
    code,
    failure: 'system',
    type: error.type,
    errorCode: error.errorCode,
    apiMessage: error.apiMessage,
    body: error.body,
    cause: error,
  });
}
