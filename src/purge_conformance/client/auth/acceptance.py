"""What the target accepted from each token so far, and which rejection contradicts it."""

from __future__ import annotations

from collections import Counter, defaultdict
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.intermediaries import is_of_target

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

REJECTIONS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
MAX_DOUBTS = 5  # per token: a target that rejects one operation again and again is not asked each time


def is_rejection(answer: Exchange) -> bool:
    """Whether the target rejected the credential of a request: 401 or 403."""
    return answer.status in REJECTIONS and is_of_target(answer)


class Acceptance:
    """Remembers the operations that the target accepted, by token."""

    def __init__(self) -> None:
        """Start without any response."""
        self._accepted: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._last: dict[str, int] = {}
        self._doubts: Counter[str] = Counter()

    def note(self, token: str, answer: Exchange) -> str:
        """Note a response to a token; return since when it seems to be rejected, empty if nothing is doubtful.

        Doubtful is a 401 to a token that authenticated before, and a 403 to an operation that succeeded before.
        """
        if not is_of_target(answer):
            return ""
        operation = _operation(answer)
        if answer.succeeded:
            self._accepted[token].add(operation)
        is_doubtful = token in self._last and (
            answer.status == HTTPStatus.UNAUTHORIZED
            or (answer.status == HTTPStatus.FORBIDDEN and operation in self._accepted[token])
        )
        if is_doubtful and self._doubts[token] < MAX_DOUBTS:
            self._doubts[token] += 1
            return f"was accepted until request {self._last[token]}, and is rejected with {answer.status} since"
        if not is_doubtful and answer.status != HTTPStatus.UNAUTHORIZED:
            self._last[token] = answer.n
        return ""


def _operation(answer: Exchange) -> tuple[str, str]:
    """Return the method and the kind of path: a collection, or what is below it; the purge's path is its own kind."""
    collection, *below = answer.route.removeprefix("/v3/").split("/", 1)
    is_own = not below or answer.route == PURGE_PATH
    return answer.method, answer.route if is_own else f"{collection}/"
