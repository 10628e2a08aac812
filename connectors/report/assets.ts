import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ConfigError } from '../../src/index.js';

/** The scripts of a page, in the order in which they run. */
export interface PageScripts {
  /** Libraries, which add one name each to the page. */
  readonly libraries: readonly string[];
  /** Our own modules. */
  readonly modules: readonly string[];
}

/** The builds for browsers; d3 comes before what is made with it. */
const LIBRARIES = [
  { name: 'd3', version: '7.9.2', file: 'dist/d3.min.js' },
  { name: '@observablehq/plot', version: '0.6.17', file: 'dist/plot.umd.min.js' },
  { name: '@tanstack/table-core', version: '8.21.3', file: 'build/umd/index.production.js' },
] as const;
const MODULES = ['charts.js', 'table.js', 'print.js'];

/** Reads the scripts of a page. @throws ConfigError `report_libraries_missing` */
export async function pageScripts(): Promise<PageScripts> {
  const libraries = await Promise.all(LIBRARIES.map(libraryText));
  const modules = await Promise.all(
    MODULES.map((name) => readFile(new URL(`./browser/${name}`, import.meta.url), 'utf8')),
  );
  return { libraries: libraries.map(inlined), modules: modules.map(inlined) };
}

async function libraryText({ name, version, file }: (typeof LIBRARIES)[number]): Promise<string> {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const inside = join('node_modules', name);
    const folder = join(entry.slice(0, entry.lastIndexOf(inside)), inside);
    const [licence, script] = await Promise.all(
      ['LICENSE', file].map((path) => readFile(join(folder, path), 'utf8')),
    );
    // A page is a copy, too: the licence goes with it.
    return `/*! ${name} ${version}\n${licence}*/\n${script}`;
  } catch (cause) {
    const all = LIBRARIES.map((library) => `${library.name}@${library.version}`).join(' ');
    throw new ConfigError(
      `The report needs libraries for charts and tables, which are not installed here: npm install ${all}.`,
      { code: 'report_libraries_missing', cause },
    );
  }
}

/** A script as it can stand in a page: nothing in it ends it, and it names no file. */
function inlined(script: string): string {
  const text = script.replaceAll(/\r\n?/g, '\n').replaceAll(/^\/\/# sourceMappingURL=.*$/gm, '');
  if (/<\/script|<!--/i.test(text)) throw new Error('A script of the page would end before its end.');
  return text;
}
