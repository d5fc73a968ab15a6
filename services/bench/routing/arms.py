"""The arms of the study: ways to plan, each with a mesh of its own that remembers its own loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from quorate.models import pocket_models

if TYPE_CHECKING:
    from services.bench.suites.mixing import Mix

MIB: Final = 2**20
ROOM_FOR_TWO: Final = 240 * MIB
ROOM_FOR_ONE: Final = 130 * MIB
UNEVEN_ROOM: Final = 170 * MIB
"""More than one model takes and less than two: where fractions of models mislead most."""
THREADS: Final = 2
PLANNER: Final = "marshal"
"""The pocket model that practised planning; it needs memory like any other."""
BASELINE: Final = "mip"
"""What every other arm is compared with."""
AHEAD: Final = "mip, one layer ahead"
LAMBDAS: Final = (0.0, 0.2, 0.5, 1.0, 10.0)
"""What loading weighs; the last lies far beyond what anybody would set, to show that it acts."""
USUAL_LAMBDA: Final = 0.2


class Arm(NamedTuple):
    """One way to plan: its name, the fields of its questions, and the memory of its node."""

    name: str
    fields: Mapping[str, Any]
    memory_bytes: int

    def topology(self) -> Mapping[str, Any]:
        """Give the topology of its mesh: one node, all pocket models on demand."""
        models = [{"name": name, "load": "on_demand"} for name in pocket_models()]
        limits = {"memory": self.memory_bytes, "cores": THREADS}
        return {"nodes": [{"name": "n1", "models": models, **limits}]}


class MixArm(NamedTuple):
    """An arm that is asked single questions: in which order, and what loading weighs."""

    arm: Arm
    mix: Mix
    lambda_switch: float


def _routed(name: str, mode: str, **more: object) -> Arm:
    return Arm(name, {"routing": mode, **more}, ROOM_FOR_TWO)


WORKFLOW: Final[Sequence[Arm]] = (
    _routed(BASELINE, "mip"),
    _routed("lp_relaxed", "lp_relaxed"),
    _routed("model", "model", planner=PLANNER),
    _routed("greedy", "greedy"),
    _routed("round_robin", "round_robin"),
    _routed("random", "random"),
    _routed(AHEAD, "mip", horizon=1),
)


def mix_name(mix: Mix, lambda_switch: float) -> str:
    """Name the arm of an order and a weight of loading."""
    return f"{mix}, λ_switch {lambda_switch:g}"


def _mixed(mix: Mix, weight: float) -> MixArm:
    fields = {"routing": "mip", "lambda_switch": weight}
    return MixArm(Arm(mix_name(mix, weight), fields, ROOM_FOR_ONE), mix, weight)


_ORDERS: Final[Sequence[Mix]] = ("grouped", "interleave")
MIXES: Final[Sequence[MixArm]] = tuple(_mixed(*pair) for pair in product(_ORDERS, LAMBDAS))
