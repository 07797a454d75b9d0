"""Checks every link that stays within the project: in the pages that were built, and in the Markdown files beside them.

`python docs/check_links.py HTML_FOLDER`. No request is sent; links to other hosts are not followed.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MARKDOWN = ("*.md", ".github/*.md", "docs/*.md", "reports/**/*.md", "spec/*.md")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class _Page(HTMLParser):
    """The links of a page, and what a link to it can name."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, and its id."""
        values = dict(attrs)
        self.names |= {value for name in ("id", "name") if (value := values.get(name))}
        target = values.get("href") if tag in {"a", "link"} else values.get("src")
        if target:
            self.links.append(target)


@cache
def _page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@cache
def _anchors(path: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives the headings of a Markdown file."""
    titles = HEADING.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
    return frozenset(re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles)


def _is_elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def broken_in_html(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the links of the built pages."""
    for path in sorted(folder.rglob("*.html")):
        for link in _page(path).links:
            place, fragment = (unquote(part) for part in urlsplit(link)[2:5:2])
            target = (path.parent / place).resolve() if place else path
            if _is_elsewhere(link):
                continue
            if not target.is_file():
                yield f"{path}: {link} names no file"
            elif fragment and target.suffix == ".html" and fragment not in _page(target).names:
                yield f"{path}: {link} names no place on that page"


def broken_in_markdown() -> Iterator[str]:
    """Yield what is wrong with the links of the Markdown files, which are read on GitHub as well."""
    for path in sorted({path for pattern in MARKDOWN for path in ROOT.glob(pattern)}):
        for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
            place, fragment = (unquote(part) for part in urlsplit(link)[2:5:2])
            target = (path.parent / place).resolve() if place else path
            if _is_elsewhere(link):
                continue
            if not target.exists():
                yield f"{path}: {link} names no file"
            elif fragment and target.suffix == ".md" and fragment not in _anchors(target):
                yield f"{path}: {link} names no heading of that file"


def main(folder: Path) -> int:
    """Print what is wrong; return the exit code."""
    found = [*broken_in_html(folder), *broken_in_markdown()]
    print(*found, f"{len(found)} broken links", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
