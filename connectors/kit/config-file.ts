import { readFile } from 'node:fs/promises';
import type { Document } from 'yaml';
import { ConfigError } from '../../src/index.js';

/** More aliases than people write; a few lines of them can otherwise expand to gigabytes. */
const MAX_ALIASES = 20;

/** Editors find the schema by it; it is no flag. */
const SCHEMA = '$schema';

/**
 * A file of flags without their dashes, as YAML 1.2 or JSON, which is YAML; `page_size` is read as `page-size`. Dates, `yes` and `no`
 * are texts. Numbers stay as they were written: the setting decides whether it is a number (500) or a text (the mode 0640).
 * @throws ConfigError `config_file_invalid`, which never quotes the file
 */
export async function readConfigFile(path: string): Promise<Record<string, unknown>> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new ConfigError(`--config ${path} cannot be read as YAML or JSON: ${why}.`, {
      code: 'config_file_invalid',
      cause,
    });
  };
  const text = await readFile(path, 'utf8').catch((cause) => refuse(cause.code, cause));
  const { LineCounter, parseDocument, visit } = await import('yaml');
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return ` (line ${line}, column ${col})`;
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    logLevel: 'error',
    prettyErrors: false, // they quote the file
    stringKeys: true,
  });
  const [error] = document.errors;
  if (error) refuse(`${MISTAKES[error.code] ?? 'its form is not valid'}${at(error.pos[0])}`);
  if (isOlderYaml(document)) refuse('%YAML 1.2 is the only version that is read');
  visit(document, {
    Node(_, { tag, range }) {
      if (tag !== undefined) refuse(`tags such as !!str are not taken${at(range?.[0] ?? 0)}`);
    },
  });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'number') node.value = node.source;
    },
  });
  const values = valuesOf(document, refuse);
  if (typeof values !== 'object' || Array.isArray(values)) refuse('it is no list of flags and their values');
  const flags = new Map<string, unknown>();
  for (const [key, value] of Object.entries(values)) {
    const name = key.replaceAll('_', '-');
    if (flags.has(name)) refuse('a flag is there twice, with - and with _');
    if (name.startsWith('//')) refuse('comments begin with #');
    if (name !== SCHEMA) flags.set(name, value);
  }
  return Object.fromEntries(flags);
}

/** By the library's codes. */
const MISTAKES: Record<string, string> = {
  DUPLICATE_KEY: 'a flag is there twice',
  MULTIPLE_DOCS: 'it has more than one document',
  NON_STRING_KEY: 'the name of a flag is no text',
  TAB_AS_INDENT: 'a tab is used as indentation',
  TAG_RESOLVE_FAILED: 'tags such as !!str are not taken',
};

/** In YAML 1.1 `no` is false, and 22:22 a number. */
const isOlderYaml = ({ directives }: Document): boolean =>
  directives?.yaml.explicit === true && directives.yaml.version !== '1.2';

function valuesOf(document: Document, refuse: (why: string, cause: unknown) => never): object {
  try {
    return (document.toJS({ maxAliasCount: MAX_ALIASES }) as object | null) ?? {};
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const isTooMany = error.message.startsWith('Excessive alias count');
    return refuse(isTooMany ? `it has more than ${MAX_ALIASES} aliases` : 'an alias has no anchor', error);
  }
}
