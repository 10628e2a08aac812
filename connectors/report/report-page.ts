import { createHash } from 'node:crypto';
import { type Html, html, type ReportData, VERSION } from '../../src/index.js';
import { count } from '../kit/counts.js';
import type { PageScripts } from './assets.js';
import { pageData } from './page-data.js';
import {
  accessSection,
  attentionSection,
  gapsSection,
  growthSection,
  peopleSection,
  settingsSection,
} from './sections.js';
import { style } from './style.js';

/**
 * A report as one page that needs nothing else. It loads nothing, and runs its own scripts only: they are named by their hashes, and no
 * text becomes HTML in the browser. Every number is in the HTML, so that it can be read without scripts.
 */
export function reportPage(report: ReportData, { libraries, modules }: PageScripts): string {
  const policy = [
    "default-src 'none'",
    `script-src ${[...libraries, ...modules].map(hashOf).join(' ')}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Who has access as of ${report.runDate}</title>
<style>${raw(style)}</style>
</head>
<body>
<main>
<h1>Who has access as of ${report.runDate}</h1>
${introduction(report)}
${accessSection(report)}
${peopleSection(report)}
${growthSection(report)}
${attentionSection(report)}
${settingsSection(report)}
${gapsSection(report)}
</main>
<script type="application/json" id="data">${raw(jsonIn(pageData(report)))}</script>
${libraries.map(
  (text) => html`<script>${raw(text)}</script>
`,
)}
${modules.map(
  (text) => html`<script type="module">${raw(text)}</script>
`,
)}
</body>
</html>
`.html;
}

const CONTENTS = [
  ['access', 'Who has access now'],
  ['people', 'People'],
  ['growth', 'Growth'],
  ['attention', 'What to look at first'],
  ['settings', 'Settings'],
  ['gaps', 'Gaps in the evidence'],
] as const;

function introduction(report: ReportData): Html {
  const { runDate, status, extractedAt, root, pseudonyms, gaps, organizations } = report;
  const figures: [string, number][] = [
    ['people', report.people],
    ['memberships', report.memberships.total],
    ['organisations', organizations.length],
    ['owners and admins', report.admins.total],
    ['people with blanket permissions', report.blanket.people],
    ['orphans', report.orphans.total],
    ['people in several organisations', report.several.total],
    ['organisations without an owner', organizations.filter(({ hasOwner }) => hasOwner === false).length],
  ];
  return html`<p>The snapshot of ${runDate} (UTC) in ${root}: ${status}; its last page was read at ${extractedAt}. Made by claude-compliance-connector ${VERSION}.</p>
${pseudonyms === null ? html`` : html`<p>These columns hold keyed pseudonyms: ${pseudonyms.columns.join(', ')} (key ${pseudonyms.key_id}).</p>`}
${gaps.total === 0 ? html`` : html`<p class="gap">Something was not read: there are ${count(gaps.total)} <a href="#gaps">gaps</a>. All numbers are about what was read.</p>`}
<p class="gap" data-without="charts">Without scripts the charts are not drawn. Their numbers are in the tables beneath them.</p>
<nav aria-label="Contents"><ul>${CONTENTS.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<dl class="figures">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${count(value)}</dd></div>`)}</dl>
`;
}

const raw = (text: string): Html => ({ html: text });
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** JSON that no text in it can end. */
const jsonIn = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
