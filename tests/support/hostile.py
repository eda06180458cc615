"""What somebody would write to make a page, a terminal or a reader do something."""

from __future__ import annotations

DONE = "document.documentElement.setAttribute('data-done','1')"
"""What every attack below tries to run; it leaves a trace in the page."""
ATTACKS = (
    f"<script>{DONE}</script>",
    f"</script><script>{DONE}</script>",
    f'<img src=x onerror="{DONE}">',
    f'<svg onload="{DONE}"><animate onbegin="{DONE}"/></svg>',
    f'"><b onmouseover="{DONE}" autofocus onfocus="{DONE}" tabindex=1>x</b>',
    f"'><iframe srcdoc='<script>parent.{DONE}</script>'></iframe>",
    f'<details open ontoggle="{DONE}">x</details>',
    f"</title><script>{DONE}</script>",
    f"</style><script>{DONE}</script><style>*{{display:none!important}}</style>",
    "</article></section></main></div><h1>not ours</h1>",
    "<meta http-equiv=refresh content='0;url=https://example.org/'><base href=https://example.org/>",
    "<link rel=stylesheet href=https://example.org/x.css><img src=https://example.org/x.png>",
    "<form action=https://example.org/><input name=q><button>go</button></form>",
    f"[click](javascript:{DONE}) [click](JaVaScRiPt&colon;{DONE}) [click](&#106;avascript:{DONE})",
    f"[click](data:text/html,<script>{DONE}</script>) ![x](https://example.org/y.png) <javascript:{DONE}>",
    f"[a]: javascript:{DONE}\n\n[a]",
    f'```html" onmouseover="{DONE}\n<script>{DONE}</script>\n```',
    f"`<script>{DONE}</script>`",
    "\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\ \x9b31m \x08\x08\x07",
    "user\u202enimda\u202c \u2066isolated\u2069 \u200eleft \ufeff",
    "\x00\x01 null",
    "<!-- <![CDATA[ ]]> --> <?xml version='1.0'?> <!DOCTYPE html>",
    "&lt;script&gt; &amp;amp; &#60;script&#62;",
    "| <script>1</script> | `a | b` |\n|:-:|--:|\n| <b>x</b> | y |",
)
