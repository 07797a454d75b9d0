"""The program of the child processes of `schemathesis.py`: Schemathesis generates cases and sends none of them.

As a pytest module this file writes the cases of all phases to a file: `@schema.parametrize` is the only supported way
to generate them. As a script it walks the links of the document on request: it writes each step to stdout, reads the
response from stdin, and ends the walk with an empty line.

The children run a copy outside the package and outside the caller's directory. Hypothesis reads literals from source
that it considers the user's own (an editable install, but no wheel), so one seed would give different cases; and it
writes files to its working directory. Therefore this module imports nothing of the package.
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from requests import Request
from schemathesis import Case, HookContext, Response

BASE_URL = "http://target.invalid"
TOKEN = "bearer $TOKEN"  # noqa: S105 -- the caller replaces it by a token, which the children never see
# Headers that the sending client chooses itself, or that differ from run to run.
CLIENT_HEADERS = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "user-agent",
    "x-schemathesis-testcaseid",
}
# Finds the document's name of a link in Schemathesis' name of a transition.
LINK_NAME = re.compile(r".* -> \[\d+\] (.+) -> .*")
REQUEST_FIELDS = ("method", "url", "params", "headers", "cookies", "data", "json", "files")


def load_schema(*, mode: str = "all", token: bool = True, vary_auth: bool = True, **phases: dict[str, Any]) -> Any:  # noqa: ANN401 -- untyped
    """Return the document as a schema of Schemathesis for the named phases only.

    Without a token, Schemathesis generates credentials. With one, it omits them in some cases of the coverage phase, if
    `vary_auth`.
    """
    phases_off: dict[str, Any] = {name: {"enabled": False} for name in ("examples", "coverage", "fuzzing", "stateful")}
    config = schemathesis.Config.from_dict(
        {
            "seed": PLAN["seed"],
            "headers": {"Authorization": TOKEN} if token else {},
            "generation": {
                "mode": mode,
                "max-examples": PLAN["examples"],
                "database": "none",
                "allow-x00": False,
                "with-security-parameters": vary_auth,
            },
            "phases": phases_off | phases,
            "suppress-health-check": ["all"],
            "analysis": {"constants": {"enabled": False}},
        }
    )
    schema = schemathesis.openapi.from_path("openapi.json", config=config)
    schema.config.update(base_url=BASE_URL)
    schema.hook(filter_case)
    return schema


def filter_case(_context: HookContext, case: Case[Any]) -> bool:
    """Whether the path reaches the operation: proxies reject control characters; slashes and dots change the path."""
    guid = unquote(str(case.path_parameters.get("guid", "-")))
    return not any(char < " " or char in "\x7f/\\" for char in guid) and guid.strip(".") != ""


def encode_case(case: Case[Any], **more: object) -> str:
    """Return the case as one line of JSON, which `schemathesis.Case` reads."""
    assert case.meta is not None  # noqa: S101 -- generated, not built by hand
    # Read before the query changes: Schemathesis would determine them again.
    phase, mode = case.meta.phase, case.meta.generation.mode
    case.query = _drop_conflicting_filters(case.query, about := _describe_variation(phase.data))
    transport_kwargs = case.as_transport_kwargs(base_url=BASE_URL)
    request = Request(**{name: transport_kwargs[name] for name in REQUEST_FIELDS if name in transport_kwargs}).prepare()
    assert request.url is not None  # noqa: S101 -- prepared from a URL
    values = {
        "operation_id": case.operation.definition.raw["operationId"],
        "phase": phase.name.value,
        "mode": mode.value,
        "about": about,
        "method": request.method,
        "path": request.url.removeprefix(BASE_URL),
        "headers": [(name, value) for name, value in request.headers.items() if _belongs_to_case(name, value, case)],
        "body": request.body.decode() if isinstance(request.body, bytes) else request.body,
        "media_type": case.media_type,
        # Values of `evidence.tag_values.GeneratedAuth`, which cannot be imported here.
        "auth": {None: "none", TOKEN: "token"}.get(request.headers.get("Authorization"), "generated"),
    }
    return json.dumps(values | more) + "\n"


def _drop_conflicting_filters(query: dict[str, Any], about: str) -> dict[str, Any]:
    """Keep filters of `created_ats` either by equality or by operators: no documentation describes both together."""
    operators = {name for name in query if name.startswith("created_ats[")}
    if not operators or "created_ats" not in query:
        return query
    # `about` is Schemathesis' own text, behind the name of the parameter: see `_describe_variation`.
    dropped = operators if about.startswith("created_ats ") else {"created_ats"}
    return {name: value for name, value in query.items() if name not in dropped}


def _belongs_to_case(name: str, value: str | bytes, case: Case[Any]) -> bool:
    """Whether a header is part of the case; others depend on the sending client."""
    return name.lower() not in CLIENT_HEADERS or (name in case.headers and value != TOKEN)


def _describe_variation(data: Any) -> str:  # noqa: ANN401 -- one of four classes of Schemathesis
    """Return what a case varies, for example `per_page value_above_maximum`."""
    scenario = getattr(data, "scenario", None)
    return " ".join(filter(None, (data.parameter, scenario.value if scenario else data.description)))


def write_case(case: Case[Any]) -> None:
    """Append one case to the file that the parent reads."""
    with Path("cases.jsonl").open("a", encoding="utf-8") as file:
        file.write(encode_case(case))


def walk_links() -> None:
    """Follow the document's links in a few scenarios of a few steps."""
    schema = load_schema(mode="positive", vary_auth=False, stateful={"inference": {"algorithms": []}})

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        def step(self, input: Any) -> Any:  # noqa: A002, ANN401 -- the name and the types are Schemathesis'
            followed = input.transition if input.is_applied else None
            self.link = LINK_NAME.sub(r"\1", followed.id) if followed else ""
            return super().step(input)

        def call(self, case: Case[Any], **_: object) -> Response:
            return send_via_parent(case, self.link)

        def validate_response(self, *_: object, **__: object) -> None:
            """Judge nothing: the suite judges the recorded evidence later."""

    limits = settings(
        max_examples=PLAN["scenarios"],
        stateful_step_count=PLAN["steps"],
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(PLAN["seed"])(Machine).run(settings=limits)


def send_via_parent(case: Case[Any], link: str) -> Response:
    """Have the parent send a case, and return the response."""
    sys.stdout.write(encode_case(case, about=link))
    sys.stdout.flush()
    answer = json.loads(sys.stdin.readline())
    headers: dict[str, list[str]] = {}
    for name, value in answer["headers"]:
        headers.setdefault(name, []).append(value)
    request = Request(case.method, BASE_URL).prepare()
    return Response(answer["status"], headers, b64decode(answer["body"]), request, elapsed=0.0, verify=True)


PLAN: dict[str, Any] = json.loads(Path("plan.json").read_text(encoding="utf-8"))

if __name__ == "__main__":
    for _ in iter(sys.stdin.readline, ""):  # between walks, each line requests one
        walk_links()
        sys.stdout.write("\n")
        sys.stdout.flush()
else:
    # Other scenarios send undeclared methods; here they would be additional purges.
    derived = load_schema(examples={}, coverage={"unexpected-methods": []})
    # Separate modes: together, the number of negative examples would be random.
    positive = load_schema(fuzzing={}, mode="positive", vary_auth=False)
    negative = load_schema(fuzzing={}, mode="negative", vary_auth=False).exclude(method="POST")
    # The purge has no parameters, so only its Authorization header can be fuzzed.
    bearer = load_schema(fuzzing={}, token=False).include(method="POST")

    @derived.parametrize()  # type: ignore[untyped-decorator]
    def test_derived(case: Case[Any]) -> None:
        """Write every case that follows from the document: its examples and the bounds of each schema."""
        write_case(case)

    @positive.parametrize()  # type: ignore[untyped-decorator]
    def test_positive(case: Case[Any]) -> None:
        """Write every random case that the document allows."""
        write_case(case)

    @negative.parametrize()  # type: ignore[untyped-decorator]
    def test_negative(case: Case[Any]) -> None:
        """Write every random case that the document forbids."""
        write_case(case)

    @bearer.parametrize()  # type: ignore[untyped-decorator]
    def test_bearer(case: Case[Any]) -> None:
        """Write every random case of the purge with a generated Authorization header."""
        write_case(case)
