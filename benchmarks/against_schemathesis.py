"""Runs plain `schemathesis run`, with the same contract, against every fault, and compares it with the kill matrix.

    python benchmarks/against_schemathesis.py [--matrix DIR] [--jobs N] [--max-time SECONDS] [--only NAME-GLOB]

DIR is where `purge-conformance selfcheck --out DIR` left `matrix.json`. Each run appends a row to `schemathesis.jsonl`
there; what has a row is not run again, so that a long comparison may be interrupted and gone on with. In the end
`against-schemathesis.md` is written there, a table by group, of the faults that have a row.

Schemathesis runs as it comes, with the admin's token and seed 1. A fault counts as found when a check fails at an
operation where it does not fail on the faultless server; the last column has how many runs failed at all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from purge_conformance import catalogue
from purge_conformance.catalogue.api import is_purge
from purge_conformance.engine import reference_process as embedded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Row = dict[str, Any]
FAULTLESS = "faultless"
ROWS, TABLE = "schemathesis.jsonl", "against-schemathesis.md"
TABLE_HEADER = (
    "Group",
    "Faults",
    "Found",
    "Seconds",
    "Requests",
    "Schemathesis found",
    "Failed at all",
    "Seconds",
    "Requests",
)

TEXT = """\
# Against plain Schemathesis

The same faults and the same contract: what this suite found, and what `schemathesis run` found with its defaults, an
admin's token and seed 1. {compared} faults were compared.

A fault counts as found by Schemathesis if a check fails at an operation where it does not fail on the faultless
server. On the faultless server these fail: {noise}. "Failed at all" counts every run with a failure.

Seconds and requests are the mean of a run. This suite runs {jobs} at once, and some faults share a run. A run of this
suite purges {purges[0]} times, one of Schemathesis {purges[1]} times.

{table}
"""


def measure(name: str) -> Row:
    """Run Schemathesis against the faultless server or a fault, on a server of its own and in a folder of its own."""
    fault = [] if name == FAULTLESS else ["--fault", name]
    with embedded.server(fault) as (url, tokens), TemporaryDirectory() as folder:
        contract, log = Path(folder) / catalogue.OPENAPI, Path(folder) / "log.ndjson"
        contract.write_text(catalogue.read_text(catalogue.OPENAPI), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("st")), "run", str(contract), "--url", url, "--seed", "1"]
        command += ["--report", "ndjson", "--report-ndjson-path", str(log)]
        command += ["-H", f"Authorization: bearer {tokens['admin']}"]
        start = time.perf_counter()
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
        seconds = time.perf_counter() - start
        if process.returncode not in {0, 1}:
            sys.exit(f"st ended with {process.returncode}:\n{process.stdout[-2000:]}{process.stderr[-2000:]}")
        nodes = [node for line in log.read_text(encoding="utf-8").splitlines() for node in _objects(json.loads(line))]
    requests = [node for node in nodes if "method" in node and "uri" in node]
    failures = {_failure_key(node) for node in nodes if node.get("status") == "failure" and "failure_info" in node}
    return {
        "name": name,
        "seconds": round(seconds, 1),
        "requests": len(requests),
        "purges": sum(is_purge(node["method"], node["uri"].removeprefix(url)) for node in requests),
        "failures": sorted(failures),
    }


def _objects(node: object) -> Iterator[Row]:
    """Yield every JSON object at or below a node."""
    if isinstance(node, dict):
        yield node
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(below)


def _failure_key(check: Row) -> tuple[str, str]:
    """Return what identifies a failure: the check and the operation."""
    return check["name"], (check["failure_info"] or {}).get("failure", {}).get("operation", "")


def read_rows(path: Path) -> dict[str, Row]:
    """Return the rows that are there, by name."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {row["name"]: row for row in map(json.loads, lines)}


def run(names: Sequence[str], path: Path, jobs: int, max_time: float) -> None:
    """Run what has no row yet, and append a row as each gets done; after `max_time` seconds none is begun."""
    deadline = time.monotonic() + max_time

    def row_of(name: str) -> Row | None:
        return measure(name) if time.monotonic() < deadline else None

    missing = [name for name in names if name not in read_rows(path)]
    with ThreadPoolExecutor(jobs) as threads, path.open("a", encoding="utf-8") as file:
        for number, done in enumerate(as_completed([threads.submit(row_of, name) for name in missing]), 1):
            if row := done.result():
                file.write(json.dumps(row) + "\n")
                file.flush()
                print(f"{number} of {len(missing)}: {row['name']} {row['seconds']} s", file=sys.stderr)


def table(matrix: Row, rows: dict[str, Row]) -> str:
    """Return the comparison by group as Markdown, of the faults that both have judged."""
    baseline_failures = set(map(tuple, rows[FAULTLESS]["failures"]))
    ours = [row for row in matrix["rows"] if row["kind"] == "fault" and row["name"] in rows]
    groups = [(name, [row for row in ours if row["group"] == name]) for name in dict.fromkeys(r["group"] for r in ours)]
    lines = [TABLE_HEADER, ("---", *("--:" for _ in TABLE_HEADER[1:]))]
    lines += [_table_row(name, members, rows, baseline_failures) for name, members in [*groups, ("**All**", ours)]]
    noise = ", ".join(f"`{check}` at `{operation}`" for check, operation in sorted(baseline_failures)) or "nothing"
    several = [f"| {' | '.join(line)} |" for line in lines]
    purges = [_mean(side, "purges") for side in (ours, [rows[row["name"]] for row in ours])]
    total = sum(row["kind"] == "fault" for row in matrix["rows"])
    return TEXT.format(
        noise=noise,
        jobs=matrix["jobs"],
        purges=purges,
        compared=f"{len(ours)} of the matrix's {total}",
        table="\n".join(several),
    )


def _table_row(
    name: str, ours: Sequence[Row], rows: dict[str, Row], baseline_failures: set[tuple[str, ...]]
) -> tuple[str, ...]:
    theirs = [rows[row["name"]] for row in ours]
    killed = sum(bool(set(row["failed"]) & set(row["must_fail"])) for row in ours)
    found = sum(bool(set(map(tuple, row["failures"])) - baseline_failures) for row in theirs)
    failed = sum(bool(row["failures"]) for row in theirs)
    costs = [[_mean(side, what) for what in ("seconds", "requests")] for side in (ours, theirs)]
    return name, str(len(ours)), str(killed), *costs[0], str(found), str(failed), *costs[1]


def _mean(rows: Sequence[Row], what: str) -> str:
    return f"{sum(row[what] for row in rows) / max(1, len(rows)):,.0f}"


def main() -> None:
    """Run what is missing, and write the table of what is there."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--matrix", type=Path, default=Path("reports/selfcheck"), metavar="DIR")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--max-time", type=float, default=float("inf"), metavar="SECONDS")
    parser.add_argument("--only", default="*", metavar="NAME-GLOB")
    option = parser.parse_args()
    matrix = json.loads((option.matrix / "matrix.json").read_text(encoding="utf-8"))
    faults = [row["name"] for row in matrix["rows"] if row["kind"] == "fault" and fnmatchcase(row["name"], option.only)]
    run([FAULTLESS, *faults], option.matrix / ROWS, option.jobs, option.max_time)
    rows = read_rows(option.matrix / ROWS)
    if FAULTLESS not in rows:
        sys.exit("The faultless server has no row yet. Run again, with more --max-time.")
    text = table(matrix, rows)
    (option.matrix / TABLE).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
