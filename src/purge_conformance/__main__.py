"""Run `python -m purge_conformance` as the command `purge-conformance`."""

from purge_conformance.cli import main

main()
