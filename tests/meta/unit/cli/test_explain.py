"""The command `explain`, and the names that are suggested for misspelt ones."""

from __future__ import annotations

import json

import pytest

from meta.support.invoke import ADMIN, invoke
from purge_conformance import catalogue
from purge_conformance.catalogue.lookup import find_requirement
from purge_conformance.cli.explain import explain
from purge_conformance.errors import did_you_mean


def test_requirement_is_explained() -> None:
    """`explain` prints the sentence, quote, link, judgment, cases, faults, variants, remedy and history."""
    (requirement,) = (each for each in catalogue.requirements() if each.id == "SEED-01")
    output = invoke("explain", "SEED-01").output
    parts = (requirement.statement, requirement.quote, requirement.source.url, requirement.shown_by, requirement.remedy)
    assert all(part and part in output for part in parts)
    assert "  started-app: Each app that is STARTED" in output
    assert "  misses-apps-without-instances: A started app with 0 instances gets no event." in output
    assert "  several-processes: Apps have a second process" in output
    assert "  1.0: the requirement, with the case started-app\n  1.1: the case" in output


@pytest.mark.parametrize("name", [each.id for each in catalogue.requirements()])
def test_every_requirement_is_explained(name: str) -> None:
    """Each requirement can be explained, also in lower case, and no Python value reaches the reader."""
    output = invoke("explain", name.lower()).output
    assert output.startswith(f"{name} (")
    assert not any(word in output for word in ("Level.", "Profile.", "Source(", "Case("))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("seeds-stopped-apps", "SEED-03 (MUST): "),
        ("seeds-stopped-apps", "purge-conformance serve --fault seeds-stopped-apps"),
        ("body-ignored", "The documentation does not mention it."),
        ("purge-body-empty", "Operation doesn't return any data structure"),
        ("make-elsewhere", "\n  opaque-tokens\n"),
    ],
)
def test_servers_are_explained(name: str, words: str) -> None:
    """`explain` takes the id of a fault, a variant and a server profile, too."""
    assert words in invoke("explain", name).output


def test_fields_are_wrapped_below_themselves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal of 80 columns a field goes on below its beginning, and a link is not moved to the left."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    explain.callback(name="LIST-09", as_json=False)  # type: ignore[misc]
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "https://" in line] == [f"{'':13}{find_requirement('LIST-09').source.url}"]
    judged = next(n for n, line in enumerate(lines) if line.startswith("  judged by  "))
    assert lines[judged + 1].startswith(f"{'':13}e")
    assert max(len(line) for line in lines if "https://" not in line) <= 80


def test_json_has_the_same() -> None:
    """`--json` prints the members and the related ids."""
    data = json.loads(invoke("explain", "SEED-01", "--json").output)
    assert (data["kind"], data["id"], data["legal_variants"]) == ("requirement", "SEED-01", ["several-processes"])
    assert "misses-apps-without-instances" in data["faults"]
    assert json.loads(invoke("explain", "body-ignored", "--json").output)["kind"] == "variant"


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        (("explain", "SED-01"), "Did you mean SEED-01?"),
        (("explain", "seeds-stoped-apps"), "Did you mean seeds-stopped-apps?"),
        (("explain", "auth-1"), "Did you mean AUTH-01?"),
        (("list", "--select=PURG-01"), "Did you mean PURGE-01?"),
        (("run", "http://127.0.0.1:1", ADMIN, "--select=SEED-1"), "Did you mean SEED-01"),
        (("selfcheck", "--only=seeds-twise"), "Did you mean seeds-twice?"),
        (("serve", "--port=0", "--fault=seeds-twise"), "Did you mean seeds-twice?"),
        (("serve", "--port=0", "--variant=body-ignore"), "Did you mean body-ignored?"),
        (("exlain", "SEED-01"), "Did you mean one of: 'explain'"),
        (("run", "--profile=coer"), "core, upstream, observe-only (did you mean core?)"),
        (("run", "--apps=drvie"), "observe, drive, hook (did you mean drive?)"),
        (("run", "--format=sariff=x"), "(did you mean sarif?)"),
        (("run", "--timout=3"), "Did you mean one of: '--out', '--timeout'?"),
    ],
)
def test_misspelt_names_get_a_suggestion(arguments: tuple[str, ...], question: str) -> None:
    """A misspelt id, command or flag gets the name that is meant, and exit code 2."""
    result = invoke(*arguments)
    assert (result.exit_code, question in result.output) == (2, True), result.output


def test_no_suggestion_for_other_words() -> None:
    """What is similar to nothing gets no suggestion."""
    assert did_you_mean("zzz", ["seeds-twice", "SEED-01"]) == ""
