"""What answers are made with: the coordinator's parts, as the story of a question needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from quorate.telemetry import Telemetry
    from services.coordinator.journal import Journal
    from services.coordinator.loading import Loading
    from services.coordinator.merging import Merger
    from services.coordinator.orchestrate.floor import Marker, Scorer
    from services.coordinator.question import Node
    from services.coordinator.state.memory import Memory
    from services.coordinator.traffic import Traffic
    from services.coordinator.work import Caller


class Limits(NamedTuple):
    """How long a whole question and one ballot may take, in seconds."""

    question_seconds: float
    ballot_seconds: float


class Chances(NamedTuple):
    """The clock in seconds, and where seeds and ids are drawn from."""

    clock: Callable[[], float]
    draw_seed: Callable[[], int]
    new_id: Callable[[], str]


@dataclass(frozen=True)
class Means:
    """What answers are made with.

    `nodes` gives the live nodes of the moment, `traffic` is what was learned from calls of them,
    `loading` carries plans out, `journal` keeps what was planned. `writers` names the models that
    may merge, best first; empty lets the most reliable do it. `planner` splits and plans; "" lets
    the most able one. `marker` judges answers; None lets the models believe in them or not.
    """

    nodes: Callable[[], Sequence[Node]]
    caller: Caller
    scorer: Scorer
    merger: Merger
    limits: Limits
    chances: Chances
    telemetry: Telemetry
    traffic: Traffic
    memory: Memory
    loading: Loading
    journal: Journal
    writers: Sequence[str] = ()
    planner: str = ""
    marker: Marker | None = None
