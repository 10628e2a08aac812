/**
 * The least that the main job can cost: the same pages, fetched and parsed, and nothing else; with BENCH_OUT also
 * written back by JSON.stringify, to one file. Run by bare Node. Prints how many users it read.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { Pool } from 'undici';

const { BENCH_URL: url, BENCH_KEY: key, BENCH_OUT: out, BENCH_IN_FLIGHT: inFlight = '8' } = process.env;
const writes = process.argv[2] === 'write';
const pool = new Pool(url, { connections: Number(inFlight) });
const file = writes ? openSync(`${out}/users.ndjson`, 'w') : undefined;

async function page(path) {
  const { body } = await pool.request({ path, method: 'GET', headers: { 'x-api-key': key } });
  return JSON.parse(await body.text());
}

async function* pages(path) {
  for (let query = '?limit=1000'; query !== undefined; ) {
    const { data, next_page: next } = await page(path + query);
    yield data;
    query = next === null ? undefined : `?limit=1000&page=${encodeURIComponent(next)}`;
  }
}

const organizations = [];
for await (const data of pages('/v1/compliance/organizations')) organizations.push(...data);
const uuids = organizations.values();
let users = 0;

async function worker() {
  for (const { uuid } of uuids) {
    for await (const data of pages(`/v1/compliance/organizations/${uuid}/users`)) {
      users += data.length;
      if (file !== undefined) writeSync(file, `${data.map((user) => JSON.stringify(user)).join('\n')}\n`);
    }
  }
}
await Promise.all(Array.from({ length: Number(inFlight) }, worker));
await pool.close();
if (file !== undefined) closeSync(file);
console.log(users);
