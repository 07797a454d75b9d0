"""The HTML pages in a headless browser: axe-core finds nothing serious, on a wide screen and on a phone.

`tox -e browser` installs axe-core and runs this; it needs Chromium or Chrome on the PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from meta.support.fleet import FOUR
from purge_conformance.engine import reference_process
from purge_conformance.report import fleet_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.command import CommandResult

pytestmark = pytest.mark.browser

FAULTS = {  # what report.html draws -> a fault, and the requirement that it fails
    "steps": ("app-started-twice-not-seeded", "MODEL-01"),
    "pages": ("guids-filter-ignored", "LIST-09"),
    "timeline": ("change-after-busy-purge-lost", "RACE-03"),
}
WIDTHS = (390, 1280)  # CSS pixels: a phone, a laptop
SERIOUS = {"serious", "critical"}
POLICY = re.compile(r"<meta[^>]*Content-Security-Policy[^>]*>")  # forbids the page every script, so also axe-core
RESULT = re.compile(r'<pre id="axe">(.*?)</pre>', re.DOTALL)
REPORT = """addEventListener("load", () => axe.run().then(found => {
  const out = document.createElement("pre");
  out.id = "axe";
  out.textContent = JSON.stringify(found);
  document.documentElement.replaceChildren(out);
}));"""


@pytest.fixture(scope="module")
def pages(command: Callable[..., CommandResult], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of a run for each picture, the trend of these runs, and a fleet with targets of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    with reference_process.server([word for fault, _ in FAULTS.values() for word in ("--mount", fault)]) as (
        url,
        tokens,
    ):
        environment = os.environ | {f"{role.upper()}_TOKEN": token for role, token in tokens.items()}
        flags = [f"--token={role}=env:{role.upper()}_TOKEN" for role in tokens]
        for picture, (fault, requirement) in FAULTS.items():
            more = (f"--select={requirement}", "--quiet", "--out", folder / picture)
            done = command("run", f"{url}/{fault}", *flags, *more, folder=folder / picture, env=environment)
            assert done.outcomes == {requirement: "failed"}, done
    assert command("trend", folder, folder=folder).code == 0
    (folder / "fleet.html").write_text(fleet_html.render(FOUR, "run.log"), encoding="utf-8")
    pages = {picture: folder / picture / "report.html" for picture in FAULTS}
    return pages | {name: folder / f"{name}.html" for name in ("trend", "fleet")}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [*FAULTS, "trend", "fleet"])
def test_page_is_accessible(name: str, width: int, pages: dict[str, Path], tmp_path: Path) -> None:
    """axe-core runs on the page, and finds nothing serious."""
    violations = check_with_axe(pages[name], width, tmp_path)
    assert [each for each in violations if each["impact"] in SERIOUS] == []


def test_axe_finds_something(tmp_path: Path) -> None:
    """A page with an image that has no name has a critical violation, so that the check can fail."""
    page = tmp_path / "bad.html"
    page.write_text("<html><body><img src='data:,'></body></html>", encoding="utf-8")
    assert "image-alt" in {each["id"] for each in check_with_axe(page, WIDTHS[0], tmp_path)}


def check_with_axe(page: Path, width: int, folder: Path) -> list[dict[str, str]]:
    """Return what axe-core finds on a page of this width in CSS pixels."""
    source = Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8").replace("</script", r"<\/script")
    html = POLICY.sub("", page.read_text(encoding="utf-8"))
    script = f"<script>{source}</script><script>{REPORT}</script></body>"
    probe = folder / "probe.html"
    probe.write_text(script.join(html.rsplit("</body>", 1)), encoding="utf-8")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    assert browser, f"none of {', '.join(names)} is on the PATH; install one of them"
    flags = ["--headless", "--no-sandbox", "--virtual-time-budget=60000", f"--window-size={width},900", "--dump-dom"]
    done = subprocess.run([browser, *flags, probe.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    (result,) = RESULT.findall(done.stdout)
    found = json.loads(unescape(result))
    assert found["passes"], "axe-core checked nothing"
    violations: list[dict[str, str]] = found["violations"]
    return violations
