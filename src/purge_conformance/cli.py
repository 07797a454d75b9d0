"""Parse, call, exit code."""

import json, sys, time
from pathlib import Path
import click
from purge_conformance import collect as c, embedded
from purge_conformance.settings import Settings, Target


@click.group()
def main() -> None:
    """x"""


@main.command()
@click.option("--port", default=0)
@click.option("--announce", is_flag=True)
@click.option("--fault", multiple=True)
def serve(port, announce, fault):
    from purge_conformance.reference import serve as s

    s(
        "127.0.0.1",
        port,
        None,
        fault,
        lambda url, tokens: print(json.dumps({"url": url, "tokens": dict(tokens)}), flush=True),
    )


@main.command()
@click.option("--out", required=True)
@click.option("--fault", multiple=True)
def run(out, fault):
    t = time.time()
    with embedded.server([x for f in fault for x in ("--fault", f)]) as (url, tokens):
        print(time.time() - t)
        c.collect(Settings(Target(url), tokens), Path(out), lambda client: None)
        print(time.time() - t)
