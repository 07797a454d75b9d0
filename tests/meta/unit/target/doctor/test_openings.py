"""What `doctor` and `plan` say beforehand about requirements that a run leaves open."""

from __future__ import annotations

import pytest

from purge_conformance.catalogue.model import Profile
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target
from purge_conformance.target.doctor import openings


def options(*roles: str, **settings: object) -> list[str]:
    """Return the options that a run with these roles lacks."""
    tokens = dict.fromkeys(roles, "token")
    found = openings.checks(Settings(Target("http://localhost"), tokens, **settings))  # type: ignore[arg-type] # any
    return [check.name.removeprefix(openings.PREFIX).partition(" (")[0] for check in found]


UPSTREAM = (Profile.UPSTREAM,)
READER, OTHER, EXPIRED, HOOK = (
    "--token global_auditor=SOURCE",
    "--token org_manager=SOURCE",
    "--token expired=SOURCE",
    "--hook URL",
)


@pytest.mark.parametrize(
    ("roles", "profiles", "missing"),
    [
        (["admin"], (Profile.CORE,), [READER, EXPIRED, HOOK]),
        (["admin"], UPSTREAM, [READER, OTHER, EXPIRED, HOOK]),
        (["admin", "admin_read_only", "expired"], UPSTREAM, [OTHER, HOOK]),
        (["admin", "space_developer"], UPSTREAM, [READER, EXPIRED, HOOK]),
        (["admin", "space_developer"], (Profile.CORE,), [EXPIRED, HOOK]),
        (["admin"], (Profile.CORE, Profile.OBSERVE_ONLY), []),
    ],
)
def test_missing_tokens_are_named(roles: list[str], profiles: tuple[Profile, ...], missing: list[str]) -> None:
    """Each token without which a requirement of the profiles stays open is named once."""
    assert options(*roles, profiles=profiles) == missing


def test_apps_and_hook_are_named() -> None:
    """So are apps of the suite and a hook; nothing is named if nothing is missing, or if it is not selected."""
    roles, hook = ("admin", "global_auditor", "expired"), parse_hook("http://localhost/hook")
    assert options(*roles, apps=AppSettings(Mode.OBSERVE), hook=hook) == ["--apps drive"]
    assert options(*roles, apps=AppSettings(Mode.HOOK), hook=hook) == ["--apps drive"]
    assert options(*roles, hook=hook) == []
    assert options("admin", select=("PURGE-*",)) == []


def test_ids_and_the_effect_on_the_verdict_are_said() -> None:
    """The finding says how many requirements there are, which, and whether the verdict depends on them."""
    *_, expired, hook = openings.checks(Settings(Target("http://localhost"), {"admin": "token"}))
    assert (str(expired.status), expired.got) == (
        "warning",
        "1 requirement not judged (1 MUST, so the verdict stays open): AUTH-04",
    )
    assert str(hook.status) == "ok"
    assert hook.got.startswith("5 requirements not judged (the verdict does not depend on them): REFUSE-08, BODY-03")
