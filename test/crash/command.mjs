/** Runs one command by a built library, with nothing loaded that it does not need: it is started hundreds of times. */
import process from 'node:process';

export async function run(built, { name, settings, client, now }, { root, state, options }) {
  const load = async (path) => await import(/* @vite-ignore */ `${built}/src/${path}.js`);
  const { openStorage } = await load('storage/index');
  const given = { ...settings, storage: await openStorage(root, options), state };
  const commands = {
    async dump() {
      const [{ ComplianceClient }, { snapshot }, { ndjson }] = await Promise.all(
        ['extract/compliance-client', 'snapshot/snapshot', 'sinks/ndjson'].map(load),
      );
      const reader = new ComplianceClient(client);
      try {
        await snapshot({ ...given, client: reader, sink: ndjson.create() });
      } finally {
        await reader.close();
      }
    },
    async compact() {
      const { compact } = await load('snapshot/compact');
      await compact(given);
    },
    async prune() {
      const [{ prune }, { systemClock }] = await Promise.all(['snapshot/prune', 'clock'].map(load));
      await prune({ ...given, clock: { ...systemClock, now: () => Date.parse(now) } });
    },
  };
  await commands[name]();
}

const { BUILT, COMMAND, PLACE } = process.env;
if (COMMAND) await run(BUILT, JSON.parse(COMMAND), JSON.parse(PLACE));
