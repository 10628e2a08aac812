import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, newestWith, readLog } from '../../src/index.js';
import { venv } from '../python/venv.js';
import { LAKE, setUpMachine } from './machine.js';

const airflow = await venv('airflow', [
  'apache-airflow-core==3.3.2',
  'apache-airflow-providers-standard==1.21.0',
]);
if ('missing' in airflow) console.log(`not run: the DAG on Airflow: ${airflow.missing}`);

describe.skipIf('missing' in airflow)('the Airflow DAG', () => {
  it('takes the snapshot of each tenant: 75 is tried again, 2 fails at once, and neither hinders another', async () => {
    await using acme = await startFixtureApi({ sizes: [2, 3] });
    await using globex = await startFixtureApi({ seed: 2, sizes: [4], key: 'sk-ant-api01-globex' });
    await using initech = await startFixtureApi({ seed: 3, sizes: [1] });
    acme.fault({ match: { times: 1 }, do: { type: 'answer', status: 503 } });
    const machine = await setUpMachine();
    try {
      const roots = [await machine.tenant('acme', acme), await machine.tenant('globex', globex)];
      await machine.tenant('initech', { ...initech, key: 'sk-ant-api01-another' });
      const environment = {
        AIRFLOW_HOME: join(machine.folder, 'airflow'),
        AIRFLOW__CORE__DAGS_FOLDER: join(LAKE, 'airflow'),
        AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
        CLAUDE_COMPLIANCE_TENANTS: machine.moved('/etc/claude-compliance-connector'),
        PYTHONDONTWRITEBYTECODE: '1',
      };
      const python = 'python' in airflow ? airflow.python : '';
      const driver = resolve(import.meta.dirname, 'airflow_run.py');
      await machine.run({ argv: [python, '-m', 'airflow', 'db', 'migrate'], environment });
      const { stdout, stderr } = await machine.run({ argv: [python, driver], environment });
      const [, ended] = /^ended: (.*)$/m.exec(stdout) ?? [];
      expect(ended, stderr.slice(-2000)).toBeDefined();
      expect(JSON.parse(String(ended))).toEqual({
        state: 'failed',
        tasks: [
          { task: 'dump', tenant: 'acme', state: 'success', tries: 2 },
          { task: 'dump', tenant: 'globex', state: 'success', tries: 1 },
          { task: 'dump', tenant: 'initech', state: 'failed', tries: 1 },
          { task: 'tenants', tenant: null, state: 'success', tries: 1 },
        ],
        catchup: false,
        max_active_runs: 1,
        retry_delay: 900,
      });
      const users = roots.map(async (root) => {
        const storage = new LocalStorage(root);
        const newest = await newestWith({ storage, log: await readLog(storage), streams: ['users'] });
        return newest?.tables.users?.rows;
      });
      expect(await Promise.all(users)).toEqual([5, 4]);
    } finally {
      await machine[Symbol.asyncDispose]();
    }
  });
});
