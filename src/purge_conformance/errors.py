"""What can go wrong with a run of the suite itself; none of it is ever a verdict about a target.

SuiteError
 +-- Misuse                  exit code 2: something was asked for that cannot be done
 |    +-- BadSetting         a flag, a token source, a URL
 |    |    +-- LoginRefused  a password, a client's secret or a refresh token
 |    +-- ConsentMissing     a target that may not be purged without being named
 |    +-- BadData            a file of spec/ or of an old run that is not what it should be
 +-- TargetLost              exit code 3: the target does not answer at all
 +-- TargetUnusable          exit code 3: it answers, but not as the API to its admin
 +-- HookFailed              the user's hook did not do what it was asked for
 |    +-- HookSilent         it gave no answer at all
 +-- StateUnsupported        the user's hook does not know a state
 +-- Interrupted             exit code 3: the guard was closed; nothing but taking down is sent
 +-- HeldBack                the guard kept a request from being sent
      +-- PurgeRefused      a purge: none is left, or nothing is archived
      +-- BudgetSpent       any request: none is left
      +-- ReadsOnly         a request that could change something, where nothing may be changed
      +-- ArchiveFailed     the events that exist could not be written down
      +-- TokenExpired      any request of a role: its token has come to its end, and there is no other
"""

from __future__ import annotations

from traceback import format_tb


def crash_message(error: BaseException) -> str:
    """Return what is said of a defect of the suite: its kind and its place; not its words, which may hold a secret."""
    frames = "".join(format_tb(error.__traceback__)).rstrip()
    cause = error.__cause__ or error.__context__
    message = (
        f"The suite failed. This says nothing about the target; please report it.\n{frames}\n{type(error).__name__}"
    )
    return f"{message}, after {type(cause).__name__}" if cause else message


class SuiteError(Exception):
    """The suite cannot go on; the text says what was got, what was expected, and the cure."""


class UsageError(SuiteError):
    """Something was asked for that cannot be done."""


class BadSetting(UsageError):
    """A flag, a token source or a URL is not usable."""


class LoginRejected(BadSetting):
    """A login gave no token for what it was asked with; asked again, it would say the same, or lock the user out."""


class ConsentMissing(UsageError):
    """The target would be purged without its owner's word."""


class BadData(UsageError):
    """A file of `spec/` or of an old run is not what it should be."""


class TargetUnreachable(SuiteError):
    """The target gave no HTTP answer, repeatedly."""


class TargetUnusable(SuiteError):
    """The target answers, but not as the API to its admin; nothing can be judged.

    Attributes:
        cause: `authentication`, `configuration` or `network`.
    """

    def __init__(self, reason: str, cause: str) -> None:
        """Hold why, and what it is put down to."""
        self.cause = cause
        super().__init__(reason)


class HookFailed(SuiteError):
    """The user's hook failed, or gave no answer that can be read; what needed it cannot be judged."""


class HookUnreachable(HookFailed):
    """The user's hook is not there, or cannot be reached."""


class StateUnsupported(SuiteError):
    """The user's hook does not know a state; what needs it is not tried."""


class Interrupted(SuiteError):
    """The run was told to end; nothing more is sent but what takes down what it put up."""


class RequestBlocked(SuiteError):
    """The guard kept a request from being sent; whatever needed it cannot be judged."""


class PurgeBlocked(RequestBlocked):
    """No purge is left, or the events that exist are not archived."""


class BudgetExhausted(RequestBlocked):
    """No request is left."""


class WriteBlocked(RequestBlocked):
    """Nothing may be changed, and the request could."""


class ArchiveFailed(RequestBlocked):
    """The events that exist could not be written to a file, so nothing may destroy them."""


class TokenExpired(RequestBlocked):
    """The token of a role has come to its end, and no other is to be had."""
