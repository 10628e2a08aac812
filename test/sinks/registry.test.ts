import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import { createSink, sinkFormats } from '../../src/sinks/index.js';

const errorOf = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('the registry of sinks', () => {
  it('makes a sink by its name, with the first compression where none is asked for', () => {
    for (const { name, compressions } of sinkFormats) {
      expect(createSink(name)).toMatchObject({ format: name, options: { compression: compressions[0] } });
    }
  });

  it('has each name once', () => {
    const names = sinkFormats.map((format) => format.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('names the formats it knows when asked for another', () => {
    const error = errorOf(() => createSink('xlsx'));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'unknown_format' });
    expect(String(error)).toContain(sinkFormats.map(({ name }) => name).join(', '));
  });

  it.each(sinkFormats)('names the compressions of $name when asked for another', (format) => {
    const error = errorOf(() => createSink(format.name, { compression: 'lzo' }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'unknown_compression' });
    expect(String(error)).toContain(format.compressions.join(', '));
  });

  it('ends the names of compressed texts in .gz', () => {
    expect(createSink('csv', { compression: 'gzip' }).extension).toBe('csv.gz');
    expect(createSink('ndjson', { compression: 'gzip' }).extension).toBe('ndjson.gz');
    expect(createSink('parquet', { compression: 'gzip' }).extension).toBe('parquet');
  });
});
