import { z } from 'zod';
import { ConfigError, createSink, type Sink, sinkFormats } from '../../src/index.js';

/** A second writer of the same kind of file has a flag of its own. */
const names = sinkFormats.filter(({ name, format }) => name === format).map(({ name }) => name);

/** How the files are written. */
export const formatSettings = z.object({
  format: z
    .array(z.enum(names as [string, ...string[]]))
    .min(1)
    .default(['parquet'])
    .describe('One or several; several get a folder each below --out.'),
  parquetWriter: z
    .enum(['wasm', 'js'])
    .default('wasm')
    .describe(
      'js: a writer in pure JavaScript; snappy by default, no zstd, no statistics, timestamps without zone.',
    ),
  compression: z
    .string()
    .optional()
    .describe(
      'zstd, snappy, gzip or none; for several formats: parquet=zstd,csv=gzip. Default: zstd for Parquet, none for text.',
    ),
  csvFormulaGuard: z
    .boolean()
    .default(false)
    .describe("Put a ' before CSV cells that a spreadsheet would run as a formula. Changes data."),
});

/**
 * One sink for each format.
 * @throws ConfigError `compression_unknown`, and what a format refuses
 */
export function sinksOf(settings: z.output<typeof formatSettings>): Sink[] {
  const compressions = parseCompression(settings);
  return [...new Set(settings.format)].map((format) => {
    const compression = compressions.get(format) ?? compressions.get('');
    return createSink(format === 'parquet' && settings.parquetWriter === 'js' ? 'parquet-js' : format, {
      ...(compression !== undefined && { compression }),
      csvFormulaGuard: settings.csvFormulaGuard,
    });
  });
}

/** By format; the empty name is for all. */
function parseCompression({ compression, format }: z.output<typeof formatSettings>): Map<string, string> {
  const parsed = new Map<string, string>();
  for (const item of compression?.split(',') ?? []) {
    const [first = '', second] = item.split('=');
    parsed.set(second === undefined ? '' : first, second ?? first);
  }
  const foreign = [...parsed.keys()].filter((name) => name !== '' && !format.includes(name));
  if (foreign.length > 0) {
    throw new ConfigError(`--compression names ${foreign.join(', ')}, which --format does not.`, {
      code: 'compression_unknown',
    });
  }
  return parsed;
}
