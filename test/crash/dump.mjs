/** One dump as NDJSON by the built library, with nothing loaded that it does not need: it is started hundreds of times. */
import process from 'node:process';

const { BUILT, ROOT, OPTIONS, STATE, URL, KEY, RUN_DATE } = process.env;
const load = async (path) => await import(`${BUILT}/src/${path}.js`);

const [{ ComplianceClient }, { snapshot }, { ndjson }, { openStorage }] = await Promise.all(
  ['extract/compliance-client', 'snapshot/snapshot', 'sinks/ndjson', 'storage/index'].map(load),
);
const client = new ComplianceClient({ apiKey: KEY, baseUrl: URL, requestsPerMinute: 0, pageSize: 10 });
try {
  await snapshot({
    client,
    sink: ndjson.create(),
    storage: await openStorage(ROOT, JSON.parse(OPTIONS ?? '{}')),
    ...(STATE && { state: STATE }),
    runDate: RUN_DATE,
    rowsPerFile: 10,
    concurrency: 1,
    maxShrink: 100,
  });
} finally {
  await client.close();
}
