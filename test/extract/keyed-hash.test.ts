import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KEY_BYTES, keyedHash } from '../../src/extract/keyed-hash.js';

const KEY = Uint8Array.from({ length: KEY_BYTES }, (_, i) => i);
const words = new Uint32Array(3);

/** The first 64 bits, as the reference implementation prints them. */
function hashOf(text: string, key = KEY): string {
  keyedHash(key)(text, words);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, words[0] as number, true);
  bytes.setUint32(4, words[1] as number, true);
  return Buffer.from(bytes.buffer).toString('hex');
}

it.each([
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [2, '064f39ef7c50eb57'],
  [3, 'ce0f1a45f7060679'],
  [4, 'd5e78a175be52ea1'],
])('is HalfSipHash-2-4, by its published vectors: %i bytes', (length, expected) => {
  expect(hashOf(String.fromCharCode(...Array(length).keys()))).toBe(expected);
});

it('differs for texts that differ, in whatever characters, and by its key', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 3 }),
    fc.constantFrom('é', 'a\0', 'ā', '\0\0\0'),
  );
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(hashOf(one) === hashOf(other)).toBe(one === other);
      expect(hashOf(one, KEY.toReversed())).not.toBe(hashOf(one));
    }),
    { numRuns: 2000 },
  );
});

it('reads texts of any length', () => {
  const lengths = [0, 1, 255, 256, 257, 5000];
  const hashes = lengths.flatMap((length) => ['x', 'é', '渡'].map((unit) => hashOf(unit.repeat(length))));
  expect(new Set(hashes).size).toBe(1 + 3 * (lengths.length - 1));
});
