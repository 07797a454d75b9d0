"""Runs the suite with different seeds against the faultless reference server: not one run may accuse it.

`python benchmarks/seeds.py [RUNS]`; the default is ten.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from purge_conformance.engine import reference_process as embedded

RUNS = 10


def run_suite(seed: int) -> tuple[str, list[str]]:
    """Return the verdict of one run of both profiles, and the ids of the requirements that failed."""
    with embedded.server() as (url, tokens), TemporaryDirectory() as folder:
        names = {role: f"{role.upper()}_TOKEN" for role in tokens}
        command = [sys.executable, "-m", "purge_conformance", "run", url, "--quiet", "--seed", str(seed)]
        command += ["--profile=core", "--profile=upstream", "--out", folder + "/out"]
        command += [f"--token={role}=env:{name}" for role, name in names.items()]
        environment = os.environ | {names[role]: token for role, token in tokens.items()}
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
        path = Path(folder) / "out" / "report.json"
        if not path.exists():
            sys.exit(f"The run with seed {seed} came to no verdict:\n{process.stdout[-2000:]}{process.stderr[-2000:]}")
        report = json.loads(path.read_text(encoding="utf-8"))
        return report["verdict"], [row["id"] for row in report["requirements"] if row["outcome"] == "failed"]


def main(runs: int) -> None:
    """Print a line for each seed and the sum; exit with 1 if any run accused the server, or decided nothing."""
    bad_runs = 0
    for seed in range(1, runs + 1):
        verdict, failed = run_suite(seed)
        bad_runs += verdict != "conformant" or bool(failed)
        print(f"seed {seed}: {verdict}{', failed ' + ', '.join(failed) if failed else ''}", flush=True)
    print(f"{runs} runs, {bad_runs} of them not as they must be")
    sys.exit(bool(bad_runs))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else RUNS)
