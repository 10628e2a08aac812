import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { noticeText } from '../../notice/text.js';
import packageJson from '../../package.json' with { type: 'json' };

const NOTICE = new URL('../../NOTICE', import.meta.url);

it('NOTICE has the licences of what is installed now (`npm run notice` writes it)', async () => {
  expect(await readFile(NOTICE, 'utf8')).toBe(await noticeText());
});

it('NOTICE is a part of the package, and names every dependency with a licence', async () => {
  const notice = await readFile(NOTICE, 'utf8');
  expect(packageJson.files).toContain('NOTICE');
  const { dependencies, optionalDependencies, devDependencies } = packageJson;
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies }))
    expect(notice).toMatch(new RegExp(`^${name}@${version.replaceAll('.', '\\.')}: (?!UNKNOWN)\\S`, 'm'));
  for (const [name, version] of Object.entries(devDependencies))
    expect(notice).not.toContain(`\n${name}@${version}:`);
});
