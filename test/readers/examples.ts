import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FORMATS } from './trees.js';

const ROOT = join(import.meta.dirname, '../..');

/** A piece of code that the documentation shows, about the root `lake`. */
export interface Example {
  /** The document, and the place in it. */
  name: string;
  /** Who runs it, as the scripts are named; `node` for JavaScript, which the unit tests run. */
  reader: string;
  /** Of the files that it reads. */
  format: string;
  code: string;
}

/** The section `Read it` of the README, the query by the manifest, and all of docs/reading.md and docs/reading-text.md. */
export async function readingExamples(): Promise<Example[]> {
  const [readme = '', snapshot = '', reading = '', texts = ''] = await Promise.all(
    ['README.md', 'docs/snapshot.md', 'docs/reading.md', TEXTS].map((path) =>
      readFile(join(ROOT, path), 'utf8'),
    ),
  );
  const [, section = ''] = /\n## Read it\n(.*?)\n## /s.exec(readme) ?? [];
  return [
    ...examplesIn('README.md', section),
    ...examplesIn('docs/snapshot.md', snapshot),
    ...examplesIn('docs/reading.md', reading),
    ...examplesIn(TEXTS, texts),
  ];
}

export const TEXTS = 'docs/reading-text.md';

/** An example belongs to the last title before it: a heading, or a line that is a name and a colon. */
function examplesIn(document: string, text: string): Example[] {
  const examples: Example[] = [];
  let [title, format] = ['', 'parquet'];
  for (const [, heading, language, code] of text.matchAll(
    /^(?:## (?=\w+\n)|(?=\w+:\n))(\w+):?\n|^```(\w+)\n(.*?)^```\n/gms,
  )) {
    if (heading !== undefined) title = heading;
    if (heading !== undefined && FORMATS.includes(heading.toLowerCase())) format = heading.toLowerCase();
    if (code === undefined || language === 'text') continue;
    const reader =
      language === 'sql' && title !== 'ClickHouse' ? 'duckdb' : (NAMES[title] ?? title.toLowerCase());
    const name = `${document}, example ${examples.length + 1} (${reader}, ${format})`;
    examples.push({ name, reader: language === 'js' ? 'node' : reader, format, code });
  }
  return examples;
}

const NAMES: Record<string, string> = { ClickHouse: 'chdb' };

/** The example on another root. */
export const exampleOn = ({ code }: Example, root: string): string =>
  code.replaceAll(/(['"])lake\//g, (_, quote) => `${quote}${root}/`);
