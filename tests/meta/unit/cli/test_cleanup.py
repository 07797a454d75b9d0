"""`cleanup` lists what it deletes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import requests

from purge_conformance.engine import reference_process
from purge_conformance.evidence.listing import RUN_LABEL
from purge_conformance.target.apps.api import ORGANIZATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.command import CommandResult


def test_cleanup_command_lists_deletions(command: Callable[..., CommandResult]) -> None:
    """The command lists what it deletes and exits with 0; on a clean target it reports that there is nothing."""
    with reference_process.server() as (url, tokens):
        asked = ("cleanup", url, "--token=admin=env:ADMIN_SECRET")
        admin = {"Authorization": f"bearer {tokens['admin']}"}
        body = {"name": "left", "metadata": {"labels": {RUN_LABEL: "0123abcd"}}}
        requests.post(f"{url}{ORGANIZATIONS}", json=body, headers=admin, timeout=30).raise_for_status()
        environment = os.environ | {"ADMIN_SECRET": tokens["admin"]}
        done = [command(*asked, "--run=0123abcd", folder=None, env=environment) for _ in range(2)]
    assert [one.code for one in done] == [0, 0]
    assert done[0].stdout.startswith(f"deleted {ORGANIZATIONS}/")
    assert (done[0].stdout.splitlines()[-1], done[1].stdout) == ("1 deleted.", "Nothing to delete.\n")
