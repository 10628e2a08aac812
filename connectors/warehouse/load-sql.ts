import { writeFile } from 'node:fs/promises';
import { ConfigError, type Manifest, type Storage } from '../../src/index.js';
import type { Surroundings } from '../cli/command.js';
import { openRoot } from '../cli/root.js';
import { dialects } from './dialects/index.js';
import { helperKey, type Script, type ScriptDialect } from './dialects/script.js';
import type { LoadSettings } from './load-settings.js';
import { chooseSnapshot } from './snapshot-source.js';
import { comment } from './sql.js';

/** Writes the script that loads a snapshot, and the small files that it names. @returns the exit code */
export async function writeScript(settings: LoadSettings, { stdout }: Surroundings): Promise<number> {
  const { from = '', runDate = 'latest', allowIncomplete, schema = 'claude_compliance', script } = settings;
  const dialect = dialects.find(({ name }) => name === settings.dialect) as ScriptDialect;
  const storage = await openRoot({ ...settings, out: from });
  const { manifest } = await chooseSnapshot({ storage, runDate, allowIncomplete });
  if (manifest.format !== 'parquet') {
    throw new ConfigError(
      `The snapshot of ${manifest.run_date} is in the format ${manifest.format}; the scripts load Parquet, which holds the types.`,
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
  const written = dialect.write({ manifest, schema, location });
  await writeHelpers(storage, manifest, written);
  const text = scriptText(dialect, manifest, written);
  if (script === undefined) stdout.write(text);
  else await writeScriptFile(script, text);
  return 0;
}

function scriptText({ name }: ScriptDialect, manifest: Manifest, { statements }: Script): string {
  const { run_date, run_id, status, totals } = manifest;
  const head = [
    comment(`The ${status} snapshot of ${run_date} (run ${run_id}) for ${name}:`),
    comment(`${totals.organizations} organisations, ${totals.users} users, ${totals.files} files.`),
    comment('Run again, it gives the same. Let it end at the first error.'),
  ];
  return `${head.join('\n')}\n\n${statements.map((statement) => `${statement};\n`).join('\n')}`;
}

async function writeHelpers(storage: Storage, manifest: Manifest, { helpers = [] }: Script): Promise<void> {
  for (const { name, text } of helpers) {
    await storage.write(helperKey(manifest, name), bytes(text));
  }
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
