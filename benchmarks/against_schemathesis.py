"""Pairs a run of this suite with a plain `schemathesis run` of the same contract, against the same reference server.

    python benchmarks/against_schemathesis.py [ROUNDS]

Prints a Markdown table: for each the median of the wall time in seconds, and how many requests and purges it sent. The
two alternate, so that whatever else the machine does meets both; only the ratio of the times is worth quoting.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from purge_conformance import catalogue, embedded
from purge_conformance.guard import is_purge

if TYPE_CHECKING:
    from collections.abc import Mapping

Measured = tuple[float, int, int]  # seconds, requests, purges


def suite(url: str, tokens: Mapping[str, str], folder: Path) -> Measured:
    """Run this suite."""
    names = {role: f"{role.upper()}_TOKEN" for role in tokens}
    sources = [f"--token={role}=env:{name}" for role, name in names.items()]
    environment = os.environ | {names[role]: token for role, token in tokens.items()}
    command = [sys.executable, "-m", "purge_conformance", "run", url, *sources, "--quiet", "--out", str(folder / "out")]
    seconds = _timed(command, environment)
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    return seconds, report["requests"], report["purges"]


def schemathesis(url: str, tokens: Mapping[str, str], folder: Path) -> Measured:
    """Run Schemathesis as it comes, with the admin's token."""
    contract, log = folder / catalogue.OPENAPI, folder / "log.ndjson"
    contract.write_text(catalogue.text(catalogue.OPENAPI), encoding="utf-8")
    command = ["st", "run", str(contract), "--url", url, "--report", "ndjson", "--report-ndjson-path", str(log)]
    command += ["--seed", "1", "-H", f"Authorization: bearer {tokens['admin']}"]
    seconds = _timed(command, dict(os.environ))
    sent = [request for line in log.read_text(encoding="utf-8").splitlines() for request in _requests(json.loads(line))]
    purges = sum(is_purge(request["method"], request["uri"].removeprefix(url)) for request in sent)
    return seconds, len(sent), purges


def _timed(command: list[str], environment: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    if done.returncode not in {0, 1}:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - begun


def _requests(node: object) -> list[dict[str, str]]:
    """Return every recorded request below a node of a report."""
    if isinstance(node, list):
        return [request for item in node for request in _requests(item)]
    if not isinstance(node, dict):
        return []
    if "method" in node and "uri" in node:
        return [node]
    return [request for item in node.values() for request in _requests(item)]


def main(rounds: int) -> None:
    """Measure in turns, and print the table."""
    found: dict[str, list[Measured]] = {"purge-conformance run": [], "schemathesis run": []}
    for _ in range(rounds):
        for measure, rows in zip((suite, schemathesis), found.values(), strict=True):
            with embedded.server() as (url, tokens), TemporaryDirectory() as folder:
                rows.append(measure(url, tokens, Path(folder)))
    print("| | seconds | requests | purges |\n| --- | --- | --- | --- |")
    for name, rows in found.items():
        seconds, requests, purges = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| `{name}` | {seconds:.1f} | {requests:.0f} | {purges:.0f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3)
