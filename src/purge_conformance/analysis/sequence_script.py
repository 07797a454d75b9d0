"""A sequence that was played, as a script that plays it again by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from purge_conformance.analysis.app_model.state import Deed
from purge_conformance.analysis.sequence import EXPERIMENT, made
from purge_conformance.evidence import curl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.analysis.app_model.trace import Taken
    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.analysis.sequence import Play
    from purge_conformance.evidence.records import Exchange, Header

HEAD = """\
# For a POSIX shell, with $ADMIN_TOKEN set. It purges, makes apps of its own, and takes them down in the end.
API={} RUN=$$
guid() {{ tr -d '\\r\\n' | grep -o '"guid" *: *"[^"]*"' | head -n 1 | cut -d '"' -f 4; }}"""
ORGANIZATIONS, SPACES = "/v3/organizations", "/v3/spaces"


@dataclass(frozen=True)
class _Shell:
    """What the shell knows: what stood in the requests -> the variable that takes its place."""

    header: Header
    known: dict[str, str]

    def line(self, exchange: Exchange) -> str:
        """Return the line that sends a request again."""
        return curl.command(exchange, self.header, self.known)

    def made(self, exchange: Exchange, looks: Sequence[Exchange], variable: str) -> Iterator[str]:
        """Yield what makes something again; its guid is in a variable from then on."""
        shows = exchange
        for look in looks[-1:]:  # it is made by a job, and this has found it in the end
            yield f"{self.line(exchange)}; sleep 2"
            shows = look
        yield f"{variable}=$({self.line(shows)} | guid)"
        self.known[str(made(exchange, looks))] = variable


def script(seen: Seen, play: Play) -> str:
    """Return the requests of a sequence as lines of curl, up to the step after which the target disagrees."""
    return "\n".join(_lines(seen, play))


def _lines(seen: Seen, play: Play) -> Iterator[str]:
    organization, space = seen.of("foundation", "create")[:2]
    run = json.loads(organization.request_body or "{}")["name"].split("-")[-2]
    shell = _Shell(seen.header, {seen.header.target: "API", run: "RUN"})
    yield HEAD.format(curl.shell_quote(seen.header.target))
    yield shell.line(seen.of("purge", "purge")[0])
    yield from shell.made(organization, _looks(seen, ORGANIZATIONS), "ORGANIZATION")
    yield from shell.made(space, _looks(seen, SPACES)[:1], "SPACE")
    taken = [one for one in play.taken if play.found is None or one.place <= play.found.place]
    for number, one in enumerate(taken, 1):
        yield f"# {number}. {one.step}"
        yield from _step(seen, play, one, shell)
    yield "# what the list shows then, and the end"
    yield f"echo; echo {' '.join(f'{name}=${name}' for name in shell.known.values() if len(name) == 1)}"
    yield from (shell.line(page) for one in taken[-1:] if one.look for page in one.look.exchanges[:1])
    path = f"{ORGANIZATIONS}/{made(organization, _looks(seen, ORGANIZATIONS))}"
    yield shell.line(replace(organization, method="DELETE", path=path, request_body=None))


def _step(seen: Seen, play: Play, one: Taken, shell: _Shell) -> Iterator[str]:
    label = f"{play.number}.{one.place}"
    if one.step.deed is Deed.CREATE:
        looks = seen.of(EXPERIMENT, f"{label} {one.step} made")
        yield from shell.made(one.answer, looks, one.step.what.upper())
    else:
        yield shell.line(one.answer)
    for look in seen.of(EXPERIMENT, f"{label} gone")[-1:]:
        yield f"until {shell.line(look)} | grep -q '^HTTP[^ ]* 404'; do sleep 1; done"


def _looks(seen: Seen, path: str) -> list[Exchange]:
    return [look for look in seen.of("foundation", "created") if look.route == path]
