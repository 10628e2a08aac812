import { z } from 'zod';
import type { Clock } from '../clock.js';
import type { Storage } from '../storage/storage.js';
import { add, type DayPlan, type RowsByTable } from './plan-day.js';
import type { FailedDate } from './survey.js';

/** The settings of an erasure; the flags of `erase` are made from it. */
export const eraseSettings = z.object({
  user: z
    .string()
    .regex(/^[\w.:@=-]{8,200}$/, 'must be the id of one user, such as user_01AbC…')
    .describe('The id of the user, as the files have it.'),
  knownAs: z
    .array(z.string().trim().min(3))
    .optional()
    .describe(
      'Further texts that name this user, such as a former name or address: replaced wherever they are. What the rows of this user hold is found without it.',
    ),
  replaceBy: z
    .enum(['pseudonym'])
    .optional()
    .describe(
      'Keep the rows, with a pseudonym in place of the id, and without address, name and undocumented fields. Default: they are removed.',
    ),
  reason: z
    .string()
    .regex(/^[A-Z0-9-]{1,40}$/, 'must be a code of capital letters, digits and -, such as GDPR-4711')
    .optional()
    .describe(
      'A code that the tombstone keeps, such as a ticket: GDPR-4711. No text: it would be kept for ever.',
    ),
  dryRun: z.boolean().default(false).describe('Report what would be erased, and change nothing.'),
});
export type EraseSettings = z.infer<typeof eraseSettings>;

export interface EraseOptions extends Partial<Omit<EraseSettings, 'user'>> {
  user: string;
  storage: Storage;
  /** A local folder for what is not published yet. Default: the root, where that is a local folder. */
  state?: string;
  signal?: AbortSignal;
  clock?: Clock;
}

/** What was erased, or is to be, from one snapshot. */
export interface ErasedDate {
  runDate: string;
  /** Rows that were about the person, by table. With `replaceBy` they stay, and are counted as `replaced`. */
  removed: RowsByTable;
  /** Rows of which something was replaced, by table. */
  replaced: RowsByTable;
}

/** What an erasure will do, or has done. */
export interface ErasureResult {
  /** Whether the root has, or had, a user with this id. */
  isKnown: boolean;
  /** How many snapshots were looked through. */
  snapshots: number;
  /** The oldest first; what needed nothing is left out. */
  erased: ErasedDate[];
  /** Snapshots from which the person was erased before, and when. */
  erasedBefore: { runDate: string; erasedAt: string }[];
  /** Where the person may still be, and why. */
  failed: FailedDate[];
  /** Unfinished runs that were dropped: the next dump reads their lists again. */
  droppedRuns: number;
  /** What may still name the person, and is not touched: files that no run has written, manifests that quote the person, and unfinished files of processes that may live. */
  left: { path: string; problem: 'foreign' | 'manifest' | 'temporary' }[];
}

/** Notes what one commit erased, or would. */
export function noteErased(result: ErasureResult, runDate: string, { removed, replaced }: DayPlan): void {
  const known = result.erased.find((date) => date.runDate === runDate);
  const [allRemoved, allReplaced] = [{ ...known?.removed }, { ...known?.replaced }];
  for (const [table, rows] of Object.entries(removed)) add(allRemoved, table, rows);
  for (const [table, rows] of Object.entries(replaced)) add(allReplaced, table, rows);
  const date = { runDate, removed: allRemoved, replaced: allReplaced };
  if (known) Object.assign(known, date);
  else result.erased.push(date);
}
