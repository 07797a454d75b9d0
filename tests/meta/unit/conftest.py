"""Fixtures of the unit tests: a unit test starts no process."""

from __future__ import annotations

import os
import subprocess
from multiprocessing.process import BaseProcess
from typing import NoReturn

import pytest


def _refuse(*arguments: object, **_: object) -> NoReturn:
    pytest.fail(f"A unit test starts a process: {arguments}. Move the test to tests/meta/integration.")


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a unit test that starts a process."""
    monkeypatch.setattr(subprocess, "Popen", _refuse)
    monkeypatch.setattr(BaseProcess, "start", _refuse)
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system"):
        monkeypatch.setattr(os, name, _refuse)
