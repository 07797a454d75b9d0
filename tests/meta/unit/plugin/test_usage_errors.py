"""Usage errors of the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.stub import StubServer

    Run = Callable[..., pytest.RunResult]


def usage_error(done: pytest.RunResult) -> str:
    """Return what pytest printed before it exited with 4."""
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    return done.stdout.str() + done.stderr.str()


def test_missing_target_exits_4(run_pytest: Run) -> None:
    """Without a target pytest stops with one plain sentence, and exits with 4."""
    printed = usage_error(run_pytest())
    assert "ERROR: pytest got neither a target nor --evidence. Give --target URL" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target=http://127.0.0.1:1"], "There is no admin token"),
        (["--target=https://api.example.org", "--token=admin=env:T"], "--allow-purge api.example.org"),
        (["--target=http://127.0.0.1:1", "--evidence=/tmp"], "both a target and --evidence"),
        (["--evidence=/no/such/folder"], "holds no evidence.jsonl"),
        (["--target=http://[::1", "--token=admin=env:T"], "is not a URL"),
        (["--target=http://127.0.0.1:1", "--conformance-hook-env=NO_SUCH_NAME"], "--conformance-hook-env"),
        (["--target=http://127.0.0.1:1", "--conformance-seed=x"], "--conformance-seed: 'x' is not a whole number"),
    ],
)
def test_usage_error_exits_4(arguments: list[str], words: str, run_pytest: Run) -> None:
    """A run that cannot be judged is a usage error of pytest, in one sentence."""
    assert words in usage_error(run_pytest(*arguments))


@pytest.mark.parametrize("flag", ["--conformance-fingerprint=" + "0" * 64, "--conformance-apps=hook"])
def test_pytest_checks_consent(flag: str, stub_server: StubServer, run_pytest: Run, tmp_path: Path) -> None:
    """Another foundation than the pinned one, and apps of a hook that does not exist, are usage errors here too."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=b'{"links": {"self": {"href": "x"}}}')
    own = (f"--target={stub_server.url}", "--token=admin=env:T", f"--conformance-out={tmp_path / 'out'}")
    printed = usage_error(run_pytest(*own, flag))
    assert stub_server.purges == 0
    assert flag.split("=", maxsplit=1)[0].removeprefix("--conformance-") in printed


@pytest.mark.parametrize("is_variable", [False, True])
@pytest.mark.parametrize(
    ("name", "words"), [("file/below/junit.xml", "Not a directory"), (f"new/{'x' * 300}", "File name too long")]
)
def test_output_file_is_checked(  # noqa: PLR0913, PLR0917 -- fixtures
    name: str,
    words: str,
    stub_server: StubServer,
    run_pytest: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_variable: bool,
) -> None:
    """A file that pytest could not write at its end is a usage error; nothing is sent, and nothing is left."""
    (tmp_path / "file").touch()
    if is_variable:
        monkeypatch.setenv("PURGE_CONFORMANCE_TARGET", stub_server.url)
    target = [] if is_variable else [f"--target={stub_server.url}"]
    printed = usage_error(run_pytest(*target, "--token=admin=env:T", f"--junitxml={tmp_path / name}"))
    assert (words in printed, "--junitxml: " in printed, stub_server.received) == (True, True, []), printed
    assert (tmp_path / "new").exists() is False


def test_tunnel_needs_consent(stub_server: StubServer, run_pytest: Run) -> None:
    """Plain pytest asks for the same consent: the host that the root document of a loopback target links to."""
    body = b'{"links": {"self": {"href": "http://api.example.org"}}}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    printed = usage_error(run_pytest(f"--target={stub_server.url}", "--token=admin=env:T"))
    assert ("--allow-purge api.example.org" in printed, stub_server.targets) == (True, ["/"])


def test_duplicate_run_names_exit_4(run_pytest: Run, tmp_path: Path) -> None:
    """Two runs with the same report folder are a usage error."""
    done = run_pytest(f"--evidence={tmp_path / 'a' / 'run'}", f"--evidence={tmp_path / 'b' / 'run'}")
    assert "have the same name" in usage_error(done)
