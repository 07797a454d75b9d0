"""`run --targets`: what is refused before a run starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import ADMIN, invoke

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer


def write_fleet(folder: Path, url: str, *more: str) -> str:
    """Write a file with one target and return its path."""
    path = folder / "fleet.yaml"
    lines = [f"- name: one\n    url: {url}\n    tokens: {{admin: 'env:ADMIN_SECRET'}}", *more]
    path.write_text("targets:\n" + "".join(f"  {line}\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("http://127.0.0.1:1",), "Got --targets and a URL."),
        ((ADMIN,), "Got --targets and --token."),
        (("--max-purges=1",), "Got --targets and --max-purges."),
        (("--force",), "Got --targets and --force."),
        (("--watch",), "Got --targets and --watch."),
        (("--config=fleet.yaml",), "Got --targets and --config."),
        (("--allow-incomplete-archive",), "Got --targets and --allow-incomplete-archive."),
        (("--jobs=0",), "0 is not in the range"),
    ],
)
def test_flags_of_one_run_are_refused(
    flags: tuple[str, ...], words: str, stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag that only one run has is refused, before anything is sent or written."""
    monkeypatch.chdir(tmp_path)
    result = invoke("run", f"--targets={write_fleet(tmp_path, stub_server.url)}", *flags, f"--out={tmp_path / 'out'}")
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
    assert (stub_server.received, (tmp_path / "out").exists()) == ([], False)


def test_jobs_need_targets(tmp_path: Path) -> None:
    """`--jobs` without a file, and a file that does not exist, are usage errors."""
    assert "Give --targets FILE as well" in invoke("run", "--jobs=2").stderr
    assert "does not exist" in invoke("run", f"--targets={tmp_path / 'none.yaml'}").stderr


@pytest.mark.parametrize(
    ("url", "more", "words"),
    [
        ("http://127.0.0.1:1", "  max_purgs: 1", "line 5: max_purgs is no key here. Did you mean max_purges?"),
        ("https://api.example.org", "  seed: 1", "one needs `allow_purge: api.example.org`"),
        ("http://127.0.0.1:1", "- {name: one, url: 'http://127.0.0.1:2'}", "one has the same name as one"),
        ("http://127.0.0.1:1", "  select: NO-SUCH", "matches no requirement"),
    ],
)
def test_file_is_checked_first(url: str, more: str, words: str, tmp_path: Path) -> None:
    """What is wrong in the file is exit code 2 and one sentence, and no folder is created."""
    result = invoke("run", f"--targets={write_fleet(tmp_path, url, more)}", f"--out={tmp_path / 'out'}")
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_configuration_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options of a fleet are in its file: a variable is refused, and purge-conformance.yaml is not read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "purge-conformance.yaml").write_text("no: such key\n", encoding="utf-8")
    file = write_fleet(tmp_path, "https://api.example.org")
    assert "one needs `allow_purge: api.example.org`" in invoke("run", f"--targets={file}").stderr
    monkeypatch.setenv("PURGE_CONFORMANCE_SEED", "3")
    assert "PURGE_CONFORMANCE_SEED is set" in invoke("run", f"--targets={file}").stderr
