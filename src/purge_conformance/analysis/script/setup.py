"""The part of a script that creates apps and brings them into the state that they had in the run."""

from __future__ import annotations

import json
import shlex
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.script.shell import USABLE, Shell
from purge_conformance.catalogue.api import is_purge
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import APPS, dig, resources
from purge_conformance.evidence.steps import App, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.analysis.script.plan import Plan
    from purge_conformance.evidence.records import Exchange

SPACE_ROUTES = {"/v3/organizations": "ORGANIZATION", "/v3/spaces": "SPACE"}
PREFIXES = {**SPACE_ROUTES, APPS: "APP", "/v3/droplets": "DROPLET", "/v3/packages": "PACKAGE", "/v3/builds": "BUILD"}


def add_setup(shell: Shell, plan: Plan) -> None:
    """Append the requests that prepare apps and events."""
    spaces = [x for x in plan.setup if x.route in SPACE_ROUTES]
    labels = {guid: str(label) for label, guid in (shell.evidence.note(Scenario.FOUNDATION, notes.APPS) or {}).items()}
    _add_spaces(shell, spaces)
    toggles = 0
    for x in plan.setup:
        if x in spaces:
            continue
        if x.step in {Step.START_APP, Step.STOP_APP} and x.place.app is App.TOGGLED:
            toggles += 1
            continue
        _add_toggles(shell, toggles)
        toggles = 0
        _add_request(shell, x, labels)
    _add_toggles(shell, toggles)


def _add_toggles(shell: Shell, number: int) -> None:
    if number:
        shell.add(f"n=0; while [ $n -lt {number} ]; do toggle; n=$((n + 1)); done")


def _add_spaces(shell: Shell, creations: Sequence[Exchange]) -> None:
    """Append the creation of the spaces, unless the user names one."""
    fixed = shell.evidence.header.settings.get("space")
    if isinstance(fixed, str) and USABLE.fullmatch(fixed):
        shell.add(f"SPACE=${{SPACE_GUID:-{shlex.quote(fixed)}}}")
        shell.variables[fixed] = "SPACE"
    if not creations:
        return
    inner = Shell(shell.evidence, shell.variables)
    for x in creations:
        _add_creation(inner, x, SPACE_ROUTES[x.route])
    names = [name for name in shell.variables.values() if name.startswith("SPACE")]
    shell.add('if [ "${SPACE_GUID:-}" ]; then', f"  {' '.join(f'{name}=$SPACE_GUID' for name in names)}", "else")
    shell.add(*(f"  {line}" for line in inner.lines), "fi")


def _add_creation(shell: Shell, x: Exchange, stem: str) -> None:
    """Append the creation of something, and a variable with its guid."""
    body = shell.quote(x.request_body or "{}")
    if x.status == HTTPStatus.ACCEPTED:
        reads = [
            y for y in shell.evidence.exchanges if y.step is Step.AWAIT_CREATION and y.route == x.route and y.n > x.n
        ]
        name = json.loads(x.request_body or "{}").get("name")
        reads = [y for y in reads if any(row.get("name") == name for row in resources(y))]
        guid = next((row["guid"] for y in reads for row in resources(y) if row.get("name") == name), None)
        query = reads[0].path if reads else x.path
        shell.add(f"create_by_job {shell.quote(query)} {shell.quote(str(name))} {body}")
    else:
        guid = dig(x.json, "guid")
        shell.add(f"create {shell.quote(x.path)} {body}")
    shell.add(f"{shell.name(guid, stem)}=$guid")


def _add_request(shell: Shell, x: Exchange, labels: dict[str, str]) -> None:
    """Append one request that prepares something."""
    if x.method == "POST" and x.route in PREFIXES:
        body = json.loads(x.request_body or "{}")
        label = labels.get(str(dig(x.json, "guid"))) or str(body.get("name", "app")).partition("-")[0]
        _add_creation(shell, x, label if x.route == APPS else PREFIXES[x.route])
        _add_staging(shell, x)
    elif Tag.FORM in x.tags or is_purge(x.method, x.path):
        shell.add(f"{shell.command(x)} > \"$WORK/answer\" || die 'no answer.'")
    else:
        body = f" {shell.quote(x.request_body)}" if x.request_body else ""
        guard = '[ "${SPACE_GUID:-}" ] || ' if x.route.startswith(tuple(SPACE_ROUTES)) else ""
        shell.add(f"{guard}change {x.method} {shell.quote(x.path)}{body}")
        if x.method == "DELETE":
            shell.add(f"await_deletion {shell.quote(x.path)}")


def _add_staging(shell: Shell, x: Exchange) -> None:
    """Append the wait for a droplet, and the variable for the one that a build makes."""
    path = f"{x.route}/{dig(x.json, 'guid')}"
    reads = [y for y in shell.evidence.exchanges if y.step is Step.PREPARE_DROPLET and y.path == path]
    if reads or x.route == "/v3/builds":
        shell.add(f"await {shell.quote(path)} STAGED")
    if x.route == "/v3/builds":
        built = next((dig(y.json, "droplet", "guid") for y in (x, *reads)[::-1]), None)
        shell.add('guid=$(look guid "$WORK/body" droplet guid) || die "the build gave no droplet."')
        shell.add(f"{shell.name(built, 'DROPLET')}=$guid")
