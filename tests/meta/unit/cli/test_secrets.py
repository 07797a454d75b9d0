"""Commands neither print nor write a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from meta.support.invoke import ADMIN, SECRET
from meta.support.leaks import CANARY, find_canary
from meta.support.proxy import QUOTED
from purge_conformance.cli.group import main

if TYPE_CHECKING:
    from pathlib import Path


def test_proxy_password_in_file_is_rejected(empty_folder: Path) -> None:
    """A proxy's password in the configuration file is a usage error that names the variable, and is not printed."""
    (empty_folder / "purge-conformance.yaml").write_text(f"proxy: http://user:{QUOTED}@proxy:1\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["doctor", "http://127.0.0.1:1", ADMIN], env=SECRET)
    assert (done.exit_code, "PURGE_CONFORMANCE_PROXY" in done.output, QUOTED in done.output) == (2, True, False)


@pytest.mark.parametrize("flag", ["--token=admin={0}", "--token={0}=env:T", "--proxy=http://me:{0}@proxy"])
def test_init_prints_no_canary(flag: str, empty_folder: Path) -> None:
    """`init` neither writes nor prints a secret that is in the wrong place, and it writes no file."""
    secret = quote(CANARY, safe="") if "proxy" in flag else CANARY
    done = CliRunner().invoke(main, ["init", "http://target.test", flag.format(secret)])
    assert (done.exit_code, list(empty_folder.iterdir())) == (2, [])
    assert find_canary(empty_folder, done.output) == []
