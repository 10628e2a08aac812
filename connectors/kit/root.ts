import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { isLocalLocation, marks, openStorage, type Storage, secretStorageOptions } from '../../src/index.js';

/** How the root of `--out` is reached, where it is a bucket. */
export const rootSettings = z.object({
  storageOption: z
    .array(
      z
        .string()
        .regex(/^[a-z_]+=/, 'must look like key=value')
        .refine(
          (option) => !secretStorageOptions.includes(nameOf(option)),
          'credentials are taken from the environment and its files, never from a flag',
        ),
    )
    .optional()
    .describe(
      'key=value for the bucket, several times: endpoint, region, role_arn, … as opendal names them.',
    ),
});

/** Of commands that are about what dump has published. */
export const publishedSettings = z.object({
  out: z.string().min(1).default('./out').describe('The folder or bucket that dump wrote to.'),
});

/** Of commands that write there. */
export const fileModeSettings = z.object({
  fileMode: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be an octal mode such as 640')
    .default('600')
    .describe('Mode of the files; folders get x where the files have r. This is personal data.'),
});

/** Of commands that publish. */
export const stateSettings = z.object({
  state: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A local folder for what is not published yet, in _staging below it. Default: --out (the same disk), and for a bucket a folder of its own in ~/.local/state.',
    )
    .register(marks, { isNoEvidence: true }),
});

type RootSettings = z.output<typeof rootSettings> & { out: string };

const nameOf = (option: string): string => option.split('=', 1)[0] ?? '';

const optionsOf = ({ storageOption = [] }: RootSettings): Record<string, string> =>
  Object.fromEntries(
    storageOption.map((option) => [nameOf(option), option.slice(nameOf(option).length + 1)]),
  );

/**
 * Opens the root, or a folder of it.
 * @param fileMode of the files of a local folder, octal
 */
export async function openRoot(
  settings: RootSettings & { fileMode?: string },
  folder?: string,
): Promise<Storage> {
  const { out, fileMode } = settings;
  const location = folder === undefined ? out : `${out.replace(/\/+$/, '')}/${folder}`;
  const mode = isLocalLocation(out) && fileMode !== undefined ? { file_mode: fileMode } : {};
  return await openStorage(location, { ...optionsOf(settings), ...mode });
}

/**
 * The folder whose `_staging` holds what a run has not published yet: a local root, whose files can then be published by
 * a link; for a bucket one below the user's state folder, for each root its own.
 */
export function stateFolder(
  settings: RootSettings & { state?: string | undefined },
  environment: NodeJS.ProcessEnv,
): string {
  const { out, state } = settings;
  if (state !== undefined) return state;
  if (isLocalLocation(out)) return out;
  const root = [out.replace(/\/+$/, ''), optionsOf(settings).endpoint ?? ''].join('\n');
  return join(userState(environment), createHash('sha256').update(root).digest('hex').slice(0, 16));
}

/** The user's own folder for what is kept between runs, or while one lasts. */
export function userState({ XDG_STATE_HOME: given = '', HOME }: NodeJS.ProcessEnv): string {
  const states = isAbsolute(given) ? given : join(HOME ?? homedir(), '.local', 'state');
  return join(states, 'claude-compliance-connector');
}
