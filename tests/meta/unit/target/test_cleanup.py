"""Cleanup deletes what killed runs left, by its label, and nothing of other users."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

from meta.support.labelled_resources import LabelledResources
from purge_conformance.errors import SuiteError
from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import APPS, RUN_LABEL
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.resources import ORGANIZATIONS, SPACES
from purge_conformance.target.cleanup import cleanup

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

pytestmark = pytest.mark.usefixtures("no_delay")


@pytest.fixture
def labelled_resources(stub_server: StubServer) -> LabelledResources:
    """A foundation with an app, a space and an organization of a run, and others of another user."""
    resources = LabelledResources(stub_server)
    for kind, guid, owner in ((ORGANIZATIONS, "org", ""), (SPACES, "space", "org"), (APPS, "app", "space")):
        resources.add(kind, guid, "0123abcd", owner)
        resources.add(kind, f"others-{guid}", None, owner and f"others-{owner}")
    return resources


def test_labelled_resources_are_deleted(
    labelled_resources: LabelledResources, make_client: Callable[..., Client]
) -> None:
    """Labelled resources are deleted, inner ones first; all others stay, even if the selector is ignored."""
    output: list[str] = []
    assert cleanup(make_client(), lambda each: output.append(str(each))).deleted == 3
    assert labelled_resources.deleted == [f"{APPS}/app", f"{SPACES}/space", f"{ORGANIZATIONS}/org"]
    assert [list(rows) for rows in labelled_resources.rows.values()] == [
        ["others-app"],
        ["others-space"],
        ["others-org"],
    ]
    assert output[0] == f"deleted {APPS}/app app of run 0123abcd"


def test_shared_space_is_preserved(labelled_resources: LabelledResources, make_client: Callable[..., Client]) -> None:
    """A space with an app of another user stays, and so does its organization."""
    labelled_resources.add(APPS, "guest", None, "space")
    output: list[str] = []
    with pytest.raises(SuiteError, match="Resources not deleted: 2"):
        cleanup(make_client(), lambda each: output.append(str(each)))
    assert labelled_resources.deleted == [f"{APPS}/app"]
    assert f"kept {SPACES}/space space of run 0123abcd: it still contains {APPS}/guest" in output


@pytest.mark.parametrize("when", [{"created_at": 600}, {"updated_at": 600}, {}])
@pytest.mark.parametrize("dry", [False, True])
def test_active_run_is_preserved(
    when: dict[str, float], labelled_resources: LabelledResources, make_client: Callable[..., Client], *, dry: bool
) -> None:
    """Resources of a run that may be active are not deleted; those of other runs are."""
    for guid in ("old", "young"):
        labelled_resources.add(APPS, guid, "4567cdef")
    row = labelled_resources.rows[APPS]["young"]
    del row["created_at"]
    row |= {name: clock.format_rfc3339(time.time() - age) for name, age in when.items()}
    output: list[str] = []
    if dry:
        assert cleanup(make_client(), lambda each: output.append(str(each)), dry_run=True).deleted == 3
    else:
        with pytest.raises(SuiteError, match=r"Resources not deleted: 2; .* give --run ID, as these lines say\.$"):
            cleanup(make_client(), lambda each: output.append(str(each)))
    preserved = " ".join(line for line in output if "--run 4567cdef" in line)
    assert set(re.findall(r"/v3/\S+", preserved)) == {f"{APPS}/old", f"{APPS}/young"}
    assert (len(labelled_resources.deleted), set(labelled_resources.rows[APPS]) >= {"old", "young"}) == (
        0 if dry else 3,
        True,
    )


def test_named_run_is_deleted(labelled_resources: LabelledResources, make_client: Callable[..., Client]) -> None:
    """With a named run its recent resources are deleted, and those of other runs stay."""
    labelled_resources.add(APPS, "young", "4567cdef", age=1)
    assert cleanup(make_client(), lambda _: None, "4567cdef").deleted == 1
    assert labelled_resources.deleted == [f"{APPS}/young"]


@pytest.mark.parametrize(("run", "dry", "found", "deleted"), [("0123abcd", True, 3, 0), ("another", False, 0, 0)])
def test_cleanup_can_be_limited(  # noqa: PLR0913 -- two fixtures, and the parts of a case
    run: str,
    found: int,
    deleted: int,
    labelled_resources: LabelledResources,
    make_client: Callable[..., Client],
    *,
    dry: bool,
) -> None:
    """Cleanup can be limited to one run, and a dry run lists what would be deleted."""
    assert cleanup(make_client(), lambda _: None, run, dry_run=dry).deleted == found
    assert len(labelled_resources.deleted) == deleted


@pytest.mark.parametrize("guid", ["..", "../../v3/organizations/x", "", "%2e%2e/x"])
def test_unusable_guid_is_never_sent(
    guid: str, labelled_resources: LabelledResources, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A resource whose guid would lead elsewhere is kept, and no request is sent for it."""
    labelled_resources.add(APPS, guid, "0123abcd")
    output: list[str] = []
    with pytest.raises(SuiteError, match="Resources not deleted"):
        cleanup(make_client(), lambda each: output.append(str(each)))
    assert f"kept {APPS}/{guid} {guid} of run 0123abcd: its guid cannot be a part of a path" in " ".join(output)
    assert f"{APPS}/app" in labelled_resources.deleted
    assert not [target for target in stub_server.targets if ".." in target or target.startswith(f"{APPS}/%")]


@pytest.mark.parametrize("labels", [{}, {RUN_LABEL: "another"}, {RUN_LABEL: ["0123abcd"]}])
@pytest.mark.parametrize("kind", [APPS, SPACES, ORGANIZATIONS])
def test_label_is_checked_right_before_the_deletion(
    kind: str, labels: dict[str, object], labelled_resources: LabelledResources, make_client: Callable[..., Client]
) -> None:
    """What is listed with the label, but does not have it when it is read by its guid, is kept."""
    labelled_resources.by_guid["others"] = {"guid": "others", "metadata": {"labels": labels}}
    labelled_resources.add(kind, "others", "0123abcd")
    output: list[str] = []
    with pytest.raises(SuiteError, match="Resources not deleted: 1"):
        cleanup(make_client(), lambda each: output.append(str(each)))
    assert f"kept {kind}/others others of run 0123abcd: read by its guid, it does not have the label" in " ".join(
        output
    )
    assert len(labelled_resources.deleted) == 3


def test_run_to_give_is_quoted(labelled_resources: LabelledResources, make_client: Callable[..., Client]) -> None:
    """A line to paste quotes what the target says is the run."""
    labelled_resources.add(APPS, "young", "x; rm -r ~", age=1)
    output: list[str] = []
    cleanup(make_client(), lambda each: output.append(str(each)), dry_run=True)
    assert any("give --run 'x; rm -r ~'" in line for line in output)


@pytest.mark.parametrize(
    ("states", "why"), [(["FAILED"], "its job failed"), (["PROCESSING"] * jobs.POLLS, "its job is still PROCESSING")]
)
def test_job_polling_is_bounded(
    states: list[str], why: str, labelled_resources: LabelledResources, make_client: Callable[..., Client]
) -> None:
    """A deletion whose job fails or does not finish is reported as left."""
    labelled_resources.states = states
    output: list[str] = []
    cleanup(make_client(), lambda each: output.append(str(each)))  # the stub deletes all the same
    assert all(why in line for line in output)


def test_cleanup_resumes_after_loss(
    labelled_resources: LabelledResources, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """If the target dies during cleanup, this is reported, and a second cleanup deletes the rest."""
    answer = stub_server.answer

    def dying(handler: BaseHTTPRequestHandler) -> None:
        if labelled_resources.deleted:
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            answer(handler)

    stub_server.answer = dying
    with pytest.raises(
        SuiteError,
        match=r"^Cleanup stopped; resources deleted before: 0\. No response from .* run it again: ",
    ):
        cleanup(make_client(), lambda _: None)
    stub_server.answer = answer
    assert cleanup(make_client(), lambda _: None).deleted == 2
    assert [list(rows) for rows in labelled_resources.rows.values()] == [
        ["others-app"],
        ["others-space"],
        ["others-org"],
    ]
