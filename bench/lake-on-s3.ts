import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { version } from '@duckdb/node-api';
import { venv } from '../test/python/venv.js';
import { createMotoBucket, startMoto } from '../test/storage/servers/moto.js';
import { startProxy } from '../test/storage/servers/proxy.js';
import { type Answer, ask } from './duckdb-query.js';

const BUCKET = 'lake';

/** Roots in a bucket of an S3 server on this machine, behind a proxy that counts. */
export interface LakeOnS3 extends AsyncDisposable {
  /** `s3://lake` */
  url: string;
  ask(sql: string): Promise<AskedOnS3>;
}

export interface AskedOnS3 extends Answer {
  requests: number;
  /** What was asked for, by the ranges of the requests. */
  bytes: number;
}

/** Uploads folders to a new bucket; or one plain line why that is not possible. */
export async function lakeOnS3(folders: readonly string[]): Promise<LakeOnS3 | { missing: string }> {
  const httpfs = await httpfsExtension();
  if ('missing' in httpfs) return httpfs;
  const moto = await startMoto();
  if ('missing' in moto) return moto;
  await createMotoBucket(moto.endpoint, BUCKET);
  for (const folder of folders) await upload(folder, `${moto.endpoint}/${BUCKET}`);
  const proxy = await startProxy(moto.endpoint);
  const before = [
    `LOAD '${httpfs.path}'`,
    `CREATE SECRET (TYPE s3, KEY_ID 'AKIAOFNOBODY', SECRET 'opens nothing', REGION 'us-east-1',
      ENDPOINT '${new URL(proxy.endpoint).host}', URL_STYLE 'path', USE_SSL false)`,
  ];
  return {
    url: `s3://${BUCKET}`,
    async ask(sql) {
      const from = proxy.requests.length;
      const answer = await ask({ sql, before });
      const requests = proxy.requests.slice(from);
      const bytes = requests.reduce((sum, { headers }) => sum + rangeBytes(headers.range), 0);
      return { ...answer, requests: requests.length, bytes };
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await moto.stop();
    },
  };
}

/** DuckDB's own, signed by its makers, from their package on PyPI: not everybody can reach their site. */
async function httpfsExtension(): Promise<{ path: string } | { missing: string }> {
  const engine = version();
  const made = await venv('httpfs', [`duckdb-extension-httpfs==${engine.replace(/^v/, '')}`]);
  if ('missing' in made) return made;
  const lib = join(made.python, '../../lib');
  const files = await readdir(lib, { recursive: true });
  const file = files.find((name) => name.endsWith(`${engine}/httpfs.duckdb_extension`));
  return file === undefined
    ? { missing: `there is no httpfs of DuckDB ${engine}` }
    : { path: join(lib, file) };
}

async function upload(folder: string, bucket: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const key = relative(join(folder, '..'), path);
    const { status } = await fetch(`${bucket}/${encodeURI(key)}`, {
      method: 'PUT',
      body: await readFile(path),
    });
    if (status !== 200) throw new Error(`moto did not take ${key}: HTTP ${status}`);
  }
}

function rangeBytes(range: string | undefined): number {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  return first === undefined ? 0 : Number(last) - Number(first) + 1;
}
