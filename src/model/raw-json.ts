import { textOf } from '../raw-text.js';
import { type Json, setOwn } from './records.js';

/** JSON whose texts are raw, decoded: names and values, at any depth. */
export function decodedJson(raw: Json): Json {
  if (typeof raw === 'string') return textOf(raw);
  if (Array.isArray(raw)) return raw.map(decodedJson);
  if (typeof raw !== 'object' || raw === null) return raw;
  const decoded: { [key: string]: Json } = {};
  for (const [name, value] of Object.entries(raw)) setOwn(decoded, textOf(name), decodedJson(value));
  return decoded;
}
