import { writeFile } from 'node:fs/promises';
import { ConfigError, type Manifest, type Storage } from '../../../src/index.js';
import type { Context } from '../../kit/command.js';
import { counted } from '../../kit/counts.js';
import { openRoot } from '../../kit/root.js';
import { rowCounts } from '../../kit/snapshot-line.js';
import type { LoadSettings } from '../settings.js';
import { chooseSnapshot } from '../source/snapshot-source.js';
import { comment } from '../sql.js';
import { dialects } from './index.js';
import type { Script, ScriptDialect } from './script.js';

/** Writes the script that loads a snapshot, and the small files that it names. @returns the exit code */
export async function writeScript(settings: LoadSettings, { stdout }: Context): Promise<number> {
  const { from = '', runDate = 'latest', schema = 'claude_compliance', script } = settings;
  const dialect = dialects.find(({ name }) => name === settings.dialect) as ScriptDialect;
  const storage = await openRoot({ ...settings, out: from });
  const { manifest, manifestSha256 } = await chooseSnapshot({ ...settings, storage, runDate });
  if (manifest.format !== 'parquet') {
    throw new ConfigError(
      `The snapshot of ${manifest.run_date} is in the format ${manifest.format}; scripts load Parquet, which holds the types. Choose a dump with --format parquet.`,
      { code: 'format_not_loadable' },
    );
  }
  const location = (settings.location ?? storage.location).replace(/\/+$/, '');
  if (!dialect.locations.test(location)) {
    throw new ConfigError(
      `${dialect.name} does not find files at ${location}. Name ${dialect.locationHint} by --location.`,
      { code: 'location_invalid' },
    );
  }
  const written = dialect.write({ manifest, manifestSha256, schema, location });
  await writeHelpers(storage, written);
  const text = scriptText(dialect, manifest, written);
  if (script === undefined) stdout.write(text);
  else await writeScriptFile(script, text);
  return 0;
}

function scriptText({ name }: ScriptDialect, manifest: Manifest, { statements }: Script): string {
  const { run_date, run_id, status, totals } = manifest;
  const head = [
    comment(`The ${status} snapshot of ${run_date} (run ${run_id}) for ${name}:`),
    comment(`${rowCounts(manifest)}, in ${counted(totals.files, 'file')}.`),
    comment('Running it again gives the same. Let it end at the first error.'),
  ];
  return `${head.join('\n')}\n\n${statements.map((statement) => `${statement};\n`).join('\n')}`;
}

async function writeHelpers(storage: Storage, { helpers = [] }: Script): Promise<void> {
  for (const { key, text } of helpers) await storage.write(key, bytes(text));
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

async function writeScriptFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new ConfigError(`--script ${path} cannot be written (${(cause as NodeJS.ErrnoException).code}).`, {
      code: 'script_unwritable',
      cause,
    });
  }
}
