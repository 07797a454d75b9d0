"""TLS: trusted authorities, client certificates, and the explanation of each failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.tls import respond_with_page, tls_context
from meta.support.transport_doctor import problem, run_doctor, statuses
from purge_conformance.catalogue.api import EVENTS_PATH

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer
    from meta.support.tls import Authority
    from meta.support.transport_doctor import Serving


def test_private_authority_is_trusted(tls_stub: StubServer, trusted_authority: Authority) -> None:
    """A target with a certificate of a private authority is reached if --ca-bundle names that authority."""
    assert statuses(run_doctor(tls_stub.url, ca_bundle=trusted_authority.bundle)) == {"ok"}


def test_unknown_authority_is_configuration(tls_stub: StubServer, untrusted_authority: Authority) -> None:
    """A certificate of an unknown authority has the cause configuration, and the next step names --ca-bundle."""
    for way in ({}, {"ca_bundle": untrusted_authority.bundle}):
        next_step, cause = problem(run_doctor(tls_stub.url, **way))
        assert ("--ca-bundle FILE" in next_step, cause) == (True, "configuration")
    assert tls_stub.received == []


def test_wrong_host_name_is_configuration(trusted_authority: Authority, stub_factory: Serving) -> None:
    """A certificate for another host has an explanation of its own."""
    with stub_factory(tls=tls_context(trusted_authority, "other.example.org")) as stub:
        next_step, cause = problem(run_doctor(stub.url, ca_bundle=trusted_authority.bundle))
    assert ("host name of the certificate" in next_step, cause) == (True, "configuration")


def test_plain_server_is_configuration(stub_server: StubServer) -> None:
    """An https URL of a server without TLS is explained."""
    next_step, cause = problem(run_doctor(stub_server.url.replace("http:", "https:")))
    assert ("http://" in next_step, cause) == (True, "configuration")


def test_insecure_is_reported(tls_stub: StubServer) -> None:
    """With --insecure every certificate is accepted, and the doctor says so."""
    checks = run_doctor(tls_stub.url, insecure=True)
    assert {name for name, check in checks.items() if str(check.status) != "ok"} == {"TLS"}
    assert "not verified" in checks["TLS"].got


def test_client_certificate_is_sent(mutual_tls_stub: StubServer, trusted_authority: Authority) -> None:
    """The client sends its certificate to a target that demands one, from one file or from two."""
    for own in (
        {"client_cert": trusted_authority.client},
        {"client_cert": trusted_authority.cert, "client_key": trusted_authority.key},
    ):
        assert statuses(run_doctor(mutual_tls_stub.url, ca_bundle=trusted_authority.bundle, **own)) == {"ok"}


def test_demanded_certificate_is_configuration(
    mutual_tls_stub: StubServer, trusted_authority: Authority, untrusted_authority: Authority
) -> None:
    """A missing or unknown client certificate has the cause configuration; the next step names --client-cert."""
    for own in ({}, {"client_cert": untrusted_authority.client}):
        next_step, cause = problem(run_doctor(mutual_tls_stub.url, ca_bundle=trusted_authority.bundle, **own))
        assert ("--client-cert FILE" in next_step, cause) == (True, "configuration")


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_invalid_certificate_file_is_configuration(
    name: str, tls_stub: StubServer, trusted_authority: Authority, tmp_path: Path
) -> None:
    """A file that contains no certificate is reported with the flag that named it."""
    (tmp_path / "strange").write_text("no certificate", encoding="utf-8")
    way = {"ca_bundle": trusted_authority.bundle, name: str(tmp_path / "strange")}
    next_step, cause = problem(run_doctor(tls_stub.url, **way))
    assert (f"--{name.replace('_', '-')}" in next_step, cause) == (True, "configuration"), next_step


@pytest.mark.parametrize("prefix", ["", "/cf", "/cf/api"])
def test_ipv6_and_prefix(prefix: str, stub_factory: Serving) -> None:
    """A target with an IPv6 address and a path prefix is reached like any other."""
    with stub_factory(host="::1") as stub:
        stub.answer = respond_with_page
        assert statuses(run_doctor(stub.url + prefix)) == {"ok"}
        assert any(target.startswith(f"{prefix}{EVENTS_PATH}?") for target in stub.targets)
        assert {headers["Host"] for _, headers in stub.received} == {stub.url.removeprefix("http://")}
