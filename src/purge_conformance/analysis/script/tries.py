"""The part of a script that sends what a finding is about, and looks at what it did."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from purge_conformance.analysis.script.answers import essence
from purge_conformance.analysis.script.plan import Look, is_induced
from purge_conformance.analysis.script.shell import Shell
from purge_conformance.catalogue.api import EVENTS_PATH, is_purge
from purge_conformance.evidence.listing import dig
from purge_conformance.evidence.steps import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.analysis.script.plan import Plan
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

MAX_BODY_BYTES = 100_000


def add_tries(shell: Shell, plan: Plan, tries: int) -> None:
    """Append the requests whose effect or answer is looked at, in a loop."""
    _add_events(shell, plan)
    shell.add(
        ': > "$WORK/found"', "try=0", f'until [ -s "$WORK/found" ] || [ "$try" -ge {tries} ]; do', "  try=$((try + 1))"
    )
    inner = Shell(shell.evidence, shell.variables)
    is_effect = not {Look.SAME, Look.LISTED}.issuperset(plan.looks)
    if is_effect:
        if "TOGGLED" in shell.variables.values():
            inner.add("toggle; sleep 1")
        inner.add("snapshot before")
    if plan.looks == (Look.LISTED,):
        inner.add('pages /v3/app_usage_events all || die "the list cannot be read."')
    _add_tried(inner, plan)
    if is_effect:
        inner.add("sleep 1", "snapshot after")
    changed = " ".join(f"${name}" for guid in dict.fromkeys(plan.changed) if (name := shell.variables.get(guid)))
    for each in plan.looks:
        for arguments in _arguments(shell, plan, each, changed):
            inner.add(f'look {each} {arguments} >> "$WORK/found"')
    shell.add(*(f"  {line}" for line in inner.lines), "done")


def _arguments(shell: Shell, plan: Plan, look: Look, changed: str) -> Iterator[str]:
    """Yield the arguments of each call of one look."""
    if look is Look.SAME:
        shown = plan.shown
        text = shown.body[:MAX_BODY_BYTES].decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in shown.response_headers}
        whole = essence(shown.status or 0, headers, text)
        recorded = shlex.quote(json.dumps(whole[:1] if plan.status_alone else whole))
        for number, x in enumerate(plan.tried):
            if (x.method, x.path, x.role) == (
                shown.method,
                shown.path,
                shown.role,
            ):  # any of concurrent ones may show it
                yield f'"$WORK/answer.{number}" {recorded}'
    elif look is Look.LISTED and len(plan.looks) > 1:
        yield '"$WORK/after.events"'
    elif look is Look.LISTED:
        queries = (shell.quote(urlsplit(x.path).query) for x in plan.tried)
        yield " ".join(['"$WORK/all"', *(f'"$WORK/answer.{n}" {query}' for n, query in enumerate(queries))])
    else:
        purge = "purge" if Look.PURGED in plan.looks else ""
        yield f'"$WORK/before" "$WORK/after" "{changed}" "{purge}"'


def _add_tried(shell: Shell, plan: Plan) -> None:
    """Append the requests that are looked at; concurrent ones in the background, with the pauses of the run.

    What the run sent after the answer to a purge, the script sends after that answer, too, however long it takes.
    """
    begin = min((x.sent_at for x in plan.tried if Tag.CONCURRENT in x.tags), default=0.0)
    is_waiting, purges = False, dict[str, float]()  # name of a variable with a process -> when it ended
    for n, x in enumerate(plan.tried):
        line = f'{shell.command(x)} > "$WORK/answer.{n}"'
        if Tag.CONCURRENT in x.tags:
            ended = {name: end for name, end in purges.items() if end <= x.sent_at}
            shell.add(*(f'wait "${name}"' for name in ended))
            begin = max([begin, *ended.values()])
            purges = {name: end for name, end in purges.items() if name not in ended}
            shell.add(f"{{ sleep {max(0.0, x.sent_at - begin):.3f}; {line}; }} &")
            if is_purge(x.method, x.path):
                shell.add(f"purge_{n}=$!")
                purges[f"purge_{n}"] = x.sent_at + x.elapsed
            is_waiting = True
            continue
        shell.add(*(["wait"] if is_waiting else []), f"{line} || :")
        is_waiting = False
        if is_induced(x):
            die = f'die "the request was not answered {x.status}, which the hook has to induce."'
            shell.add(f'look has_status "$WORK/answer.{n}" {x.status} || {die}')
    shell.add(*(["wait"] if is_waiting else []))


def _add_events(shell: Shell, plan: Plan) -> None:
    """Append a variable for each guid and each time of an event that a request names."""
    for x in plan.tried:
        text = unquote(x.path)
        lists = [y for y in shell.evidence.exchanges if y.n < x.n and y.route == EVENTS_PATH and y.page]
        for row, page in {row["guid"]: (row, y) for y in lists for row in y.resources if row["guid"] in text}.values():
            if row["guid"] not in shell.variables:
                _add_event(shell, plan, row, page, "guid")
        rows = [(row, y) for y in lists for row in y.resources if str(row.get("created_at")) in text]
        for row, page in {row["created_at"]: (row, y) for row, y in rows if "created_ats" in text}.values():
            _add_event(shell, plan, row, page, "created_at")


def _add_event(shell: Shell, plan: Plan, row: Row, page: Exchange, member: str) -> None:
    """Append a variable for a member of the event at the same place among those of its app."""
    app = dig(row, "app", "guid")
    own = [each for each in page.resources if dig(each, "app", "guid") == app]
    first_purge = min((x.n for x in plan.sent if is_purge(x.method, x.path)), default=page.n)
    name = "first" if page.n < first_purge and plan.may_purge else "now"
    if name == "now" and "pages /v3/app_usage_events now.events" not in shell.lines:
        shell.add("pages /v3/app_usage_events now.events")
    variable = shell.variables.get(str(app))
    guid = f'"${variable}"' if variable else "''"
    value = shell.name(str(row[member]), "EVENT" if member == "guid" else "TIME")
    found = f'look pick "$WORK/{name}.events" {guid} {own.index(row)} {member}'
    shell.add(f'{value}=$({found}) || die "there is no such event."')
