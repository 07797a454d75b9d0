"""The environment of the commands of the user, the hook among them: this process's, without what may hold a secret."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.config.options import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purge_conformance.config.settings import Settings

CF_HOME = "CF_HOME"  # there the cf CLI keeps its tokens
PROXY_SUFFIX = "_proxy"
ENV_SOURCE = "env:"  # `env:NAME`, also at the end of a login: `uaa:GRANT:...:env:NAME`


def command_environment(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a command of the user's.

    Left out are the variables that a token source names, those whose value contains a secret of the run, proxies with
    credentials, `PURGE_CONFORMANCE_*` and `CF_HOME`; unless `--hook-env` names them.

    Args:
        settings: of the run, logged in.
        environ: environment variables; None: those of this process.
    """
    environment = os.environ if environ is None else environ
    redactor = as_renewable(settings.tokens).redactor
    named = set(named_variables(settings.token_sources))

    def may_pass(name: str, value: str) -> bool:
        is_own = name.startswith(PREFIX) or name == CF_HOME or name in named
        has_credentials = name.lower().endswith(PROXY_SUFFIX) and "@" in value
        return not (is_own or has_credentials or redactor.contains_secret(value))

    return {n: value for n, value in environment.items() if n in settings.hook_env or may_pass(n, value)}


def named_variables(source: Any) -> Iterator[str]:  # noqa: ANN401 -- as in a configuration file
    """Yield the environment variables that token sources name."""
    if isinstance(source, str):
        head, separator, name = source.rpartition(ENV_SOURCE)
        if separator and (not head or head.endswith(":")):
            yield name
    elif hasattr(source, "values"):
        for inner in source.values():
            yield from named_variables(inner)
