import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Started, startServerProcess } from './server-process.js';

const run = promisify(execFile);
const PACKAGE = 'azurite@3.35.0';
const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));
const INSTALL_LIMIT = 5 * 60 * 1000;

/** The account that every Azurite has, as its manual says. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Azure's blob storage, emulated. Not a dependency of the project: it is large, and only this needs it. */
export async function startAzurite(): Promise<Started> {
  const folder = join(CACHE, PACKAGE.replace('@', '-'));
  const program = join(folder, 'node_modules/azurite/dist/src/blob/main.js');
  let reason = '';
  for (let tries = 0; tries < 2 && !existsSync(program); tries++) {
    await install(folder).catch(({ stderr, message }: Error & { stderr?: string }) => {
      reason = /npm error (.*\S)/.exec(stderr ?? '')?.[1] ?? message;
    });
  }
  if (!existsSync(program)) return { missing: `${PACKAGE} could not be installed: ${reason}` };
  return await startServerProcess(process.execPath, [
    program,
    ...['--blobHost', '127.0.0.1', '--blobPort', '0'],
    ...['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry', '--silent'],
  ]);
}

/** Installed under another name and renamed: a folder that is there is complete. */
async function install(folder: string): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await run('npm', ['install', '--prefix', unfinished, ...flags, PACKAGE], { timeout: INSTALL_LIMIT });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What a test opens a container on it with. */
export const azuriteOptions = (endpoint: string): Record<string, string> => ({
  endpoint: `${endpoint}/${ACCOUNT}`,
  account_name: ACCOUNT,
  account_key: KEY,
});

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
export async function createContainer(endpoint: string, container: string): Promise<void> {
  const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-12-02' };
  const toSign = [
    ...['PUT', '', '', '', '', '', '', '', '', '', '', ''],
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    `/${ACCOUNT}/${ACCOUNT}/${container}`,
    'restype:container',
  ].join('\n');
  const signature = createHmac('sha256', Buffer.from(KEY, 'base64')).update(toSign).digest('base64');
  const { status } = await fetch(`${endpoint}/${ACCOUNT}/${container}?restype=container`, {
    method: 'PUT',
    headers: { ...headers, authorization: `SharedKey ${ACCOUNT}:${signature}` },
  });
  if (status !== 201) throw new Error(`azurite did not make the container ${container}: HTTP ${status}`);
}
