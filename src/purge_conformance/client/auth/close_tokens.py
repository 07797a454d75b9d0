"""Credentials that are close to a good one: a token that differs from it a little, or that has another scheme.

Each is a value of the Authorization header with a form for a shell, as `Credential` describes them. No change is one
that a decoder may undo: the last character of a signature in Base64 has bits without a meaning, the middle has none,
and Cloud Controller's decoder ignores `=` and `.` at the end.
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING
from uuid import UUID

from purge_conformance.client.auth.credentials import Credential
from purge_conformance.client.auth.jwt import JWT_PARTS
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE, EXPIRED
from purge_conformance.evidence.redaction import TOKEN_EXTENSION, UNSIGNED_HEADER, token_variable
from purge_conformance.evidence.tag_values import CredentialKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = token_variable(ADMIN)
CUT = 4  # characters: what is left of a signature in Base64 can be decoded
SCHEMES = ("Basic", "Token", "MAC", "JWT", "DPoP", "OAuth", "BearerToken")  # in place of bearer
OWN_KEY = b"purge-conformance: a key that is no secret"
FORGED_CLAIMS = {"scope": [ADMIN_SCOPE], "aud": ["cloud_controller"], "jti": "forged", "exp": 2**32}


def close_credentials(tokens: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return the credentials with a token that differs from the admin's: changed, cut, extended, folded, joined.

    Args:
        tokens: role -> token; of the others than the admin's, one gives its signature.
    """
    token = tokens[ADMIN]
    made = [*_edited(token), *_repeated(token)]
    if _is_jwt(token):
        made += _recombined(token)
        made += _with_other_header(token)
        made += _signed_by_others()
        made += _with_other_signature(token, tokens)
    return tuple(who for who in made if who.value != f"bearer {token}")


def other_scheme_credentials(tokens: Mapping[str, str]) -> tuple[Credential, ...]:
    """Return the credentials with the admin's token under another scheme than bearer, or under none."""
    token = tokens[ADMIN]
    written = {
        **{f"scheme-{scheme.lower()}": f"{scheme} " for scheme in SCHEMES},
        "no-scheme": "",
        "glued-scheme": "bearer",
        "doubled-scheme": "bearer bearer ",
        "scheme-with-equals-sign": "bearer=",
    }
    made = (_credential(role, f"{before}{token}", f"{before}${NAME}") for role, before in written.items())
    return (*made, _in_parameter(token), *_as_basic(token))


def forge_token(algorithm: str = "HS256", signature: str = "bm8gc2lnbmF0dXJl") -> str:
    """Return a JWT with the admin's scope, and with an invalid signature."""
    claims = {**FORGED_CLAIMS, "user_name": "admin"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    return ".".join([*(part.decode().rstrip("=") for part in parts), signature])


def _in_parameter(token: str) -> Credential:
    """Return the token in a parameter of the scheme, as the schemes of RFC 9110, 11.4 have it, and Rails' Token."""
    return _credential("parameter", f'bearer token="{token}"', f'bearer token=\\"${NAME}\\"')


def _as_basic(token: str) -> Iterator[Credential]:
    """Yield the token as a password and as a user name of the scheme Basic."""
    for role, before, after in (("password", f"{ADMIN}:", ""), ("user-name", "", ":")):
        encoded = base64.b64encode(f"{before}{token}{after}".encode()).decode()
        encode = f"printf {before}%s{after} \"${NAME}\" | base64 | tr -d '\\n'"
        yield _credential(role, f"Basic {encoded}", f"Basic $({encode})")


def _credential(role: str, value: str, redacted: str, fragment: str = "") -> Credential:
    return Credential(role, value, redacted, CredentialKind.INVALID, ADMIN, fragment)


def _edited(token: str) -> Iterator[Credential]:
    """Yield the token with a character changed, without one, with more, with a space in it, and in another case."""
    start = token.rfind(".") + 1 if _is_jwt(token) else 0
    middle = start + (len(token) - start) // 2  # of the signature
    other = "B" if token[middle] != "B" else "C"
    altered = f"{token[:middle]}{other}{token[middle + 1 :]}"
    yield _credential("altered-middle", f"bearer {altered}", _by_command(f"sed s/./{other}/{middle + 1}"), altered)
    cut = token[:-CUT]
    yield _credential("cut-end", f"bearer {cut}", f"bearer ${{{NAME}%{'?' * CUT}}}", cut)
    yield _credential("cut-start", f"bearer {token[1:]}", f"bearer ${{{NAME}#?}}", token[1:])
    for role, more in (("extended", TOKEN_EXTENSION), ("further-part", f".{TOKEN_EXTENSION}")):
        yield _credential(role, f"bearer {token}{more}", f"bearer ${{{NAME}}}{more}")
    yield _credential("quoted", f'bearer "{token}"', f'bearer \\"${NAME}\\"')
    spaced = f"bearer {token[:middle]} {token[middle:]}"
    yield _credential("spaced", spaced, _by_command(f"sed 's/./& /{middle}'"))
    if not _is_uuid(token):  # whose letters may be of either case
        yield _credential("other-case", f"bearer {token.swapcase()}", _by_command("tr a-zA-Z A-Za-z"))


def _repeated(token: str) -> Iterator[Credential]:
    """Yield the token twice in one header, and together with text that is no token."""
    yield _credential("repeated", f"bearer {token} {token}", f"bearer ${NAME} ${NAME}")
    yield _credential("joined-first", f"bearer {token}, bearer garbage", f"bearer ${NAME}, bearer garbage")
    yield _credential("joined-last", f"bearer garbage, bearer {token}", f"bearer garbage, bearer ${NAME}")


def _recombined(token: str) -> Iterator[Credential]:
    """Yield a JWT with other claims, with an empty signature, and declared as unsigned although it is signed."""
    header, payload, signature = token.split(".")
    claims = base64.urlsafe_b64encode(json.dumps(FORGED_CLAIMS).encode()).decode().rstrip("=")
    others = f"bearer {header}.{claims}.{signature}"
    yield _credential("other-claims", others, f"bearer ${{{NAME}%%.*}}.{claims}.${{{NAME}##*.}}")
    swapped = signature.swapcase()
    lower = f'bearer ${{{NAME}%.*}}.$(echo "${{{NAME}##*.}}" | tr a-zA-Z A-Za-z)'
    yield _credential("signature-case", f"bearer {header}.{payload}.{swapped}", lower, swapped)
    yield _credential("empty-signature", f"bearer {header}.{payload}.", f"bearer ${{{NAME}%.*}}.")
    declared = f'bearer {UNSIGNED_HEADER}.$(echo "${NAME}" | cut -d. -f2-)'
    yield _credential("unsigned-with-signature", f"bearer {UNSIGNED_HEADER}.{payload}.{signature}", declared)


def _with_other_header(token: str) -> Iterator[Credential]:
    """Yield the JWT with dots as in a URL, and with a header that names a key that does not exist, or an algorithm."""
    yield _credential("percent-encoded", f"bearer {token.replace('.', '%2E')}", _by_command("sed 's/[.]/%2E/g'"))
    header, _, signed = token.partition(".")
    algorithm = _algorithm(header)
    other = "HS256" if algorithm.startswith("RS") else "RS256"
    for role, names in (("other-key", {"alg": algorithm, "kid": "none"}), ("other-algorithm", {"alg": other})):
        encoded = base64.urlsafe_b64encode(json.dumps({**names, "typ": "JWT"}).encode()).decode().rstrip("=")
        redacted = f'bearer {encoded}.$(echo "${NAME}" | cut -d. -f2-)'
        yield _credential(role, f"bearer {encoded}.{signed}", redacted)


def _signed_by_others() -> Iterator[Credential]:
    """Yield a JWT with the claims of an admin whose header names no algorithm, or whose key is no secret."""
    for role, names, key in (
        ("no-algorithm", {}, b""),
        ("empty-key", {"alg": "HS256"}, b""),
        ("own-key", {"alg": "HS256", "jwk": {"kty": "oct", "k": _encode(OWN_KEY)}}, OWN_KEY),
    ):
        unsigned = ".".join(_encode(json.dumps(part).encode()) for part in ({**names, "typ": "JWT"}, FORGED_CLAIMS))
        value = f"bearer {unsigned}.{_encode(hmac.digest(key, unsigned.encode(), 'sha256'))}"
        yield Credential(role, value, value, CredentialKind.INVALID)


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _algorithm(header: str) -> str:
    """Return the algorithm that the header of a JWT names; one that is common if it cannot be read."""
    try:
        names = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        return str(names["alg"])
    except (ValueError, KeyError, TypeError):
        return "HS256"


def _with_other_signature(token: str, tokens: Mapping[str, str]) -> Iterator[Credential]:
    """Yield the JWT with the signature of another role's, if there is one."""
    others = [role for role in tokens if role not in {ADMIN, EXPIRED} and _is_jwt(tokens[role])]
    for role in others[:1]:
        unsigned, signature = token.rpartition(".")[0], tokens[role].rpartition(".")[2]
        redacted = f"bearer ${{{NAME}%.*}}.${{{token_variable(role)}##*.}}"
        yield _credential("other-signature", f"bearer {unsigned}.{signature}", redacted)


def _by_command(command: str) -> str:
    return f'bearer $(echo "${NAME}" | {command})'


def _is_jwt(token: str) -> bool:
    return token.count(".") == JWT_PARTS - 1


def _is_uuid(token: str) -> bool:
    try:
        UUID(token)
    except ValueError:
        return False
    return True
