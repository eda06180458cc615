/* Before anything is drawn: the theme that was chosen, here or on the page of a session. */
(() => {
'use strict';
let theme = null;
try { theme = localStorage.getItem('export-dedup-theme'); } catch { /* a browser may refuse */ }
if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
