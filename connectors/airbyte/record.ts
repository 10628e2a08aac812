import { type Extra, parseTimestamp, type Repairs, rowMaker, type StreamSchema } from '../../src/index.js';
import type { FieldChange, Message } from './messages.js';

/**
 * Makes RECORD messages of a stream's records. What its schema cannot hold (a timestamp that is none, a text that is
 * not text) is null, told as such, and stands in `extra` as it was served.
 */
export function recordMaker(
  schema: StreamSchema,
  added: Readonly<Record<string, string>>,
  repairs: Repairs,
): (record: object, emittedAt: number) => Message {
  const toRow = rowMaker(schema, added, repairs);
  const timestamps = schema.fields.filter(({ type }) => type === 'timestamp').map(({ name }) => name);
  const served = schema.fields.filter(({ origin, nullable }) => origin === 'api' && nullable);
  const hasExtra = schema.fields.some(({ name }) => name === 'extra');

  return (record, emittedAt) => {
    let data = toRow(record);
    const changes: FieldChange[] = [];
    for (const name of timestamps) {
      const text = data[name];
      if (typeof text !== 'string' || parseTimestamp(text)) continue;
      const extra = hasExtra ? { extra: { ...(data.extra as Extra | null), [name]: text } } : {};
      data = { ...data, [name]: null, ...extra };
      if (!hasExtra) changes.push(nulled(name));
    }
    const extra = data.extra as Extra | null | undefined;
    if (extra) {
      for (const { name } of served) {
        if (data[name] === null && Object.hasOwn(extra, name)) changes.push(nulled(name));
      }
    }
    const meta = changes.length > 0 ? { meta: { changes } } : {};
    return { type: 'RECORD', record: { stream: schema.name, data, emitted_at: emittedAt, ...meta } };
  };
}

const nulled = (field: string): FieldChange => ({
  field,
  change: 'NULLED',
  reason: 'SOURCE_SERIALIZATION_ERROR',
});
