"""The suite's own errors. None of them is ever a verdict about a target.

SuiteError                    exit code 3: the run has no result
 +-- UsageError               exit code 2: the request cannot be carried out; nothing was purged
 |    +-- BadSetting          a flag, a token source or a URL is not usable
 |    |    +-- LoginRejected  a password, a client secret or a refresh token is not accepted
 |    +-- ConsentMissing      --allow-purge does not name the target
 |    +-- ArchiveIncomplete   not all events are archived, and --allow-incomplete-archive was not given
 |    +-- ChecksFailed        the target or the hook shows that settings are wrong
 |    +-- PurgeRefused        the command of --before-purge did not succeed
 |    +-- RunInProgress       another run of the suite may be in progress on the target
 |    +-- BadData             a file of spec/ or of an earlier run is not valid
 +-- TargetUnreachable        exit code 3: the target gives no HTTP response
 +-- TargetUnusable           exit code 3: it responds, but not as the API does to an admin
 +-- HookFailed               the hook did not do its task; what needs it is not judged
 |    +-- HookUnreachable     it did not respond
 +-- StateUnsupported         the hook does not know a state; what needs it is not tried
 +-- ReportsNotWritten        exit code 3 if report.json or junit.xml is one of them, else that of the verdict
 +-- Interrupted              exit code 3: a signal closed the guard; only cleanup requests are sent
 +-- RequestBlocked           the guard did not send a request; what needs it is not judged
      +-- PurgeBlocked        the purge budget is used up, or the events are not archived
      +-- BudgetExhausted     the requests or the time of the run are used up
      +-- WriteBlocked        the request could change something, and the run must not
      +-- UnusableGuid        a guid of the target cannot be a segment of a path
      +-- ArchiveFailed       the existing events could not be written to a file
      +-- TokenExpired        the role's token has expired, and there is no other
"""

from __future__ import annotations

import errno
import re
from difflib import SequenceMatcher, get_close_matches
from traceback import format_tb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SIMILAR, MUCH_LESS = 0.6, 0.1  # how similar a misspelt name is to the one that is meant, as difflib measures it
# What the machine denies, not a defect of the suite: error number -> the next step.
_MAKE_ROOM = "Make room there, or name another folder (--out, TMPDIR)."
_GIVE_PERMISSION = "Give the permission, or name another folder (--out, TMPDIR)."
ENVIRONMENT_ERRORS = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: _MAKE_ROOM,
    errno.EACCES: _GIVE_PERMISSION,
    errno.EPERM: _GIVE_PERMISSION,
    errno.EROFS: _GIVE_PERMISSION,
    errno.EISDIR: "Name another folder with --out.",
    errno.ENOTDIR: "Name another folder with --out.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.EADDRINUSE: "Give another --port; 0 selects a free one.",
    errno.EADDRNOTAVAIL: "Check the network interfaces of this machine.",
    errno.EIO: "Check the disk, or the terminal.",
    errno.EPIPE: "Keep the reader of the output open.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
    errno.ENFILE: "Raise the limit of open files of this machine.",
    errno.ENOMEM: "Free memory on this machine.",
    errno.EAGAIN: "Raise the limit of processes (ulimit -u).",
}


def environment_message(error: BaseException) -> str:
    """Return in one line what the machine denied, with the next step; empty if the error is something else."""
    if not isinstance(error, OSError) or error.errno not in ENVIRONMENT_ERRORS:
        return ""
    place = f" ({error.filename})" if isinstance(error.filename, str) else ""
    return f"{error.strerror}{place}. {ENVIRONMENT_ERRORS[error.errno]}"


def crash_message(error: BaseException) -> str:
    """Return the message for an error that no part of the suite expected.

    For a defect it has type and place, without the text, which may contain a secret.
    """
    if message := environment_message(error):
        return message
    frames = "".join(format_tb(error.__traceback__)).rstrip()
    cause = error.__cause__ or error.__context__
    message = (
        f"The suite failed. This says nothing about the target; please report it.\n{frames}\n{type(error).__name__}"
    )
    return f"{message}, after {type(cause).__name__}" if cause else message


def did_you_mean(name: str, candidates: Iterable[str], number: int = 3, cutoff: float = SIMILAR) -> str:
    """Return a question with the names that are most similar to a misspelt one; empty if none is similar.

    It begins with a space, to follow a sentence. Upper and lower case do not matter.

    Args:
        name: what was given.
        candidates: the names that are known.
        number: of names in the question, at most; those that are much less similar than the first are left out.
        cutoff: how similar they have to be, as difflib measures it; 1 is equality.
    """
    by_folded = {_fold(candidate): candidate for candidate in candidates}
    is_meant = _fold(name) in by_folded
    close = [_fold(name)] if is_meant else get_close_matches(_fold(name), by_folded, number, cutoff)
    ratios = [SequenceMatcher(None, each, _fold(name)).ratio() for each in close]
    near = [by_folded[each] for each, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - MUCH_LESS]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _fold(name: str) -> str:
    """Return a name without what a misspelling ignores: upper and lower case, and zeros before a number."""
    return re.sub(r"(?<=-)0+(?=\d)", "", name.casefold())


class SuiteError(Exception):
    """The suite cannot go on; the text says what was got, what was expected, and the next step."""


class UsageError(SuiteError):
    """The request cannot be carried out."""


class BadSetting(UsageError):
    """A flag, a token source or a URL is not usable."""


class LoginRejected(BadSetting):
    """A login was rejected; to repeat it would fail again, or lock the user out."""


class ConsentMissing(UsageError):
    """The run would purge a target that `--allow-purge` does not name."""


class ArchiveIncomplete(UsageError):
    """The run would destroy events that are not archived, and `--allow-incomplete-archive` was not given."""


class ChecksFailed(UsageError):
    """The target or the hook shows that settings are wrong; nothing was created, changed or purged."""


class PurgeRefused(UsageError):
    """The command of `--before-purge` did not succeed, so no purge was sent; the suite's apps are deleted."""


class RunInProgress(UsageError):
    """Another run of the suite may be in progress on the target, and `--alongside` was not given."""


class BadData(UsageError):
    """A file of `spec/` or of an earlier run is not valid."""


class TargetUnreachable(SuiteError):
    """The target gave no HTTP response, repeatedly."""


class TargetUnusable(SuiteError):
    """The target responds, but not as the API does to an admin; nothing can be judged.

    Attributes:
        cause: `authentication`, `configuration` or `network`.
    """

    def __init__(self, reason: str, cause: str) -> None:
        """Store the reason and its cause."""
        self.cause = cause
        super().__init__(reason)


class HookFailed(SuiteError):
    """The user's hook failed, or its response cannot be read; what needs it is not judged."""


class HookUnreachable(HookFailed):
    """The user's hook did not respond."""


class StateUnsupported(SuiteError):
    """The user's hook does not know a state; what needs it is not tried."""


class ReportsNotWritten(SuiteError):
    """Some reports could not be written; the others are there.

    Attributes:
        names: of the files that could not be written.
    """

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        """Store the message and the names."""
        self.names = names
        super().__init__(message)


class Interrupted(SuiteError):
    """A signal ended the run; only requests that delete what the run created are still sent."""


class RequestBlocked(SuiteError):
    """The guard did not send a request; what needs it is not judged."""


class PurgeBlocked(RequestBlocked):
    """The purge budget is used up, or the existing events are not archived."""


class BudgetExhausted(RequestBlocked):
    """The requests or the time of the run are used up."""


class WriteBlocked(RequestBlocked):
    """The request could change something, and the run must not change anything."""


class UnusableGuid(RequestBlocked):
    """A guid of the target cannot be a segment of a path, so a request with it could reach another resource."""


class ArchiveFailed(RequestBlocked):
    """The existing events could not be written to a file, so nothing may destroy them."""


class TokenExpired(RequestBlocked):
    """The token of a role has expired, and there is no other."""
