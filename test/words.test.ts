import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { commands } from '../connectors/cli/commands/index.js';
import { say } from './cli/command.js';

const ROOT = resolve(import.meta.dirname, '..');

/** Words that most readers would have to translate; the glossary of docs/architecture.md has better ones. */
const UNCLEAR =
  /\b(?:anew|laid out|lays? out|cut short|gone on with|goes on with|put in place|parted|stands? there|lies? there|tells?|told)\b/i;

/** The lines of a text that have such a word. */
const unclear = (text: string, where: string): string[] =>
  text.split('\n').flatMap((line) => (UNCLEAR.test(line) ? [`${where}: ${line.trim()}`] : []));

const filesBelow = async (folder: string, extension: string): Promise<string[]> =>
  (await readdir(join(ROOT, folder), { recursive: true }))
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));

/** Every text in a source: literals, and what is fixed in templates. */
function textsIn(path: string, code: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, code, ts.ScriptTarget.Latest));
  return texts;
}

describe('what a user reads is in plain English', () => {
  it.each(['', ...commands.map(({ name }) => name)])(
    'in claude-compliance-connector %s --help',
    async (name) => {
      const { stdout } = await say([...(name === '' ? [] : [name]), '--help'], { COLUMNS: '1000' });
      expect(stdout.length).toBeGreaterThan(200);
      expect(unclear(stdout, name)).toEqual([]);
    },
  );

  it('in every text of src and connectors', async () => {
    const found: string[] = [];
    let texts = 0;
    for (const path of [...(await filesBelow('src', '.ts')), ...(await filesBelow('connectors', '.ts'))]) {
      for (const text of textsIn(path, await readFile(join(ROOT, path), 'utf8'))) {
        texts += 1;
        found.push(...unclear(text, path));
      }
    }
    expect(texts).toBeGreaterThan(1000);
    expect(found).toEqual([]);
  });

  it('in the README and the other documents', async () => {
    const documents = [
      ...(await readdir(ROOT)).filter((name) => name.endsWith('.md')),
      ...(await readdir(join(ROOT, 'docs')))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
      ...(await filesBelow('connectors', '.md')),
    ];
    expect(documents).toContain('README.md');
    const found: string[] = [];
    for (const path of documents) found.push(...unclear(await readFile(join(ROOT, path), 'utf8'), path));
    expect(found).toEqual([]);
  });
});
