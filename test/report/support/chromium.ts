import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);
const PATH = '/usr/bin/chromium';
const INSTALL_LIMIT_MS = 8 * 60 * 1000;

/** Debian's browser, installed by apt-get when it is missing and can be; else one plain line why there is none. */
export async function startChromium(): Promise<Browser | { missing: string }> {
  for (let tries = 0; tries < 2 && !(await isThere()); tries++) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update'], { timeout: INSTALL_LIMIT_MS })
      .then(() => run('apt-get', ['install', '--yes', 'chromium'], { env, timeout: INSTALL_LIMIT_MS }))
      .catch(() => undefined); // a registry may be out of reach for a moment: once more, then it is said
  }
  if (!(await isThere())) return { missing: 'Chromium is missing and apt-get could not install it' };
  // As root there is no sandbox; the pages are our own.
  return await chromium.launch({ executablePath: PATH, args: ['--no-sandbox'] });
}

const isThere = (): Promise<boolean> =>
  access(PATH).then(
    () => true,
    () => false,
  );
