import type { CompactRecord, Extra } from '../model/records.js';
import { isEmpty } from '../model/rows.js';
import { rawOf } from '../raw-text.js';
import type { Stream } from '../streams/stream.js';

/** Beyond the characters of raw text: what a value is, and where it ends. */
const NULL = 0x100;
const JSON_VALUE = 0x101;
const END = 0x102;

/**
 * A hash of what a record says beside its key, 32 bits: the same for two records whose fields and unknown fields have the same values,
 * whichever form they are in. It is FNV-1a over raw text, which costs little; nobody gains by preparing two records that
 * look the same, so it needs no key.
 */
export function contentHasher({ fields, key }: Stream): (record: CompactRecord, isRaw: boolean) => number {
  const names = fields.map(({ name }) => name).filter((name) => !key.includes(name));
  return (record, isRaw) => {
    let hash = 0x811c9dc5;
    for (const name of names) {
      const value = record[name];
      if (typeof value === 'string') hash = foldText(hash, value, isRaw);
      else if (value === null || value === undefined) hash = fold(hash, NULL);
      else hash = foldText(fold(hash, JSON_VALUE), JSON.stringify(value), isRaw);
      hash = fold(hash, END);
    }
    const { extra } = record;
    if (extra === undefined || isEmpty(extra)) return hash >>> 0;
    const unknown = Object.entries(extra as Extra).sort(([a], [b]) => (a < b ? -1 : 1));
    return foldText(hash, JSON.stringify(unknown), isRaw) >>> 0;
  };
}

const fold = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);

function foldText(before: number, text: string, isRaw: boolean): number {
  let hash = before;
  let seen = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    seen |= code;
    hash = fold(hash, code);
  }
  return seen < 0x80 || isRaw ? hash : foldText(before, rawOf(text), true);
}
