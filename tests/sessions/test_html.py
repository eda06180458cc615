from __future__ import annotations

import base64
import hashlib
import re

from deduplication.sessions.html import pieces
from hostile import ATTACKS, DONE
from page_elements import Seen, is_safe
from transcript_lines import SESSION, answer, call, compacted, day, line, prompt, result


def test_what_a_hostile_message_says_is_only_text(told):
    """In every kind of message: no element, no attribute, no address of the author's is in the page."""
    for number, attack in enumerate(ATTACKS):
        told.capture(
            prompt(attack, f"p{number}"),
            line(
                f"t{number}", "assistant", {"role": "assistant", "content": [{"type": "thinking", "thinking": attack}]}
            ),
            answer(attack, f"a{number}"),
            call(attack, f"c{number}", command=attack, description=attack),
            call("Edit", f"e{number}", file_path=attack, old_string=attack, new_string=f"{attack}\nmore"),
            result(f"{attack}\n{attack}", f"c{number}"),
            result(attack, f"e{number}"),
        )
    text = told.html(SESSION)
    seen = is_safe(text)
    shown = "".join(seen.text)
    assert shown.count(f"<script>{DONE}</script>") > 10
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    assert "\\u202e" in text


def test_the_policy_allows_only_our_style_and_script(told):
    """Nothing by default; one style and one script, each by the hash of exactly what stands in the page, and images in it."""
    told.capture(day(1))
    text = told.html(SESSION)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashed = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashed[0]}'; script-src 'sha256-{hashed[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_every_message_has_an_anchor_and_every_prompt_is_in_the_list(told):
    """Anchors are sequence numbers, which never change; the list of prompts leads to theirs."""
    told.capture(day(30), call("Bash", "x", command="ls -l"), result("a\nb", "x"))
    text = told.html(SESSION)
    ids = re.findall(r"<article id=m(\d+) ", text)
    assert ids == [str(number) for number in range(62)]
    assert re.findall(r'<li><a href="#m(\d+)">', text) == [str(number) for number in range(0, 60, 2)]


def test_what_was_said_can_be_read(told):
    """Words, code and tables of a conversation are in the page; results have their length; marks are told."""
    told.capture(
        prompt("What is\nthe **tide**?"),
        answer("It is *high*:\n\n```python\nif x < 1:\n    pass\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |"),
        call("Bash", "ls", command="ls -l\npwd"),
        result("\n".join(f"line {n}" for n in range(900)), "ls"),
        compacted("All about the tides\nand more"),
    )
    text = told.html(SESSION)
    shown = "".join(Seen(text).text)
    for words in (
        "if x < 1:\n    pass",
        "ls -l\npwd",
        "line 0",
        "line 899",
        "more lines",
        "Conversation compacted",
        "and more",
    ):
        assert words in shown
    assert "line 600" not in shown
    assert "900 lines, " in shown
    assert "<em>high</em>" in text
    assert "<th class=right>" in text


def test_a_long_turn_is_several_sections(told):
    """The browser lays out a section when it comes into view, so none may be endless."""
    told.capture(prompt("go"), *(answer(f"Answer {n}") for n in range(200)))
    sections = told.html(SESSION).split("<section class=turn>")[1:]
    assert len(sections) == 6
    assert max(section.count("<article") for section in sections) <= 40


def test_secrets_are_taken_out_of_the_page(told):
    """Whatever place of a message a secret stands in, it passes through the redaction."""
    secret = "s3cr3t-value"
    told.capture(
        prompt(f"use {secret}"),
        answer(f"ok {secret}"),
        call("Bash", "a", command=f"curl {secret}", description=f"call {secret}"),
        result(f"{secret}\n{secret}", "a"),
        call(f"Tool{secret}", "b", **{secret: {"deep": [secret]}}),
    )
    assert secret in told.html(SESSION)
    assert secret not in told.html(
        SESSION, redact=lambda text: (text.replace(secret, "***"), [secret] * text.count(secret))
    )


def test_a_page_of_one_message(told):
    """The smallest conversation has a whole page."""
    told.add(b'{"messages": [{"role": "user", "content": "x"}]}', conversation="one")
    is_safe(told.html("one"))


def test_links_images_and_headings(told):
    """Links into the web say nothing of where they were; images are links; headings stand below ours; files lead nowhere."""
    told.capture(
        prompt("# One\n\n###### Six"),
        answer(
            "[a](https://example.org/?a=1&b=2) ![pic](https://example.org/x.png) [file](../x.md) <mailto:a@example.org>"
        ),
    )
    text = told.html(SESSION)
    web = 'rel="noreferrer noopener nofollow" target="_blank">'
    assert f'<a href="https://example.org/?a=1&amp;b=2" {web}a</a>' in text
    assert f'🖼 <a href="https://example.org/x.png" {web}pic</a>' in text
    assert "[file](../x.md)" in text
    assert "<h3>One</h3>" in text
    assert "<h6>Six</h6>" in text
    assert text.count("<h1>") == 1


def test_every_kind_of_message_has_its_form(told):
    """Images are named, notices are a line, an empty result says so, an image that came with words is of the same turn."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 4000}}
    told.capture(
        line("p", "user", {"role": "user", "content": [{"type": "text", "text": "look"}, image]}),
        line("i", "user", {"role": "user", "content": "[Request interrupted by user]"}),
        call("Bash", "a", command="true"),
        result("", "a"),
        compacted("x").split(b"\n", 1)[0] + b"\n",
    )
    text = told.html(SESSION)
    assert "image/png (3.0 KB)" in text
    assert text.count("<li><a href=") == 1
    assert "[Request interrupted by user]</div>" in text
    assert "<span class=about>nothing</span>" in text
    assert '<div class="mark compaction"' in text


def test_every_message_has_a_link_and_a_button_to_copy_it(told):
    """Both say which message they mean, and stand in it."""
    told.capture(day(2), call("Bash", "x", command="ls -l"), result("a\nb", "x"))
    text = told.html(SESSION)
    for number in range(6):
        (article,) = re.findall(rf"<article id=m{number} .*?</article>", text, re.DOTALL)
        assert f'href="#m{number}" aria-label="Link to message {number}"' in article
        assert f'<button class="copy i" aria-label="Copy message {number}"></button>' in article


def test_a_page_without_prompts_has_no_list_of_them(told):
    """There is no column for what is not there."""
    told.capture(answer("Only the assistant speaks"))
    text = told.html(SESSION)
    assert "<nav" not in text
    assert "<div class=page>" not in text


def test_what_a_difference_takes_away_and_brings_is_told_apart(told):
    """In an edit, in a fence, in what git printed and the client drew; a list with hyphens is no difference."""
    printed = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old <b>\n+new\n same"
    told.capture(
        call("Edit", "e", file_path="x.py", old_string="one", new_string="two"),
        answer("```diff\n-gone\n+come\n```"),
        call("Bash", "g", command="git diff"),
        result(printed, "g"),
        call("Bash", "l", command="ls"),
        result("- one\n+ two", "l"),
        call("Update", "u", path="x"),
        result("Added 1 line, removed 1 line\n  3 -drawn\n  3 + anew\n  4  same", "u"),
    )
    text = told.html(SESSION)
    for words in ("one", "gone", "old &lt;b&gt;"):
        assert f"<del>-{words}</del>" in text
    for words in ("two", "come", "new"):
        assert f"<ins>+{words}</ins>" in text
    assert "<b>--- a/x</b>" in text
    assert "<del>  3 -drawn</del>\n<ins>  3 + anew</ins>\n  4  same" in text
    assert "<pre tabindex=0><code>- one\n+ two</code></pre>" in text


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(64))).decode()
SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").decode()


def image(name, data, kind="image/png"):
    """A prompt with an image."""
    source = {"type": "base64", "media_type": kind, "data": data}
    content = [{"type": "text", "text": f"look at {name}"}, {"type": "image", "source": source}]
    return line(name, "user", {"role": "user", "content": content})


def test_images_that_the_store_has_are_shown(told):
    """A picture that runs nothing is in the page, with what it is; what is none is named; so are all where that is asked for."""
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]}]
    told.capture(
        image("good", PNG),
        image("other", SVG, "image/svg+xml"),
        image("lying", SVG, "image/png"),
        image("broken", PNG[:-2] + '">', "image/png"),
        image("far", "https://example.org/x.png", "image/png"),
        line("result", "user", {"role": "user", "content": content}),
    )
    text = told.html(SESSION, pictures=True)
    is_safe(text)
    assert text.count(f'<img src="data:image/png;base64,{PNG}" alt="image/png (72 B)"') == 2
    assert text.count("<img ") == 2
    assert "<details open>" in text
    assert text.count("image/png (") >= 4
    assert "<img" not in told.html(SESSION)


def test_a_page_has_room_for_so_many_images(told, monkeypatch):
    """What is beyond that is named, with the reason, so that a page with a thousand screenshots opens."""
    monkeypatch.setattr(pieces, "_ROOM", 3 * len(PNG))
    told.capture(*(image(f"n{number}", PNG) for number in range(4)))
    text = told.html(SESSION, pictures=True)
    assert text.count("<img ") == 2
    assert text.count("too large for this page") == 2
