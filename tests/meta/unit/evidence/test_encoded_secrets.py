"""Secrets are found in any encoding, and text without them stays as it is."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from meta.support.encoders import ENCODERS, lost_layers
from meta.support.leaks import holds_secret
from purge_conformance.evidence.credential_context import reason_for_care
from purge_conformance.evidence.redaction import Redactor

LONG = "Canary/Pass+Word=17&<x>8c1f"
SECRETS = st.one_of(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40),
    st.text(st.sampled_from("abcXYZ019/+ äöüß€\U0001f511-"), min_size=10, max_size=20).map(str.strip),
).filter(lambda text: len(text) >= 8 and not reason_for_care(text))
CHAINS = st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3)


def encode(secret: str, names: list[str]) -> bytes:
    """Return a secret in each of these encodings, the last one outside."""
    data = secret.encode()
    for name in names:
        data = ENCODERS[name](data)
    return data


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@example("000000\\0", ["json-nested", "base64", "lower"], b"", b"")
@given(
    SECRETS, CHAINS, st.sampled_from([b"", b"x", b"state ", b'{"a": "', b"<p title='"]), st.sampled_from([b"", b" y"])
)
def test_encoded_secret_is_replaced(secret: str, names: list[str], before: bytes, after: bytes) -> None:
    """No text holds a secret that is known, whatever up to three encodings it has."""
    assume(lost_layers(names) <= 1)
    try:
        data = before + encode(secret, names) + after
    except UnicodeDecodeError:
        assume(False)  # an encoding of texts above one of bytes
    redacted = Redactor({"admin": secret}).redact_bytes(data)
    assert (b"$ADMIN_TOKEN" in redacted, holds_secret(redacted, [secret])) == (True, False)
    if secret.isascii() and len(names) == 1:
        assert holds_secret(data, [secret])  # the search finds what it is to find


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=400), st.text(max_size=200))
def test_other_text_is_unchanged(data: bytes, text: str) -> None:
    """What has no secret is not changed by one bit, whether or not it is a text."""
    redactor = Redactor({"admin": LONG, "other": "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"})
    assert (redactor.redact_bytes(data), redactor.redact_text(text)) == (data, text)


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_string_of_json_is_left_out(name: str) -> None:
    """Only the string of a JSON document that has the secret is replaced, and the document remains JSON."""
    redactor = Redactor({"admin": LONG})
    document = {"a": "one", "b": [{"c": encode(LONG, [name]).decode("latin-1")}], "d": 4}
    found = json.loads(redactor.redact_bytes(json.dumps(document).encode()))
    assert "$ADMIN_TOKEN" in found["b"][0].pop("c")
    assert found == {"a": "one", "b": [{}], "d": 4}


def test_number_becomes_string() -> None:
    """A secret that is a number is replaced by a string, so that the document remains JSON."""
    redacted = Redactor({"admin": "1234567890"}).redact_bytes(b'{"a": 1234567890, "b": "x1234567890"}')
    assert redacted == b'{"a": "$ADMIN_TOKEN", "b": "x$ADMIN_TOKEN"}'


def test_header_names_are_redacted() -> None:
    """A header is redacted in its name as well as in its value; the others stay."""
    sent = [("X-Plain", "yes"), (f"X-{LONG}", "z"), ("X-Y", encode(LONG, ["base64"]).decode())]
    left_out = "[left out: it contains $ADMIN_TOKEN in an encoded form]"
    found = (("X-Plain", "yes"), ("X-$ADMIN_TOKEN", "z"), ("X-Y", left_out))
    assert Redactor({"admin": LONG}).redact_headers(sent) == found


def test_long_text_is_searched_in_windows() -> None:
    """In a long text an encoded secret is found beside its escapes, and the rest of the text stays."""
    rows = ",".join(f'{{"guid": "row-{n}"}}' for n in range(20_000))
    coded = encode(LONG, ["json-every"]).decode()
    text = f'[{rows}, {{"guid": "{coded}"}}, {rows}]'
    redacted = Redactor({"admin": LONG}).redact_text(text)
    assert redacted == text.replace(coded, "[left out: it contains $ADMIN_TOKEN in an encoded form]")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Authorization: bearer t0k3n", "Authorization: bearer $ADMIN_TOKEN"),
        ("http://user:t0k3n@proxy/", "http://user:$ADMIN_TOKEN@proxy/"),
        ("grant_type=password&password=t0k3n&x=y", "grant_type=password&password=$ADMIN_TOKEN&x=y"),
        ('{"access_token": "t0k3n"}', '{"access_token": "$ADMIN_TOKEN"}'),
        ("t0k3n and at0k3nb", "t0k3n and at0k3nb"),
        ('{"name": "t0k3n"}', '{"name": "t0k3n"}'),
    ],
)
def test_short_secret_is_replaced_as_credential(text: str, found: str) -> None:
    """A secret of fewer than eight characters is replaced only where it stands as a credential."""
    assert Redactor({"admin": "t0k3n"}).redact_text(text) == found


@pytest.mark.parametrize("secret", ["admin", "STARTED", "web", "LEAK-01", "app_usage_events", "usage_event"])
def test_own_word_is_no_secret(secret: str) -> None:
    """A secret that is a word of the suite stays in its texts, and there is one warning, without the secret's value."""
    redactor = Redactor()
    for _ in range(2):
        redactor.add_secret("PROXY_PASSWORD", secret, "password of the proxy")
    text = f'{{"{secret}": "{secret}"}} {secret}'
    assert redactor.redact_text(text) == text
    assert redactor.redact_text(f"user:{secret}@host") == "user:$PROXY_PASSWORD@host"
    assert (list(redactor.warnings), secret in str(redactor.warnings)) == (["password of the proxy"], False)


def test_every_text_of_value_is_redacted() -> None:
    """Of a value of any shape, each text is redacted, keys of objects as well."""
    value = {LONG: [LONG, (1, None, {"x": LONG})]}
    shown = "$ADMIN_TOKEN"
    assert Redactor({"admin": LONG}).redact_value(value) == {shown: [shown, (1, None, {"x": shown})]}


def test_text_with_too_many_encodings_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that cannot be searched within bounds is left out."""
    monkeypatch.setattr("purge_conformance.evidence.decoding.FREE_BYTES", 0)
    monkeypatch.setattr("purge_conformance.evidence.decoding.BYTES_PER_BYTE", 1)
    redacted = Redactor({"admin": LONG}).redact_text("%2525 &amp;amp; \\\\u0041")
    assert redacted == "[left out: it has too many encodings to search it for secrets]"


def test_cookie_is_learned() -> None:
    """The value of a cookie is a secret if it is long enough to authenticate its receiver."""
    redactor = Redactor()
    redactor.add_cookies([("Set-Cookie", 'session="0123456789abcdef-x"; Path=/'), ("Set-Cookie", "lang=de-AT")])
    assert redactor.redact_text("0123456789abcdef-x de-AT") == "$COOKIE de-AT"


def test_legal_page_with_digests_is_kept() -> None:
    """A long page whose names have digests and numbers in hexadecimal is searched in parts, and kept."""
    names = (hashlib.sha256(str(n).encode()).hexdigest() for n in range(15_000))
    rows = [
        {"guid": next(names)[:32], "name": f"app-{next(names)}", "space": f"sha256:{next(names)}"} for _ in range(5000)
    ]
    page = json.dumps({"resources": rows}).encode()
    assert Redactor({"admin": "a-secret-of-the-admin"}).redact_bytes(page) == page
    hidden = page.replace(b"app-", b"app-" + b"a-secret-of-the-admin".hex().encode(), 1)
    assert b"left out" in Redactor({"admin": "a-secret-of-the-admin"}).redact_bytes(hidden)
