import { afterAll, beforeAll } from 'vitest';
import { temporaryFolder } from '../../run/support/temporary-folder.js';

/** A folder for the files of all tests of one test file. */
export function scratchFolder(): { readonly path: string } {
  let folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
  });
  return {
    get path() {
      return folder?.path ?? '';
    },
  };
}
