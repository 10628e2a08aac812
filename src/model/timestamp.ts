/** Reads the two texts that typed columns are made of: RFC 3339 date-times and dates, strictly. */

/** An instant, as far as microseconds hold it. */
export interface Timestamp {
  /** Microseconds since 1970-01-01T00:00:00Z; negative before. */
  micros: bigint;
  /**
   * False when the text says something else than `micros`: digits after the sixth were cut (then `micros` is the last
   * microsecond before the instant), or there was no offset (then UTC is assumed).
   */
  exact: boolean;
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|([+-])(\d\d):(\d\d))?$/;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DAYS_FROM_YEAR_0_TO_1970 = 719_528;

/**
 * The instant that an RFC 3339 date-time names, or null when the text is none: no `T`, a day that does not exist, hour 24.
 * Without an offset it is read as UTC, and not exact: some lists of the API are served so. The leap second `:60` is null too: no count of microseconds since 1970 has a place for it.
 */
export function parseTimestamp(text: string): Timestamp | null {
  const match = DATE_TIME.exec(text);
  if (!match) return null;
  const [, year, month, day, hours, minutes, seconds, fraction = '', zone, sign, offsetHours, offsetMinutes] =
    match;
  const days = epochDays(Number(year), Number(month), Number(day));
  const secondOfDay = timeOfDay(Number(hours), Number(minutes), Number(seconds));
  const offset = sign ? timeOfDay(Number(offsetHours), Number(offsetMinutes), 0) : 0;
  if (days === null || secondOfDay === null || offset === null) return null;
  const second = days * 86_400 + secondOfDay - (sign === '-' ? -offset : offset);
  return {
    micros: BigInt(second) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0')),
    exact: zone !== undefined && /^0*$/.test(fraction.slice(6)),
  };
}

/** The characters of the plain form: `-`, `.`, `0`, `:`, `T`, `Z`. */
const [DASH, DOT, ZERO, COLON, T, Z] = [0x2d, 0x2e, 0x30, 0x3a, 0x54, 0x5a];
/** The microseconds of the last digit of a fraction, by how many digits it has. */
const UNIT_OF_LAST_DIGIT = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1] as const;

/**
 * The microseconds since 1970 of an instant in the form that the API serves: `2025-01-31T23:59:59.123456Z`, with one to six digits
 * or no fraction. NaN for any other text, which may still be an instant (`parseTimestamp` tells), and before 1684 or after 2255,
 * where a number does not hold each microsecond.
 */
export function plainMicros(text: string): number {
  const { length } = text;
  if (length < 20 || length > 27 || length === 21) return Number.NaN;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH || text.charCodeAt(10) !== T)
    return Number.NaN;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON || text.charCodeAt(length - 1) !== Z)
    return Number.NaN;
  if (length > 20 && text.charCodeAt(19) !== DOT) return Number.NaN;
  const days = epochDays(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10));
  const second = timeOfDay(digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19));
  if (days === null || second === null) return Number.NaN;
  const fraction =
    length === 20 ? 0 : digits(text, 20, length - 1) * (UNIT_OF_LAST_DIGIT[length - 21] as number);
  const micros = (days * 86_400 + second) * 1_000_000 + fraction;
  return Number.isSafeInteger(micros) ? micros : Number.NaN;
}

/** The number that the characters from `from` up to `to` write in digits, or NaN. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** The days from 1970-01-01 to a date `YYYY-MM-DD`, or null when there is no such day. */
export function parseDate(text: string): number | null {
  const match = DATE.exec(text);
  return match && epochDays(Number(match[1]), Number(match[2]), Number(match[3]));
}

/** The first and the last microsecond whose year in UTC has four digits. */
const YEAR_0 = -62_167_219_200_000_000n;
const END_OF_9999 = 253_402_300_799_999_999n;
const LONGEST_OFFSET = 86_340_000_000n; // 23:59

/**
 * An instant as RFC 3339: in UTC, with six digits of a second unless they are zero. One whose year in UTC is not 0 to 9999, which
 * a text with an offset can name, has the longest offset there is.
 */
export function formatTimestamp(micros: bigint): string {
  if (micros < YEAR_0) return `${digitsOf(micros + LONGEST_OFFSET)}+23:59`;
  if (micros > END_OF_9999) return `${digitsOf(micros - LONGEST_OFFSET)}-23:59`;
  return `${digitsOf(micros)}Z`;
}

function digitsOf(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const second = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, 19);
  return fraction === 0n ? second : `${second}.${String(fraction).padStart(6, '0')}`;
}

/** The date so many days after 1970-01-01. */
export const formatDate = (days: number): string => new Date(days * 86_400_000).toISOString().slice(0, 10);

/** Gregorian throughout, also before 1582, as RFC 3339 has it. */
function epochDays(year: number, month: number, day: number): number | null {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const before = DAYS_BEFORE_MONTH[month - 1];
  if (before === undefined) return null;
  const monthLength = (DAYS_BEFORE_MONTH[month] ?? 365) - before + (leap && month === 2 ? 1 : 0);
  if (day < 1 || day > monthLength) return null;
  // Leap days in the years 0 to `year` - 1; year 0 is one.
  const leapDays = Math.ceil(year / 4) - Math.ceil(year / 100) + Math.ceil(year / 400);
  return year * 365 + leapDays + before + (leap && month > 2 ? 1 : 0) + day - 1 - DAYS_FROM_YEAR_0_TO_1970;
}

function timeOfDay(hours: number, minutes: number, seconds: number): number | null {
  return hours < 24 && minutes < 60 && seconds < 60 ? hours * 3600 + minutes * 60 + seconds : null;
}
