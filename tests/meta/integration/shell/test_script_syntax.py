"""Each kind of script is a valid program for a POSIX shell, and the program that it contains is valid Python."""

from __future__ import annotations

import subprocess
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.analysis.script.plan import Look, plan
from purge_conformance.analysis.script.render import render
from purge_conformance.catalogue.lookup import find_requirement
from purge_conformance.engine.scope import with_followed
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from meta.support.command import FullRun

PROGRAM = "<<'END_OF_PROGRAM'\n"


def test_scripts_are_valid(full_run: FullRun) -> None:
    """Whatever fails at whatever step of a run, for its answer or its effect, dash accepts the script."""
    evidence = full_run.evidence
    requirements = [find_requirement(name) for name in ("PURGE-03", "LIST-05")]  # one of each kind of operation
    steps = {(x.scenario, x.step): x for x in reversed(evidence.exchanges)}
    kinds: dict[tuple[tuple[Look, ...], str, bool, bool], str] = {}
    for x in steps.values():
        for requirement, got in product(requirements, (f'{x.status} it\'s "wrong"', "none")):
            finding = Finding("$(something) else", got, x.n)
            found = plan(evidence, finding, x, requirement.operation, with_followed({x.scenario}))
            kind = (found.looks, x.scenario, bool(found.setup), found.is_alone)
            if kind not in kinds:
                is_flaky = len(kinds) % 2 == 0
                kinds[kind] = render(evidence, requirement, finding, found, is_flaky=is_flaky)
    assert {look for looks, *_ in kinds for look in looks} == set(Look)
    for script in kinds.values():
        check(script)


def check(script: str) -> None:
    """Check the script, which a shell reads from standard input, and its program."""
    first, _, text = script.partition("\n")
    end = first.partition("<<")[2].strip("'")
    body = text.rpartition(f"{end}\n")[0]
    for shell_text in (script, body):
        done = subprocess.run(["dash", "-n"], input=shell_text, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), shell_text
    compile(body.partition(PROGRAM)[2].partition("\nEND_OF_PROGRAM\n")[0], "look.py", "exec")
