/**
 * Serves the directory of a benchmark from pages that were serialised before: `page-server.ts ORGANIZATIONS USERS_OF_EACH`.
 * Prints its address as JSON and ends when stdin closes. A request costs it as little as Node allows, so that a benchmark
 * measures who reads. Ids differ in all organisations, so that a reader can count what arrived.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { createDirectory } from '../../fixtures/api/directory.js';
import { userWriter } from '../../fixtures/api/user-writer.js';

const PAGE = 1000;
const SEED = 1;
/** Idle connections wait longer than any program does between two requests. */
const KEEP_ALIVE_MS = 75_000;

const [organizations = 1, usersOfEach = 1] = process.argv.slice(2).map(Number);
/** By path and page token: the bytes of each page. Held outside the heap of V8, however many users there are. */
const pages = new Map<string, Buffer>();
/** Since the last `/bench/next`. */
const seen = { requests: 0, firstRequestAt: 0 };
let latency = 0;

const tokenOf = (offset: number): string => Buffer.from(`>>?${offset}?`).toString('base64');

/** Serialises a list, page by page. */
function addPages(path: string, records: number, textOf: (index: number) => string): void {
  for (let start = 0; start === 0 || start < records; start += PAGE) {
    const end = Math.min(start + PAGE, records);
    const texts = Array.from({ length: end - start }, (_, i) => textOf(start + i)).join(',');
    const next = end < records ? JSON.stringify(tokenOf(end)) : 'null';
    const page = `{"data":[${texts}],"has_more":${end < records},"next_page":${next}}`;
    pages.set(`${path}?${start === 0 ? '' : tokenOf(start)}`, Buffer.from(page));
  }
}

const directory = createDirectory({
  seed: SEED,
  sizes: Array(organizations).fill(usersOfEach),
  groups: 0,
  members: undefined,
  groupSizes: undefined,
  awkward: false,
  switches: { nullRoles: 'never', settings: 'on', settingsOf: new Map() },
});
const all = [...directory.organizations.texts()];
const { write } = userWriter(SEED);
addPages('/v1/compliance/organizations', all.length, (number) => all[number] ?? '');
for (const [number, text] of all.entries()) {
  const { uuid } = JSON.parse(text) as { uuid: string };
  addPages(`/v1/compliance/organizations/${uuid}/users`, usersOfEach, (index) =>
    write({ home: number, index }, { number, index }),
  );
}

function answer(response: ServerResponse, body: Buffer | undefined): void {
  const status = body === undefined ? 404 : 200;
  const sent =
    body ?? Buffer.from('{"type":"error","error":{"type":"not_found_error","message":"No such page."}}');
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': sent.length });
  response.end(sent);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  if (pathname === '/bench/next') {
    answer(response, Buffer.from(JSON.stringify(seen)));
    Object.assign(seen, { requests: 0, firstRequestAt: 0 });
    latency = Number(searchParams.get('latency'));
    return;
  }
  seen.requests += 1;
  seen.firstRequestAt ||= performance.timeOrigin + performance.now();
  const body = pages.get(`${pathname}?${searchParams.get('page') ?? ''}`);
  if (latency === 0) answer(response, body);
  else setTimeout(answer, latency, response, body);
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
process.stdin.resume();
process.stdin.once('close', () => {
  server.close();
  server.closeAllConnections();
});
