import { z } from 'zod';
import { ConfigError, createSink, type Sink, sinkFormats } from '../../src/index.js';

const names = sinkFormats.map(({ name }) => name);

/** How the files are written. */
export const formatSettings = z.object({
  format: z
    .array(z.enum(names as [string, ...string[]]))
    .min(1)
    .default(['parquet'])
    .describe('One or several; several get a folder each below --out.'),
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

/** How one file is written. */
export const fileFormatSettings = z.object({
  format: z
    .enum(names as [string, ...string[]])
    .optional()
    .describe('Default: as the name of the file says (.csv.gz is compressed), and on stdout csv.'),
  csvFormulaGuard: formatSettings.shape.csvFormulaGuard,
});

/**
 * The sink of one file, by its name unless a format is asked for; without a path it is stdout, which takes text.
 * @throws ConfigError `stdout_needs_text`, `format_unknown`
 */
export function sinkOfFile(
  path: string | undefined,
  { format, csvFormulaGuard }: z.output<typeof fileFormatSettings>,
): Sink {
  const texts = sinkFormats.filter(({ isText }) => isText).map(({ name }) => name);
  if (path === undefined) {
    if (format === undefined || texts.includes(format))
      return createSink(format ?? 'csv', { csvFormulaGuard });
    throw new ConfigError(
      `stdout takes text: give --format ${texts.join(' or ')}, or for ${format} a file by --output.`,
      { code: 'stdout_needs_text' },
    );
  }
  const sinks = sinkFormats.flatMap(({ name, compressions }) =>
    compressions.map((compression) => ({ name, sink: createSink(name, { compression, csvFormulaGuard }) })),
  );
  const byName = sinks.filter(({ sink }) => path.endsWith(`.${sink.extension}`));
  const found = byName.find(({ name }) => name === (format ?? name));
  if (found) return found.sink;
  if (format !== undefined) return createSink(format, { csvFormulaGuard });
  throw new ConfigError(
    `The name of the file does not say its format. Let it end with .${names.join(', .')}, or give --format.`,
    { code: 'format_unknown' },
  );
}

/**
 * One sink for each format.
 * @throws ConfigError `compression_unknown`, and what a format refuses
 */
export function sinksOf(settings: z.output<typeof formatSettings>): Sink[] {
  const compressions = parseCompression(settings);
  return [...new Set(settings.format)].map((format) => {
    const compression = compressions.get(format) ?? compressions.get('');
    return createSink(format, {
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
