"""The readers that the documents print, as modules: judges that share no code with the product."""

from __future__ import annotations

import re
import sys
from functools import cache
from types import ModuleType

from conftest import REPOSITORY

_FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@cache
def reader_of(page: str) -> ModuleType:
    """The reader at the end of docs/PAGE.md; what it imports of another page is there."""
    if page == "storage":
        sys.modules.setdefault("archived", reader_of("archive"))
    text = (REPOSITORY / "docs" / f"{page}.md").read_text(encoding="utf-8")
    (code,) = _FENCE.findall(text[text.index("## A reader") :])
    found = ModuleType(page)
    exec(compile(code, f"{page}.md", "exec"), found.__dict__)
    return found
