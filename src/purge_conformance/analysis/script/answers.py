"""Whether an answer shows what an earlier one showed: a part of a script's program."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

VARYING = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d+", re.IGNORECASE)
LEAK = re.compile(r"\$[A-Z_]+_TOKEN|://[^/\s:]*:[^/\s]*@")


def read_answer(name: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of what `curl -i` printed; the status is 0 if it printed nothing."""
    head, _, body = Path(name).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")
    while body.startswith("HTTP/"):  # the first one is that of a proxy, or 100
        head, _, body = body.partition("\n\n")
    first, *lines = head.split("\n")
    words = first.split()
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0, headers, body


def essence(status: int, headers: dict[str, str], body: str) -> list[str]:
    """Return what an answer shows, without what differs from one answer to the next; tokens are `$VARIABLE`."""
    try:
        value = json.loads(body)
        is_list = isinstance(value, dict) and isinstance(value.get("resources"), list)
        body = f"a list, with events: {bool(value['resources'])}" if is_list else json.dumps(value, sort_keys=True)
    except ValueError:
        pass
    media_type = headers.get("content-type", "").partition(";")[0]
    leaks = [f"{name}: {value}" for name, value in headers.items() if LEAK.search(value)]
    return [str(status), *(VARYING.sub("0", each) for each in (media_type, *sorted(leaks), body[:2000]))]


def has_status(name: str, expected: str) -> int:
    """Return 0 if an answer has this status, and 1 otherwise."""
    return int(read_answer(name)[0] != int(expected))


def same(name: str, recorded: str, *_: str) -> list[str]:
    """Return the answer if it shows what the recorded one showed: all members of that one, or its status alone."""
    status, headers, body = read_answer(name)
    for variable, value in os.environ.items():
        if variable.endswith("_TOKEN") and value:
            headers = {key: text.replace(value, f"${variable}") for key, text in headers.items()}
            body = body.replace(value, f"${variable}")
    expected = json.loads(recorded)
    is_same = essence(status, headers, body)[: len(expected)] == expected
    return [f"the answer is {status} {' '.join(body.split())[:300]}"] if is_same else []
