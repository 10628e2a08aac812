const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `788 kB`, `1.2 GB`: bytes by powers of 1,000, to three places. */
export function sizeOf(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // What would be rounded to 1000 is one of the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit > 0 && value < 99.95 ? Number(value.toPrecision(3)) : Math.round(value)} ${UNITS[unit]}`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `3 days`, `1 hour`, `0 minutes`; `in 2 days` of a negative age: its clock, or ours, is wrong. */
export function ago(ms: number): string {
  const age = Math.abs(ms);
  const [of, unit] =
    age >= DAY_MS ? [DAY_MS, 'day'] : age >= HOUR_MS ? [HOUR_MS, 'hour'] : [MINUTE_MS, 'minute'];
  const number = Math.floor(age / of);
  return `${ms < 0 && number > 0 ? 'in ' : ''}${number.toLocaleString('en-GB')} ${unit}${number === 1 ? '' : 's'}`;
}
