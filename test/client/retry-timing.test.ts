import { describe, expect, it } from 'vitest';
import { isRetried, parseRetryAfter, RETRY_AFTER_CAP, retryDelay } from '../../src/client/retry-timing.js';

const NOW = Date.UTC(2026, 6, 1, 12, 0, 0);

describe('retry-after', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['1.5', 1_500],
    ['.25', 250],
    ['3600', 3_600_000],
    ['Wed, 01 Jul 2026 12:00:30 GMT', 30_000],
    ['Wednesday, 01-Jul-26 12:00:30 GMT', 30_000],
  ])('%j is %d ms', (text, ms) => {
    expect(parseRetryAfter(text, NOW)).toBe(ms);
  });

  it.each([
    undefined,
    '',
    '-5',
    'inf',
    'Infinity',
    'nan',
    'NaN',
    '1e3',
    '0x10',
    'soon',
    '2026-07-01T12:00:30Z',
    '5, 6',
    '9'.repeat(400),
    'Wed, 99 Jul 2026 12:00:30 GMT',
    'Wed, 01 Jul 2026 11:59:30 GMT',
  ])('%j says nothing', (text) => {
    expect(parseRetryAfter(text, NOW)).toBeUndefined();
  });
});

describe('the wait before the next attempt', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [6, 32_000],
    [7, 60_000],
    [8, 60_000],
    [5_000, 60_000],
  ])('after attempt %d is anywhere under %d ms', (attempt, step) => {
    expect(retryDelay({ attempt, random: 0 })).toBe(0);
    expect(retryDelay({ attempt, random: 0.5 })).toBe(step / 2);
    expect(retryDelay({ attempt, random: 0.999 })).toBeCloseTo(step * 0.999);
  });

  it('has retry-after as a floor, up to its cap', () => {
    expect(retryDelay({ attempt: 1, retryAfter: 7_000, random: 0.9 })).toBe(7_000);
    expect(retryDelay({ attempt: 7, retryAfter: 7_000, random: 0.5 })).toBe(30_000);
    expect(retryDelay({ attempt: 1, retryAfter: 86_400_000, random: 0.9 })).toBe(RETRY_AFTER_CAP);
  });
});

describe('another attempt', () => {
  const CAP = 'Response exceeds maximum of 1,000 organizations. Contact support.';

  it.each([
    [408, undefined, '', true],
    [429, undefined, '', true],
    [500, undefined, '', true],
    [502, undefined, '', true],
    [503, undefined, '', true],
    [504, undefined, '', true],
    [529, undefined, '', true],
    [500, 'false', '', false],
    [500, 'FALSE', '', true],
    [500, '0', '', true],
    [429, 'false', '', false],
    [409, 'true', '', true],
    [409, ' true', '', false],
    [400, 'true', '', true],
    [401, 'true', '', false],
    [403, 'true', '', false],
    [400, undefined, '', false],
    [404, undefined, '', false],
    [409, undefined, '', false],
    [501, undefined, '', false],
    [302, undefined, '', false],
    [302, 'true', '', false],
    [500, undefined, CAP, false],
    [500, 'true', CAP, false],
    [500, undefined, 'Maximum Response Size Exceeded', false],
    [503, undefined, CAP, true],
  ])('status %d with x-should-retry %j and the text %j: %s', (status, header, text, retried) => {
    expect(isRetried(status, header, text)).toBe(retried);
  });
});
