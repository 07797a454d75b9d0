"""The database of the reference server."""

from __future__ import annotations

import pytest

from purge_conformance.errors import BadSetting
from purge_conformance.reference import open_database


@pytest.mark.parametrize("url", ["nonsense", "nonsense://host/name", "sqlite:////no/such/folder/foundation.db"])
def test_invalid_database_is_rejected(url: str) -> None:
    """A database that cannot be opened is a usage error, and the message says what to give."""
    with pytest.raises(BadSetting, match="Give the URL of an existing database"), open_database(url):
        pass
