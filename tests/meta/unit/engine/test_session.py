"""One run, from consent to reports: the order of its steps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import pytest

from meta.support.results import make_run
from purge_conformance.engine.run_folder import NAMES, OwnFolder
from purge_conformance.engine.session import FrontEnd, collect_evidence, exit_code, prepare_run
from purge_conformance.errors import BadSetting, ChecksFailed, ConsentMissing
from purge_conformance.report.model import EXIT_CODES, Verdict
from purge_conformance.scenarios.generated import schemathesis

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.config.loader import Options


class RecordingFrontEnd:
    """A front end that records what it prints and asks; it answers every question with `answer`."""

    def __init__(self, folder: Path, answer: str | None = None) -> None:
        """Print nothing yet; with None no user can answer. The folder is that of a run for which no other is named."""
        self.rehearsed: list[Path] = []
        self.lines: list[str] = []
        self.questions: list[str] = []
        self.front_end = FrontEnd(
            self.lines.append,
            self.lines.append,
            self._abort,
            None if answer is None else lambda q: self._ask(q, answer),
            create_folder=lambda: folder,
            rehearse=self.rehearsed.append,
        )

    def _ask(self, question: str, answer: str) -> str:
        self.questions.append(question)
        return answer

    @staticmethod
    def _abort(_url: str, _folder: Path) -> NoReturn:
        raise KeyboardInterrupt


def remote_target(folder: Path) -> Options:
    """Return the options of a run against a remote target whose token source leaves a trace when it is opened."""
    return {"target": "https://api.example.org", "tokens": {"admin": f"file:{folder / 'no-token'}"}}


def test_consent_precedes_login(tmp_path: Path) -> None:
    """No token source is opened for a target that may not be purged."""
    with pytest.raises(ConsentMissing, match=r"--allow-purge api\.example\.org"):
        prepare_run(remote_target(tmp_path), (), RecordingFrontEnd(tmp_path).front_end)


def test_user_is_asked_for_consent(tmp_path: Path) -> None:
    """If no flag gives the consent and a user can answer, the user is asked; the login follows."""
    (tmp_path / "no-token").write_text("opaque", encoding="utf-8")
    user = RecordingFrontEnd(tmp_path, "api.example.org")
    settings, _ = prepare_run(remote_target(tmp_path), (), user.front_end)
    assert (len(user.questions), dict(settings.tokens)) == (1, {"admin": "opaque"})


def test_reads_need_no_consent(tmp_path: Path) -> None:
    """A run that only reads needs no consent."""
    (tmp_path / "no-token").write_text("opaque", encoding="utf-8")
    values = remote_target(tmp_path) | {"profile": ["observe-only"]}
    assert prepare_run(values, (), RecordingFrontEnd(tmp_path).front_end)[0].is_read_only


def test_failed_rehearsal_ends_run(stub_server: StubServer, tmp_path: Path) -> None:
    """If the judgments do not work, only the root document is read, and the folder created for the run is removed."""

    def fail(folder: Path) -> None:
        rehearsed.append(folder)
        raise BadSetting("This installation cannot judge.")

    rehearsed: list[Path] = []
    user = replace(RecordingFrontEnd(tmp_path).front_end, rehearse=fail)
    values = {"target": stub_server.url, "out": str(tmp_path / "run")}
    with pytest.raises(BadSetting, match="cannot judge"):
        prepare_run(values, (), user, {"admin": "opaque"})
    assert (rehearsed, list(tmp_path.iterdir()), stub_server.targets) == ([tmp_path / "run"], [], ["/"])


def test_folder_of_another_run_precedes_login(tmp_path: Path) -> None:
    """A folder that holds another run, or one of its files, is refused before a token source is opened; it stays."""
    user = RecordingFrontEnd(tmp_path, "api.example.org")
    for name in NAMES:
        (tmp_path / name / "run").mkdir(parents=True)
        (tmp_path / name / "run" / name).touch()
        with pytest.raises(BadSetting, match=rf"holds {name} of another run\. Name another folder with --out"):
            prepare_run(remote_target(tmp_path) | {"out": str(tmp_path / name / "run")}, (), user.front_end)
        assert (tmp_path / name / "run" / name).exists()
    assert user.rehearsed == []


def test_force_replaces_a_run_that_has_evidence(stub_server: StubServer, tmp_path: Path) -> None:
    """With `force` a run that is refused, also after its first requests, changes nothing; another one replaces all."""
    for name in NAMES:
        (tmp_path / name).touch()
    values = {"target": stub_server.url, "out": str(tmp_path), "force": True}
    user = RecordingFrontEnd(tmp_path)
    with pytest.raises(ConsentMissing):
        prepare_run(remote_target(tmp_path) | values | {"target": "https://api.example.org"}, (), user.front_end)
    stub_server.answer = partial(stub_server.respond, status=401)
    settings, folder = prepare_run(values, (), user.front_end, {"admin": "opaque"})
    with pytest.raises(ChecksFailed):
        collect_evidence(settings, folder, user.front_end)
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == dict.fromkeys(NAMES, 0)
    stub_server.answer = partial(stub_server.respond, status=404)
    collect_evidence(settings, folder, user.front_end)
    archives = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("archive-"))
    assert len(archives) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"evidence.jsonl", *archives}
    assert user.lines[-1] == f"The archive of the earlier run in this folder is now {tmp_path / archives[0]}"


def test_announcement_precedes_requests(stub_server: StubServer, tmp_path: Path) -> None:
    """The announcement precedes requests with a token; a run that ends in preflight generates no cases."""
    front_end = RecordingFrontEnd(tmp_path)
    seen: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(len(front_end.lines))
        stub_server.respond(handler, 404, b"{}")

    stub_server.answer = answer
    settings, _ = prepare_run({"target": stub_server.url}, (), front_end.front_end, {"admin": "opaque"})
    seen.clear()  # of the root document, which was read for the consent
    evidence = collect_evidence(settings, OwnFolder(tmp_path / "run", ()), front_end.front_end)
    assert (seen[0], "at most 40 purges" in front_end.lines[0]) == (1, True)
    assert [note.name for note in evidence.notes if note.name == "unusable"] == ["unusable"]


def test_generator_starts_after_preflight(
    stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schemathesis is started only if the target answers as the API to its admin."""
    started: list[object] = []
    monkeypatch.setattr(schemathesis, "generator", started.append)
    front_end = RecordingFrontEnd(tmp_path).front_end
    settings, _ = prepare_run({"target": stub_server.url}, (), front_end, {"admin": "opaque"})
    for status in (403, 401):
        stub_server.answer = partial(stub_server.respond, status=status)
        with suppress(ChecksFailed):
            collect_evidence(settings, OwnFolder(tmp_path / str(status), ()), front_end)
    assert started == []


def test_worst_verdict_decides_exit_code() -> None:
    """Of several runs a non-conformant one decides, then an inconclusive one."""
    verdicts = [Verdict.CONFORMANT, Verdict.NON_CONFORMANT, Verdict.INCONCLUSIVE]
    runs = [replace(make_run(), verdict=verdict) for verdict in verdicts]
    assert exit_code(runs) == EXIT_CODES[Verdict.NON_CONFORMANT] == 1
    assert exit_code(runs[::2]) == EXIT_CODES[Verdict.INCONCLUSIVE] == 3
    assert exit_code(runs[:1]) == 0
