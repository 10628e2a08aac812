import type { EnvelopeLimits } from './envelope.js';

/** Caps on the body of one page. */
export interface PageLimits extends EnvelopeLimits {
  /** Up to here the text is held in one piece and goes through JSON.parse. */
  readonly softBytes: number;
  /** Not a byte more is read. */
  readonly bytes: number;
  /** Tokens of JSON beyond the soft cap: half a million take about 50 MB with their values. */
  readonly tokens: number;
  /** Bytes of one text or number beyond the soft cap. */
  readonly tokenBytes: number;
}

const MIB = 1024 * 1024;

/** A page of 1,000 users is about 0.3 MB; a page that passes one of these is hostile or broken. */
export const PAGE_LIMITS: PageLimits = {
  softBytes: 8 * MIB,
  bytes: 64 * MIB,
  tokens: 500_000,
  tokenBytes: 4 * MIB,
  records: 10_000,
  depth: 64,
};
