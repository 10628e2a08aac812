/** Makes the pictures of docs/report.md: `npx tsx test/report/screenshots.ts`. It needs Chromium. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { say } from '../cli/command.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { temporaryFolder } from '../run/support/temporary-folder.js';
import { startChromium } from './support/chromium.js';
import { takeExampleDays } from './support/example-days.js';
import { openPage } from './support/open-page.js';

const PICTURES = resolve(import.meta.dirname, '../../docs/report');

const browser = await startChromium();
if ('missing' in browser) throw new Error(browser.missing);
await using folder = await temporaryFolder();
process.chdir(folder.path);
await using api = await startMadeUpApi();
await takeExampleDays(api, join(folder.path, 'lake'));
const { stdout } = await say(['report', '--out', './lake', '--output', 'report.html', '--state', 'state']);
process.stdout.write(stdout);
await mkdir(PICTURES, { recursive: true });
const viewport = { width: 1000, height: 800 };
await using page = await openPage(browser, join(folder.path, 'report.html'), { viewport });
await page.screenshot({ path: join(PICTURES, 'access.png') });
await using dark = await openPage(browser, join(folder.path, 'report.html'), {
  viewport,
  colorScheme: 'dark',
});
await dark.locator('#growth').screenshot({ path: join(PICTURES, 'growth.png') });
await browser.close();
