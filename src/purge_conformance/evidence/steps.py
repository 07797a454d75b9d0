"""The declared vocabulary of evidence: every scenario, step, phase, part, app label and tag, once.

Scenarios write these names and analysis reads them; nothing composes or splits them. A step has one meaning in every
scenario. `evidence/notes.py` declares the notes, with the type of each value, `evidence/tag_values.py` those of tags.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scenario(StrEnum):
    """A procedure against the target. `scenarios/definitions.py` holds the order and the cost of each."""

    PREFLIGHT = "preflight"
    FOUNDATION = "foundation"
    FILL_PAGE = "fill-page"
    ARCHIVE = "archive"
    LISTS_BEFORE_PURGE = "lists-before-purge"
    PURGE = "purge"
    SECOND_PURGE = "second-purge"
    APP_CHANGES = "app-changes"
    READS = "reads"
    REJECTED_PURGES = "rejected-purges"
    AUTH_BYPASS = "auth-bypass"
    LISTS = "lists"
    PURGE_AFTER_CHANGES = "purge-after-changes"
    GENERATED = "generated"
    STATEFUL = "stateful"
    REPEAT = "repeat"
    UNEXPECTED_INPUT = "unexpected-input"
    CHANGES_AFTER_PURGES = "changes-after-purges"
    INDUCED_ERRORS = "induced-errors"
    CONCURRENT_PURGES = "concurrent-purges"
    RACE = "race"
    PURGE_WITHOUT_STARTED_APPS = "purge-without-started-apps"
    SEQUENCES = "sequences"
    CLEANUP = "cleanup"


class Phase(StrEnum):
    """Where a snapshot or a list belongs, relative to the requests of the same step."""

    BEFORE = "before"
    AFTER = "after"


class Part(StrEnum):
    """Which list of a snapshot an exchange reads."""

    EVENTS = "events"
    PROCESSES = "processes"
    APPS = "apps"


class App(StrEnum):
    """The suite's own apps, by what each is for. With a quota, earlier ones matter more.

    The labels are short since the names of the apps on the target begin with them, and a target may limit names.
    """

    TOGGLED = "toggled"  # started and stopped to record an ordinary event
    STARTED = "started"
    SCALED = "scaled"  # started, with two instances
    STOPPED = "stopped"  # never started
    WITHOUT_INSTANCES = "zero"  # started, scaled to 0 instances
    STOPPED_WITHOUT_INSTANCES = "zero-stop"  # started, scaled to 0 instances, stopped
    DELETED = "deleted"
    OTHER_ORG = "other-org"  # in a second organization, where the suite may create one


class Step(StrEnum):
    """What an exchange is for. The comment names the scenarios that use a step, unless its name does."""

    # apps of the suite's own, in every scenario; with Place.app where the app has a label
    START_APP = "start-app"
    STOP_APP = "stop-app"
    SCALE_APP = "scale-app"
    RESTART_APP = "restart-app"
    AWAIT_STATE = "await-state"  # reads of an app until it shows the state
    AWAIT_EVENT = "await-event"  # reads of the newest events until a change is recorded
    CREATE = "create"  # an organization, a space or an app
    AWAIT_CREATION = "await-creation"
    VERIFY_CREATION = "verify-creation"  # reads what a response says was created, before it is changed
    RENAME = "rename"  # purge-after-changes: an app, its space and its organization; concurrent-purges: the app
    VERIFY_RENAME = "verify-rename"  # reads the name of a space after that
    PREPARE_DROPLET = "prepare-droplet"
    ASSIGN_DROPLET = "assign-droplet"  # purge-after-changes: another one to a started app
    FIND_SPACE = "find-space"  # existing spaces, where none can be created; also of `doctor` and `plan`
    FIND_DROPLET = "find-droplet"  # existing droplets, where an app does not start; also of `doctor` and `plan`
    DELETE = "delete"
    AWAIT_DELETION = "await-deletion"
    FREE_QUOTA = "free-quota"  # sequences: deletes labelled apps, where not all could be created
    FIND = "find"  # cleanup: objects whose creation was not acknowledged, or of an earlier run
    FIND_CONTENTS = "find-contents"  # the command cleanup: what an object still contains
    AWAIT_JOB = "await-job"

    # preflight
    ROOT = "root"
    V3_ROOT = "v3-root"
    APPS = "apps"
    EVENTS = "events"
    EVENTS_AS_ROLE = "events-as-role"
    APPS_AS_ROLE = "apps-as-role"  # where the role's first read was rejected with 401
    SPACE = "space"  # the one that the user named
    DROPLET = "droplet"  # the one that the user named
    NEWEST_EVENT = "newest-event"  # also reads and rejected-purges; the newest events, outside any span

    COUNT_EVENTS = "count-events"  # fill-page
    EXISTING_EVENTS = "existing-events"  # archive: the whole list; index: of a further walk, from 1
    BEFORE_PURGE = "before-purge"  # any scenario: a look at the list for the archive; index: its number in the run
    ALL_APPS = "all-apps"  # purge-without-started-apps: the whole list

    TOKEN_CHECK = "token-check"  # noqa: S105 -- a name; any scenario: whether a token is rejected everywhere
    REACHABILITY = "reachability"  # any scenario: whether the target is there, after requests without a response
    # snapshots and lists at the beginning and at the end: app-changes, lists, race, induced-errors
    OPENING = "opening"
    CLOSING = "closing"

    # a purge by the admin; a phase marks the snapshots around it
    PURGE = "purge"
    SECOND_PURGE = "second-purge"  # repeat: right after the first one
    SEARCH_DESTROYED = "search-destroyed"
    GET_DESTROYED = "get-destroyed"
    GET_SEEDED = "get-seeded"

    # app-changes and changes-after-purges: a change of an app; the list after it has Phase.AFTER
    START = "start"
    STOP = "stop"
    SCALE = "scale"
    SCALE_MEMORY = "scale-memory"
    SCALE_DOWN = "scale-down"
    STOP_AGAIN = "stop-again"
    START_AGAIN = "start-again"
    SCALE_UP = "scale-up"

    # reads; GET also in lists
    LIST = "list"
    GET = "get"
    FILTERED_LIST = "filtered-list"  # in the roles that may not get events
    GET_UNKNOWN = "get-unknown"
    OTHER_HEADERS = "other-headers"

    # rejected-purges, auth-bypass, repeat: one page of the newest events, before and after each attempt
    NEWEST_PAGE = "newest-page"
    CREDENTIAL = "credential"
    METHOD = "method"
    UNKNOWN_ROUTE = "unknown-route"
    WAIT_AFTER_REJECTED = "wait-after-rejected"
    WAIT_AFTER_READS = "wait-after-reads"
    SPELLING = "spelling"
    OVERRIDE = "override"
    IMPERSONATION = "impersonation"
    FORGED_TOKEN = "forged-token"  # noqa: S105 -- the name of a step
    TOKEN_IN_URL = "token-in-url"  # noqa: S105 -- the name of a step
    CLOSE_TOKEN = "close-token"  # noqa: S105 -- the name of a step
    OTHER_SCHEME = "other-scheme"
    TWO_CREDENTIALS = "two-credentials"  # in two Authorization headers; neither may purge
    CLAIMS_BESIDE = "claims-beside"  # the request claims an admin's rights beside its Authorization header

    # lists
    SAME_PAGE_TWICE = "same-page-twice"
    DEFAULT_PAGE = "default-page"
    PAGE_SIZE_LIMITS = "page-size-limits"
    WALK = "walk"  # index: into how many pages the walk divides the list
    ASCENDING = "ascending"
    DESCENDING = "descending"
    FILTER_GUIDS = "filter-guids"
    FILTER_AFTER_GUID = "filter-after-guid"
    FILTER_CREATED_ATS = "filter-created-ats"
    COMBINED_FILTERS = "combined-filters"
    INVALID_QUERY = "invalid-query"
    UNSPECIFIED_QUERY = "unspecified-query"

    # generated, stateful
    EXISTING_EVENT = "existing-event"
    GENERATED_PURGE = "generated-purge"  # index: of a purge between snapshots, its number in the run
    GENERATED_LIST = "generated-list"
    GENERATED_GET = "generated-get"

    # unexpected-input
    TRUNCATED_JSON = "truncated-json"
    JSON_OBJECT = "json-object"
    JSON_ARRAY = "json-array"
    NOT_JSON = "not-json"
    FORM = "form"
    LONG_TEXT = "long-text"
    UNKNOWN_PARAMETER = "unknown-parameter"

    # induced-errors
    INDUCED_PURGE = "induced-purge"
    INDUCED_LIST = "induced-list"
    INDUCED_GET = "induced-get"
    AFTER_CONFLICT = "after-conflict"
    AFTER_UNAVAILABLE = "after-unavailable"
    RESTORED = "restored"  # the events after a plain purge, where an error had emptied the list; index: the next status

    # concurrent-purges, race
    ALONE = "alone"
    CONCURRENT = "concurrent"  # index: number of the concurrent round
    CONCURRENT_READ = "concurrent-read"  # also rejected-purges
    CONCURRENT_CREDENTIAL = "concurrent-credential"  # also rejected-purges; sent beside the admin's requests
    SETTLE = "settle"
    SEQUENTIAL = "sequential"
    SEQUENTIAL_CHANGE = "sequential-change"
    CONCURRENT_CHANGE = "concurrent-change"

    # sequences; with Place.sequence and Place.position
    ACTION = "action"
    LIST_AFTER_ACTION = "list-after-action"  # index: from 0; several where a change is recorded late
    RESET_PURGE = "reset-purge"


class Tag(StrEnum):
    """What a scenario or the client knows of a request, and its response does not show."""

    SUPERSEDED = "superseded"  # the client sent it again; value: a `tag_values.Retry`
    LONG_WAIT = "long-wait"  # it asks to wait longer than --patience allows; value: the header that does
    CONCURRENT = "concurrent"  # other requests were in flight: its number is no place in an order
    REPEATED = "repeated"  # an attempt that is made again, since events were gone after it
    INDUCED = "induced"  # the hook was asked for an error; value: its status
    STATE = "state"  # beside INDUCED: the state that the hook was asked for
    CHANGED_BY_HOOK = "changed-by-hook"  # a read of an app that the hook has just changed
    FORM = "form"  # the request sent a file, which is not recorded; value: curl's --form argument
    CREDENTIAL = "credential"  # a `tag_values.CredentialKind`
    HEADERS = "headers"  # a `tag_values.HeaderSet`, which a purge carries
    PART_OF_SET = "part-of-set"  # a purge carries only these headers of the set of the purge before; value: their names
    GENERATION = "generation"  # of a generated case: examples, coverage, fuzzing, stateful
    MODE = "mode"  # of a generated case: a `tag_values.CaseMode`
    ABOUT = "about"  # of a generated case: what was varied
    AUTH = "auth"  # of a generated case: a `tag_values.GeneratedAuth`
    URL_PASSWORD = "url-password"  # noqa: S105 -- the response showed a URL with a password, which is masked here


YES = "yes"  # value of a tag that has no other


@dataclass(frozen=True, slots=True)
class Place:
    """Where an exchange belongs within one round of a scenario. The pages of one list share a place.

    Attributes:
        step: what it is for.
        index: which one, where the step occurs several times; `Step` says what it counts.
        phase: of a snapshot or list around the requests of the step; None: the exchange is such a request itself.
        part: which list of a snapshot it reads; None: it belongs to no snapshot.
        app: the suite's own app that it is about.
        sequence, position: of the scenario `sequences`: number of the sequence, and of the action in it, from 1.
    """

    step: Step
    index: int | None = None
    phase: Phase | None = None
    part: Part | None = None
    app: App | None = None
    sequence: int | None = None
    position: int | None = None

    @property
    def whole(self) -> Place:
        """The place of the snapshot that the exchange belongs to."""
        return replace(self, part=None)

    @property
    def requests(self) -> Place:
        """The place of the requests that a snapshot belongs to."""
        return replace(self, part=None, phase=None)

    @property
    def is_request(self) -> bool:
        """Whether the exchange is a request of its step, and no part of a snapshot or list around it."""
        return self.phase is None and self.part is None

    def at(self, phase: Phase) -> Place:
        """Return the place of the snapshot before or after the requests of this place."""
        return replace(self, phase=phase)

    def of(self, part: Part) -> Place:
        """Return the place of one list of this snapshot."""
        return replace(self, part=part)

    def __str__(self) -> str:
        """Return the members in words, for reports."""
        names = (self.step, self.index, self.app, self.phase, self.part)
        words = " ".join(str(name) for name in names if name is not None)
        numbers = (("sequence", self.sequence), ("action", self.position))
        return ", ".join([words, *(f"{name} {number}" for name, number in numbers if number is not None)])

    def to_row(self) -> dict[str, Any]:
        """Return the members of a JSON row; what is None is left out."""
        return {name: value for name in PLACE if (value := getattr(self, name)) is not None}

    @classmethod
    def pop_from(cls, row: dict[str, Any]) -> Self:
        """Remove the members of a place from a JSON row and return the place.

        Raises:
            KeyError, ValueError: the row has no step, or a name that is not declared.
        """
        names = {name: row.pop(name, None) for name in PLACE}
        phase, part, app = names["phase"], names["part"], names["app"]
        return cls(
            Step(names["step"]),
            index=names["index"],
            phase=phase and Phase(phase),
            part=part and Part(part),
            app=app and App(app),
            sequence=names["sequence"],
            position=names["position"],
        )


PLACE = tuple(field.name for field in fields(Place))
Where = Step | Place


def place_of(where: Where) -> Place:
    """Return a place; a step alone is the place without an index."""
    return where if isinstance(where, Place) else Place(where)


# Constants on which scenarios and analysis have to agree.
UNEXPECTED_INPUTS: Mapping[Step, str] = MappingProxyType(  # -> case of BODY-01; few purges send only the first ones
    {
        Step.JSON_OBJECT: "json-object",
        Step.UNKNOWN_PARAMETER: "unknown-query",
        Step.TRUNCATED_JSON: "cut-json",
        Step.FORM: "form",
        Step.JSON_ARRAY: "json-array",
        Step.NOT_JSON: "not-json",
        Step.LONG_TEXT: "long-text",
    }
)
BYPASSES = (
    *(Step.SPELLING, Step.OVERRIDE, Step.IMPERSONATION, Step.FORGED_TOKEN, Step.TOKEN_IN_URL),
    *(Step.CLOSE_TOKEN, Step.OTHER_SCHEME, Step.TWO_CREDENTIALS, Step.CLAIMS_BESIDE),
)
ATTEMPTS = (Step.CREDENTIAL, Step.CONCURRENT_CREDENTIAL, Step.METHOD, Step.UNKNOWN_ROUTE, *BYPASSES)  # between pages
# Waits after rejected purges, and as many after reads: others purge after all and none of these once in 4 ** 5 runs.
WAITS = 5
