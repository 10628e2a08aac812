import { z } from 'zod';

/** What names one snapshot: it stays the same when an interrupted read is resumed, also across midnight. */
export interface Snapshot {
  /** The day that the rows carry, UTC. */
  snapshot_date: string;
  /** When its first read began. */
  started_at: string;
}

/** What every state of this source begins with. */
const common = {
  version: z.literal(1),
  snapshot_date: z.iso.date(),
  started_at: z.iso.datetime(),
  finished: z.boolean(),
};

/** How far a stream was read that has one list. */
export const listState = z.strictObject({
  ...common,
  /** The token of the next page; missing: the first. */
  page: z.string().optional(),
});

/** How far a stream was read that has a list for each parent. */
export const listsState = z.strictObject({
  ...common,
  /** The lists of this many parents, from the first one served, have been read, except those in `failed`. */
  done: z.int().min(0).default(0),
  /** A digest of the keys of those parents in order: when it does not fit the list of parents, the position means nothing. */
  digest: z.string().default(''),
  /** The places, from 0 on, of those whose list could not be read. */
  failed: z.array(z.int().min(0)).default([]),
  /** How many of the parents that are done have a list that the API does not serve. */
  unavailable: z.int().min(0).default(0),
  /** The list that is being read, and the token of its next page. */
  under_way: z.strictObject({ parent: z.record(z.string(), z.string()), page: z.string() }).optional(),
});

export type ListsState = z.output<typeof listsState>;

/** An older snapshot is not resumed: too much may have changed since. In milliseconds. */
const MAX_AGE = 24 * 60 * 60 * 1000;

/** In characters. */
const MAX_TOKEN_LENGTH = 8 * 1024;

/** Whether a state keeps the token. A longer one would make states large; without it, the list starts over. */
export const isKept = (token: string | null): token is string =>
  token !== null && token.length <= MAX_TOKEN_LENGTH;

const stateMessage = z.object({
  type: z.literal('STREAM'),
  stream: z.object({
    stream_descriptor: z.object({ name: z.string() }),
    stream_state: z.unknown(),
  }),
});

/** The states of a state file, by stream, and whether all of it was understood. */
export interface States {
  byStream: Map<string, unknown>;
  isForeign: boolean;
}

/** Reads a state file: nothing, one message, a list of them, or messages in their envelope; never fails. */
export function parseStates(text: string): States {
  const byStream = new Map<string, unknown>();
  if (text.trim() === '') return { byStream, isForeign: false };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { byStream, isForeign: true };
  }
  const messages = [json].flat().filter((message) => message !== null && !isEmptyObject(message));
  let isForeign = false;
  for (const message of messages) {
    const parsed = stateMessage.safeParse((message as { state?: unknown }).state ?? message);
    if (parsed.success) {
      const { stream_descriptor, stream_state } = parsed.data.stream;
      byStream.set(stream_descriptor.name, stream_state ?? undefined);
    } else isForeign = true;
  }
  return { byStream, isForeign };
}

const isEmptyObject = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && Object.keys(json).length === 0;

/** The state to resume from, or why the stream starts over; neither: there was no state. */
export type Resumption<S> = { from?: S; startsOver?: string };

/** Decides whether a stream is resumed from a state. @param now milliseconds since 1970 */
export function resumeState<S extends { finished: boolean; started_at: string }>(
  json: unknown,
  schema: z.ZodType<S>,
  now: number,
): Resumption<S> {
  if (json === undefined || json === null || isEmptyObject(json)) return {};
  const parsed = schema.safeParse(json);
  if (!parsed.success) return { startsOver: 'its state was not written by this version of this source' };
  const { finished, started_at } = parsed.data;
  if (finished) return { startsOver: 'its state says that it was read to the end' };
  if (Math.abs(now - Date.parse(started_at)) >= MAX_AGE) {
    return { startsOver: `its state is of a read that began more than 24 hours ago (${started_at})` };
  }
  return { from: parsed.data };
}

/** A snapshot that begins now. @param now milliseconds since 1970 */
export function newSnapshot(now: number): Snapshot {
  const started_at = new Date(now).toISOString();
  return { snapshot_date: started_at.slice(0, 10), started_at };
}
