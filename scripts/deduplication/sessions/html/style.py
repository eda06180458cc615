"""How the page looks: light and dark, on a wide screen, a narrow one and on paper."""

from __future__ import annotations

from typing import Final

from .icons import MASKS

_RULES: Final = """
:root{color-scheme:light dark;
--paper:#fbfaf8;--card:#fff;--ink:#23211f;--soft:#6c6660;--line:#e6e1da;--tint:#f4f0ea;--accent:#b4532a;
--accent-ink:#9a431d;
--user:#fdf3e7;--user-line:#efd3b0;--code:#f6f3ee;--good:#1c7a45;--good-bg:#e6f5ea;--bad:#b3312c;--bad-bg:#fbe9e7;
--warn:#8a5a00;
--warn-bg:#fff6de;--warn-line:#f0d48a;--hit:#ffe28a;--now:#ffb347;
--shadow:0 1px 2px rgba(60,45,30,.06),0 6px 20px rgba(60,45,30,.05);
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,sans-serif;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){
--paper:#191817;--card:#211f1e;--ink:#ece7e1;--soft:#a49c93;--line:#37332f;--tint:#2a2725;--accent:#e9956a;
--accent-ink:#f0a883;
--user:#2d251d;--user-line:#56422d;--code:#1b1a19;--good:#7fd3a0;--good-bg:#1b3325;--bad:#f19a93;--bad-bg:#3a2120;
--warn:#f0c865;
--warn-bg:#322a17;--warn-line:#5d4c20;--hit:#6d5714;--now:#a86d14;--shadow:0 1px 2px rgba(0,0,0,.4)}}
:root[data-theme=dark]{
--paper:#191817;--card:#211f1e;--ink:#ece7e1;--soft:#a49c93;--line:#37332f;--tint:#2a2725;--accent:#e9956a;
--accent-ink:#f0a883;
--user:#2d251d;--user-line:#56422d;--code:#1b1a19;--good:#7fd3a0;--good-bg:#1b3325;--bad:#f19a93;--bad-bg:#3a2120;
--warn:#f0c865;
--warn-bg:#322a17;--warn-line:#5d4c20;--hit:#6d5714;--now:#a86d14;--shadow:0 1px 2px rgba(0,0,0,.4);color-scheme:dark}
:root[data-theme=light]{color-scheme:light}
*{box-sizing:border-box}
html{scroll-padding-top:5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.62 var(--sans);overflow-wrap:anywhere}
a{color:var(--accent-ink);text-underline-offset:.18em;text-decoration-thickness:1px}
button,input{font:inherit;color:inherit}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:6px}
.bar{position:sticky;top:0;z-index:2;display:flex;flex-wrap:wrap;gap:.5rem .8rem;align-items:center;
padding:.6rem 1.4rem;
background:color-mix(in srgb,var(--paper) 88%,transparent);backdrop-filter:blur(12px);
border-bottom:1px solid var(--line)}
.bar strong{font-weight:650;letter-spacing:-.01em;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;
max-width:22rem}
.bar .space{flex:1}
.find{display:flex;align-items:center;gap:.15rem;background:var(--card);border:1px solid var(--line);
border-radius:10px;padding:0 .3rem 0 .7rem}
.find:focus-within{border-color:var(--accent);box-shadow:0 0 0 3px color-mix(in srgb,var(--accent) 18%,transparent)}
.find input{border:0;background:none;outline:0;width:13rem;max-width:44vw;padding:.38rem .2rem}
.find input::placeholder{color:var(--soft)}
.find output{color:var(--soft);font-size:.8rem;min-width:4.2rem;text-align:right;font-variant-numeric:tabular-nums}
.bar button{border:0;background:none;border-radius:8px;padding:.3rem .55rem;cursor:pointer;color:var(--soft);
line-height:1.3}
.bar button:hover{background:var(--tint);color:var(--ink)}
.show{display:flex;gap:.15rem;font-size:.86rem}
.show label{display:flex;align-items:center;padding:.25rem .6rem;border-radius:99px;cursor:pointer;color:var(--soft);
border:1px solid var(--line)}
.show input{position:absolute;opacity:0;width:1px;height:1px}
.show label:has(:checked){background:var(--tint);color:var(--ink)}
.show label:has(:focus-visible){outline:2px solid var(--accent)}
.i{display:inline-block;width:1em;height:1em;flex:none;color:var(--soft);vertical-align:-.12em;align-self:center;border-radius:0;
background:currentColor;-webkit-mask:var(--i) center/contain no-repeat;mask:var(--i) center/contain no-repeat;
forced-color-adjust:none;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.i.assistant,.i.tool{color:var(--accent)}
.quiet{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.page{display:grid;grid-template-columns:minmax(13rem,18rem) minmax(0,1fr);max-width:86rem;margin:0 auto}
.alone{max-width:62rem;margin:0 auto}
nav{position:sticky;top:3.6rem;align-self:start;height:calc(100vh - 3.6rem);overflow:auto;
padding:1.2rem .6rem 3rem 1.4rem;
font-size:.86rem;line-height:1.4;border-right:1px solid var(--line);scrollbar-width:thin;overscroll-behavior:contain}
nav h2{font-size:.72rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin:.2rem .6rem .6rem}
nav ol{list-style:none;margin:0;padding:0}
nav li{content-visibility:auto;contain-intrinsic-size:auto 2rem}
nav a{display:grid;grid-template-columns:2.1rem 1fr;padding:.28rem .6rem;border-radius:8px;color:var(--soft);
text-decoration:none}
nav a:hover,nav a:focus-visible{background:var(--tint);color:var(--ink)}
nav b{font-weight:500;color:var(--accent);font-variant-numeric:tabular-nums}
nav span{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden}
main{padding:2.2rem clamp(1rem,4vw,3.5rem) 6rem;min-width:0}
main>*{max-width:50rem;margin-inline:auto}
.kicker{font:.8rem var(--mono);color:var(--soft);margin:0 auto .3rem;letter-spacing:.02em}
h1{font-size:1.95rem;line-height:1.2;letter-spacing:-.025em;margin:.1rem auto 1.2rem;font-weight:720;
text-wrap:balance}
.facts{margin-bottom:1rem;display:grid;grid-template-columns:auto 1fr;gap:.35rem 1.3rem;font-size:.92rem;
padding:1rem 1.3rem;background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:var(--shadow)}
.facts dt{color:var(--soft)}.facts dd{margin:0}.facts dd div+div{color:var(--soft)}
.turn{content-visibility:auto;contain-intrinsic-size:auto 500px;padding-block:.2rem 1.2rem}
article{position:relative;margin:.9rem 0}
.no,.copy{position:absolute;top:0;z-index:1;opacity:0;pointer-events:none;color:var(--soft)}
.no{right:1.9rem;font-size:.75rem;text-decoration:none;padding:.1rem .3rem;font-variant-numeric:tabular-nums;
background:var(--paper);border-radius:6px;line-height:1.4}
.copy{right:.5rem;top:.2rem;display:none;width:1rem;height:1rem;border:0;padding:0;cursor:pointer}
.prompt>.no,.local_command>.no,.tool_call>.no{top:.5rem}.prompt>.copy,.local_command>.copy,.tool_call>.copy{top:.7rem}
.js .copy{display:block}.copy:hover,.no:hover{color:var(--accent-ink)}.copy.done{color:var(--good)}
article:hover>.no,article:hover>.copy,article:focus-within>.no,article:focus-within>.copy{opacity:1;pointer-events:auto}
.copy:focus-visible{outline:0;color:var(--accent)}
@media (min-width:78rem){.no{right:-3rem;background:none}.copy{right:-4.2rem}}
@media (hover:none){article:has(>.who)>.no,article:has(>.who)>.copy{opacity:1;pointer-events:auto}}
article:target{scroll-margin-top:5rem}
article:target::before{content:"";position:absolute;inset:.1rem auto .1rem -1rem;width:3px;border-radius:3px;
background:var(--accent)}
.who{display:flex;align-items:center;gap:.5rem;font-size:.8rem;color:var(--soft);margin-bottom:.15rem}
.who b{color:var(--ink);font-weight:650}
.prompt,.local_command{background:var(--user);border:1px solid var(--user-line);border-radius:16px;
padding:.75rem 1.1rem;margin-top:1.8rem}
.prompt .text>:last-child,.prompt .text>:first-child{margin-block:0}
.prompt .text>*+*{margin-top:.6rem}.prompt .text>:not(:last-child){margin-bottom:.6rem}
.prompt:not(:has(>.who)){margin-top:-.5rem}.prompt p,.lines{white-space:pre-line}
.local_command pre{background:none;border:0;padding:0;margin:.1rem 0}
.text{unicode-bidi:isolate}
.text>:first-child{margin-top:.2rem}
.text p,.text ul,.text ol{margin:.65rem 0}
.text li+li{margin-top:.2rem}.text li>p{margin:.3rem 0}
.text h3,.text h4,.text h5,.text h6{line-height:1.3;margin:1.5rem 0 .5rem;letter-spacing:-.01em;font-size:1.06rem}
.text h3{font-size:1.22rem}.text h4{font-size:1.12rem}
.text blockquote{margin:.7rem 0;padding:.1rem 1rem;border-left:3px solid var(--line);color:var(--soft)}
.in>:last-child{margin-bottom:.2rem}
.text hr{border:0;border-top:1px solid var(--line);margin:1.6rem 0}
code{font-family:var(--mono);font-size:.875em;background:var(--code);border:1px solid var(--line);border-radius:5px;
padding:.08em .32em}
pre{position:relative;font:.83rem/1.55 var(--mono);background:var(--code);border:1px solid var(--line);
border-radius:10px;padding:.8rem 1rem;
margin:.8rem 0;overflow:auto;max-height:34rem;overflow-wrap:normal;tab-size:4}
pre code{all:unset;font:inherit;white-space:pre}
.code::before{content:attr(data-language);display:block;font:.72rem var(--mono);color:var(--soft);background:var(--tint);
border:1px solid var(--line);border-bottom:0;border-radius:10px 10px 0 0;padding:.2rem 1rem;overflow:hidden;text-overflow:ellipsis;
white-space:nowrap}
.code{margin:.8rem 0}.code>pre{margin:0;border-radius:0 0 10px 10px}
pre b{color:var(--soft);font-weight:600}
figure{margin:.6rem 0}figure img{display:block;max-width:100%;max-height:40rem;border:1px solid var(--line);border-radius:10px}
figcaption{color:var(--soft);font-size:.8rem;margin-top:.25rem}
pre ins,pre del{text-decoration:none;display:inline-block;min-width:100%}
pre ins{background:var(--good-bg);color:var(--good)}pre del{background:var(--bad-bg);color:var(--bad)}
.table{overflow:auto;margin:.9rem 0}
table{border-collapse:collapse;font-size:.92rem}
th,td{border:1px solid var(--line);padding:.35rem .7rem;text-align:left;vertical-align:top}
th{background:var(--tint);font-weight:600}.right{text-align:right}.center{text-align:center}
details,.row{border:1px solid var(--line);border-radius:10px;background:var(--card);font-size:.92rem}
.row,summary{padding:.42rem .8rem}
summary{cursor:pointer;list-style:none;display:flex;gap:.55rem;align-items:baseline;border-radius:10px}
summary::-webkit-details-marker{display:none}
summary::after{content:"";margin-left:auto;flex:none;width:.42rem;height:.42rem;border:solid var(--soft);
border-width:0 1.5px 1.5px 0;
transform:rotate(45deg) translate(-.15rem,-.15rem)}
details[open]>summary::after{transform:rotate(225deg) translate(-.15rem,-.05rem)}
summary:hover{background:var(--tint)}
summary b,.row b{font-weight:620;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;flex:none;max-width:100%}
summary,.row{flex-wrap:nowrap;min-width:0}
th,td{overflow-wrap:break-word;min-width:3rem}td code,th code{white-space:nowrap}
summary .about,.row .about{font-family:var(--mono);font-size:.82rem;color:var(--soft);overflow:hidden;
text-overflow:ellipsis;white-space:nowrap;min-width:0}
.row{display:flex;gap:.55rem;align-items:baseline}
.size{margin-left:auto;white-space:nowrap;color:var(--soft);font-size:.78rem;font-variant-numeric:tabular-nums}
.size+*,summary:has(.size)::after{margin-left:0}
details>.in{padding:.1rem .9rem .7rem;border-top:1px solid var(--line);
background:color-mix(in srgb,var(--paper) 55%,var(--card));border-radius:0 0 10px 10px}
.tool_call,.tool_result,.command_output{margin:.45rem 0}
.tool_result,.command_output{margin-left:1.4rem}
.tool_result details,.tool_result .row,.command_output details,.command_output .row{border-style:dashed;
background:none}
.tool_call+.tool_result{margin-top:-.1rem}
.thinking details{border-style:dotted}.thinking .in{color:var(--soft);font-style:italic}.thinking pre,
.thinking code{font-style:normal}
.thinking summary{color:var(--soft)}
.more{color:var(--soft);font-size:.82rem;text-align:center;margin:.3rem 0}
.notice{color:var(--soft);font-size:.86rem}
.day{display:flex;align-items:center;gap:.9rem;color:var(--soft);font-size:.8rem;margin:1.6rem auto .6rem}
.day::before,.day::after{content:"";flex:1;border-top:1px solid var(--line)}
.mark{display:flex;gap:.8rem;align-items:baseline;margin:1.6rem auto;padding:.7rem 1.1rem;border-radius:12px;
background:var(--tint);border:1px solid var(--line);font-size:.92rem}
.mark b{white-space:nowrap}.mark .i{color:inherit}.notice .i{margin-right:.4rem}.mark.gap,.mark.truncation,
.mark.lost{background:var(--warn-bg);border-color:var(--warn-line);color:var(--warn)}
footer{color:var(--soft);font-size:.82rem;margin-top:3rem!important;padding-top:1rem;border-top:1px solid var(--line)}
.no-tools .tool_call,.no-tools .tool_result,.no-tools .command_output,.no-thinking .thinking,
.only-hits .turn:not(.hit){display:none}
::highlight(found){background:var(--hit)}::highlight(now){background:var(--now)}
[hidden]{display:none!important}
@media (max-width:56rem){.page{display:block}nav{display:none}.bar{padding:.5rem 1rem;position:static}
.bar strong{max-width:100%;flex:1 1 100%}.bar .space{display:none}.find{flex:1}.find input{width:100%;max-width:none;min-width:0}
.show{display:none}body{font-size:15px}h1{font-size:1.5rem}
.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.5rem}.tool_result,.command_output{margin-left:.7rem}}
@media print{:root,:root[data-theme]{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f4f4f4;
--code:#fff;--user:#fff;--user-line:#888;
--accent:#000;--accent-ink:#000;color-scheme:light}body{font-size:10pt}.bar,nav,.no,.js .copy{display:none}.page{display:block}
main{padding:0}
main>*{max-width:none}.turn{content-visibility:visible}pre{max-height:none;white-space:pre-wrap}
pre code{white-space:pre-wrap}
.prompt{break-after:avoid}details,pre,.facts{break-inside:avoid-page;box-shadow:none}
a[href^=http]::after{content:" (" attr(href) ")";font-size:.8em}}
@media (prefers-reduced-motion:no-preference){summary::after{transition:transform .12s}}
"""
STYLE: Final = _RULES + MASKS + "\n"
