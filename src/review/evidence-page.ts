import { type Html, html } from '../html.js';
import type { Evidence, ListEvidence, SnapshotEvidence } from './evidence.js';

/** Rows of a table of the page; evidence.json has all of them. */
const MAX_SHOWN = 1000;

/** The evidence for people: one page, which needs nothing else and runs nothing. */
export function evidencePage(evidence: Evidence): string {
  const { snapshot, since, population, completeness, exceptions, identity_provider } = evidence;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Access review as of ${snapshot.run_date}: evidence</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 0.5rem 0 1.5rem; }
th, td { border: 1px solid #8888; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 4rem; }
caption { text-align: left; font-weight: 600; }
.gap { font-weight: 600; }
@media print { body { max-width: none; margin: 0; } table { display: table; font-size: 8pt; } }
</style>
</head>
<body>
<main>
<h1>Access review as of ${snapshot.run_date}: evidence</h1>
<p>Made at ${evidence.made_at} by ${evidence.made_by.name} ${evidence.made_by.version} from the snapshots in ${evidence.root}.</p>
<h2>Is it complete?</h2>
${statement(evidence)}
${table(
  'Everybody who is listed is in the population',
  ['list', 'rows of the lists', 'of them in the population'],
  completeness.lists.map(({ stream, rows, in_population }) => [stream, rows, in_population]),
)}
${
  completeness.not_read.length === 0
    ? html``
    : table(
        'What was not read',
        ['list', 'of', 'why'],
        completeness.not_read.map(({ stream, parent, reason }) => [
          stream,
          parent === null ? 'all' : keyOf(parent),
          reason,
        ]),
      )
}
<h2>What was reviewed</h2>
${table('Population', ['rows', 'people', 'rows about what was not read', 'SHA-256 of all rows'], [[population.rows, population.people, population.unknown, population.rows_sha256]])}
${table('Exceptions', ['kind', 'rows'], Object.entries(exceptions))}
${identity_provider === null ? html`<p>No export of an identity provider was given.</p>` : table("The identity provider's export", ['accounts with an address', 'column', 'bytes', 'SHA-256'], [[identity_provider.accounts, identity_provider.column, identity_provider.bytes, identity_provider.sha256]])}
<h2>Where it comes from</h2>
${snapshotTable('The snapshot of the population', snapshot)}
${since === null ? html`<p>There is no earlier snapshot: changes were not counted.</p>` : snapshotTable('The snapshot that changes are counted from', since)}
<p>${evidence.pseudonyms === null ? 'Names and addresses are as the API served them.' : `These columns hold keyed pseudonyms: ${evidence.pseudonyms.columns.join(', ')} (key ${evidence.pseudonyms.key_id}).`}</p>
${requests(evidence.lists)}
<h2>Files</h2>
${table(
  'Of this pack',
  ['file', 'rows', 'bytes', 'SHA-256'],
  evidence.files.map(({ name, rows, bytes, sha256 }) => [name, rows ?? '', bytes, sha256]),
)}
${
  evidence.not_written.length === 0
    ? html``
    : table(
        'Not written',
        ['file', 'why'],
        evidence.not_written.map(({ name, reason }) => [name, reason]),
      )
}
${table(
  `Of the snapshot${more(snapshot.files)}`,
  ['file', 'rows', 'bytes', 'SHA-256'],
  snapshot.files.map(({ path, rows, bytes, sha256 }) => [path, rows, bytes, sha256]),
)}
</main>
</body>
</html>
`;
  return page.html;
}

function statement({ completeness, population }: Evidence): Html {
  if (completeness.is_complete)
    return html`<p>Yes. Every list was read from its first page to its last, and everybody who is in one of them is in the population.</p>`;
  return html`<p class="gap">No. What was not read is not "no access": ${population.unknown} rows of the population have the status unknown.</p>`;
}

const snapshotTable = (caption: string, snapshot: SnapshotEvidence): Html =>
  table(
    caption,
    ['what', 'value'],
    [
      ['day (UTC)', snapshot.run_date],
      ['status', snapshot.status],
      ['run', snapshot.run_id],
      ['started', snapshot.started_at],
      ['last page read', snapshot.extracted_at],
      ['read by', `${snapshot.read_by.name} ${snapshot.read_by.version}, Node ${snapshot.read_by.node}`],
      [
        'API',
        `${snapshot.base_url ?? 'not recorded'}, anthropic-version ${snapshot.anthropic_version ?? 'not recorded'}`,
      ],
      ['SHA-256 of its manifest', snapshot.manifest_sha256],
      ['log entry', snapshot.log_entry],
      ['files', `${snapshot.files.length}, ${snapshot.format}`],
    ],
  );

const requests = (lists: readonly ListEvidence[]): Html =>
  table(
    `Requests${more(lists)}`,
    [
      'list',
      'of',
      'endpoint',
      'parameters',
      'verdict',
      'rows',
      'pages',
      'first request',
      'last request',
      'SHA-256 of its pages',
    ],
    lists.map((list) => [
      list.stream,
      keyOf(list.parent),
      list.endpoint,
      new URLSearchParams(list.parameters).toString(),
      list.reason === null ? list.verdict : `${list.verdict} (${list.reason.code})`,
      list.rows,
      list.pages,
      `${list.first_request_at ?? ''} ${list.first_request_id ?? ''}`,
      `${list.last_request_at ?? ''} ${list.last_request_id ?? ''}`,
      list.pages_sha256 ?? '',
    ]),
  );

const more = (items: readonly unknown[]): string =>
  items.length > MAX_SHOWN ? ` (the first ${MAX_SHOWN} of ${items.length}; evidence.json has all)` : '';

const keyOf = (parent: Readonly<Record<string, string>>): string => Object.values(parent).join(' / ');

const table = (
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): Html => html`<table>
<caption>${caption}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows.slice(0, MAX_SHOWN).map(
  (row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table>`;
