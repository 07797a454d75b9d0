"""The flag --token."""

from __future__ import annotations

import pytest

from purge_conformance.config.token_flags import parse_flags
from purge_conformance.errors import BadSetting

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["admin=env:A", "admin=env:A"], "twice"),
        (["admin"], "ROLE=SOURCE"),
        (["Admin=env:A"], "ROLE=SOURCE"),
        (["=env:A"], "ROLE=SOURCE"),
        ([TOKEN], "ROLE=SOURCE"),
        ([f"{TOKEN}=env:A"], "ROLE=SOURCE"),
    ],
)
def test_token_flag_requires_role(options: list[str], words: str) -> None:
    """A flag without a role, or with a role twice, is a usage error that does not repeat the flag."""
    with pytest.raises(BadSetting, match=words) as caught:
        parse_flags(options)
    assert "c2VjcmV0" not in str(caught.value)
