import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { say } from '../cli/command.js';
import { temporaryFolder } from '../run/support/tree.js';
import { LAKE, lakeFile } from './machine.js';

describe('the README of the lake', () => {
  it('links to files that are there', async () => {
    const links = [...(await lakeFile('README.md')).matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) =>
      String(path),
    );
    expect(links.length).toBeGreaterThan(8);
    expect(links.filter((path) => !existsSync(join(LAKE, path)))).toEqual([]);
  });

  it('shows commands that keep a root in order, with the file that its dumps have', async () => {
    await using api = await startFixtureApi({ sizes: [3, 2] });
    await using folder = await temporaryFolder();
    const config = join(folder.path, 'acme.json');
    const key = join(folder.path, 'acme.key');
    await writeFile(key, api.key, { mode: 0o600 });
    const settings = {
      out: join(folder.path, 'lake'),
      'api-key-file': key,
      'base-url': api.url,
      'page-size': 10,
    };
    await writeFile(config, JSON.stringify(settings));
    const commands = [
      ...(await lakeFile('README.md')).matchAll(/^claude-compliance-connector ((?:compact|prune) .*)$/gm),
    ];
    expect(commands).toHaveLength(2);
    const dump =
      'dump --config /etc/claude-compliance-connector/acme.json --run-date 2026-10-31 --back-dated --progress none';
    for (const command of [dump, ...commands.map(([, command]) => String(command))]) {
      const words = command.replace('/etc/claude-compliance-connector/acme.json', config).split(' ');
      expect(await say(words), command).toMatchObject({ code: 0, stderr: '' });
    }
  });

  it('names the tries and pauses that the schedules have', async () => {
    const readme = await lakeFile('README.md');
    expect(readme.match(/every 15 minutes, 24 times/g)).toHaveLength(3);
    expect(await lakeFile('systemd/claude-compliance-connector@.service')).toMatch(
      /StartLimitBurst=24[\s\S]*RestartSec=15min/,
    );
    expect(await lakeFile('cron/again-on-75')).toMatch(/AGAIN_TRIES:-24[\s\S]*AGAIN_PAUSE:-900/);
    expect(await lakeFile('airflow/claude_compliance.py')).toMatch(
      /retries=24[\s\S]*timedelta\(minutes=15\)/,
    );
    expect(await lakeFile('kubernetes/cronjob.yaml')).toContain('backoffLimit: 24');
    expect(await lakeFile('kubernetes/indexed-cronjob.yaml')).toContain('backoffLimitPerIndex: 24');
    expect(await lakeFile('github/claude-compliance-connector.yml')).toContain(
      'for pause in 60 300 900 3600 0;',
    );
  });
});
