import { readFile, writeFile } from 'node:fs/promises';
import { tables } from './tables.js';

/** `<!-- bench: NAME -->` … `<!-- /bench -->`: what is between is generated. */
const MARKED = /(<!-- bench: ([\w-]+) -->\n).*?(<!-- \/bench -->)/gs;

/** The text with every marked table as the results give it. @throws for a name that no table has */
export async function filled(text: string, results: string): Promise<string> {
  const made = new Map<string, string>();
  for (const [, , name = ''] of text.matchAll(MARKED)) {
    const make = tables[name];
    if (make === undefined)
      throw new Error(`There is no table ${name}; there are ${Object.keys(tables).join(', ')}`);
    made.set(
      name,
      (await make(results)) ?? `Not measured yet: \`npm run bench -- peers --everything --docs\`.`,
    );
  }
  return text.replace(
    MARKED,
    (_, start: string, name: string, end: string) => `${start}${made.get(name)}\n${end}`,
  );
}

/** Fills a document in its place. */
export async function fillDocument(path: string, results: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const after = await filled(text, results);
  if (after !== text) await writeFile(path, after);
}
