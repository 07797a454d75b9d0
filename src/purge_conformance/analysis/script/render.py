"""Writes a plan as a shell script."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from purge_conformance.analysis.script.program import program
from purge_conformance.analysis.script.setup import add_setup
from purge_conformance.analysis.script.shell import Shell
from purge_conformance.analysis.script.tries import add_tries
from purge_conformance.catalogue.api import SAFE_METHODS, is_purge
from purge_conformance.config.apps import Mode
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence import curl, notes
from purge_conformance.evidence.listing import GUARANTEED_PAGE_SIZE
from purge_conformance.evidence.safe_text import one_line, printable
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.evidence.words import pluralize

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
PURGES = "Each purge DESTROYS ALL app usage events (billing data) of the target, and seeds new ones."
MAY_PURGE = "Requests that must not purge follow; a faulty target may obey one, and lose ALL its app usage events."
PROGRAM = "cat > \"$WORK/look.py\" <<'END_OF_PROGRAM'\n{}\nEND_OF_PROGRAM"
CONSENT = """\
case ${I_AGREE_TO_DESTROY:-} in
  "$HOST" | "${HOST%:*}") ;;
  *) die "it @HARM@. To allow it, export I_AGREE_TO_DESTROY=$HOST" ;;
esac"""
HARM = {True: "destroys events, or a faulty target does", False: "creates apps, and deletes them"}
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
    effort = _effort(evidence, plan, body, tries)
    head = "\n".join(_head(evidence, requirement, finding, plan, effort))
    text = "\n".join([head, "set -u", _prelude(evidence, plan, effort), PROGRAM.format(program(plan.looks)), body])
    end = next(name for name in (END, *(f"{END}_{n}" for n in range(10_000))) if name not in text)
    return f"sh -s <<'{end}'\n{text}\n{end}\n"


def _tries(plan: Plan, *, is_flaky: bool) -> int:
    if all(x.method in SAFE_METHODS for x in plan.tried):
        return READ_TRIES if is_flaky else 1
    is_race = any(Tag.CONCURRENT in x.tags for x in plan.tried)
    return TRIES[is_flaky or is_race]


def _head(evidence: Evidence, requirement: Requirement, finding: Finding, plan: Plan, effort: _Effort) -> Iterator[str]:
    """Yield what a reader has to know first, as comments."""
    yield f"# {requirement.id} ({requirement.level}): {_comment(requirement.statement)}"
    yield "#"
    yield f"# This script sends {effort.purges}. {effort.harm}".rstrip()
    if plan.may_purge:
        yield "# It writes all events to a file first."
    if plan.creates:
        yield "# It creates apps of its own, as the run did, and deletes them at the end."
    elif plan.may_purge:
        by_hook = evidence.header.settings.get("apps") == Mode.HOOK
        who = (
            "A hook created the apps of the run, and this script asks it for none"
            if by_hook
            else "The run created no apps"
        )
        yield f"# {who}: start an app of yours before."
    if curl.HOOK_VARIABLE in effort.variables:
        yield f"# It asks the hook for the error: {curl.HOOK_VARIABLE} is what --hook was, for the same server."
    yield "#"
    yield f"# expected: {_comment(finding.expected)}"
    yield f"# got:      {_comment(finding.got)}"
    yield f"#           (exchange {plan.shown.n} of the run of {_comment(evidence.header.started_at)})"
    yield "#"
    yield f'# It needs curl and python3, and the variables {", ".join(effort.variables)} (tokens without "bearer");'
    if plan.changes:
        yield "# I_AGREE_TO_DESTROY=HOST[:PORT] names the target. Export them. SPACE_GUID=GUID creates the apps there."
    yield "# API=URL tries another server. Exit status: 0 the failure does not show, 1 it shows, 2 not tried."


@dataclass(frozen=True, slots=True)
class _Effort:
    """What a script sends, and needs.

    Attributes:
        purges: how many it sends, in words.
        harm: what they do, as a sentence; empty if it only reads.
        variables: names of the variables that have to be set.
        transport: curl's options for the transport of the run, with a space behind each.
    """

    purges: str
    harm: str
    variables: tuple[str, ...]
    transport: str


def _effort(evidence: Evidence, plan: Plan, body: str, tries: int) -> _Effort:
    transport = "".join(f"{word} " for word in curl.transport_options(evidence.header.settings.get("transport")))
    variables = tuple(sorted({"ADMIN_TOKEN", *VARIABLE.findall(body + transport)}))
    purges = sum(is_purge(x.method, x.path) and x.role == ADMIN for x in plan.tried) * tries + plan.setup_purges
    if purges:
        return _Effort(f"{'at most ' if tries > 1 else ''}{pluralize(purges, 'purge')}", PURGES, variables, transport)
    if plan.may_purge:
        return _Effort("no purge as admin", MAY_PURGE, variables, transport)
    return _Effort("no purge", "", variables, transport)


def _prelude(evidence: Evidence, plan: Plan, effort: _Effort) -> str:
    """Return the functions of the script, after what it requires."""
    sizes = [x.query.get("per_page", "") for x in evidence.of(Scenario.ARCHIVE)]
    replacements = {
        "@TARGET@": shlex.quote(evidence.header.target),
        "@PURGES@": effort.purges,
        "@CONSENT@": CONSENT.replace("@HARM@", HARM[plan.may_purge]) if plan.changes else ":",
        "@VARIABLES@": " ".join(effort.variables),
        "@TRANSPORT@ ": effort.transport,
        "@PER_PAGE@": next((size for size in sizes if size.isdigit()), str(GUARANTEED_PAGE_SIZE)),
    }
    text = files(__package__).joinpath("prelude.sh").read_text(encoding="utf-8").rstrip()
    for placeholder, value in replacements.items():
        text = text.replace(placeholder, value)
    return text


def _comment(text: str) -> str:
    return printable(one_line(text, MAX_COMMENT_CHARS))
