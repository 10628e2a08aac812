import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFingerprints } from '../../src/extract/fingerprints.js';

it('behaves as a set of texts does', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 100 }), (texts) => {
      const set = new Set<string>();
      const prints = createFingerprints();
      for (const text of texts) {
        expect(prints.has(text)).toBe(set.has(text));
        expect(prints.add(text)).toBe(!set.has(text));
        set.add(text);
        expect(prints.has(text)).toBe(true);
      }
      expect(prints.size).toBe(set.size);
    }),
  );
});

it('forgets and invents nothing among many', () => {
  const prints = createFingerprints();
  const users = Array.from({ length: 60_000 }, (_, n) => `user_${n}`);
  expect(users.filter((user) => !prints.add(user))).toEqual([]);
  expect(users.filter((user) => prints.add(user))).toEqual([]);
  expect(users.filter((user) => prints.has(`another ${user}`))).toEqual([]);
  expect(prints.size).toBe(60_000);
});

it('is restored from its bytes, wherever they are in a buffer, and can be added to', () => {
  const prints = createFingerprints();
  for (let n = 0; n < 5_000; n += 1) prints.add(`user_${n}`);
  const bytes = prints.toBytes();
  expect(bytes).toHaveLength(8 + 16 * 5_000);
  const within = new Uint8Array(bytes.length + 3);
  within.set(bytes, 3);
  const again = createFingerprints(within.subarray(3));
  expect(again.size).toBe(5_000);
  for (let n = 0; n < 5_000; n += 1) again.add(`user_${n}`);
  expect(again.size).toBe(5_000);
  expect(again.add('user_5000')).toBe(true);
});

it.each([0, 15, 17, 20, 36])('refuses %d bytes, which are no set', (length) => {
  expect(() => createFingerprints(new Uint8Array(length))).toThrow(
    expect.objectContaining({ name: 'ConfigError', code: 'invalid_fingerprints' }),
  );
});

it('distinguishes fingerprints by all of their bits', () => {
  const base = [1, 2, 3, 4];
  const otherContent = [1, 2, 3, 9];
  const prints = [base, [9, 2, 3, 4], [65, 2, 3, 4], [1, 9, 3, 4], [1, 2, 9, 4], otherContent];
  const bytes = Buffer.alloc(8 + 16 * prints.length);
  for (const [index, word] of prints.flat().entries()) bytes.writeUInt32BE(word, 8 + 4 * index);
  expect(createFingerprints(bytes).size).toBe(prints.length - 1);
});

it('gives the same text another fingerprint in each set, so that nobody can prepare a collision', () => {
  const [one, other] = [createFingerprints(), createFingerprints()];
  one.add('user_1');
  other.add('user_1');
  expect(Buffer.from(one.toBytes().subarray(8))).not.toEqual(Buffer.from(other.toBytes().subarray(8)));
});

it('takes at most 36 bytes a text, however many there are', () => {
  const prints = createFingerprints();
  for (let n = 1; n <= 200_000; n += 1) {
    prints.add(`user_${n}`);
    if (n >= 1_000 && n % 500 === 0) expect(prints.bytes / n).toBeLessThanOrEqual(36);
  }
});

it('remembers the first content of each text, also in its bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 2 }), fc.nat({ max: 2 ** 32 - 1 }))), (added) => {
      const first = new Map<string, number>();
      const prints = createFingerprints();
      for (const [text, content] of added) {
        prints.add(text, content);
        if (!first.has(text)) first.set(text, content);
      }
      const restored = createFingerprints(prints.toBytes());
      for (const [text, content] of added) {
        expect(prints.differs(text, content)).toBe(first.get(text) !== content);
        expect(restored.differs(text, content)).toBe(first.get(text) !== content);
      }
      expect(prints.differs('never added', 0)).toBe(false);
    }),
  );
});

it('keeps contents while its tables grow', () => {
  const prints = createFingerprints();
  for (let n = 0; n < 20_000; n += 1) prints.add(`user_${n}`, n % 7);
  for (let n = 0; n < 20_000; n += 1) {
    expect(prints.differs(`user_${n}`, n % 7)).toBe(false);
    expect(prints.differs(`user_${n}`, (n + 1) % 7)).toBe(true);
  }
});
