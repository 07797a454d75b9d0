"""A sequence that was played, as a script that plays it again by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Action
from purge_conformance.analysis.sequence import SCENARIO, created_guid
from purge_conformance.evidence import curl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.app_model.trace import ExecutedStep
    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.analysis.sequence import SequenceRun
    from purge_conformance.evidence.records import Exchange, Header

PREAMBLE = """\
# For a POSIX shell, with $ADMIN_TOKEN set. It purges, makes apps of its own, and takes them down in the end.
API={} RUN=$$
guid() {{ tr -d '\\r\\n' | grep -o '"guid" *: *"[^"]*"' | head -n 1 | cut -d '"' -f 4; }}"""
ORGANIZATIONS, SPACES = "/v3/organizations", "/v3/spaces"


@dataclass(frozen=True)
class _ShellContext:
    """What the shell knows: what stood in the requests -> the variable that takes its place."""

    header: Header
    variables: dict[str, str]

    def command(self, exchange: Exchange) -> str:
        """Return the line that sends a request again."""
        return curl.command(exchange, self.header, self.variables)

    def create_and_capture(self, exchange: Exchange, reads: Sequence[Exchange], variable: str) -> Iterator[str]:
        """Yield what makes something again; its guid is in a variable from then on."""
        guid_source = exchange
        for look in reads[-1:]:  # it is made by a job, and this has found it in the end
            yield f"{self.command(exchange)}; sleep 2"
            guid_source = look
        yield f"{variable}=$({self.command(guid_source)} | guid)"
        self.variables[str(created_guid(exchange, reads))] = variable


def render_script(view: JudgmentView, run: SequenceRun) -> str:
    """Return the requests of a sequence as lines of curl, up to the step after which the target disagrees."""
    return "\n".join(_lines(view, run))


def _lines(view: JudgmentView, sequence_run: SequenceRun) -> Iterator[str]:
    organization, space = view.of("foundation", "create")[:2]
    run = json.loads(organization.request_body or "{}")["name"].split("-")[-2]
    shell = _ShellContext(view.header, {view.header.target: "API", run: "RUN"})
    yield PREAMBLE.format(curl.shell_quote(view.header.target))
    yield shell.command(view.of("purge", "purge")[0])
    yield from shell.create_and_capture(organization, _foundation_reads(view, ORGANIZATIONS), "ORGANIZATION")
    yield from shell.create_and_capture(space, _foundation_reads(view, SPACES)[:1], "SPACE")
    executed = [
        one
        for one in sequence_run.executed_steps
        if sequence_run.disagreement is None or one.position <= sequence_run.disagreement.position
    ]
    for number, execution in enumerate(executed, 1):
        yield f"# {number}. {execution.step}"
        yield from _step_lines(view, sequence_run, execution, shell)
    yield "# what the list shows then, and the end"
    yield f"echo; echo {' '.join(f'{name}=${name}' for name in shell.variables.values() if len(name) == 1)}"
    yield from (shell.command(page) for one in executed[-1:] if one.listing for page in one.listing.exchanges[:1])
    path = f"{ORGANIZATIONS}/{created_guid(organization, _foundation_reads(view, ORGANIZATIONS))}"
    yield shell.command(replace(organization, method="DELETE", path=path, request_body=None))


def _step_lines(view: JudgmentView, run: SequenceRun, execution: ExecutedStep, shell: _ShellContext) -> Iterator[str]:
    label = f"{run.number}.{execution.position}"
    if execution.step.action is Action.CREATE:
        looks = view.of(SCENARIO, f"{label} {execution.step} made")
        yield from shell.create_and_capture(execution.response, looks, execution.step.argument.upper())
    else:
        yield shell.command(execution.response)
    for look in view.of(SCENARIO, f"{label} gone")[-1:]:
        yield f"until {shell.command(look)} | grep -q '^HTTP[^ ]* 404'; do sleep 1; done"


def _foundation_reads(view: JudgmentView, path: str) -> list[Exchange]:
    return [look for look in view.of("foundation", "created") if look.route == path]
