"""TLS: whom the suite trusts, who it is, and what is said where that does not fit."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli import main

from .conftest import ADMIN, SECRET, a_page, context, found, problem, statuses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

    from .conftest import Authority, Serving


def test_private_authority_is_trusted(secure: StubServer, ours: Authority) -> None:
    """A target whose certificate a private authority signed is reached where that is trusted."""
    assert statuses(found(secure.url, ca_bundle=ours.bundle)) == {"ok"}


def test_unknown_authority_is_configuration(secure: StubServer, theirs: Authority) -> None:
    """Where it is not trusted, the target is not reached; the configuration is blamed, and the cure is named."""
    for way in ({}, {"ca_bundle": theirs.bundle}):
        cure, blame = problem(found(secure.url, **way))
        assert ("--ca-bundle FILE" in cure, blame) == (True, "configuration")
    assert secure.received == []


def test_other_name_is_configuration(ours: Authority, stub_factory: Serving) -> None:
    """A certificate of another host is told from one of an unknown authority."""
    with stub_factory(tls=context(ours, "other.example.org")) as stub:
        cure, blame = problem(found(stub.url, ca_bundle=ours.bundle))
    assert ("name that the certificate has" in cure, blame) == (True, "configuration")


def test_plain_server_is_configuration(stub_server: StubServer) -> None:
    """A target without TLS that is asked with it is told so."""
    cure, blame = problem(found(stub_server.url.replace("http:", "https:")))
    assert ("http://" in cure, blame) == (True, "configuration")


def test_insecure_is_named(secure: StubServer) -> None:
    """With --insecure any certificate will do, and it is said."""
    checks = found(secure.url, insecure=True)
    assert {name for name, check in checks.items() if str(check.status) != "ok"} == {"TLS"}
    assert "not verified" in checks["TLS"].got


def test_insecure_is_in_every_report(secure: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run with --insecure says so on the terminal, and in each of its reports."""
    asked = ("run", secure.url, ADMIN, "--insecure", "--select=ROUTE-01", "--max-requests=50", "--max-purges=0")
    done = command(*asked, "--out", tmp_path, folder=tmp_path, env=os.environ | SECRET)
    texts = {name: (tmp_path / name).read_text("utf-8") for name in ("report.json", "report.html", "summary.md")}
    for name, text in {"terminal": done.stdout, **texts}.items():
        assert re.search("certificates are not verified", text), name


def test_client_certificate_lets_in(demanding: StubServer, ours: Authority) -> None:
    """Where the target demands a certificate, the client shows its own, from one file or from two."""
    for own in ({"client_cert": ours.client}, {"client_cert": ours.cert, "client_key": ours.key}):
        assert statuses(found(demanding.url, ca_bundle=ours.bundle, **own)) == {"ok"}


def test_demanded_certificate_is_configuration(demanding: StubServer, ours: Authority, theirs: Authority) -> None:
    """Without one, or with one that the target does not know, the configuration is blamed, and the cure is named."""
    for own in ({}, {"client_cert": theirs.client}):
        cure, blame = problem(found(demanding.url, ca_bundle=ours.bundle, **own))
        assert ("--client-cert FILE" in cure, blame) == (True, "configuration")


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_strange_file_is_configuration(name: str, secure: StubServer, ours: Authority, tmp_path: Path) -> None:
    """A file that holds no certificate is told, with the flag that named it."""
    (tmp_path / "strange").write_text("no certificate", encoding="utf-8")
    way = {"ca_bundle": ours.bundle, name: str(tmp_path / "strange")}
    cure, blame = problem(found(secure.url, **way))
    assert (f"--{name.replace('_', '-')}" in cure, blame) == (True, "configuration"), cure


@pytest.mark.parametrize("flag", ["--client-key={key}", "--ca-bundle=/no/such/file", "--proxy=ftp://proxy"])
def test_misuse_is_2(flag: str, ours: Authority, stub_server: StubServer) -> None:
    """A key without its certificate, a file that is not there, or no proxy is misuse, and nothing is sent."""
    done = CliRunner().invoke(main, ["doctor", stub_server.url, ADMIN, flag.format(key=ours.key)], env=SECRET)
    assert (done.exit_code, stub_server.received) == (2, []), done.output


@pytest.mark.parametrize("prefix", ["", "/cf", "/cf/api"])
def test_ipv6_and_prefix(prefix: str, stub_factory: Serving) -> None:
    """A target by its IPv6 address and below a path is reached like any other."""
    with stub_factory(host="::1") as stub:
        stub.answer = a_page
        assert statuses(found(stub.url + prefix)) == {"ok"}
        assert stub.targets[-1].startswith(f"{prefix}{EVENTS_PATH}?")
        assert {headers["Host"] for _, headers in stub.received} == {stub.url.removeprefix("http://")}
