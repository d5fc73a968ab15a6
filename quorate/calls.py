"""What travels with a call: its request id and what is left of its deadline.

Both live in context variables: a handler's own calls to other peers carry them on without its
doing anything. Set by the server around a handler, read by the channel.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import grpc.aio

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

REQUEST_ID_KEY: Final = "x-request-id"
REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
"""The id of the request being worked on; empty outside of one."""
DEADLINE: Final[ContextVar[float | None]] = ContextVar("deadline", default=None)
"""When the call being served ends, on the monotonic clock in seconds; None when it does not."""

MARGIN_SHARE: Final = 0.02
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id() -> str:
    """Draw a fresh request id: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def accept_request_id(text: object) -> str:
    """Take over a caller's request id, or draw one when it cannot stand in a log line."""
    if isinstance(text, str) and _ACCEPTABLE.fullmatch(text):
        return text
    return new_request_id()


def shrink(remaining_seconds: float) -> float:
    """Give what a call may pass on of its own time: all but a fiftieth.

    The rest is for saying to the caller what became of the callee; without it both run out at once,
    and the caller learns nothing. Less than a hundredth would be lost: gRPC sends deadlines rounded
    up to two or three digits.
    """
    return remaining_seconds * (1 - MARGIN_SHARE)


def time_left(now_seconds: float) -> float | None:
    """Give the time that calls made now may take, by the monotonic clock; None: no limit is set."""
    deadline = DEADLINE.get()
    return None if deadline is None else shrink(deadline - now_seconds)
