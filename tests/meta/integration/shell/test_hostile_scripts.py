"""Scripts of failures execute nothing that a target sent, neither what the run recorded nor what it sends now."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from meta.support.results import requirement
from meta.support.shell import run_in_shell
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine.scripts import with_script
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step
from purge_conformance.report.model import Cause, Finding, Outcome, Result

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder

EVIL = "x'; touch pwned; ' \"; touch pwned; \" $(touch pwned) `touch pwned`"
LINES = f"{EVIL}\nEND_OF_SCRIPT\ntouch pwned\nEND_OF_PROGRAM\ntouch pwned\n"
CURL = """#!/bin/sh
echo "$@" >> sent
out=
while [ $# -gt 0 ]; do
  case $1 in -o) out=$2 ;; esac
  shift
done
if [ -z "$out" ]; then printf 'HTTP/1.1 200 OK\\r\\n\\r\\n%s' "$BODY"; exit; fi
printf %s "$BODY" > "$out"
printf 200
"""


def script_of(builder: EvidenceBuilder, finding: Finding) -> str:
    """Return the script of a finding that the last exchange shows."""
    shown = Finding(finding.expected, finding.got, builder.exchanges[-1].n)
    result = Result(requirement(statement=LINES), Outcome.FAILED, Cause.TARGET, findings=(shown,))
    return with_script(result, builder.evidence).findings[0].script or ""


def prepare(builder: EvidenceBuilder) -> None:
    """Add the creation and the changes of an app, with text of a hostile target wherever it could be."""
    body = json.dumps({"name": LINES})
    created = {"guid": "11111111-1111-4111-8111-111111111111"}
    for guid in (created, {"guid": EVIL}):
        builder.add_exchange(
            *(Scenario.FOUNDATION, Step.CREATE),
            method="POST",
            path="/v3/apps",
            status=201,
            data=guid,
            request_body=body,
        )
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: EVIL, App.TOGGLED: created["guid"]})
    builder.add_note(Scenario.FOUNDATION, notes.RUN, "abcd1234")
    builder.add_exchange(
        *(Scenario.FOUNDATION, Step.SCALE_APP), method="POST", path=f"/v3/apps/{EVIL}", status=202, request_body=LINES
    )


ROW = dict.fromkeys(("guid", "name", "created_at", "state"), EVIL) | {"app": {"guid": EVIL, "name": EVIL}}
NOW = {"guid": "22222222-2222-4222-8222-222222222222", "resources": [ROW], "pagination": {"total_results": 1}}


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("body", "is_whole"), [({}, False), (NOW | {"guid": EVIL}, False), (NOW, True)])
def test_nothing_is_executed(
    shell: str, body: dict[str, object], builder: EvidenceBuilder, tmp_path: Path, *, is_whole: bool
) -> None:
    """Recorded guids, names, bodies, headers and findings, and the answers of now, are data."""
    prepare(builder)
    place = Place(Step.PURGE)
    builder.add_page(Scenario.PURGE, place.at(Phase.BEFORE), [builder.event("old-event-1", EVIL, LINES)])
    builder.add_purge(Scenario.PURGE, place, request_headers=((EVIL, EVIL), ("Authorization", "bearer $ADMIN_TOKEN")))
    builder.add_exchange(Scenario.PURGE, Step.GET_DESTROYED, path=f"{EVENTS_PATH}/old-event-1?{EVIL}", status=200)
    script = script_of(builder, Finding(LINES, f"200 {LINES}"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_text(CURL, encoding="utf-8")
    (tmp_path / "bin" / "curl").chmod(0o700)
    variables = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "BODY": json.dumps(body), "ADMIN_TOKEN": "t"}
    consent = {"I_AGREE_TO_DESTROY": "target.test"}
    done = run_in_shell(script, tmp_path, shell, **variables, **consent)
    assert (done.returncode in {0, 1}, done.returncode == 2) == (is_whole, not is_whole), done
    assert (tmp_path / "sent").exists(), done
    assert not (tmp_path / "pwned").exists(), done
