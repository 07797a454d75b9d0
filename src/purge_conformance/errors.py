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

from traceback import format_tb


def crash_message(error: BaseException) -> str:
    """Return the message for a defect of the suite: type and place, without the text, which may contain a secret."""
    frames = "".join(format_tb(error.__traceback__)).rstrip()
    cause = error.__cause__ or error.__context__
    message = (
        f"The suite failed. This says nothing about the target; please report it.\n{frames}\n{type(error).__name__}"
    )
    return f"{message}, after {type(cause).__name__}" if cause else message


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
