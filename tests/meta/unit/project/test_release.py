"""A release has one version: of the package, of the tag and of the changelog.

`python tests/meta/unit/project/test_release.py TAG` checks the tag before a release; `tox -e release -- TAG` runs it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[4]
NEWEST = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>.+)$", re.MULTILINE)
DATE = re.compile(r"\d{4}-\d\d-\d\d")
CHANGELOG = "# Changelog\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n## [0.1.0] - 2026-11-01\n"


def problems(version: str, changelog: str, tag: str | None = None) -> list[str]:
    """Return why this version cannot be released under this tag, one sentence each.

    Without a tag, only the version and the newest section of the changelog are compared; that section may be
    unreleased.
    """
    newest = NEWEST.search(changelog)
    if not newest:
        return ["CHANGELOG.md has no section. Add: ## [VERSION] - YYYY-MM-DD"]
    found = []
    if newest["version"] != version:
        found.append(
            f"The newest section of CHANGELOG.md is {newest['version']}, the version in pyproject.toml is {version}. "
            "Make them equal."
        )
    if tag is not None and tag != f"v{version}":
        found.append(f"The tag is {tag}, the version in pyproject.toml is {version}. Tag v{version}.")
    if tag is not None and not DATE.fullmatch(newest["date"]):
        found.append(f"The newest section of CHANGELOG.md is dated {newest['date']!r}. Write the day of the release.")
    return found


def version_of_package() -> str:
    """Return the version in pyproject.toml."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def test_version_is_that_of_changelog() -> None:
    """The version in pyproject.toml is that of the newest section of CHANGELOG.md."""
    assert problems(version_of_package(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) == []


def test_matching_tag() -> None:
    """A tag of the same version passes."""
    assert problems("0.2.0", CHANGELOG, "v0.2.0") == []


def test_other_version() -> None:
    """A changelog whose newest section has another version is rejected."""
    assert len(problems("0.3.0", CHANGELOG)) == 1


def test_other_tag() -> None:
    """A tag that names another version, or has no v, is rejected."""
    assert [len(problems("0.2.0", CHANGELOG, tag)) for tag in ("v0.3.0", "0.2.0", "")] == [1, 1, 1]


def test_undated_section() -> None:
    """A section without a date is rejected at a release, and passes before it."""
    undated = CHANGELOG.replace("2026-12-01", "Unreleased")
    assert (len(problems("0.2.0", undated, "v0.2.0")), problems("0.2.0", undated)) == (1, [])


def test_no_section() -> None:
    """A changelog without a section is rejected."""
    assert len(problems("0.2.0", "# Changelog\n")) == 1


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else None
    sys.exit("\n".join(problems(version_of_package(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), given)) or 0)
