/* Charts from the tables below them, panels that follow the store, a search while one types. Without it all of it can be read. */
(() => {
'use strict';
const root = document.documentElement, at = document.body.dataset.root || '', panels = document.getElementById('panels');
const live = document.getElementById('live'), hits = document.getElementById('hits'), box = document.getElementById('q');
const dark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches);
const colour = name => getComputedStyle(root).getPropertyValue(name).trim();

/* -- charts ------------------------------------------------------------------------------------------------- */
const charts = new Map(), series = ['--accent', '--second', '--third', '--fourth'];
const units = {
  bytes: v => { let n = 0; while (Math.abs(v) >= 1000 && n < 4) { v /= 1000; n += 1; } return +v.toFixed(1) + ['', ' kB', ' MB', ' GB', ' TB'][n]; },
  percent: v => +v.toFixed(1) + ' %', milliseconds: v => (v >= 1000 ? +(v / 1000).toFixed(2) + ' s' : +v.toFixed(1) + ' ms'),
  count: v => v.toLocaleString('en'),
};
function draw(place) {
  const table = document.getElementById(place.dataset.chart), width = place.clientWidth;
  if (!table || !width || !window.uPlot) return;
  const rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells].slice(1);
  const read = cell => (cell.dataset.y === '' ? null : Number(cell.dataset.y));
  const days = place.dataset.kind !== 'steps', x = rows.map((row, n) => (days ? Number(row.cells[0].dataset.x) : n));
  const data = [x, ...heads.map((_, n) => rows.map(row => read(row.cells[n + 1])))];
  const unit = units[table.dataset.unit] || units.count, ink = colour('--soft'), line = colour('--line');
  const bars = place.dataset.kind !== 'line' && uPlot.paths.bars({ size: [0.7, 60], radius: 0.15 });
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '12px system-ui, sans-serif' };
  const names = rows.map(row => row.cells[0].textContent), day = 86400;
  const date = moment => new Date(moment * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const dates = { ...axis, space: 70, incrs: [1, 2, 7, 14, 28, 56, 91, 182, 364, 728].map(n => n * day), values: (_, ticks) => ticks.map(date) };
  const made = new uPlot({
    width, height: 190, ms: 1, tzDate: moment => uPlot.tzDate(new Date(moment * 1000), 'Etc/UTC'), cursor: { y: false },
    legend: { live: false, show: heads.length > 1 },
    scales: { x: days ? { time: true, range: (_, low, high) => [Math.min(low - day / 2, high - 6.5 * day), high + day / 2] } : { time: false, range: (_, low, high) => [low - 0.6, high + 0.6] },
      y: { range: (_, low, high) => [Math.min(0, low), table.dataset.unit === 'percent' && low >= 0 ? 100 : high || 1] } },
    axes: [days ? dates : { ...axis, space: 60, values: (_, ticks) => ticks.map(n => (Number.isInteger(n) && names[n]) || '') },
      { ...axis, size: 68, values: (_, ticks) => ticks.map(unit) }],
    series: [{}, ...heads.map((head, n) => ({ label: head.textContent, stroke: colour(series[n % 4]), width: 2, spanGaps: true,
      fill: bars || heads.length === 1 ? colour(series[n % 4]) + (bars ? 'aa' : '22') : undefined,
      paths: bars || undefined, points: { show: rows.length < 40 && !bars, size: 5 } }))],
  }, data, place);
  charts.set(place, made);
}
function redraw(within) {
  charts.forEach((made, place) => { if (!place.isConnected || within.contains(place)) { made.destroy(); charts.delete(place); } });
  within.querySelectorAll('.chart').forEach(draw);
}
let waiting = 0;
addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(() => redraw(document), 150); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraw(document));
addEventListener('load', () => redraw(document));

/* -- light and dark --------------------------------------------------------------------------------------------- */
const theme = document.getElementById('theme');
if (theme) {
  theme.hidden = false;
  theme.onclick = () => {
    root.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('export-dedup-theme', root.dataset.theme); } catch { /* for this page then */ }
    redraw(document);
  };
}

/* -- what changed ----------------------------------------------------------------------------------------------- */
const every = 2000;
let number = panels ? Number(panels.dataset.number) : 0, tag = '', failures = 0;
function put(name, html) {
  const panel = document.getElementById(name);
  if (!panel) return;
  const open = [...panel.querySelectorAll('details')].map(each => each.open), inside = panel.contains(document.activeElement);
  const focus = inside && [...panel.querySelectorAll('a,button,summary,[tabindex]')].indexOf(document.activeElement);
  const scrolled = [...panel.querySelectorAll('.scroll')].map(each => [each.scrollLeft, each.scrollTop]);
  panel.innerHTML = html; /* drawn and escaped by the server; the policy lets nothing in it run */
  panel.querySelectorAll('details').forEach((each, n) => { if (open[n] !== undefined) each.open = open[n]; });
  panel.querySelectorAll('.scroll').forEach((each, n) => { if (scrolled[n]) [each.scrollLeft, each.scrollTop] = scrolled[n]; });
  if (inside) { const next = panel.querySelectorAll('a,button,summary,[tabindex]')[focus]; if (next) next.focus({ preventScroll: true }); }
  redraw(panel);
}
async function ask() {
  try {
    const answer = await fetch(`${at}/panels?since=${number}`, { headers: tag ? { 'If-None-Match': tag } : {}, cache: 'no-store' });
    if (answer.status === 401) { live.textContent = 'Signed out: open the printed address again.'; return; }
    if (answer.status === 200) {
      const told = await answer.json();
      tag = answer.headers.get('ETag') || '';
      if (told.number < number) { location.reload(); return; }
      number = told.number;
      Object.entries(told.panels).forEach(([name, html]) => put(name, html));
    } else if (answer.status !== 304) throw new Error(String(answer.status));
    if (failures) live.textContent = '';
    failures = 0;
  } catch {
    failures += 1;
    if (failures === 2) live.textContent = 'The dashboard does not answer.';
  }
  setTimeout(ask, failures ? Math.min(every * 2 ** failures, 60000) : document.hidden ? 5 * every : every);
}
if (panels) setTimeout(ask, every / 4);

/* -- search while one types ---------------------------------------------------------------------------------------- */
let typed = 0, asked = 0;
async function find() {
  const words = box.value.trim(), mine = ++asked;
  if (words.length < 2) { hits.hidden = !!panels; if (panels) hits.textContent = ''; return; }
  try {
    const answer = await fetch(`${at}/search?part=1&q=${encodeURIComponent(words)}`);
    if (mine !== asked || !answer.ok) return;
    hits.innerHTML = await answer.text(); hits.hidden = false;
  } catch { /* what is shown stays */ }
}
if (box && hits) {
  box.addEventListener('input', () => { clearTimeout(typed); typed = setTimeout(find, 250); });
  box.addEventListener('keydown', event => { if (event.key === 'Escape') { box.value = ''; find(); } });
}
document.addEventListener('keydown', event => {
  if (event.target.matches('input,select,textarea') || event.ctrlKey || event.metaKey || event.altKey || !box) return;
  if (event.key === '/') { event.preventDefault(); box.focus(); box.select(); }
});
})();
