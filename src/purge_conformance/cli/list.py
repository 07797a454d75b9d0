"""`list`: prints the requirements."""

from __future__ import annotations

import click

from purge_conformance import catalogue
from purge_conformance.catalogue.model import DOCUMENTED
from purge_conformance.cli.options import profile_option, select_option
from purge_conformance.cli.output import write_json, write_line


@click.command("list", epilog="Exit codes: 0 listed, 2 usage.")
@click.option("--json", "as_json", is_flag=True, help="Print all fields of requirements.yaml as JSON.")
@profile_option("core and upstream")
@select_option
def list_requirements(*, as_json: bool, profiles: tuple[str, ...], select: tuple[str, ...]) -> None:
    """List the requirements: id, level, profile, statement."""
    from dataclasses import asdict

    requirements = catalogue.select_requirements(catalogue.parse_profiles(profiles or DOCUMENTED), select)
    if as_json:
        write_json([asdict(requirement) for requirement in requirements], indent=2)
        return
    for requirement in requirements:
        write_line(f"{requirement.id:12} {requirement.level:6} {requirement.profile:8} {requirement.statement}")
