import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { isLocalLocation, openStorage, type Storage, secretStorageOptions } from '../../src/index.js';

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
      'A local folder for what is not published yet. Default: _staging in --out (which must be on the same disk), and for a bucket the state folder of the user.',
    ),
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
 * Where a run keeps what it has not published yet: in a local root, which can then be published by renaming; for a
 * bucket below the user's state folder, with one folder for each root.
 */
export function stateFolder(
  settings: RootSettings & { state?: string | undefined },
  environment: NodeJS.ProcessEnv,
): string {
  const { out, state } = settings;
  if (state !== undefined) return state;
  if (isLocalLocation(out)) return join(out, '_staging');
  const { XDG_STATE_HOME: given = '' } = environment;
  const states = isAbsolute(given) ? given : join(environment.HOME ?? homedir(), '.local', 'state');
  const root = [out.replace(/\/+$/, ''), optionsOf(settings).endpoint ?? ''].join('\n');
  return join(states, 'claude-compliance', createHash('sha256').update(root).digest('hex').slice(0, 16));
}
