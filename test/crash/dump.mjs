/** One dump as NDJSON by the built library, with nothing loaded that it does not need: it is started hundreds of times. */
import process from 'node:process';

const { BUILT, ROOT, URL, KEY, RUN_DATE } = process.env;
const load = async (path) => await import(`${BUILT}/src/${path}.js`);

const [{ ComplianceClient }, { snapshot }, { ndjson }, { LocalStorage }] = await Promise.all(
  ['extract/compliance-client', 'snapshot/snapshot', 'sinks/ndjson', 'storage/local'].map(load),
);
const client = new ComplianceClient({ apiKey: KEY, baseUrl: URL, requestsPerMinute: 0, pageSize: 10 });
try {
  await snapshot({
    client,
    sink: ndjson.create(),
    storage: new LocalStorage(ROOT),
    runDate: RUN_DATE,
    rowsPerFile: 10,
    concurrency: 1,
    maxShrink: 100,
  });
} finally {
  await client.close();
}
