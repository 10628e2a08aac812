/** The least that the main job can cost: the same pages, fetched and JSON.parsed, and nothing else. Prints the users read. */
import process from 'node:process';
import { Pool } from 'undici';

const [url = '', key = '', concurrency = '8'] = process.argv.slice(2);
const pool = new Pool(url, { connections: Number(concurrency) });

interface Page {
  data: { uuid: string }[];
  next_page: string | null;
}

async function page(path: string): Promise<Page> {
  const { body } = await pool.request({ path, method: 'GET', headers: { 'x-api-key': key } });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

const organizations = (await page('/v1/compliance/organizations')).data.values();
let users = 0;
async function worker(): Promise<void> {
  for (const { uuid } of organizations) {
    for (let token: string | null = ''; token !== null; ) {
      const query = token === '' ? '' : `&page=${encodeURIComponent(token)}`;
      const { data, next_page } = await page(`/v1/compliance/organizations/${uuid}/users?limit=1000${query}`);
      users += data.length;
      token = next_page;
    }
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
await pool.close();
console.log(users);
