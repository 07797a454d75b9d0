"""An executed sequence as a shell script that reproduces it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Action
from purge_conformance.analysis.sequence import created_guid, requests_of
from purge_conformance.catalogue.api import is_usable_guid, resource_path
from purge_conformance.evidence import curl
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.app_model.trace import ExecutedStep
    from purge_conformance.analysis.sequence import SequenceRun
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange, Header

PREAMBLE = """\
# For a POSIX shell, with $ADMIN_TOKEN set. It purges, creates apps of its own, and deletes them at the end.
API={} RUN=$$
guid() {{ tr -d '\\r\\n' | grep -o '"guid" *: *"[^"]*"' | head -n 1 | cut -d '"' -f 4; }}"""
ORGANIZATIONS, SPACES = "/v3/organizations", "/v3/spaces"


@dataclass(frozen=True)
class _ShellContext:
    """Renders requests for a shell.

    Attributes:
        header: of the evidence.
        variables: value in the requests -> the shell variable that replaces it.
    """

    header: Header
    variables: dict[str, str]

    def command(self, exchange: Exchange) -> str:
        """Return the line that sends a request again."""
        return curl.command(exchange, self.header, self.variables)

    def create_and_capture(self, exchange: Exchange, reads: Sequence[Exchange], variable: str) -> Iterator[str]:
        """Yield the lines that create an object and store its guid in a variable."""
        guid_source = exchange
        for read in reads[-1:]:  # a job creates the object; this read showed it
            yield f"{self.command(exchange)}; sleep 2"
            guid_source = read
        yield f"{variable}=$({self.command(guid_source)} | guid)"
        self.variables[str(created_guid(exchange, reads))] = variable


def render_script(view: JudgmentView, run: SequenceRun) -> str:
    """Return the requests of a sequence as curl commands, up to the step after which the target disagrees."""
    return "\n".join(_lines(view, run))


def _lines(view: JudgmentView, sequence_run: SequenceRun) -> Iterator[str]:
    organization, space = view.of(Scenario.FOUNDATION, Step.CREATE)[:2]
    run = json.loads(organization.request_body or "{}")["name"].split("-")[-2]
    shell = _ShellContext(view.header, {view.header.target: "API", run: "RUN"})
    yield PREAMBLE.format(curl.shell_quote(view.header.target))
    yield shell.command(view.of(Scenario.PURGE, Step.PURGE)[0])
    yield from shell.create_and_capture(organization, _foundation_reads(view, ORGANIZATIONS), "ORGANIZATION")
    yield from shell.create_and_capture(space, _foundation_reads(view, SPACES)[:1], "SPACE")
    disagreement = sequence_run.disagreement
    executed = [
        execution
        for execution in sequence_run.executed_steps
        if disagreement is None or execution.position <= disagreement.position
    ]
    for number, execution in enumerate(executed, 1):
        yield f"# {number}. {execution.step}"
        yield from _step_lines(view, sequence_run, execution, shell)
    yield "# show the list, then delete the apps"
    yield f"echo; echo {' '.join(f'{name}=${name}' for name in shell.variables.values() if len(name) == 1)}"
    yield from (shell.command(page) for last in executed[-1:] if last.listing for page in last.listing.exchanges[:1])
    guid = created_guid(organization, _foundation_reads(view, ORGANIZATIONS))
    if is_usable_guid(guid):
        path = resource_path(ORGANIZATIONS, guid)
        yield shell.command(replace(organization, method="DELETE", path=path, request_body=None))


def _step_lines(view: JudgmentView, run: SequenceRun, execution: ExecutedStep, shell: _ShellContext) -> Iterator[str]:
    if execution.step.action is Action.CREATE:
        reads = requests_of(view, run.number, execution.position, Step.AWAIT_CREATION)
        yield from shell.create_and_capture(execution.response, reads, execution.step.argument.upper())
    else:
        yield shell.command(execution.response)
    for read in requests_of(view, run.number, execution.position, Step.AWAIT_DELETION)[-1:]:
        yield f"until {shell.command(read)} | grep -q '^HTTP[^ ]* 404'; do sleep 1; done"


def _foundation_reads(view: JudgmentView, path: str) -> list[Exchange]:
    return [x for x in view.of(Scenario.FOUNDATION, Step.AWAIT_CREATION) if x.route == path]
