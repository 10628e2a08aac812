import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What happened to a page that nobody wants to see. */
export interface Incidents {
  requests: string[];
  messages: string[];
  dialogs: string[];
}

export type OpenPage = Page & { readonly incidents: Incidents; [Symbol.asyncDispose](): Promise<void> };

/** Opens a page from its file, without a network. */
export async function openPage(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    offline: true,
    viewport: { width: 1200, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  const incidents: Incidents = { requests: [], messages: [], dialogs: [] };
  const url = pathToFileURL(path).href;
  page.on('request', (request) => request.url() !== url && incidents.requests.push(request.url()));
  page.on('console', (message) => incidents.messages.push(message.text()));
  page.on('pageerror', (error) => incidents.messages.push(String(error)));
  page.on('dialog', async (dialog) => {
    incidents.dialogs.push(dialog.message());
    await dialog.dismiss();
  });
  await page.goto(url);
  return Object.assign(page, { incidents, [Symbol.asyncDispose]: () => context.close() });
}

/** The texts of a table, by what its caption begins with. */
export async function tableIn(page: Page, caption: string): Promise<string[][]> {
  return await page.evaluate<string[][]>(`
    [...document.querySelectorAll('table')]
      .filter(({ caption }) => caption?.textContent.startsWith(${JSON.stringify(caption)}))
      .slice(0, 1)
      .flatMap(({ tBodies }) => [...tBodies[0].rows].map(({ cells }) => [...cells].map((cell) => cell.textContent)))`);
}

/** A cell as it means. */
export const numberIn = (cell: string | undefined): string | number =>
  cell !== undefined && /^[\d,]+$/.test(cell) ? Number(cell.replaceAll(',', '')) : (cell ?? '');

/** The rules of axe-core that a page breaks, and where. */
export async function violationsIn(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  });
}
