"""What the page does: search, filters, light and dark, folding. One small script; without it the page reads just as well.

It finds text in the whole document at once and touches no message: hits are painted through the browser's own highlights.
A message is copied as it reads, by the browser's clipboard, or by the older command where a page may not have that.
"""

from __future__ import annotations

from typing import Final

SCRIPT: Final = """
(() => {
'use strict';
const $ = id => document.getElementById(id), root = document.documentElement, box = $('find'), count = $('count');
const turns = [...document.querySelectorAll('.turn')], painted = 'highlights' in CSS, most = 2000;
let texts = null, hits = [], now = -1, timer = 0;
$('bar').hidden = false; root.classList.add('js');

const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a page from a file may have none */ } };
const kept = name => { try { return localStorage.getItem(name); } catch { return null; } };
const paint = theme => { if (theme === 'light' || theme === 'dark') root.dataset.theme = theme; };
paint(kept('export-dedup-theme'));
$('theme').onclick = () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  paint(dark ? 'light' : 'dark'); keep('export-dedup-theme', dark ? 'light' : 'dark');
};
const filters = () => {
  document.body.classList.toggle('no-tools', !$('tools').checked);
  document.body.classList.toggle('no-thinking', !$('thinking').checked);
};
$('tools').onchange = $('thinking').onchange = filters; filters();

function* places(node, wanted) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode());) {
    const lower = text.data.toLowerCase();
    if (lower.length !== text.data.length) continue;
    for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) yield [text, at];
  }
}
function search() {
  const wanted = box.value.trim().toLowerCase();
  hits = []; now = -1;
  document.body.classList.toggle('only-hits', wanted.length > 1);
  if (painted) { CSS.highlights.delete('found'); CSS.highlights.delete('now'); }
  if (wanted.length < 2) { count.value = ''; return; }
  texts = texts || turns.map(turn => turn.textContent.toLowerCase());
  let found = 0;
  turns.forEach((turn, n) => {
    const hit = texts[n].includes(wanted);
    turn.classList.toggle('hit', hit);
    if (!hit) return;
    found += 1;
    if (hits.length < most) for (const [node, at] of places(turn, wanted)) {
      const range = new Range(); range.setStart(node, at); range.setEnd(node, at + wanted.length); hits.push(range);
      if (hits.length >= most) break;
    }
  });
  if (painted) CSS.highlights.set('found', new Highlight(...hits));
  count.value = found ? found + (found === 1 ? ' turn' : ' turns') : 'nothing';
}
function step(by) {
  if (!hits.length) return;
  now = (now + by + hits.length) % hits.length;
  const range = hits[now], parent = range.startContainer.parentElement;
  for (let fold = parent.closest('details:not([open])'); fold; fold = parent.closest('details:not([open])')) fold.open = true;
  if (painted) CSS.highlights.set('now', new Highlight(range));
  parent.scrollIntoView({ block: 'center' });
  count.value = (now + 1) + ' of ' + (hits.length >= most ? most + '+' : hits.length);
}
box.oninput = () => { clearTimeout(timer); timer = setTimeout(search, 120); };
box.onkeydown = event => {
  if (event.key === 'Enter') { event.preventDefault(); if (now < 0 && !hits.length) search(); step(event.shiftKey ? -1 : 1); }
  if (event.key === 'Escape') { box.value = ''; search(); box.blur(); }
};
$('next').onclick = () => step(1); $('previous').onclick = () => step(-1);
document.onkeydown = event => {
  if (event.target.matches('input') || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') { event.preventDefault(); box.focus(); box.select(); }
};
$('fold').onclick = () => {
  const all = [...document.querySelectorAll('.turn details')], open = !all.some(each => each.open);
  all.forEach(each => { each.open = open; });
};

const written = article => {
  const folds = [...article.querySelectorAll('details:not([open])')], parts = [...article.querySelectorAll('.text')];
  const open = on => folds.forEach(each => { each.open = on; });
  const from = parts.length ? parts : [...article.querySelectorAll('.row, .notice')];
  open(true);
  const text = from.map(part => part.innerText.trim()).join('\\n\\n');
  open(false);
  return text;
};
const byHand = text => {
  const area = document.createElement('textarea'); area.value = text; area.className = 'quiet'; document.body.append(area);
  area.select();
  const done = document.execCommand('copy'); area.remove();
  return done ? Promise.resolve() : Promise.reject();
};
document.addEventListener('click', event => {
  const button = event.target.closest('.copy');
  if (!button) return;
  const text = written(button.parentElement), told = (words, done) => {
    $('told').textContent = words; button.classList.toggle('done', done); button.focus({ preventScroll: true });
    setTimeout(() => { $('told').textContent = ''; button.classList.remove('done'); }, 1600);
  };
  (navigator.clipboard ? navigator.clipboard.writeText(text).catch(() => byHand(text)) : byHand(text))
    .then(() => told('Copied', true), () => told('The browser does not let this page copy', false));
});
/* What can be scrolled can be reached by keyboard; what cannot be is no stop on the way: seen when it comes near, or is opened. */
const reach = part => part.querySelectorAll('pre, .table').forEach(box => {
  if (!box.clientWidth) return;
  if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) {
    box.tabIndex = 0; box.setAttribute('role', 'group'); box.setAttribute('aria-label', box.matches('pre') ? 'Code' : 'Table');
  } else ['tabindex', 'role', 'aria-label'].forEach(name => box.removeAttribute(name));
});
const near = new IntersectionObserver(seen => seen.forEach(each => { if (each.isIntersecting) reach(each.target); }),
  { rootMargin: '100%' });
turns.forEach(turn => near.observe(turn));
document.addEventListener('toggle', event => { if (event.target.open) reach(event.target); }, true);
let resized = 0;
addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(() => { near.disconnect();
  turns.forEach(turn => near.observe(turn)); }, 150); });
addEventListener('beforeprint', () => turns.forEach(turn => turn.classList.add('hit')));
})();
"""
