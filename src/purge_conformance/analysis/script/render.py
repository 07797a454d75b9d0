"""Writes a plan as a shell script."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from typing import TYPE_CHECKING

from purge_conformance.analysis.script.program import program
from purge_conformance.analysis.script.setup import add_setup
from purge_conformance.analysis.script.shell import Shell
from purge_conformance.analysis.script.tries import add_tries
from purge_conformance.catalogue.api import SAFE_METHODS, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import curl, notes
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE
from purge_conformance.evidence.safe_text import one_line, printable
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.report.text import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.script.plan import Plan
    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Finding

END = "END_OF_SCRIPT"
TRIES = {True: 5, False: 1}  # whether what it shows depends on chance
READ_TRIES = 60  # of a request that only reads
MAX_COMMENT_CHARS = 400
VARIABLE = re.compile(rf"\$\{{?([A-Z][A-Z0-9_]*_TOKEN|{curl.HOOK_VARIABLE}|{curl.PROXY_USER})\b")
ARCHIVE = """\
snapshot first
saved=events-$(date +%Y%m%dT%H%M%S)-$$.jsonl
look archive "$WORK/first.events" "$saved" || die "not all events could be read."
echo "All events that exist now are in the file $saved.\""""
SHOWN = """\
if [ -s "$WORK/found" ]; then
  echo "THE FAILURE SHOWS:"
  cat "$WORK/found"
  exit 1
fi
echo "The failure does not show.\""""


def render(evidence: Evidence, requirement: Requirement, finding: Finding, plan: Plan, *, is_flaky: bool) -> str:
    """Return a script that shows a finding.

    Args:
        evidence: of the run.
        requirement: the one that failed.
        finding: what is wrong.
        plan: what the script sends.
        is_flaky: whether the finding depends on chance.
    """
    shell = Shell(evidence)
    if run := evidence.note(Scenario.FOUNDATION, notes.RUN):
        shell.variables[run] = "RUN"
    tries = _tries(plan, is_flaky=is_flaky)
    if plan.may_purge:
        shell.add(ARCHIVE)
    add_setup(shell, plan)
    add_tries(shell, plan, tries)
    shell.add(SHOWN)
    body = "\n".join(shell.lines)
    text = "\n".join(
        [
            *_head(evidence, requirement, finding, plan, body, tries),
            "cat > \"$WORK/look.py\" <<'END_OF_PROGRAM'",
            program(plan.looks),
            "END_OF_PROGRAM",
            body,
        ]
    )
    end = next(name for name in (END, *(f"{END}_{n}" for n in range(10_000))) if name not in text)
    return f"sh -s <<'{end}'\n{text}\n{end}\n"


def _tries(plan: Plan, *, is_flaky: bool) -> int:
    if all(x.method in SAFE_METHODS for x in plan.tried):
        return READ_TRIES if is_flaky else 1
    is_race = any(Tag.CONCURRENT in x.tags for x in plan.tried)
    return TRIES[is_flaky or is_race]


def _head(  # noqa: PLR0913, PLR0917 -- what a reader has to know
    evidence: Evidence, requirement: Requirement, finding: Finding, plan: Plan, body: str, tries: int
) -> Iterator[str]:
    """Yield what a reader has to know first, and the functions of the script."""
    header = evidence.header
    purges = sum(is_purge(x.method, x.path) and x.role == ADMIN for x in plan.tried) * tries + plan.setup_purges
    number = pluralize(purges, "purge") if purges else "no purge as admin"
    most = "at most " if tries > 1 else ""
    harm = "Each purge DESTROYS ALL app usage events (billing data) of the target, and seeds new ones."
    if not purges:
        harm = "Requests that must not purge follow; a faulty target may obey one, and lose ALL its app usage events."
    transport = "".join(f"{word} " for word in curl.transport_options(header.settings.get("transport")))
    tokens = sorted({"ADMIN_TOKEN", *VARIABLE.findall(body + transport)})
    yield f"# {requirement.id} ({requirement.level}): {_comment(requirement.statement)}"
    yield "#"
    if plan.may_purge:
        yield f"# This script sends {most}{number}. {harm}"
        yield "# It writes all events to a file first. It creates apps of its own and deletes them at the end."
    else:
        yield "# This script sends no purge. It only reads, and creates apps of its own that it deletes at the end."
    yield "#"
    yield f"# expected: {_comment(finding.expected)}"
    yield f"# got:      {_comment(finding.got)}"
    yield f"#           (exchange {plan.shown.n} of the run of {_comment(header.started_at)})"
    yield "#"
    yield f'# It needs curl and python3, and the variables {", ".join(tokens)} (without "bearer")'
    yield "# and I_AGREE_TO_DESTROY=HOST[:PORT] of the target; export them. API=URL tries another server;"
    yield "# SPACE_GUID=GUID creates the apps in that space. Exit status: 0 it does not show, 1 it shows, 2 not tried."
    yield "set -u"
    sizes = [x.query.get("per_page", "") for x in evidence.of(Scenario.ARCHIVE)]
    replacements = {
        "@TARGET@": shlex.quote(header.target),
        "@PURGES@": f"{most}{number}",
        "@TOKENS@": " ".join(tokens),
        "@TRANSPORT@ ": transport,
        "@PER_PAGE@": next((size for size in sizes if size.isdigit()), str(GUARANTEED_PAGE_SIZE)),
    }
    prelude = files(__package__).joinpath("prelude.sh").read_text(encoding="utf-8").rstrip()
    for placeholder, value in replacements.items():
        prelude = prelude.replace(placeholder, value)
    yield prelude


def _comment(text: str) -> str:
    return printable(one_line(text, MAX_COMMENT_CHARS))
