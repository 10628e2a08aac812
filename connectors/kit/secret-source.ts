import { readFile, stat } from 'node:fs/promises';
import { platform } from 'node:process';
import { ConfigError } from '../../src/index.js';
import type { Context } from './command.js';
import { secretFrom } from './key-command.js';
import { flagName } from './options.js';
import { printable } from './printable.js';
import { SECRETS } from './secrets.js';

type Values = Readonly<Record<string, unknown>>;

/** Where a secret is to be taken from. */
export type SecretSource =
  | { kind: 'file' | 'command'; flag: string; value: string }
  /** It has been given itself, or not at all. */
  | { kind: 'none' }
  /** Two were given in one place. */
  | { kind: 'both'; mistake: string };

/**
 * The first place that says where a secret is counts: flags, then the environment, then `--config`. In the environment the secret
 * itself counts first. A file and a command in one place exclude each other.
 */
export function secretSource(
  key: string,
  { flags, environment, file }: { flags: Values; environment: Values; file: Values },
): SecretSource {
  const secret = SECRETS[key];
  for (const values of [flags, environment, file]) {
    if (values[key] !== undefined) break;
    const found = [['file', secret?.file] as const, ['command', secret?.command] as const].flatMap(
      ([kind, setting]) => {
        const value = setting === undefined ? undefined : values[setting];
        return typeof value === 'string' ? [{ kind, flag: `--${flagName(setting ?? '')}`, value }] : [];
      },
    );
    const [first, second] = found;
    if (first && second)
      return { kind: 'both', mistake: `${first.flag} and ${second.flag} exclude each other` };
    if (first) return first;
  }
  return { kind: 'none' };
}

/** The bits of a mode by which others than the owner may read. */
const READ_BY_OTHERS = 0o044;

/** A file that others can read is a warning. @throws ConfigError `key_file_unreadable`, `key_command_failed` */
export async function readSecret(
  source: SecretSource,
  context: Pick<Context, 'stderr' | 'environment' | 'signal'>,
): Promise<string | undefined> {
  if (source.kind === 'command') return await secretFrom({ flag: source.flag, text: source.value, context });
  if (source.kind !== 'file') return undefined;
  try {
    const { mode } = await stat(source.value);
    if (platform !== 'win32' && (mode & READ_BY_OTHERS) !== 0) {
      const what = `the file of ${source.flag} (its mode is ${(mode & 0o777).toString(8)})`;
      const text = `Others than its owner can read ${what}: chmod 600 ${source.value}`;
      context.stderr.write(`warning: ${printable(text, Number.POSITIVE_INFINITY)}\n`);
    }
    return (await readFile(source.value, 'utf8')).trim();
  } catch (cause) {
    throw new ConfigError(
      `${source.flag} ${source.value} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`,
      { code: 'key_file_unreadable', cause },
    );
  }
}
