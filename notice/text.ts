import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { init, type ModuleInfo } from 'license-checker-rseidelsohn';
import lock from '../package-lock.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '..');

/** A file that holds a licence; where a package has none, the checker names its README. */
const IS_LICENCE = /^(?:li[cs]en[cs]e|copying|notice)/i;

/** Packages of one platform: they are parts of those that depend on them, with the same licence, and not installed everywhere. */
const ofPlatform = new Set(
  Object.entries(lock.packages as Record<string, { os?: unknown; cpu?: unknown }>)
    .filter(([, { os, cpu }]) => os !== undefined || cpu !== undefined)
    .map(([path]) => path.replace(/^.*node_modules\//, '')),
);

const HEADING = `This package needs the packages below when it runs, the optional ones included; npm installs them beside it. Those that
hold the compiled code of one platform (of DuckDB and opendal) have the licence of the package that names them.
Made by \`npm run notice\`.
`;

/** The licences of all packages that are installed with this one, as one text: the same on every platform. */
export async function noticeText(): Promise<string> {
  const found = await new Promise<Record<string, ModuleInfo>>((done, failed) => {
    init({ start: ROOT, production: true, excludePrivatePackages: true }, (error, packages) =>
      error ? failed(error) : done(packages),
    );
  });
  const entries: string[] = [];
  for (const [id, { licenses, repository = '', licenseFile }] of Object.entries(found).sort(byName)) {
    const name = id.replace(/@[^@]*$/, '');
    if (name === lock.name || ofPlatform.has(name)) continue;
    const text =
      licenseFile && IS_LICENCE.test(basename(licenseFile)) ? await readFile(licenseFile, 'utf8') : '';
    const lines = text
      .replaceAll('\r\n', '\n')
      .split('\n')
      .map((line) => line.trimEnd());
    entries.push([`${id}: ${[licenses].flat().join(', ')}`, repository, ...lines].join('\n').trimEnd());
  }
  return `${[HEADING, ...entries].join(`\n${'-'.repeat(80)}\n`)}\n`;
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
