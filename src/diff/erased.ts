import { erasedFrom, replacementOf } from '../lake/erasures.js';
import type { Manifest } from '../lake/manifest.js';
import type { Json } from '../model/records.js';
import type { Stream } from '../streams/stream.js';
import type { Difference } from './compare-rows.js';
import type { Single } from './moving.js';

/** Tells what changed at the API from what was erased on one side only: that is not known. */
export interface Erased {
  hides(single: Single): boolean;
  differs(difference: Pick<Difference, 'before' | 'after'>): boolean;
}

/** By the tombstones of both sides. */
export function erasedBetween(
  { key }: Pick<Stream, 'key'>,
  [before, after]: readonly [Manifest, Manifest],
): Erased {
  const [ones, others] = [before, after].map(({ erasures = [] }) => erasures.map(replacementOf)) as [
    string[],
    string[],
  ];
  const onOneSide = [...ones, ...others].filter((text) => !ones.includes(text) || !others.includes(text));
  if (onOneSide.length === 0) return { hides: () => false, differs: () => false };
  const [isErasedBefore, isErasedAfter] = [erasedFrom(before), erasedFrom(after)];
  const isReplaced = (value: Json): boolean => {
    const text = JSON.stringify(value);
    return onOneSide.some((replacement) => text.includes(replacement));
  };
  return {
    hides({ row, change }) {
      const isErased = change === 'removed' ? isErasedAfter : isErasedBefore;
      const values = key.map((name) => row[name] ?? null);
      return values.some((value) => isReplaced(value) || (typeof value === 'string' && isErased(value)));
    },
    differs: ({ before: one, after: other }) => isReplaced(one) || isReplaced(other),
  };
}
