"""Another reader of Markdown, markdown-it-py, and what it and ours must agree on; texts of real assistants."""

from __future__ import annotations

import html
import json
import re

from markdown_it import MarkdownIt

from deduplication.sessions.html.inline import may_lead


def oracle():
    """Another reader of Markdown, which we hold ours against; what ours leaves out on purpose is off."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(["reference", "entity"])
    parser.validateLink = may_lead
    parser.add_render_rule("image", lambda self, tokens, at, *_: tokens[at].content)
    return parser


def structure(done):
    """Elements and words, without attributes, blanks and what only one of the two has."""
    done = re.sub(r"<a href=[^>]*>|</a>|<div class=[^>]*>|</div>|</?(?:ins|del|b)>|🖼 ", "", done)
    done = re.sub(r"<(th|td|li|ol|code|pre)\b[^>]*>", r"<\1>", done).replace(" />", ">")
    done = re.sub(r"<(/?)h(\d)>", lambda found: f"<{found[1]}h>", done)
    return re.sub(r"\s+", "", html.unescape(done))


def answers(folder):
    """The assistant's texts in the transcripts below a folder, each once."""
    found = set()
    for path in folder.glob("**/*.jsonl"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                message = json.loads(line).get("message")
            except (ValueError, AttributeError):
                continue
            content = message.get("content") if isinstance(message, dict) else None
            found |= {
                block["text"]
                for block in content or ()
                if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
            }
    return found
