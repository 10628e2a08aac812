import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LAKE, lakeFile } from './machine.js';

describe('the README of the lake', () => {
  it('links to files that are there', async () => {
    const links = [...(await lakeFile('README.md')).matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) =>
      String(path),
    );
    expect(links.length).toBeGreaterThan(8);
    expect(links.filter((path) => !existsSync(join(LAKE, path)))).toEqual([]);
  });

  it('tells the tries and pauses that the schedules have', async () => {
    const readme = await lakeFile('README.md');
    expect(readme.match(/every 15 minutes, 24 times/g)).toHaveLength(3);
    expect(await lakeFile('systemd/claude-compliance@.service')).toMatch(
      /StartLimitBurst=24[\s\S]*RestartSec=15min/,
    );
    expect(await lakeFile('cron/again-on-75')).toMatch(/AGAIN_TRIES:-24[\s\S]*AGAIN_PAUSE:-900/);
    expect(await lakeFile('airflow/claude_compliance.py')).toMatch(
      /retries=24[\s\S]*timedelta\(minutes=15\)/,
    );
    expect(await lakeFile('kubernetes/cronjob.yaml')).toContain('backoffLimit: 24');
    expect(await lakeFile('kubernetes/indexed-cronjob.yaml')).toContain('backoffLimitPerIndex: 24');
    expect(await lakeFile('github/claude-compliance.yml')).toContain('for pause in 60 300 900 3600 0;');
  });
});
