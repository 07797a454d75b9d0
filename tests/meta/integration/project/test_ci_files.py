"""The action, the files for other CI systems and the recipes of the documentation work as they are."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from meta.support.ci_files import PROGRAM, recipe, run_action, run_script, with_installation
from meta.support.paths import ROOT
from meta.support.relay import relay
from meta.support.remote import remote_address
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Server = tuple[str, dict[str, str]]

__all__ = ["remote_address"]
ROLES = {
    "ADMIN_TOKEN": "admin",
    "AUDITOR_TOKEN": "global_auditor",
    "DEVELOPER_TOKEN": "space_developer",
    "EXPIRED_TOKEN": "expired",
}
QUICK = {"PURGE_CONFORMANCE_SELECT": "PURGE-01", "PURGE_CONFORMANCE_EXAMPLES": "1"}
# Leaves two folders writable, and runs a command as a user who has no entry in /etc/passwd and no right of root.
READ_ONLY = """
for place in "$1" "$2"; do mount --bind "$place" "$place"; done
shift 2
mount -o remount,ro,bind / /
exec unshare --user --map-user=54321 "$@"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A reference server: its URL, and variable -> token."""
    with reference_process.server() as (url, tokens):
        yield url, {name: tokens[role] for name, role in ROLES.items()}


def documented(name: str, old: str, new: str) -> Any:  # noqa: ANN401 -- YAML
    """Return the first step of a recipe, with another host or URL."""
    return yaml.safe_load(recipe(name).replace(old, new))[0]


def ci_file(name: str) -> Any:  # noqa: ANN401 -- YAML
    """Return the content of a file for a CI system; of several documents the last."""
    return list(yaml.safe_load_all((ROOT / "docs" / "ci" / name).read_text("utf-8")))[-1]


def verdict_in(folder: Path) -> str:
    """Return the verdict of the report in a folder."""
    return str(json.loads((folder / "report.json").read_text("utf-8"))["verdict"])


def test_recipe_for_loopback(server: Server, tmp_path: Path) -> None:
    """The action judges a server on the runner, with outputs, a summary and an environment of its own."""
    url, tokens = server
    step = documented("loopback", "http://127.0.0.1:8080", url)
    done = run_action(step, tmp_path, tokens | QUICK)
    assert done.outputs == {"verdict": "partial", "exit-code": "0", "report": "purge-conformance"}, done.printed
    assert (done.code, verdict_in(tmp_path / "purge-conformance")) == (0, "partial")
    assert (tmp_path / "runner" / "summary.md").read_text("utf-8").startswith("# ◐ Partial")
    assert (tmp_path / "pip.txt").read_text("utf-8").endswith(f"{ROOT}[reference,uaa]\n")
    assert "::" not in done.printed.replace("::1", "")


def test_recipe_for_a_remote_host(server: Server, remote_address: str, tmp_path: Path) -> None:
    """The action judges a server on another host with the consent and the tokens of the recipe."""
    url, tokens = server
    with relay(remote_address, url) as remote_url:
        text = recipe("remote").replace("https://api.staging.example.org", remote_url)
        step, *uploads = yaml.safe_load(text.replace("api.staging.example.org", remote_address))
        done = run_action(step, tmp_path, tokens | QUICK)
    assert (done.code, done.outputs["verdict"]) == (0, "partial"), done.printed
    paths = " ".join(upload["with"].get("path") or upload["with"]["sarif_file"] for upload in uploads)
    named = paths.replace("${{ steps.conformance.outputs.report }}", done.outputs["report"]).split()
    assert len(named) == 3
    assert all((tmp_path / path).exists() for path in named)


def test_recipe_for_one_role(server: Server, remote_address: str, tmp_path: Path) -> None:
    """With the admin's token alone the verdict is open, until what needs other roles is entered as known."""
    url, tokens = server
    more = tokens | QUICK | {"PURGE_CONFORMANCE_SELECT": "REFUSE-02"}
    with relay(remote_address, url) as remote_url:
        text = recipe("role").replace("https://api.staging.example.org", remote_url)
        (step,) = yaml.safe_load(text.replace("api.staging.example.org", remote_address))
        without = {**step, "with": {name: each for name, each in step["with"].items() if name != "arguments"}}
        first = run_action({**without, "with": without["with"] | {"out": "first"}}, tmp_path, more)
        written = ["write", "first", "--out", "known-failures.yaml", "--owner=ci", "--reason=The CI has one role."]
        subprocess.run([PROGRAM, "known-failures", *written], cwd=tmp_path, capture_output=True, check=True)
        second = run_action(step, tmp_path, more)
    assert (first.code, first.outputs["verdict"]) == (3, "inconclusive"), first.printed
    assert (second.code, second.outputs["verdict"]) == (0, "partial"), second.printed


def test_action_without_consent(server: Server, remote_address: str, tmp_path: Path) -> None:
    """Without consent nothing is purged, and the outputs say that there is no verdict."""
    url, tokens = server
    with relay(remote_address, url) as remote_url:
        step = documented("loopback", "http://127.0.0.1:8080", remote_url)
        done = run_action(step, tmp_path, tokens | QUICK)
    assert (done.code, done.outputs["verdict"], done.outputs["exit-code"]) == (2, "none", "2"), done.printed


def test_action_annotates_failures(tmp_path: Path) -> None:
    """A failed requirement is annotated, the step fails with the exit code, and the verdict is an output."""
    with reference_process.server(["--fault", "purge-returns-data"]) as (url, tokens):
        step = documented("loopback", "http://127.0.0.1:8080", url) | {"env": {}}
        step["with"]["arguments"] = "--select=PURGE-*\n--examples=1\n"
        done = run_action(step, tmp_path, {"ADMIN_TOKEN": tokens["admin"]})
    assert (done.code, done.outputs["verdict"], done.outputs["exit-code"]) == (1, "non-conformant", "1"), done.printed
    assert any(line.startswith("::error title=PURGE-") for line in done.printed.splitlines())


def test_recipe_for_any_system(server: Server, tmp_path: Path) -> None:
    """The lines for any other system judge a server."""
    url, tokens = server
    environ = os.environ | tokens | QUICK | with_installation(tmp_path) | {"URL": url, "HOST": "127.0.0.1"}
    code, printed = run_script(recipe("shell"), tmp_path, environ)
    assert (code, verdict_in(tmp_path / "report")) == (0, "partial"), printed


def test_gitlab_job(server: Server, tmp_path: Path) -> None:
    """The script of the GitLab template judges a server and writes each artifact."""
    url, tokens = server
    job = ci_file("gitlab.yml")[".purge-conformance"]
    given = {"PURGE_CONFORMANCE_TARGET": url, "ALLOW_PURGE": "127.0.0.1"}
    environ = os.environ | job["variables"] | tokens | QUICK | with_installation(tmp_path) | given
    code, printed = run_script("\n".join(job["script"]), tmp_path, environ)
    assert code == 0, printed
    artifacts = [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]
    assert [path for path in artifacts if not (tmp_path / path).exists()] == []


@pytest.mark.parametrize("has_target", [True, False])
def test_concourse_task(has_target: bool, server: Server, tmp_path: Path) -> None:  # noqa: FBT001 -- a column
    """The script of the Concourse task judges a server, or a reference server without one, into its output."""
    url, tokens = server
    task = ci_file("concourse.yml")
    assert (task["platform"], task["image_resource"]["type"]) == ("linux", "registry-image")
    assert set(task) == {"platform", "image_resource", "outputs", "params", "run"}
    (output,) = task["outputs"]
    (tmp_path / output["name"]).mkdir()
    given = {"PURGE_CONFORMANCE_TARGET": url, "TOKENS": "admin=env:ADMIN_TOKEN"} if has_target else {}
    environ = os.environ | task["params"] | tokens | QUICK | with_installation(tmp_path) | given
    done = subprocess.run(
        [task["run"]["path"], *task["run"]["args"]],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, verdict_in(tmp_path / output["name"])) == (0, "partial"), done.stdout + done.stderr


def test_job_on_a_read_only_root(server: Server, tmp_path: Path) -> None:
    """The arguments of the Kubernetes Job judge a server as a user without a name, which can write only its volumes."""
    url, tokens = server
    (container,) = ci_file("kubernetes.yml")["spec"]["template"]["spec"]["containers"]
    report, temporary = (tmp_path / mount["name"] for mount in container["volumeMounts"])
    for place in (report, temporary):
        place.mkdir()
    arguments = [each.replace("https://api.staging.example.org", url) for each in container["args"]]
    arguments = [each.replace("/report", str(report)) for each in arguments if "--allow" not in each]
    environ = {"PATH": os.environ["PATH"], "HOME": str(temporary), "TMPDIR": str(temporary)} | QUICK | tokens
    isolate = ["unshare", "--mount", "sh", "-euc", READ_ONLY, "sh", str(report), str(temporary)]
    if subprocess.run([*isolate, "true"], capture_output=True, check=False).returncode:
        pytest.skip("Only root, and only outside of some containers, can mount the root read-only for one process.")
    done = subprocess.run(
        [*isolate, str(PROGRAM), *arguments], cwd=report, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, verdict_in(report / "run")) == (0, "partial"), done.stdout + done.stderr


def test_image_has_the_version_of_the_package() -> None:
    """The Job, the Dockerfile and the page on CI name the version of the package."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    named = [f"purge-conformance:{version}", f"purge-conformance:{version}", f"OWNER/purge-conformance@v{version}"]
    for path, name in zip(("docs/ci/kubernetes.yml", "Dockerfile", "docs/gate-ci.md"), named, strict=True):
        assert name in (ROOT / path).read_text("utf-8"), path


def test_owner_is_in_one_place() -> None:
    """The owner of the repository is left open on one page alone."""
    found = subprocess.run(
        ["git", "grep", "--files-with-matches", "--word-regexp", "OWNER/purge-conformance"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(found.stdout.split()) <= {"docs/gate-ci.md", "tests/meta/integration/project/test_ci_files.py"}
