"""An installation that cannot judge starts no run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.checkout import copy_checkout
from meta.support.paths import CONFORMANCE
from meta.support.plain_pytest import run_pytest
from meta.support.running_command import ADMIN, accept_everything

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.stub import StubServer


def _replace(path: Path, text: str) -> None:
    """Write a file; what links to the old one stays as it is."""
    path.write_text(text, encoding="utf-8")


def _lose_template(root: Path) -> None:
    (root / "src/purge_conformance/report/report.html.j2").unlink()


def _break_plugin(root: Path) -> None:
    _replace(root / "src/purge_conformance/plugin.py", "import no_such_module\n")


def _break_judgments(root: Path) -> None:
    _replace(root / "tests/conformance/test_get.py", "import no_such_module\n")


def _plant_conftest(root: Path) -> None:
    _replace(root / "tests/conformance/conftest.py", "def pytest_runtest_call(item): item.obj = lambda **_: None\n")


def _never_fail(root: Path) -> None:
    path = root / "src/purge_conformance/analysis/assertions.py"
    text = path.read_text(encoding="utf-8")
    assert "    if all_findings:" in text
    _replace(path, text.replace("    if all_findings:", "    if False:"))


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_lose_template, "cannot write report.html"),
        (_break_plugin, "No module named 'no_such_module'"),
        (_break_judgments, "No module named 'no_such_module'"),
        (_plant_conftest, "no requirement failed, expected one"),
        (_never_fail, "no requirement failed, expected one"),
    ],
)
def test_broken_installation_starts_no_run(
    break_it: Callable[[Path], None],
    words: str,
    stub_server: StubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing template, a broken plugin or judgment, or judgments that never fail: only the root document is read."""
    checkout = copy_checkout(tmp_path)
    break_it(checkout.root)
    stub_server.answer = lambda handler: accept_everything(stub_server, handler)
    monkeypatch.setenv("ADMIN_SECRET", "opaque")
    done = checkout.run("purge_conformance", "run", stub_server.url, ADMIN, "--out", str(tmp_path / "out"))
    assert (done.returncode, stub_server.targets, (tmp_path / "out").exists()) == (2, ["/"], False), done.stderr
    assert words in done.stderr
    assert "pip install" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_pytest_without_assertions_sends_nothing(stub_server: StubServer) -> None:
    """Plain pytest in a Python that removes assertions is a usage error before any request."""
    done = run_pytest(CONFORMANCE, f"--target={stub_server.url}", "--token=admin=env:T", T="x", PYTHONOPTIMIZE="1")
    assert (done.returncode, stub_server.received) == (4, [])
    assert "unset PYTHONOPTIMIZE" in done.stdout + done.stderr
