"""What a question on the wire says of its plan, checked: mode, voters and limits of memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest, nearest

if TYPE_CHECKING:
    from quorate.v1 import coordinator_pb2

MODES: Final = ("mip", "lp_relaxed", "model", "greedy", "round_robin", "random")
USUAL: Final = "mip"
"""How a question is routed that wants a choice and names no mode."""
ROUTED_VOTERS: Final = 1
"""Models for each part where a mode is named and no number of models."""
MOST_BYTES: Final = 2**50


def mode_of(asked: coordinator_pb2.Question) -> str:
    """Give the routing mode, "" where everybody votes; raises InvalidRequest for an unknown one."""
    if asked.routing and asked.routing not in MODES:
        raise InvalidRequest.field(
            "routing", asked.routing, "there is no such mode",
            nearest(asked.routing, MODES).strip() or f"Choose one of {', '.join(MODES)}.",
        )  # fmt: skip
    return asked.routing or (USUAL if _wants_choice(asked) else "")


def voters_of(asked: coordinator_pb2.Question) -> int:
    """Give how many models work on each part; 0 is everybody."""
    return asked.max_models or (ROUTED_VOTERS if _planned(asked) else 0)


def memory_of(asked: coordinator_pb2.Question) -> Mapping[str, int]:
    """Give the limits of memory by node or machine; raises InvalidRequest for impossible ones."""
    for name, limit in asked.memory_bytes.items():
        if not 0 < limit <= MOST_BYTES:
            raise InvalidRequest.field(
                f"memory_bytes[{name}]", limit, f"it must lie in (0, {MOST_BYTES}]",
                "Give bytes, such as 8589934592 for 8 GiB.",
            )  # fmt: skip
    return dict(asked.memory_bytes)


def _wants_choice(asked: coordinator_pb2.Question) -> bool:
    return asked.max_models > 0 or _planned(asked)


def _planned(asked: coordinator_pb2.Question) -> bool:
    """Say whether a question speaks of its plan, beyond how many models it wants."""
    weighed = asked.HasField("lambda_token") or asked.HasField("lambda_switch")
    return bool(asked.routing or asked.memory_bytes or asked.horizon or weighed)
