import { expect, it } from 'vitest';
import { redact } from '../../src/client/redact.js';

it.each([
  ['plain words stay', 'limit: must be at most 1000', 'limit: must be at most 1000'],
  [
    'request ids and UUIDs stay',
    'req_011abc 7d5c1f0e-98a4-4a0b-9d5e-0123456789ab',
    'req_011abc 7d5c1f0e-98a4-4a0b-9d5e-0123456789ab',
  ],
  [
    'scopes stay',
    "Needed one of: ['read:compliance_user_data']",
    "Needed one of: ['read:compliance_user_data']",
  ],
  ['an address', 'no seat for ada.lovelace+x@mail.example.com.', 'no seat for [e-mail]'],
  ['an address in brackets', 'Ada <ada@example.com>', 'Ada <[e-mail]>'],
  ['an address of another script', 'für grüße@münchen.example', 'für [e-mail]'],
  ['an address on a bare host', 'root@localhost', '[e-mail]'],
  ['a key', 'key sk-ant-api01-AbC_d-9 is bad', 'key [key] is bad'],
  ['a short key', 'key sk-abc', 'key [key]'],
  ['a bearer token', 'Authorization: Bearer abc.def', 'Authorization: [key]'],
  ['a long run of letters', `token ${'a1'.repeat(30)}`, 'token [key]'],
  ['lines', 'one\r\n\ttwo', 'one two'],
  ['control and direction characters', 'a\u0000b\u001b[31mc\u202Ed\uFEFF', 'a b [31mc d'],
  ['a lone surrogate', 'a\uD800b', 'a b'],
  ['nothing', '', ''],
])('%s', (_, text, clean) => {
  expect(redact(text)).toBe(clean);
});

it('takes out the secrets it is given wherever they are', () => {
  expect(redact('the key hunter2hunter2 and xhunter2', ['hunter2', ''])).toBe(
    'the key [key][key] and x[key]',
  );
});

it('is bounded, and does not let half an address through at its bound', () => {
  expect(redact('word '.repeat(1000))).toHaveLength(300);
  const long = `${'x@example.com '.repeat(285)}ada.lovelace@example.com and more`;
  for (let cut = 0; cut < 40; cut += 1) expect(redact('.'.repeat(cut) + long)).not.toContain('ada');
});

it('ends on texts made to be slow: a pattern that is quadratic in them would take minutes', () => {
  expect(redact('a'.repeat(1_000_000))).toBe('');
  expect(redact(`${'a@'.repeat(500_000)} `)).toBe('');
  expect(redact(' '.repeat(1_000_000))).toBe('');
});
