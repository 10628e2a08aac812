import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate, parseTimestamp, plainMicros } from '../src/model/timestamp.js';

const micros = (text: string) => parseTimestamp(text)?.micros;

describe('parseTimestamp', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['2024-02-29T23:59:59Z', 1_709_251_199_000_000n],
    ['2024-05-06T07:08:09.1Z', 1_714_979_289_100_000n],
    ['2024-05-06T07:08:09.12Z', 1_714_979_289_120_000n],
    ['2024-05-06T07:08:09.000001Z', 1_714_979_289_000_001n],
    ['2024-05-06T07:08:09.123456Z', 1_714_979_289_123_456n],
    ['2024-05-06t07:08:09z', 1_714_979_289_000_000n],
    ['2024-05-06T12:38:09.5+05:30', 1_714_979_289_500_000n],
    ['2024-05-05T19:08:09-12:00', 1_714_979_289_000_000n],
    ['2024-05-06T07:08:09-00:00', 1_714_979_289_000_000n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['1900-03-01T00:00:00Z', -2_203_891_200_000_000n],
    ['1582-10-10T00:00:00Z', -12_219_724_800_000_000n],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000_000n],
    ['0000-01-01T00:00:00Z', -62_167_219_200_000_000n],
    ['9999-12-31T23:59:59.999999Z', 253_402_300_799_999_999n],
  ])('reads %s to the microsecond', (text, expected) => {
    expect(parseTimestamp(text)).toEqual({ micros: expected, exact: true });
  });

  it('cuts what is finer than a microsecond towards the past, and says so', () => {
    expect(parseTimestamp('2024-05-06T07:08:09.123456789Z')).toEqual({
      micros: 1_714_979_289_123_456n,
      exact: false,
    });
    expect(parseTimestamp('2024-05-06T07:08:09.9999999Z')).toEqual({
      micros: 1_714_979_289_999_999n,
      exact: false,
    });
    expect(parseTimestamp('1969-12-31T23:59:59.9999999Z')).toEqual({ micros: -1n, exact: false });
    expect(parseTimestamp('1969-12-31T23:59:58.0000001Z')).toEqual({ micros: -2_000_000n, exact: false });
  });

  it('takes zeros after the sixth digit for exact', () => {
    expect(parseTimestamp('2024-05-06T07:08:09.123456000Z')).toEqual({
      micros: 1_714_979_289_123_456n,
      exact: true,
    });
  });

  it.each([
    ['2024-05-06T07:08:09', 1_714_979_289_000_000n],
    ['2024-05-06T07:08:09.123456', 1_714_979_289_123_456n],
    ['2024-05-06t07:08:09.1234567', 1_714_979_289_123_456n],
    ['0001-01-01T00:00:00', -62_135_596_800_000_000n],
  ])('reads %s, which has no offset, as UTC, and says that it is a guess', (text, expected) => {
    expect(parseTimestamp(text)).toEqual({ micros: expected, exact: false });
  });

  it.each([
    '',
    'yesterday',
    '1714979289',
    '2024-05-06',
    '2024-05-06 07:08:09Z',
    '2024-05-06 07:08:09',
    '2024-05-06T07:08:09.',
    '2024-05-06T07:08Z',
    '2024-05-06T07:08:09.Z',
    '2024-05-06T07:08:09,5Z',
    '2024-05-06T07:08:09+0530',
    '2024-05-06T07:08:09+24:00',
    '2024-05-06T07:08:09+05:60',
    '2024-05-06T24:00:00Z',
    '2024-05-06T07:60:00Z',
    '2016-12-31T23:59:60Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '12024-01-01T00:00:00Z',
    '-2024-01-01T00:00:00Z',
    ' 2024-05-06T07:08:09Z',
    '2024-05-06T07:08:09Z\n',
    '２０２４-05-06T07:08:09Z',
  ])('finds no instant in %j', (text) => {
    expect(parseTimestamp(text)).toBeNull();
  });

  it('agrees with Date on every millisecond and offset, and adds the microseconds', () => {
    const instant = fc.date({
      min: new Date('0001-01-02'),
      max: new Date('9999-12-30'),
      noInvalidDate: true,
    });
    const offset = fc.tuple(
      fc.constantFrom('+', '-'),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
    );
    const pair = (n: number) => String(n).padStart(2, '0');
    fc.assert(
      fc.property(instant, fc.integer({ min: 0, max: 999 }), offset, (date, rest, [sign, hours, minutes]) => {
        const shift = (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
        const local = date.toISOString().slice(0, -1);
        const text = `${local}${String(rest).padStart(3, '0')}${sign}${pair(hours)}:${pair(minutes)}`;
        expect(micros(text)).toBe(BigInt(date.getTime() - shift) * 1000n + BigInt(rest));
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseDate', () => {
  it('counts days since 1970', () => {
    expect(['1970-01-01', '1969-12-31', '2026-11-23', '0001-01-01', '9999-12-31'].map(parseDate)).toEqual([
      0, -1, 20_780, -719_162, 2_932_896,
    ]);
  });

  it('finds no day in what is none', () => {
    for (const text of ['', '2026-02-30', '2026-1-1', '2026-01-01T00:00:00Z', 'today']) {
      expect(parseDate(text), text).toBeNull();
    }
  });
});

describe('plainMicros', () => {
  it('agrees with parseTimestamp wherever it gives a number, and gives one for what the API serves', () => {
    const part = (max: number, length = 2) =>
      fc.integer({ min: 0, max }).map((n) => String(n).padStart(length, '0'));
    const text = fc
      .tuple(
        part(9999, 4),
        part(13),
        part(32),
        part(24),
        part(60),
        part(60),
        fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{0,7}$/)),
        fc.constantFrom('Z', 'Z', 'Z', 'z', '', '+00:00'),
        fc.constantFrom('-', '-', '-', '-', '/'),
        fc.constantFrom('T', 'T', 'T', 't', ' '),
      )
      .map(([y, mo, d, h, mi, s, f, zone, dash, t]) => `${y}${dash}${mo}-${d}${t}${h}:${mi}:${s}${f}${zone}`);
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ minLength: 18, maxLength: 28 })), (text) => {
        const micros = plainMicros(text);
        const known = parseTimestamp(text);
        if (!Number.isNaN(micros)) expect(known).toEqual({ micros: BigInt(micros), exact: true });
        else if (known?.exact && /^(1[7-9]|2[01])\d\d.*T.*Z$/.test(text)) expect(text).toMatch(/\.\d{7}/);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    '2024-05-06T07:08:0١Z',
    '1600-01-01T00:00:00Z',
    '2300-01-01T00:00:00Z',
    '2024-05-06T07:08:09.Z',
    '',
  ])('leaves %j to parseTimestamp', (text) => {
    expect(plainMicros(text)).toBeNaN();
  });
});
