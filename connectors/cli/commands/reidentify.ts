import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ConfigError, createPseudonyms, streams } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { keyOf, personalColumns, pseudonymKeySettings } from '../../kit/pseudonyms.js';

const columns = personalColumns as [string, ...string[]];

/** Finds the person of a pseudonym, among people who are already known: alone it says nothing. */
export const reidentify = command({
  positionals: [{ key: 'column', choices: columns, describe: 'The column that the pseudonyms are of.' }],
  settings: z.object({
    column: z.enum(columns),
    pseudonym: z.array(z.string().min(1)).min(1).describe('The pseudonyms to find.'),
    candidates: z
      .string()
      .min(1)
      .describe(
        'A file with the texts that they may stand for, one a line: e-mail addresses, or full names.',
      ),
    ...pseudonymKeySettings.shape,
  }),
  async run({ column, pseudonym, candidates, pseudonymKey }, { stdout, stderr }) {
    const pseudonyms = createPseudonyms({ key: keyOf(pseudonymKey), columns: [column] });
    const kind = kindOf(column);
    const wanted = new Set(pseudonym.map(withoutDomain));
    const found = new Set<string>();
    for await (const text of linesOf(candidates)) {
      const made = pseudonyms.of(kind, text);
      if (!wanted.has(made)) continue;
      found.add(made);
      stdout.write(`${made}\t${text}\n`);
    }
    const missing = wanted.size - found.size;
    if (missing > 0) stderr.write(`note: ${missing} of ${wanted.size} stand for none of the candidates.\n`);
    return missing > 0 ? 1 : 0;
  },
});

const kindOf = (column: string) => {
  const fields = streams.flatMap((stream) => stream.fields);
  return fields.find(({ name, personal }) => name === column && personal)?.personal ?? 'name';
};

/** A domain that was kept is not part of what identifies. */
const withoutDomain = (pseudonym: string): string => pseudonym.split('@')[0] as string;

async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    for await (const line of createInterface({
      input: createReadStream(path),
      crlfDelay: Number.POSITIVE_INFINITY,
    }))
      if (line.trim() !== '') yield line;
  } catch (cause) {
    throw new ConfigError(
      `--candidates ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'it failed'}.`,
      { code: 'candidates_unreadable', cause },
    );
  }
}
