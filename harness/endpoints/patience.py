"""What may pass if the same is asked again, and how long to wait before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

TRIES = 6
"""Requests for one thing that is asked, in all."""
PASSING = frozenset({408, 409, 429})
LONGEST_S = 120.0
"""Nobody waits longer than this before the next try, whatever is asked for."""


class Garbled(Exception):
    """A body that is no chat completion, or not the whole of one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a request has no reply. `passing` says that another try may have one; `status` is None without a response."""

    message: str
    passing: bool = True
    status: int | None = None
    retry_after: str | None = None
    begun: bool = False
    """The endpoint may have worked on an answer, which is paid for too."""

    @property
    def busy(self) -> bool:
        """The endpoint asks for fewer requests, or is past what it can do."""
        return self.status is not None and (self.status == 429 or self.status >= 500)


def trouble_of(error: Exception, timeout_s: float) -> Trouble | None:
    """What an exception of a request means; None for one that is not the endpoint's doing.

    Exceptions of the client's transport are known by their names: it differs with the version of `openai`.
    """
    import openai

    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, Garbled):
        return Trouble(str(error), begun=True)
    if isinstance(error, (openai.APITimeoutError, TimeoutError)) or "TimeoutException" in names:
        connected = "ConnectTimeout" not in {type(error).__name__, type(error.__cause__).__name__}
        return Trouble(f"no reply within {timeout_s:g} s", begun=connected)
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        passing = (status in PASSING or status >= 500) and error.code != "insufficient_quota"
        told = f"status {status}: {error.message.removeprefix(f'Error code: {status} - ')}"
        return Trouble(told, passing, status, error.response.headers.get("retry-after"))
    if "DecodingError" in names:
        return Trouble(f"the reply cannot be unpacked: {error}", begun=True)
    if isinstance(error, openai.APIConnectionError) or "TransportError" in names:
        return Trouble(f"{error.__cause__ or error}", passing=type(error.__cause__).__name__ != "TooManyRedirects")
    return None


def patience(attempt: int, retry_after: str | None, now: float) -> float:
    """Seconds before the try after number `attempt` (from 0): twice as long each time, or what `Retry-After` says."""
    return min(max(2.0**attempt, _seconds(retry_after, now)), LONGEST_S)


def _seconds(retry_after: str | None, now: float) -> float:
    """The header as seconds from `now` (seconds since 1970), whether it has a number or a date; 0 where unreadable."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return 0.0
