import fc, { type Arbitrary } from 'fast-check';
import type { Stream } from '../../src/index.js';
import { apiKeys } from '../../src/streams/api-keys.js';
import { organizationSettings } from '../../src/streams/organization-settings.js';
import { users } from '../../src/streams/users.js';

const BREAKING = [
  '"',
  ',',
  '\n',
  '\r',
  "'",
  ' ',
  '\0',
  '\\',
  '{',
  '\ud800',
  '\ue000',
  '😀',
  '\uffff',
  '\ufeff',
];

/** Any text that can come over the wire, lone surrogates too, and more often one that breaks formats. */
const anyText = fc.oneof(
  { arbitrary: fc.string({ unit: 'binary' }), weight: 2 },
  { arbitrary: fc.string({ unit: fc.constantFrom(...BREAKING) }), weight: 3 },
  { arbitrary: fc.constantFrom('', 'null', '\\N', '=1', 'true', '""', ',"extra":', '-0', '#1'), weight: 1 },
);

const anyJson = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));

const twoDigits = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));

/** Mostly a timestamp, at times with a month 13 or an hour 24. */
const anyTimestamp = fc
  .tuple(
    fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0')),
    twoDigits(13),
    twoDigits(31),
    twoDigits(24),
    twoDigits(59),
    twoDigits(60),
    fc.option(fc.stringMatching(/^\d{1,9}$/)),
    fc.constantFrom('Z', 'z', '+05:30', '-11:00', '+23:59', '-23:59', ''),
  )
  .map(([y, mo, d, h, mi, s, f, z]) => `${y}-${mo}-${d}T${h}:${mi}:${s}${f === null ? '' : `.${f}`}${z}`);

/** What not every reader distinguishes from something else. */
export interface Distinctions {
  /** Texts that begin with a byte order mark: a TextDecoder drops it. */
  byteOrderMark: boolean;
  /** -0, which some JSON readers take for 0. */
  minusZero: boolean;
}

/** Streams that have every type of column, each with records as the API could serve them. */
export function anyRecords({
  byteOrderMark,
  minusZero,
}: Distinctions): readonly { stream: Stream; record: Arbitrary<object> }[] {
  const text = anyText.filter((value) => byteOrderMark || !value.startsWith('\ufeff'));
  const json = minusZero
    ? fc.oneof({ arbitrary: anyJson, weight: 9 }, fc.constantFrom(-0, [{ a: -0 }]))
    : anyJson;
  const timestamp = fc.oneof({ arbitrary: anyTimestamp, weight: 4 }, text);
  const nullable = <T>(value: Arbitrary<T>) => fc.oneof(fc.constant(null), value);
  const id = fc.string({ minLength: 1, unit: 'grapheme' });
  const unknown = { extra: json, other: json, __proto__: json };
  const user = {
    id,
    full_name: fc.oneof(fc.constant(null), text, json),
    email: nullable(text),
    organization_role: nullable(text),
    created_at: fc.oneof(fc.constant(null), timestamp, json),
    ...unknown,
  };
  const setting = {
    name: id,
    type: nullable(text),
    value: fc.oneof(json, text, fc.boolean(), fc.constant({ a: 1, extra: 2 })),
    ...unknown,
  };
  const apiKey = {
    id,
    name: nullable(text),
    scopes: fc.oneof(fc.constant(null), fc.array(json), json),
    is_active: fc.oneof(nullable(fc.boolean()), json),
    created_at: nullable(timestamp),
    expires_at: nullable(timestamp),
    ...unknown,
  };
  return [
    { stream: users, record: fc.record(user, { requiredKeys: ['id'] }) },
    { stream: organizationSettings, record: fc.record(setting, { requiredKeys: ['name'] }) },
    { stream: apiKeys, record: fc.record(apiKey, { requiredKeys: ['id'] }) },
  ];
}
