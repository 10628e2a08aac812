import { ComplianceError } from '../errors.js';
import { ownKey, type ParentKey, type Stream } from '../streams/stream.js';
import { verdictOf } from './gone.js';

/** How many records of the other stream are tried before the list counts as unavailable: each costs a request. */
const MAX_PLACES = 5;

/** Which list, and what ends the search for it. */
export interface Place {
  parent?: ParentKey | undefined;
  /** The keys of the records to read it through; default: those that are listed. */
  through?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/** Reads the records of a list without a parent, as far as they are asked for. */
type ReadRecords = (stream: Stream, options: { signal: AbortSignal | undefined }) => AsyncIterable<object>;

/**
 * Makes the function that requests a list where it is: at its parent, or, for a list that is the same below every record of
 * another stream, through the first of them that has it.
 * @throws ComplianceError `list_unavailable` when none of the first five has it
 */
export function placeFinder(records: ReadRecords) {
  async function* keysOf(stream: Stream, signal: AbortSignal | undefined): AsyncGenerator<string> {
    for await (const record of records(stream, { signal })) yield ownKey(stream, record);
  }
  async function* places(stream: Stream, place: Place): AsyncGenerator<ParentKey> {
    const { through } = stream;
    const { parent = {} } = place;
    if (!through || parent[through.column] !== undefined) {
      yield parent;
      return;
    }
    let tried = 0;
    for await (const key of place.through ?? keysOf(through.stream, place.signal)) {
      if (tried === MAX_PLACES) return;
      tried += 1;
      yield { [through.column]: key };
    }
  }

  return async function atFirstPlace<T>(
    stream: Stream,
    place: Place,
    read: (parent: ParentKey) => Promise<T>,
  ): Promise<T> {
    let missing: unknown;
    for await (const parent of places(stream, place)) {
      try {
        return await read(parent);
      } catch (error) {
        if (!stream.through || verdictOf(error) !== 'unavailable') throw error;
        missing = error;
      }
    }
    throw missing ?? nothingToReadThrough(stream);
  };
}

const nothingToReadThrough = ({ name, through }: Stream): ComplianceError =>
  new ComplianceError(
    `The list of ${name} is read through one of the ${through?.stream.name}, and there is none. Nothing was requested.`,
    { code: 'list_unavailable', failure: 'system' },
  );
