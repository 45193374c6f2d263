"""Writing what was measured into a page that was written by hand."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["put"]


def put(page: Path, mark: str, text: str) -> None:
    """Replace what stands between `<!-- mark -->` and the next `<!-- end -->`.

    Raises:
        ValueError: the page has no such marks.
    """
    marked = re.compile(rf"(<!-- {re.escape(mark)} -->\n).*?(<!-- end -->)", flags=re.DOTALL)
    made, count = marked.subn(
        lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page.read_text(encoding="utf-8")
    )
    if not count:
        raise ValueError(f"{page} has no <!-- {mark} --> ... <!-- end -->")
    page.write_text(made, encoding="utf-8")
