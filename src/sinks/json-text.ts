import type { Json } from '../model/records.js';

/** JSON as `JSON.stringify` writes it, except for -0, which `JSON.stringify` would turn into 0. */
export function jsonText(json: Json): string {
  if (Object.is(json, -0)) return '-0';
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  if (Array.isArray(json)) return `[${json.map(jsonText).join(',')}]`;
  return `{${Object.entries(json)
    .map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`)
    .join(',')}}`;
}
