import { PARSE_FLOOR } from './floors.js';
import type { Figures, Result } from './result.js';
import { describeScene } from './scene.js';

/** One of the two columns of bars. */
interface Panel {
  title: string;
  x: number;
  of(figures: Figures): number;
  digits: number;
}

const WIDTH = 960;
const ROW = 26;
const BAR = 16;
const TOP = 92;
const BOTTOM = 40;
const LABELS_END = 432;
/** Of a bar; the figure stands behind it. */
const LONGEST = 190;
const PANELS: readonly Panel[] = [
  { title: 'CPU, s', x: LABELS_END + 12, of: ({ cpu }) => cpu, digits: 1 },
  { title: 'peak memory, MB', x: LABELS_END + 276, of: ({ peakRss }) => peakRss, digits: 0 },
];

/** A panel of its own colour, so that text has its contrast whatever the page around it looks like. */
const STYLE = `
  .page { fill: #ffffff; stroke: #d0d7de }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { font-size: 16px; font-weight: 600 }
  .faint { fill: #59636e; font-size: 12px }
  .ours { fill: #0969da } .peer { fill: #8c959f } .floor { fill: #c8ced5 }
  text.strong { font-weight: 600; fill: #1f2328 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d }
    text, text.strong { fill: #f0f6fc }
    .faint { fill: #9198a1 }
    .ours { fill: #4493f8 } .peer { fill: #656c76 } .floor { fill: #3d444d }
  }`;

const escaped = (text: string): string =>
  text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** The CPU and the memory of every program of a scene, as bars: an SVG that needs no font and no script. */
export function chart(result: Result<'scene'>): string {
  const { programs, isProvisional, machine, at } = result;
  // By CPU, so that the eye need not sort; the floor first.
  const sorted = programs.toSorted(
    (a, b) => Number(b.name === PARSE_FLOOR) - Number(a.name === PARSE_FLOOR) || a.cpu - b.cpu,
  );
  const height = TOP + sorted.length * ROW + BOTTOM;
  const text = (x: number, y: number, content: string, attributes = ''): string =>
    `<text x="${x}" y="${y}"${attributes}>${escaped(content)}</text>`;
  const bars = sorted.flatMap((figures, i) => {
    const y = TOP + i * ROW;
    const baseline = y + BAR - 3;
    const strong = figures.group === 'ours' ? ' class="strong"' : '';
    return [
      text(LABELS_END, baseline, label(figures), ` text-anchor="end"${strong}`),
      ...PANELS.map(({ x, of, digits }) => {
        const width = (LONGEST * of(figures)) / Math.max(...sorted.map(of));
        const value = text(Number((x + width + 6).toFixed(1)), baseline, of(figures).toFixed(digits), strong);
        return `<rect class="${figures.group}" x="${x}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>${value}`;
      }),
    ];
  });
  const title = `What it costs to read ${describeScene(result)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${text(24, 36, `${title}${isProvisional ? ' (provisional figures)' : ''}`, ' class="title"')}
${PANELS.map(({ title, x }) => text(x, TOP - 14, title, ' class="faint"')).join('\n')}
${bars.join('\n')}
${text(24, height - 16, `User and system CPU, and memory, of the process tree, without the server. ${machine}, ${at}.`, ' class="faint"')}
</svg>
`;
}

const WHOSE = { ours: 'this connector: ', floor: 'floor: ', peer: '' } as const;
const label = ({ group, title }: Figures): string => WHOSE[group] + title;
