/** The style of a report: light and dark, on paper, without colours that mean something. */
export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --plot-background: Canvas; }
body { background: Canvas; color: CanvasText; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; }
h2 { margin-top: 3rem; border-bottom: 1px solid currentColor; }
a { color: inherit; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; list-style: none; padding: 0; }
dl.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; }
dl.figures div { border: 1px solid #8888; border-radius: 0.25rem; padding: 0.5rem 0.75rem; }
dl.figures dd { margin: 0; font-size: 1.75rem; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; }
figcaption { font-weight: 600; }
.chart svg { display: block; max-width: 100%; height: auto; overflow: visible; font: 12px system-ui, sans-serif; }
.scroll { overflow-x: auto; margin: 0.5rem 0 1.5rem; }
table { border-collapse: collapse; }
caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #8888; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 4rem; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
bdi { unicode-bidi: isolate; }
.gap { font-weight: 600; border-left: 4px double currentColor; padding-left: 0.75rem; }
.people-tools { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
th button { font: inherit; background: none; border: 0; color: inherit; cursor: pointer; padding: 0; text-align: left; }
input, .people-tools button { font: inherit; padding: 0.25rem 0.5rem; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
@media print {
  :root { color-scheme: light; font-size: 10pt; }
  body { background: Canvas; color: CanvasText; max-width: none; margin: 0; padding: 0; }
  nav, .people-tools, summary { display: none; }
  .scroll { overflow: visible; }
  figure, tr { break-inside: avoid; }
  thead { display: table-header-group; }
  table { font-size: 8pt; }
}
`;
