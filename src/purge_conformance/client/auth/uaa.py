"""Logs in at the UAA of a target, Cloud Foundry's OAuth server, and again before a token's end.

Sources: RFC 6749, sections 4.3, 4.4, 5 and 6; UAA's API documentation, "Token"; Cloud Controller's, "Root".
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.client.auth.token import Token, build_token, strip_scheme
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.errors import BadSetting, LoginRejected, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from purge_conformance.client.auth.secret_source import SecretSource

    Ask = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]  # method, URL, headers, body

OK, TOO_MANY_REQUESTS, SERVER_ERROR = 200, 429, 500
LOGIN_LINKS = ("uaa", "login")  # of the root document, the better one first: both serve tokens
MAX_LIFETIME_S = 10 * 365 * 24 * 3600
MAX_QUOTED_CHARS = 200  # characters of what a server says of a refusal
CF_CLIENT_ID = "cf"  # the client of the cf CLI, which every UAA of Cloud Foundry knows; its secret is empty


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
        return f"{self._require_safe(self._find_url(), 'The login').rstrip('/')}/oauth/token"

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """Return status and body of an answer that says something.

        Raises:
            TargetLost: there is none, or it says no more than that there is none now.
        """
        status, answer = self.ask(method, url, headers, body)
        if status == TOO_MANY_REQUESTS or status >= SERVER_ERROR:
            raise TargetUnreachable(f"{url} answered with {status}. Run again when it is available.")
        return status, answer

    def _find_url(self) -> str:
        base = self._require_safe(self.target.url, "The target, which names where its users log in,")
        status, body = self.request("GET", f"{base}/", {"Accept": "application/json"})
        links = _as_object(_as_object(body).get("links"))
        for name in LOGIN_LINKS:
            href = _as_object(links.get(name)).get("href")
            if status == OK and isinstance(href, str) and href:
                return href
        raise BadSetting(
            f"{base}/ (answered with {status}) names no login: neither links.uaa.href nor links.login.href. "
            "Check the URL, or give a token of another source."
        )

    def _require_safe(self, url: str, what: str) -> str:
        """Return a URL that may be told a password: over https, or on this machine if the target is there as well."""
        target = parse_target(url)
        is_local = target.is_loopback and self.target.is_loopback
        if urlsplit(url).scheme != "https" and not is_local:
            raise BadSetting(f"{what} is at {target.url}, which is not https. No password is sent there.")
        return target.url


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
    def login_hint(self) -> dict[str, str]:
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
        credential: the user's password, or the first refresh token.
    """

    role: str
    kind: str
    client: str = CF_CLIENT_ID
    secret: SecretSource | None = None
    user: User | None = None
    credential: SecretSource | None = None


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
        _import_oauth2()

    def fetch(self) -> Token:
        """Return a new token: for the refresh token if there is one, and if that is refused as at the beginning."""
        if self.refresh_token:
            try:
                return self._request_token({"refresh_token": self.refresh_token})
            except LoginRejected:
                self.refresh_token = ""
        credential = self.grant.credential.read() if self.grant.credential else ""
        if user := self.grant.user:
            return self._request_token({"username": user.name, "password": credential, **user.login_hint})
        return self._request_token({"refresh_token": credential} if self.grant.kind == "refresh_token" else {})

    def _request_token(self, parameters: dict[str, str]) -> Token:
        """Ask for a token with a refresh token, with a user's name and password, or as the client itself."""
        secret = self.grant.secret.read() if self.grant.secret else ""
        secrets = (secret, parameters.get("password", ""), parameters.get("refresh_token", ""))
        basic = base64.b64encode(f"{self.grant.client}:{secret}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        endpoint = self.uaa.endpoint()
        status, body = self.uaa.request(
            "POST", endpoint, headers, _token_request_body(self.grant.client, parameters).encode()
        )
        response = _parse_response(
            body, f"The login of {self.grant.role} at {endpoint}, which answered with {status},", secrets
        )
        old_refresh_token, new_refresh_token = parameters.get("refresh_token", ""), response.get("refresh_token")
        self.refresh_token = new_refresh_token if isinstance(new_refresh_token, str) else old_refresh_token
        lifetime = response.get("expires_in")
        return build_token(
            strip_scheme(str(response["access_token"]), self.grant.role),
            float(lifetime) if isinstance(lifetime, int) and 0 < lifetime <= MAX_LIFETIME_S else None,
            tuple({old_refresh_token, self.refresh_token} - {""}),
        )


def _import_oauth2() -> Any:  # noqa: ANN401 -- a module
    try:
        from oauthlib import oauth2  # noqa: PLC0415 -- as in _library
    except ImportError:
        raise BadSetting(
            "A login at a UAA needs an OAuth library: pip install 'purge-conformance[uaa]'. "
            "Or give a token of another source."
        ) from None
    return oauth2


def _token_request_body(client: str, parameters: Mapping[str, Any]) -> str:
    """Return the body of a request for a token."""
    from oauthlib import oauth2  # noqa: PLC0415 -- as in _library

    if "refresh_token" in parameters:
        return str(
            oauth2.BackendApplicationClient(client).prepare_refresh_body(refresh_token=parameters["refresh_token"])
        )
    if "username" in parameters:
        return oauth2.LegacyApplicationClient(client).prepare_request_body(**parameters)
    return oauth2.BackendApplicationClient(client).prepare_request_body()


def _parse_response(body: bytes, login: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    """Return what the login gave.

    Raises:
        LoginRefused: it gave no token; says what it said instead, without the secrets that it was told.
    """
    from oauthlib import oauth2  # noqa: PLC0415 -- as in _library

    try:
        response: Mapping[str, Any] = oauth2.BackendApplicationClient("").parse_request_body_response(
            body.decode("utf-8", "replace")
        )
    except oauth2.OAuth2Error as error:
        message = " ".join(f"{error.error}: {error.description}".split())
    except (ValueError, TypeError, AttributeError, RecursionError):  # what it makes of JSON that is no object
        message = "it is no answer of OAuth"
    else:
        return response
    for secret in secrets:
        message = message.replace(secret, "...") if secret else message
    raise LoginRejected(
        f"{login} gave no token: {message[:MAX_QUOTED_CHARS]}. Check the names, the secrets and the grant."
    )


def _as_object(value: object) -> dict[str, Any]:
    """Return what a text of JSON or a value holds by name; nothing where it is no object."""
    try:
        document = json.loads(value) if isinstance(value, bytes) else value
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
