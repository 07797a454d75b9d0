"""`python -m purge_conformance` is the command `purge-conformance`."""

from purge_conformance.cli import main

main()
