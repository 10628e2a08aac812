import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/index.js';
import { say } from '../cli/command.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { temporaryFolder } from '../run/support/tree.js';
import { startChromium } from './support/chromium.js';
import { EXAMPLE_DAYS, takeExampleDays, UNREAD_WEEK } from './support/example-days.js';
import { type Figures, openFigures } from './support/figures.js';
import { HOSTILE, hostileDay } from './support/hostile-day.js';
import { numberIn, openPage, tableIn, violationsIn } from './support/open-page.js';

const started = await startChromium();
if ('missing' in started) process.stdout.write(`\nnot run: ${started.missing}\n`);
const browser = started as Browser;

/** Users of the large root; more than a page shows. The made-up API serves up to 1,000 of an organisation. */
const MANY = 50_100;
const SHOWN = 50_000;
const PLACES = 60;
const LAST = EXAMPLE_DAYS.at(-1) ?? '';
const TABLE = 'People and their organisations';

describe.skipIf('missing' in started)('a report in a real browser', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const at = (name: string) => join(folder.path, name);

  async function write(name: string): Promise<void> {
    const files = ['--out', at(name), '--output', at(`${name}.html`), '--state', at('state')];
    const flags = [...files, '--run-date', LAST]; // later than today, for some days
    const { code, stderr } = await say(['report', ...flags]);
    expect([code, stderr]).toEqual([0, '']);
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    await using api = await startMadeUpApi();
    await takeExampleDays(api, at('example'));
    await take(api, new LocalStorage(at('hostile')), hostileDay, { runDate: LAST });
    await take(api, new LocalStorage(at('large')), largeDay(), {
      runDate: LAST,
      streams: ['organizations', 'users'],
    });
    for (const name of ['example', 'hostile', 'large']) await write(name);
  });
  afterAll(async () => {
    await browser.close();
    await folder[Symbol.asyncDispose]();
  });

  it.each(['light', 'dark'] as const)(
    'opens from its file without a request, a message or an obstacle to anybody, in %s',
    async (colorScheme) => {
      for (const name of ['example', 'hostile']) {
        await using page = await openPage(browser, at(`${name}.html`), { colorScheme });
        expect(await page.locator('.chart svg[role=img]').count()).toBe(5);
        for (const details of await page.locator('summary').all()) await details.click();
        expect(await violationsIn(page)).toEqual([]);
        expect(page.incidents).toEqual({ requests: [], messages: [], dialogs: [] });
      }
    },
  );

  it('fits on a telephone: tables scroll, and the page does not', async () => {
    await using page = await openPage(browser, at('example.html'), { viewport: { width: 360, height: 740 } });
    for (const details of await page.locator('summary').all()) await details.click();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(await violationsIn(page)).toEqual([]);
  });

  it('has the numbers that DuckDB finds in the same files', async () => {
    const figures = await openFigures(at('example'));
    await using page = await openPage(browser, at('example.html'));
    const numbers = async (caption: string) => (await tableIn(page, caption)).map((row) => row.map(numberIn));
    await expectAccess(figures, numbers);
    await expectHistory(figures, numbers);
    figures.close();
  });

  it('draws what its tables say, and nothing where nothing was read', async () => {
    await using page = await openPage(browser, at('example.html'));
    const days = await tableIn(page, 'Days and what was counted on them');
    const unread = days.filter((cells) => cells[3] === 'not read').map(([date]) => date);
    expect(unread).toEqual([
      '2026-11-10',
      ...EXAMPLE_DAYS.filter((date) => date >= UNREAD_WEEK[0] && date <= UNREAD_WEEK[1]),
    ]);
    const chart = page.locator('[data-chart=days]');
    expect(await chart.locator('circle').count()).toBe(days.length - unread.length);
    expect(await chart.getByText('not read').count()).toBe(2);
    // Three pieces of a line, none of them across a gap.
    const line = (await chart.locator('g[data-mark=line] path').getAttribute('d')) ?? '';
    expect(line.match(/M/g)).toHaveLength(3);
    const bars = await page.locator('[data-chart=by-organization] g[data-mark=text] text').allTextContents();
    const members = (await tableIn(page, 'Organisations, their members')).map((cells) => cells[2]);
    expect(bars).toEqual(members);
  });

  it('sorts, filters and turns the pages of 50,000 people as DuckDB does', async () => {
    const figures = await openFigures(at('large'), ['organizations', 'users']);
    await using page = await openPage(browser, at('large.html'));
    const ids = async () => (await tableIn(page, TABLE)).map(([id]) => id);
    const status = page.getByRole('status');
    const shown = await page.evaluate<string[][]>(
      "JSON.parse(document.getElementById('data').textContent).people.rows",
    );
    expect(shown).toHaveLength(SHOWN);
    await figures.rows(`CREATE TABLE shown AS SELECT u.*, o.name AS place FROM users u JOIN organizations o ON o.uuid = u.organization_uuid
      WHERE u.id IN (${shown.map(([id]) => `'${id}'`).join(',')})`);
    const asked = async (where: string, order: string, offset = 0) =>
      (
        await figures.rows(`SELECT id FROM shown WHERE ${where} ORDER BY ${order} LIMIT 100 OFFSET ${offset}`)
      ).flat();

    expect(await page.locator('#people').textContent()).toContain('50,000 of 50,100');
    for (const [title, column] of [
      ['person', 'id'],
      ['name', 'full_name'],
      ['e-mail', 'email'],
    ] as const) {
      const button = page.locator('#people').getByRole('columnheader', { name: title }).getByRole('button');
      const times: number[] = [];
      for (const direction of ['ASC', 'DESC'] as const) {
        const before = performance.now();
        await button.click();
        times.push(Math.round(performance.now() - before));
        expect(await ids(), `${column} ${direction}`).toEqual(await asked('true', `${column} ${direction}`));
      }
      console.log(`${SHOWN} rows by ${column}: sorted in ${times.join(' and ')} ms, with the click`);
    }
    await page.getByRole('button', { name: 'Last page' }).click();
    expect(await ids()).toEqual(await asked('true', 'email DESC', SHOWN - 100));
    expect(await status.textContent()).toBe('49,901 to 50,000 of 50,000 rows');

    for (const text of ['BETA', 'person 777', '@example.com', 'admin', 'nobody has this']) {
      await page.getByLabel('Only rows that contain').fill(text);
      const where = `concat_ws(chr(10), id, full_name, email, place, organization_role) ILIKE '%${text}%'`;
      const [[found] = []] = await figures.rows(`SELECT count(*) FROM shown WHERE ${where}`);
      expect(await ids(), text).toEqual(await asked(where, 'email DESC'));
      const end = found === 0 ? 'No row has this text.' : `of ${Number(found).toLocaleString('en-GB')} rows`;
      expect(await status.textContent()).toContain(end);
    }
    expect(page.incidents).toEqual({ requests: [], messages: [], dialogs: [] });
    figures.close();
  });

  it('is smaller than 1.5 MB without the data', async () => {
    const page = await readFile(at('large.html'), 'utf8');
    const data = /<script type="application\/json" id="data">([^<]*)<\/script>/.exec(page)?.[1] ?? '';
    expect(JSON.parse(data).people.rows).toHaveLength(SHOWN);
    const size = (await stat(at('large.html'))).size - Buffer.byteLength(data);
    console.log(`the page without its data: ${size} bytes`);
    expect(size).toBeLessThan(1_500_000);
  });

  it('can be sorted and turned with the keyboard alone, and says how it is sorted', async () => {
    await using page = await openPage(browser, at('example.html'));
    const header = page.locator('#people').getByRole('columnheader', { name: 'name' });
    await page.getByLabel('Only rows that contain').focus();
    for (let n = 0; (await header.locator('button:focus').count()) === 0; n++) {
      expect(n).toBeLessThan(10);
      await page.keyboard.press('Tab');
    }
    expect(await header.getAttribute('aria-sort')).toBe('none');
    await page.keyboard.press('Enter');
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
    await page.keyboard.press('Space');
    expect(await header.getAttribute('aria-sort')).toBe('descending');
    const names = (await tableIn(page, TABLE)).map((cells) => cells[1] ?? '');
    expect(names).toEqual([...names].sort().reverse());
  });

  it('shows hostile names as they are, and runs nothing of them', async () => {
    await using page = await openPage(browser, at('hostile.html'));
    const people = await tableIn(page, TABLE);
    for (const text of HOSTILE)
      expect(people.filter(([, name, email]) => name === text && email === text)).toHaveLength(2);
    for (const caption of [
      'Owners and admins',
      'Blanket permissions',
      'Orphans',
      'People in several',
      'The values of each',
    ])
      expect((await tableIn(page, caption)).length, caption).toBeGreaterThan(HOSTILE.length / 2);
    expect((await tableIn(page, 'Blanket permissions')).map((cells) => cells[3])).toEqual(
      expect.arrayContaining(HOSTILE.map((text) => (text.trim() === '' ? 'blank' : text))),
    );
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator('img, iframe, object, embed, link, a[href^="javascript"]').count()).toBe(0);
    // What could get in all the same is stopped by the browser.
    const stopped = await page.evaluate(`(() => {
      try {
        document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(9)>');
        return false;
      } catch {
        return true;
      }
    })()`);
    expect(stopped).toBe(true);
    expect(page.incidents.dialogs).toEqual([]);
    expect(page.incidents.requests).toEqual([]);
  });

  it('can be printed, with the numbers of every chart', async () => {
    await using page = await openPage(browser, at('example.html'));
    await page.evaluate(`addEventListener('beforeprint', () => {
      document.body.dataset.closed = String(document.querySelectorAll('details:not([open])').length);
    })`);
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.byteLength).toBeGreaterThan(50_000);
    expect(await page.evaluate('document.body.dataset.closed')).toBe('0');
    expect(await page.locator('details[open]').count()).toBe(0);
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByLabel('Only rows that contain').isVisible()).toBe(false);
  });

  it('has all numbers without scripts, and says what is missing', async () => {
    await using page = await openPage(browser, at('example.html'), { javaScriptEnabled: false });
    expect(await page.getByText('Without scripts the charts are not drawn.').isVisible()).toBe(true);
    await page.getByText('The numbers: Memberships by day').click();
    const row = page.getByRole('row', { name: LAST }).first();
    expect(await row.isVisible()).toBe(true);
    expect(await page.locator('.chart svg').count()).toBe(0);
  });
});

type Numbers = (caption: string) => Promise<(string | number)[][]>;

async function expectAccess({ rows }: Figures, numbers: Numbers): Promise<void> {
  const count = (role: string) => `count(*) FILTER (organization_role = '${role}')`;
  expect(await numbers('Organisations, their members')).toEqual(
    await rows(`SELECT name, organization_uuid, count(*), ${count('user')}, ${count('developer')}, ${count('admin')}, ${count('owner')},
      if(${count('owner')} > 0, 'yes', 'no')
      FROM users u JOIN organizations o ON o.uuid = u.organization_uuid AND o.day = u.day WHERE u.day = '${LAST}'
      GROUP BY ALL ORDER BY count(*) DESC, organization_uuid`),
  );
  expect(await numbers('Built-in roles')).toEqual(
    await rows(
      `SELECT organization_role, count(*) FROM users WHERE day = '${LAST}' GROUP BY ALL ORDER BY count(*) DESC`,
    ),
  );
  const sorted = async (caption: string, columns: number) =>
    (await numbers(caption)).map((row) => row.slice(0, columns)).sort();
  expect(await sorted('Owners and admins', 3)).toEqual(
    await rows(`SELECT id, full_name, email FROM users WHERE day = '${LAST}' AND organization_role IN ('owner', 'admin')
      ORDER BY id, organization_uuid`),
  );
  expect(await sorted('People in several', 2)).toEqual(
    await rows(
      `SELECT id, any_value(full_name) FROM users WHERE day = '${LAST}' GROUP BY id HAVING count(*) > 1 ORDER BY id`,
    ),
  );
  const members = `(SELECT g.user_id, unnest(CAST(r.roles AS VARCHAR[])) AS role FROM group_members g JOIN groups r ON r.id = g.group_id AND r.day = g.day
    WHERE g.day = '${LAST}')`;
  const blanket = (await sorted('Blanket permissions', 1)).flat();
  expect([...new Set(blanket)]).toEqual(
    (
      await rows(`SELECT DISTINCT user_id FROM ${members} m JOIN role_permissions p ON p.role_id = m.role
        WHERE p.day = '${LAST}' AND p.action LIKE 'capability_access_all%' ORDER BY user_id`)
    ).flat(),
  );
  expect(await sorted('Orphans', 1)).toEqual(
    await rows(
      `SELECT DISTINCT user_id FROM ${members} WHERE user_id NOT IN (SELECT id FROM users WHERE day = '${LAST}') ORDER BY user_id`,
    ),
  );
  expect(await sorted('The values of each setting', 3)).toEqual(
    await rows(`SELECT name, CAST(value AS VARCHAR), count(*) FROM organization_settings WHERE day = '${LAST}' GROUP BY ALL
      ORDER BY name, CAST(value AS VARCHAR)`),
  );
}

async function expectHistory({ rows, movement }: Figures, numbers: Numbers): Promise<void> {
  const days = await numbers('Days and what was counted on them');
  expect(days.map(([date]) => date)).toEqual(EXAMPLE_DAYS);
  // A day is whole when every organisation that is listed has users: in the example each has.
  const whole =
    await rows(`SELECT u.day, o.n, u.n FROM (SELECT day, count(*) AS n FROM organizations GROUP BY day) o
    JOIN (SELECT day, count(*) AS n, count(DISTINCT organization_uuid) AS places FROM users GROUP BY day) u ON u.day = o.day AND o.n = u.places
    ORDER BY u.day`);
  expect(
    days.filter((row) => row[3] !== 'not read').map(([day, , places, members]) => [day, places, members]),
  ).toEqual(whole);
  const movements = await numbers('From one day');
  expect(movements.map(([to, from]) => [to, from])).toEqual(
    whole.slice(1).map(([day], i) => [day, whole[i]?.[0]]),
  );
  for (const [to, from, ...counts] of movements)
    expect(counts.slice(0, 3), `${from} to ${to}`).toEqual(await movement(`${from}`, `${to}`));
  expect(movements.reduce((sum, row) => sum + Number(row[4]), 0)).toBeGreaterThan(0);
}

/** Names in the order of their letters, whatever sorts them. */
function largeDay() {
  const places = Array.from({ length: PLACES }, (_, i) => ({
    uuid: `${String(i).padStart(8, '0')}-0000-4000-8000-000000000000`,
    name: ['alpha', 'beta', 'gamma'][i % 3] as string,
  }));
  const person = (n: number) => ({
    id: `user_${String((n * 7919) % MANY).padStart(6, '0')}`,
    full_name: `person ${String((n * 104_729) % MANY).padStart(6, '0')}`,
    email: `mail${String(((n * 1299) % 49_999) * 2 + (n % 2)).padStart(6, '0')}${String(n).padStart(6, '0')}@example.com`,
    organization_role: n % 50 === 0 ? 'admin' : 'user',
  });
  const lists = Object.fromEntries(
    places.map(({ uuid }, place) => [
      `users/${uuid}`,
      Array.from({ length: MANY / PLACES }, (_, i) => person(i * PLACES + place)),
    ]),
  );
  return { lists: { organizations: places, ...lists }, failing: [] };
}
