"""`show`: prints one exchange of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from purge_conformance.cli.options import RUN_FOLDER
from purge_conformance.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from purge_conformance.evidence.records import Exchange
    from purge_conformance.report.messages import MessageView

MAX_BODY_CHARS = 20_000
INDENT = "  "


@click.command(epilog="Exit codes: 0 printed, 2 usage, or FOLDER holds no such exchange.")
@click.argument("folder", type=RUN_FOLDER)
@click.argument("number", type=click.IntRange(min=1), metavar="EXCHANGE")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def show(*, folder: Path, number: int, as_json: bool) -> None:
    """Print one exchange of the run in FOLDER: request, response, role, scenario, step and time.

    Reports name exchanges by their number. A long body is cut, with a note; evidence.jsonl has all of it.
    """
    from purge_conformance.evidence.jsonl import read

    exchange = find_exchange(read(folder).exchanges, number, folder)
    if as_json:
        write_json(to_json(exchange), indent=2)
        return
    for line in lines(exchange):
        write_line(line)


def find_exchange(exchanges: tuple[Exchange, ...], number: int, folder: Path) -> Exchange:
    """Return the exchange with this number.

    Raises:
        BadSetting: there is none.
    """
    from purge_conformance.errors import BadSetting

    found = next((x for x in exchanges if x.n == number), None)
    if found is None:
        last = exchanges[-1].n if exchanges else 0
        expected = f"a number from {exchanges[0].n} to {last}" if last else "a run that sent requests"
        raise BadSetting(f"{folder} has no exchange {number}. Give {expected}; report.html names those that it judged.")
    return found


def lines(exchange: Exchange) -> Iterator[str]:
    """Yield the lines that show an exchange."""
    from purge_conformance.evidence.clock import format_rfc3339
    from purge_conformance.report.messages import describe_place, request, response

    yield f"Exchange {exchange.n}: {describe_place(exchange)}, as {exchange.role}"
    yield f"sent {format_rfc3339(exchange.sent_at)}, answered after {exchange.elapsed:.3f} s"
    if exchange.tags:
        yield f"tags: {', '.join(f'{tag} {value}' for tag, value in exchange.tags.items())}"
    yield from ("", "REQUEST", *_message(request(exchange, MAX_BODY_CHARS)))
    yield from ("", "RESPONSE", *_message(response(exchange, MAX_BODY_CHARS)))


def to_json(exchange: Exchange) -> dict[str, Any]:
    """Return the members of an exchange; of its bodies at most `MAX_BODY_CHARS` characters."""
    from purge_conformance.evidence.clock import format_rfc3339
    from purge_conformance.evidence.safe_text import clip
    from purge_conformance.evidence.url_passwords import mask_passwords
    from purge_conformance.report.messages import request, response

    sent, got = request(exchange), response(exchange)
    return {
        "n": exchange.n,
        "scenario": str(exchange.scenario),
        "round": exchange.round,
        **exchange.place.to_row(),
        "role": exchange.role,
        "tags": {str(tag): value for tag, value in exchange.tags.items()},
        "sent_at": format_rfc3339(exchange.sent_at),
        "elapsed": exchange.elapsed,
        "request": {
            "method": exchange.method,
            "path": exchange.path,
            "headers": sent.headers,
            "body": exchange.request_body and clip(exchange.request_body, MAX_BODY_CHARS),
        },
        "response": {
            "status": exchange.status,
            "error": exchange.error,
            "headers": got.headers,
            "body": clip(mask_passwords(exchange.text), MAX_BODY_CHARS),
            "body_bytes": len(exchange.body),
        },
    }


def _message(message: MessageView) -> Iterator[str]:
    yield f"{INDENT}{message.line}"
    yield from (f"{INDENT}{name}: {value}" for name, value in message.headers)
    if message.about:
        yield from ("", f"{INDENT}({message.about})")
    yield from (f"{INDENT}{line}" for line in message.body.split("\n") if message.body)
