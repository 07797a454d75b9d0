"""The versions that a target names in its root document and in `/v3/info`, read without a token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.errors import TargetUnreachable
from purge_conformance.evidence.listing import OK
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.steps import Step
from purge_conformance.target.root_document import MAX_BYTES, ROOT_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.config.settings import Settings

INFO_PATH = "/v3/info"
MAX_VERSIONS = 100
MAX_CHARS = 100  # of a version, and of its name


def read_versions(settings: Settings) -> dict[str, str]:
    """Return the name and the value of each version of a target; only reads, without a token.

    A version is a member `version` or `build`, or one whose name ends with `_version`, at any depth. Other members are
    ignored: they may change with each response.

    Raises:
        TargetUnreachable: the target does not respond.
    """
    settings = replace(settings, begin=None, limits=replace(settings.limits, max_body_bytes=MAX_BYTES))
    with unrecorded_client(settings) as client:
        answers = [(path, client.get(path, Step.ROOT, credential=ANONYMOUS)) for path in (ROOT_PATH, INFO_PATH)]
    if any(answer.status is None for _, answer in answers):
        raise TargetUnreachable(f"{settings.target.url} does not respond.")
    found = [
        (f"{path} {name}", value)
        for path, answer in answers
        if answer.status == OK
        for name, value in _versions(answer.json)
    ]
    return dict(found[:MAX_VERSIONS])


def _versions(document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- whatever the target sent
    """Yield the path and the value of each version in a document."""
    pending: list[tuple[str, Any, bool]] = [("", document, False)]
    while pending:
        path, value, is_version = pending.pop()
        if isinstance(value, dict):
            pending += [(f"{path}.{name}", inner, is_version or _is_version(name)) for name, inner in value.items()]
        elif is_version and isinstance(value, str | int | float):
            yield one_line(path.removeprefix("."), MAX_CHARS), one_line(str(value), MAX_CHARS)


def _is_version(name: str) -> bool:
    return name in {"version", "build"} or name.endswith("_version")
