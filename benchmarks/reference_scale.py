"""Measures the reference server with few and with very many apps and events, without a network in between.

`python benchmarks/reference_scale.py [--database URL] [--apps N] [--events N]`; the default is SQLite in memory with
100,000 apps and 1,000,000 events. Another database must be empty, and is so again afterwards. It is compared with a
hundredth of the apps and a thousandth of the events, and a page with the same 50 rows that the driver of the database
reads by their internal ids in this process.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from purge_conformance.reference import behaviour_with, create_app, open_database, sign_tokens
from purge_conformance.reference.api.auth import new_secret
from purge_conformance.reference.api.usage_events import PATH, PURGE_PATH
from purge_conformance.reference.store.database import IN_MEMORY_URL
from purge_conformance.reference.store.furnishing import furnish
from purge_conformance.reference.store.tables import AppUsageEvent, Base

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session, sessionmaker

    from purge_conformance.reference.asgi import ASGIApp, Message

PER_PAGE = 50
TIMES = 5  # the fastest counts
RAW = "the rows of a page, by the driver"


@dataclass(frozen=True)
class Size:
    """How many apps and events a foundation has."""

    apps: int
    events: int

    def __str__(self) -> str:
        """Write both numbers."""
        return f"{self.apps:,} apps, {self.events:,} events"


class Client:
    """Sends an admin's requests to an application in this process."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """Create a client of an application."""
        self._app, self._token = app, token

    def request(self, method: str, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the JSON of the answer."""
        route, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": route, "query_string": query.encode(), "root_path": ""}
        headers = [(b"authorization", f"bearer {self._token}".encode())]
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        for _ in self._app({**scope, "headers": headers}, receive, send).__await__():
            raise RuntimeError("The server waited for something, and there is nothing to wait for.")
        if messages[0]["status"] >= 400:  # noqa: PLR2004 - the first status of an error
            raise RuntimeError(f"{method} {path} was answered with {messages[0]['status']}")
        return json.loads(b"".join(message.get("body", b"") for message in messages[1:]))


def milliseconds(*actions: Callable[[], object]) -> float:
    """Return the time of the fastest of some actions."""
    results = []
    for action in actions:
        start = time.perf_counter()
        action()
        results.append(1000 * (time.perf_counter() - start))
    return min(results)


def measure(url: str, size: Size) -> Mapping[str, float]:
    """Fill an empty database, measure in milliseconds, and drop the tables.

    Raises:
        BadSetting: the database cannot be opened, or is not empty; then nothing is changed.
    """
    secret = new_secret()
    with open_database(url) as sessions:
        app = create_app(sessions, secret=secret, base_url="http://benchmark.test", behaviour=behaviour_with(()))
        client = Client(app, sign_tokens(secret)["admin"])
        creation = milliseconds(lambda: _create(sessions, size))
        try:
            pages = _measure_pages(client, sessions, size)
            purge = milliseconds(lambda: client.request("POST", PURGE_PATH))
        finally:
            with sessions.begin() as session:
                Base.metadata.drop_all(session.connection())
    return {
        "creation of apps and events, per 1,000 rows": creation * 1000 / (2 * size.apps + size.events),
        **pages,
        "purge and reseed, per 1,000 rows": purge * 1000 / (size.apps + size.events),
    }


def _create(sessions: sessionmaker[Session], size: Size) -> None:
    with sessions.begin() as session:
        furnish(session, apps=size.apps, events=size.events)


def _measure_pages(client: Client, sessions: sessionmaker[Session], size: Size) -> Mapping[str, float]:
    def page(number: int, order: str = "") -> Callable[[], object]:
        return lambda: client.request("GET", f"{PATH}?page={number}&per_page={PER_PAGE}{order}")

    def raw() -> None:
        with sessions.begin() as session:
            columns = AppUsageEvent.__table__
            session.connection().execute(columns.select().where(columns.c.id.between(1, PER_PAGE))).all()

    def again(action: Callable[[], object]) -> float:
        return milliseconds(*[action] * TIMES)

    last, newest_first = size.events // PER_PAGE, "&order_by=-created_at"
    middle = (last // 2, last // 3, last // 4)
    for number in (1, 2):  # counts, and compiles the statements
        page(number)()
        page(number, newest_first)()
    return {
        RAW: again(raw),
        "page 1": again(page(1)),
        "page in the middle": again(page(middle[0])),
        "last page": again(page(last)),
        "page 1, newest first": again(page(1, newest_first)),
        "last page, newest first": milliseconds(*(page(last - number, newest_first) for number in (4, 2, 0))),
        "page in the middle, newest first": milliseconds(*(page(number, newest_first) for number in middle)),
        "page after one that was read, newest first": milliseconds(
            *(page(middle[-1] + number, newest_first) for number in range(1, TIMES))
        ),
        "page 1 of apps": again(lambda: client.request("GET", f"/v3/apps?per_page={PER_PAGE}")),
        "page 1 after a change": min(_time_after_change(client, page(1)) for _ in range(TIMES)),
    }


def _time_after_change(client: Client, action: Callable[[], object]) -> float:
    app = client.request("GET", "/v3/apps?per_page=1")["resources"][0]["guid"]
    client.request("POST", f"/v3/apps/{app}/actions/restart")
    return milliseconds(action)


def main() -> None:
    """Print a table of both sizes."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--database", default=IN_MEMORY_URL, metavar="URL")
    parser.add_argument("--apps", type=int, default=100_000, metavar="N")
    parser.add_argument("--events", type=int, default=1_000_000, metavar="N")
    arguments = parser.parse_args()
    large = Size(arguments.apps, arguments.events)
    small = Size(max(10, large.apps // 100), max(1000, large.events // 1000))
    few, many = measure(arguments.database, small), measure(arguments.database, large)
    print(f"| {make_url(arguments.database).get_backend_name()}, ms | {small} | {large} | ratio | to the driver |")
    print("| --- | --: | --: | --: | --: |")
    for name, value in many.items():
        to_driver = f"{value / many[RAW]:.1f}" if "page" in name else ""
        print(f"| {name} | {few[name]:.2f} | {value:.2f} | {value / few[name]:.1f} | {to_driver} |")


if __name__ == "__main__":
    main()
