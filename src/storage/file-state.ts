import { lstat } from 'node:fs/promises';

/** What tells a file from another one, and from itself with other bytes: new bytes change the time, a new link or mode nothing. */
export interface FileState {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** The file at a path; a link is not followed. Undefined when there is none. */
export const stateAt = (path: string): Promise<(FileState & { mode: bigint }) | undefined> =>
  lstat(path, { bigint: true }).catch(() => undefined);

/** Whether what was found is the file that was seen, with the same bytes. */
export const isSame = (found: FileState | undefined, seen: FileState): boolean =>
  (['dev', 'ino', 'size', 'mtimeNs'] as const).every((name) => found?.[name] === seen[name]);
