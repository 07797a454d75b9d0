"""Lines are searched as if each was searched whole, although most of them are not searched again."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from meta.support.encoders import ENCODERS
from purge_conformance.evidence import clean_lines
from purge_conformance.evidence.clean_lines import CleanLines
from purge_conformance.evidence.credential_context import reason_for_care
from purge_conformance.evidence.redaction import Redactor

OPAQUE = "3f0c5f6e9d1b4a7e8c2d6f0a1b3c5d7e"  # as a UAA gives it: hexadecimal digits
GUID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
JWT = f"eyJhbGciOiJSUzI1NiJ9.{base64.urlsafe_b64encode(b'payload of a token, 1234').decode()}.c2lnbmF0dXJl-MTIzNDU2"
SECRETS = st.sampled_from(
    [OPAQUE, GUID, JWT, 'canary-"Zwitscher"/+<&>-8c1f', "deadbeefcafe", "pässword-123"]
) | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40).filter(
    lambda text: not reason_for_care(text)
)


def row(number: int, name: str = "") -> bytes:
    """Return the line of an event; those of all numbers have one shape, unless they have names."""
    guid = str(UUID(int=number * 0x1234567_89ABCDEF_12345678_9ABCDEF, version=4))
    names = {"guid": guid, "name": name or "billing-service"}
    event = {"guid": guid, "created_at": f"2026-07-01T{number % 24:02}:00:00Z", "app": names, "count": number % 10}
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def page(*lines: bytes) -> bytes:
    """Return lines with a line feed after each."""
    return b"".join(line + b"\n" for line in lines)


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@example(GUID, [])
@example(OPAQUE, [])
@example(OPAQUE, ["base64"])
@given(SECRETS, st.lists(st.sampled_from(sorted(ENCODERS)), max_size=2))
def test_encoded_secret_is_found(secret: str, names: list[str]) -> None:
    """A line with a secret, in up to two encodings, is found between lines of any known shape."""
    data = secret.encode()
    try:
        for name in names:
            data = ENCODERS[name](data)
        text = data.decode()
    except UnicodeDecodeError:
        assume(False)
    redactor = Redactor({"admin": secret})
    assume(redactor.bytes_contain_secret(row(7, text)))
    clean = CleanLines(redactor)
    shaped = "".join("0" if sign in "123456789abcdef" else sign for sign in text)  # the same shape
    for other in (row(7, shaped), *map(row, range(5))):
        assert clean.contain_secret(page(other)) == redactor.bytes_contain_secret(other)
    assert clean.contain_secret(page(*map(row, range(20)), row(7, text), row(21)))


@pytest.mark.parametrize("secret", [OPAQUE, GUID])
def test_guid_may_be_a_secret(secret: str) -> None:
    """A secret that looks like any guid is found wherever it stands, also on the page that shows this shape first."""
    clean = CleanLines(Redactor({"admin": secret}))
    assert clean.contain_secret(page(row(1), row(2, secret), row(3)))
    assert clean.contain_secret(page(row(1).replace(row(1)[9:45], secret.encode()), row(3)))
    assert not clean.contain_secret(page(row(1), row(2)))
    assert clean.contain_secret(page(row(4).replace(row(4)[9:45], secret.encode())))


def test_secret_that_is_learned_later() -> None:
    """Once the redactor learns a secret, lines that were clean before are searched for it."""
    redactor = Redactor({"admin": JWT})
    clean = CleanLines(redactor)
    lines = page(row(1, f"session {OPAQUE}"))
    assert not clean.contain_secret(lines)
    redactor.add_secret("COOKIE", OPAQUE)
    assert clean.contain_secret(lines)


def test_short_secret_is_found_as_credential() -> None:
    """A secret of a few characters is found where it stands as a credential, and only there."""
    clean = CleanLines(Redactor({"admin": "abc12"}))
    assert not clean.contain_secret(page(row(1, "abc12"), row(2)))
    assert clean.contain_secret(page(row(1), row(2, "password=abc12")))


def test_password_in_url_is_found() -> None:
    """A password in a URL is found, a masked one is not, nor an address of mail."""
    clean = CleanLines(Redactor({"admin": JWT}))
    assert not clean.contain_secret(page(row(1, "someone@example.org"), row(2, "https://user:***@example.org")))
    assert clean.contain_secret(page(row(1), row(2, "https://user:pass17@example.org")))


def test_escapes_and_digests_are_searched_each_time() -> None:
    """Within one shape a run of hexadecimal digits or an escape may say anything: each is searched."""
    words = "correct horse battery"
    code = words.encode().hex()
    clean = CleanLines(Redactor({"admin": words}))
    assert not clean.contain_secret(page(row(1, "0" * len(code)), row(2, "%20" * len(words))))
    assert clean.contain_secret(page(row(1, code)))
    assert clean.contain_secret(page(row(2, "".join(f"%{byte:x}" for byte in words.encode()))))


def test_usual_lines_are_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of a known shape is not searched again, and of a line with another name only the name is."""
    redactor = Redactor({"admin": JWT})
    searched: list[bytes] = []
    search = redactor.bytes_contain_secret

    def searching(data: bytes) -> bool:
        searched.append(data)
        return search(data)

    monkeypatch.setattr(redactor, "bytes_contain_secret", searching)
    clean = CleanLines(redactor)
    for number in range(50):
        assert not clean.contain_secret(page(row(number), row(number + 50)))
    assert len(searched) == 1
    assert not clean.contain_secret(page(row(51, "another name")))
    assert (len(searched), b"another name" in searched[1], len(searched[1]) < 60) == (2, True, True)


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list whose rows have all different names does not fill the memory."""
    monkeypatch.setattr(clean_lines, "MAX_KNOWN", 10)
    clean = CleanLines(Redactor({"admin": JWT}))
    for number in range(1, 100):
        assert not clean.contain_secret(page(row(1, "x" * number)))
    assert max(len(clean._lines), len(clean._parts)) < 30  # noqa: SLF001 -- what it remembers
