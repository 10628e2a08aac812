// Draws the charts of the page. Their numbers are in the tables beneath them; everything here can be told apart without colour.

/** @import { Bar, PageData, Point } from '../page-format.js' */

/** @type {{ Plot: typeof import('@observablehq/plot') }} */
const { Plot } = /** @type {any} */ (globalThis);
/** @type {PageData} */
const { charts } = JSON.parse(document.getElementById('data')?.textContent ?? '');

const WIDTH = 960;
const DAY_MS = 86_400_000;
const HALF_DAY_MS = DAY_MS / 2;
/** Characters of a label. */
const MAX_LABEL = 32;

/** @param {string} text */
const short = (text) => (text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text);
/** @param {string} date */
const at = (date) => new Date(date);
/** @param {number} value */
const count = (value) => value.toLocaleString('en-GB');
/** @param {Point} day */
const isKnown = ({ members }) => typeof members === 'number';

/** Bars with their numbers.
 * @param {readonly Bar[]} rows */
function bars(rows) {
  const labels = new Map(rows.map(({ key, label }) => [key, short(label)]));
  return Plot.plot({
    width: WIDTH,
    height: 40 + rows.length * 24,
    marginLeft: 240,
    marginRight: 80,
    x: { axis: null, domain: [0, Math.max(1, ...rows.map(({ members }) => members ?? 0))] },
    y: { label: null, domain: rows.map(({ key }) => key), tickFormat: (key) => labels.get(key) ?? '' },
    marks: [
      Plot.barX(rows, { x: (row) => row.members ?? 0, y: 'key', fill: 'currentColor', fillOpacity: 0.35 }),
      Plot.text(rows, {
        x: (row) => row.members ?? 0,
        y: 'key',
        text: ({ members }) => (members === null ? 'not read' : count(members)),
        textAnchor: 'start',
        dx: 4,
      }),
    ],
  });
}

/** The times at which nothing is known: from the first day without a number to the last one before the next.
 * @param {readonly Point[]} days
 * @param {(day: Point) => boolean} isGap */
function gapsIn(days, isGap) {
  /** @type {{ x1: Date, x2: Date }[]} */
  const gaps = [];
  let isOpen = false;
  for (const day of days) {
    const time = at(day.date).getTime();
    const end = new Date(time + HALF_DAY_MS);
    const last = gaps.at(-1);
    if (!isGap(day)) isOpen = false;
    else if (isOpen && last) last.x2 = end;
    else {
      gaps.push({ x1: new Date(time - HALF_DAY_MS), x2: end });
      isOpen = true;
    }
  }
  return gaps;
}

/** A band with an outline of dashes, and the words "not read".
 * @param {{ x1: Date, x2: Date, facet?: string }[]} gaps
 * @param {object} facet */
const gapMarks = (gaps, facet = {}) => [
  Plot.rectX(gaps, {
    ...facet,
    x1: 'x1',
    x2: 'x2',
    fill: 'currentColor',
    fillOpacity: 0.08,
    stroke: 'currentColor',
    strokeOpacity: 0.6,
    strokeDasharray: '3,3',
  }),
  Plot.text(gaps, {
    ...facet,
    x: ({ x1, x2 }) => new Date((x1.getTime() + x2.getTime()) / 2),
    frameAnchor: 'top',
    text: () => 'not read',
    dy: 4,
    lineAnchor: 'top',
  }),
];

/** @param {readonly Point[]} days */
const knownOr = (days) =>
  days.map((day) => ({ date: at(day.date), y: isKnown(day) ? day.members : Number.NaN }));

function memberships() {
  const days = charts.days;
  const points = knownOr(days);
  return Plot.plot({
    width: WIDTH,
    height: 280,
    marginLeft: 64,
    x: { type: 'utc', label: null },
    y: { grid: true, label: 'memberships', zero: true, tickFormat: ',d' },
    marks: [
      ...gapMarks(gapsIn(days, (day) => !isKnown(day))),
      Plot.ruleY([0]),
      Plot.lineY(points, { x: 'date', y: 'y', stroke: 'currentColor', strokeWidth: 2 }),
      Plot.dot(points, { x: 'date', y: 'y', fill: 'currentColor', r: 2.5 }),
    ],
  });
}

function largest() {
  const rows = charts.largest.flatMap(({ days }, i) =>
    knownOr(days).map((day) => ({ ...day, facet: String(i) })),
  );
  const gaps = charts.largest.flatMap(({ days }, i) =>
    gapsIn(days, ({ members }) => members === 'not_read').map((gap) => ({ ...gap, facet: String(i) })),
  );
  const facet = { fy: 'facet' };
  return Plot.plot({
    width: WIDTH,
    height: 40 + charts.largest.length * 90,
    marginLeft: 64,
    marginRight: 220,
    x: { type: 'utc', label: null },
    y: { grid: true, label: null, zero: true, ticks: 3, tickFormat: ',d' },
    fy: {
      label: null,
      domain: charts.largest.map((_, i) => String(i)),
      tickFormat: (i) => short(charts.largest[i]?.label ?? ''),
    },
    marks: [
      ...gapMarks(gaps, facet),
      Plot.lineY(rows, { ...facet, x: 'date', y: 'y', z: 'facet', stroke: 'currentColor', strokeWidth: 2 }),
      Plot.dot(rows, { ...facet, x: 'date', y: 'y', fill: 'currentColor', r: 2 }),
    ],
  });
}

/** Up: who came; down: who left. A bar is as wide as the time that it is about; one of several days says so. */
function movements() {
  const rows = charts.movements.map(({ from, to, ...numbers }) => ({ ...numbers, x1: at(from), x2: at(to) }));
  const daysOf = (/** @type {typeof rows[number]} */ { x1, x2 }) =>
    Math.round((x2.getTime() - x1.getTime()) / DAY_MS);
  const isGap = (/** @type {Point} */ { date }) =>
    !rows.some(({ x1, x2 }) => at(date) >= x1 && at(date) <= x2);
  const common = { x1: 'x1', x2: 'x2', insetLeft: 0.5, insetRight: 0.5, stroke: 'currentColor' };
  return Plot.plot({
    width: WIDTH,
    height: 280,
    marginTop: 32,
    marginLeft: 64,
    x: {
      type: 'utc',
      label: null,
      domain: [at(charts.days.at(0)?.date ?? ''), at(charts.days.at(-1)?.date ?? '')],
    },
    y: {
      grid: true,
      label: '↑ joined · ↓ left',
      domain: [
        -Math.max(1, ...rows.map(({ left }) => left)),
        Math.max(1, ...rows.map(({ joined }) => joined)),
      ],
      tickFormat: (value) => count(Math.abs(value)),
    },
    marks: [
      ...gapMarks(gapsIn(charts.days, isGap)),
      Plot.rectY(rows, { ...common, y1: 0, y2: 'joined', fill: 'currentColor', fillOpacity: 0.35 }),
      Plot.rectY(rows, { ...common, y1: 0, y2: (row) => -row.left, fill: 'none', strokeDasharray: '2,2' }),
      Plot.ruleY([0]),
      Plot.text(
        rows.filter((row) => daysOf(row) > 1),
        {
          x: ({ x1, x2 }) => new Date((x1.getTime() + x2.getTime()) / 2),
          y: 'joined',
          dy: -8,
          text: (row) => `in ${daysOf(row)} days`,
        },
      ),
    ],
  });
}

const drawings = {
  'by-organization': () => bars(charts.organizations),
  'by-role': () => bars(charts.roles),
  days: memberships,
  largest,
  movements,
};

for (const place of document.querySelectorAll('[data-chart]')) {
  const draw = drawings[/** @type {keyof typeof drawings} */ (place.getAttribute('data-chart'))];
  const chart = draw();
  // The page's own style is enough, and its policy allows no other.
  chart.querySelector('style')?.remove();
  // The names of marks would be read out as names of things; the picture has one name.
  for (const part of chart.querySelectorAll('[aria-label]')) {
    part.setAttribute('data-mark', part.getAttribute('aria-label') ?? '');
    part.removeAttribute('aria-label');
  }
  chart.setAttribute('role', 'img');
  const caption = place.parentElement?.querySelector('figcaption')?.textContent ?? '';
  chart.setAttribute('aria-label', `${caption}. The numbers are in the table beneath.`);
  place.append(chart);
}
document.querySelector('[data-without=charts]')?.remove();
