"""What comes before anything may be destroyed: is the target there, is the admin one, are its events safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance import look
from purge_conformance.errors import TargetUnusable, TokenExpired
from purge_conformance.guard import EVENTS
from purge_conformance.snapshot import is_page, total_results

if TYPE_CHECKING:
    from purge_conformance.client import Client
    from purge_conformance.foundation import Foundation

OPEN = f"{EVENTS}?per_page=1"
MORE_THAN_A_PAGE = 55  # events; 50 are a page unless asked otherwise


def reach(client: Client, _: Foundation) -> None:
    """Read as the admin, so that a target that is not the API, or a token that it refuses, is known at once.

    Raises:
        TargetUnusable: neither apps nor events can be read; a target that fails at one of them is there to be judged.
    """
    try:
        answers = [client.get("/v3/apps?per_page=1", "apps"), client.get(OPEN, "events")]
    except TokenExpired as reason:
        raise TargetUnusable(str(reason), "authentication") from None
    if any(is_page(answer) for answer in answers):
        return
    seen = " and ".join(f"{answer.status or answer.error} to GET {answer.path}" for answer in answers)
    statuses = {answer.status for answer in answers}
    if statuses & {401, 403}:
        raise TargetUnusable(
            f"The target refuses the token given as admin: {seen}. Give a valid one.", "authentication"
        )
    if statuses & {None, 429, 502, 503, 504}:
        raise TargetUnusable(f"The target is not available: {seen}. Run again when it is.", "network")
    raise TargetUnusable(f"The target does not answer as Cloud Foundry's API: {seen}. Check its URL.", "configuration")


def build(_: Client, foundation: Foundation) -> None:
    """Make the suite's own apps."""
    foundation.build()


def fill(client: Client, foundation: Foundation) -> None:
    """Make ordinary events until there are more than a page of the default size takes."""
    missing = MORE_THAN_A_PAGE - (total_results(client.get(OPEN, "total")) or 0)
    for _ in range(missing):
        if not foundation.stir():
            break


def archive(client: Client, _: Foundation) -> None:
    """Read all events that exist, since the next experiment destroys them."""
    look.walk(client, EVENTS, "events")
