"""Logs in at the UAA of a target, Cloud Foundry's OAuth server, and again before a token's end.

Sources: RFC 6749, sections 4.3, 4.4, 5 and 6; UAA's API documentation, "Token"; Cloud Controller's, "Root".
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.client.auth.token import Token, bare, token
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.errors import BadSetting, LoginRefused, TargetLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from purge_conformance.client.auth.secret_source import Place

    Ask = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]  # method, URL, headers, body

OK, TOO_MANY, BROKEN = 200, 429, 500
LINKS = ("uaa", "login")  # of the root document, the better one first: both serve tokens
MOST_LIFETIME = 10 * 365 * 24 * 3600
MOST_SHOWN = 200  # characters of what a server says of a refusal
CLI = "cf"  # the client of the cf CLI, which every UAA of Cloud Foundry knows; its secret is empty


@dataclass(frozen=True)
class Uaa:
    """Where tokens are asked for: at the endpoint that the target names.

    Attributes:
        target: whose users log in.
        ask: sends a request, and follows no redirect.
    """

    target: Target
    ask: Ask

    def endpoint(self) -> str:
        """Return the URL that gives tokens.

        Raises:
            BadSetting: none is known, or the way to it is not safe.
            TargetLost: the target does not answer.
        """
        return f"{self._safe(self._found(), 'The login').rstrip('/')}/oauth/token"

    def answered(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """Return status and body of an answer that says something.

        Raises:
            TargetLost: there is none, or it says no more than that there is none now.
        """
        status, answer = self.ask(method, url, headers, body)
        if status == TOO_MANY or status >= BROKEN:
            raise TargetLost(f"{url} answered with {status}. Run again when it is available.")
        return status, answer

    def _found(self) -> str:
        base = self._safe(self.target.url, "The target, which names where its users log in,")
        status, body = self.answered("GET", f"{base}/", {"Accept": "application/json"})
        links = _object(_object(body).get("links"))
        for name in LINKS:
            href = _object(links.get(name)).get("href")
            if status == OK and isinstance(href, str) and href:
                return href
        raise BadSetting(
            f"{base}/ (answered with {status}) names no login: neither links.uaa.href nor links.login.href. "
            "Check the URL, or give a token of another source."
        )

    def _safe(self, url: str, what: str) -> str:
        """Return a URL that may be told a password: over https, or on this machine if the target is there as well."""
        place = parse_target(url)
        is_own = place.is_loopback and self.target.is_loopback
        if urlsplit(url).scheme != "https" and not is_own:
            raise BadSetting(f"{what} is at {place.url}, which is not https. No password is sent there.")
        return place.url


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in by a password.

    Attributes:
        name: of the user.
        origin: key of the identity provider that knows the user, for example `ldap`; empty leaves it to the UAA.
    """

    name: str
    origin: str = ""

    @property
    def hint(self) -> dict[str, str]:
        """What tells the UAA the origin, as the cf CLI does with --origin."""
        return {"login_hint": json.dumps({"origin": self.origin})} if self.origin else {}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is asked for with.

    Attributes:
        role: whose token it is.
        kind: `password`, `client_credentials` or `refresh_token`.
        client: id of the OAuth client.
        secret: of the client; None where it is empty.
        user: of a password grant.
        proof: the user's password, or the first refresh token.
    """

    role: str
    kind: str
    client: str = CLI
    secret: Place | None = None
    user: User | None = None
    proof: Place | None = None


@dataclass
class Login:
    """Gives a role a token for what its grant says, and further ones for the refresh token that came with it."""

    grant: Grant
    uaa: Uaa
    is_renewable: bool = True
    refresh_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Need the library before anything is sent.

        Raises:
            BadSetting: it is not installed.
        """
        _library()

    def fetch(self) -> Token:
        """Return a new token: for the refresh token if there is one, and if that is refused as at the beginning."""
        if self.refresh_token:
            try:
                return self._asked({"refresh_token": self.refresh_token})
            except LoginRefused:
                self.refresh_token = ""
        proof = self.grant.proof.read() if self.grant.proof else ""
        if user := self.grant.user:
            return self._asked({"username": user.name, "password": proof, **user.hint})
        return self._asked({"refresh_token": proof} if self.grant.kind == "refresh_token" else {})

    def _asked(self, given: dict[str, str]) -> Token:
        """Ask for a token with a refresh token, with a user's name and password, or as the client itself."""
        secret = self.grant.secret.read() if self.grant.secret else ""
        secrets = (secret, given.get("password", ""), given.get("refresh_token", ""))
        basic = base64.b64encode(f"{self.grant.client}:{secret}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        endpoint = self.uaa.endpoint()
        status, body = self.uaa.answered("POST", endpoint, headers, _form(self.grant.client, given).encode())
        found = _parsed(body, f"The login of {self.grant.role} at {endpoint}, which answered with {status},", secrets)
        held, fresh = given.get("refresh_token", ""), found.get("refresh_token")
        self.refresh_token = fresh if isinstance(fresh, str) else held
        lifetime = found.get("expires_in")
        return token(
            bare(str(found["access_token"]), self.grant.role),
            float(lifetime) if isinstance(lifetime, int) and 0 < lifetime <= MOST_LIFETIME else None,
            tuple({held, self.refresh_token} - {""}),
        )


def _library() -> Any:  # noqa: ANN401 -- a module
    try:
        from oauthlib import oauth2  # noqa: PLC0415 -- as in _library
    except ImportError:
        raise BadSetting(
            "A login at a UAA needs an OAuth library: pip install 'purge-conformance[uaa]'. "
            "Or give a token of another source."
        ) from None
    return oauth2


def _form(client: str, given: Mapping[str, Any]) -> str:
    """Return the body of a request for a token."""
    from oauthlib import oauth2  # noqa: PLC0415 -- as in _library

    if "refresh_token" in given:
        return str(oauth2.BackendApplicationClient(client).prepare_refresh_body(refresh_token=given["refresh_token"]))
    if "username" in given:
        return oauth2.LegacyApplicationClient(client).prepare_request_body(**given)
    return oauth2.BackendApplicationClient(client).prepare_request_body()


def _parsed(body: bytes, who: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    """Return what the login gave.

    Raises:
        LoginRefused: it gave no token; says what it said instead, without the secrets that it was told.
    """
    from oauthlib import oauth2  # noqa: PLC0415 -- as in _library

    try:
        found: Mapping[str, Any] = oauth2.BackendApplicationClient("").parse_request_body_response(
            body.decode("utf-8", "replace")
        )
    except oauth2.OAuth2Error as error:
        said = " ".join(f"{error.error}: {error.description}".split())
    except (ValueError, TypeError, AttributeError, RecursionError):  # what it makes of JSON that is no object
        said = "it is no answer of OAuth"
    else:
        return found
    for secret in secrets:
        said = said.replace(secret, "...") if secret else said
    raise LoginRefused(f"{who} gave no token: {said[:MOST_SHOWN]}. Check the names, the secrets and the grant.")


def _object(value: object) -> dict[str, Any]:
    """Return what a text of JSON or a value holds by name; nothing where it is no object."""
    try:
        found = json.loads(value) if isinstance(value, bytes) else value
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
