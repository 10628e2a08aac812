import { StorageError } from '../errors.js';

/** What to try, by the system's own code. */
const ADVICE: Record<string, string> = {
  ENOSPC: 'The disk is full: make room, then run the same command again.',
  EDQUOT: 'The quota is used up: make room, then run the same command again.',
  EACCES: 'The folder may not be written or read: check its owner and mode.',
  EPERM: 'The folder may not be written or read: check its owner and mode.',
  EROFS: 'The file system is read-only: choose another folder.',
  ENOTDIR: 'A part of the path is a file, not a folder: choose another folder.',
  EXDEV:
    'The staged run is on another disk than the folder: leave out --state, or choose one on the same disk.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n) or lower the concurrency.',
};

/** Explains an error of the file system; errors of sinks and of the API, which pass through a write, stay as they are. */
export function storageError(verb: string, what: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException)?.code;
  const isSystemError = typeof (error as NodeJS.ErrnoException)?.syscall === 'string';
  if (!isSystemError || code === undefined) return error;
  if (code === 'ENOENT' && verb === 'reading') {
    return new StorageError(`There is no ${what}.`, { code: 'not_found', cause: error });
  }
  const advice = ADVICE[code] ?? 'Check the folder and its disk.';
  return new StorageError(`${capital(verb)} ${what} failed (${code}). ${advice}`, {
    code: `storage_${code.toLowerCase()}`,
    failure: ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code) ? 'config' : 'system',
    cause: error,
  });
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
