import type { Manifest } from '../../src/index.js';
import { count } from './counts.js';

/** How many lists of a stream the API does not serve, of how many. */
export interface UnavailableLists {
  stream: string;
  lists: number;
  of: number;
}

/** One sentence for all of them: there may be thousands, and none is a failure. */
export const unavailableLine = ({ stream, ...counts }: UnavailableLists): string =>
  `${stream}: ${whatIsUnavailable(counts)}`;

/** The same where the stream is named already. */
export function whatIsUnavailable({ lists, of }: Omit<UnavailableLists, 'stream'>): string {
  if (lists < of) {
    return `${count(lists)} of ${count(of)} lists are not available (answered with 404); nothing is known of their rows`;
  }
  const answered =
    of === 1 ? 'its list was answered with 404' : `all ${count(of)} lists were answered with 404`;
  return `not enabled for this parent organisation (${answered}); nothing is known of its rows`;
}

/** What the API did not serve for a snapshot, in the order of the streams. */
export const unavailableLists = ({ tables }: Pick<Manifest, 'tables'>): UnavailableLists[] =>
  Object.entries(tables).flatMap(([stream, { slices }]) => {
    const lists = slices.filter(({ verdict }) => verdict === 'unavailable').length;
    return lists === 0 ? [] : [{ stream, lists, of: slices.length }];
  });
