"""What a script sees: a program of its own, which every script contains. It reads files of pages, and sends nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def dig(value: Any, *names: str) -> Any:  # noqa: ANN401 -- JSON
    """Return a member of a member, or None."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def pages(name: str) -> list[Row]:
    """Return the pages in a file."""
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def rows(name: str) -> list[Row]:
    """Return the resources of all pages in a file."""
    return [row for page in pages(name) for row in page["resources"]]


def add(body: str, name: str) -> int:
    """Append a page to a file; return 0 if more pages follow."""
    page = json.loads(Path(body).read_text(encoding="utf-8"))
    with Path(name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(page) + "\n")
    return 0 if page["resources"] and dig(page, "pagination", "next") else 1


def archive(name: str, out: str) -> int:
    """Write all events to a new file; return 1 if the list says that there are more."""
    events, total = rows(name), dig(pages(name)[0], "pagination", "total_results")
    with Path(out).open("x", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in events)
    return int(len(events) < (total or 0))


def guid(body: str, *names: str) -> str | int:
    """Return a guid that an answer contains; 1 if no path can contain it."""
    return usable(dig(json.loads(Path(body).read_text(encoding="utf-8")), *(names or ("guid",))))


def named(body: str, name: str) -> str | int:
    """Return the guid of the first resource of that name; 1 if there is none."""
    found = [row for row in json.loads(Path(body).read_text(encoding="utf-8"))["resources"] if row.get("name") == name]
    return usable(found[0].get("guid") if found else None)


def usable(found: Any) -> str | int:  # noqa: ANN401 -- JSON
    """Return a guid if a path can contain it; 1 otherwise."""
    is_usable = isinstance(found, str) and re.fullmatch(r"(?!\.+$)[\w.~-]{1,200}", found, re.ASCII)
    return found if is_usable else 1


def pick(name: str, app: str, place: str, field: str) -> str | int:
    """Return a field of the event at a place among those of an app, or of all events if it has none; 1 without any."""
    events = rows(name)
    own = [row for row in events if dig(row, "app", "guid") == app] or events
    return str(own[int(place) % len(own)][field]) if own else 1


def describe(row: Row) -> str:
    """Return an event in words."""
    state, count = dig(row, "state", "current"), dig(row, "instance_count", "current")
    return f"{row.get('guid')} of {row.get('created_at')}: {dig(row, 'app', 'name')} {state}, {count} instances"
