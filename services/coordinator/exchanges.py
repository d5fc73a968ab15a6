"""What a question says about rounds, layers, samples and cascades, checked against its strategy.

A field that its strategy does not read is an error: silence would look like consent. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from quorate import voting
from quorate.errors import InvalidRequest
from quorate.v1 import coordinator_pb2
from services.coordinator import limits
from services.coordinator.question import Topology

if TYPE_CHECKING:
    from quorate.voting import Strategy

SELF_CONSISTENCY_SAMPLES: Final = 5
"""Samples of each model when the strategy is self_consistency and the question names none."""
MOST_WIDTHS: Final = 8
MOST_CANDIDATES: Final = 256
"""Candidates of all rounds of pacore together."""
WIDTH: Final = limits.Range(1, 64)
WITH_ROUNDS: Final = ("debate", "moa")
TOPOLOGIES: Final[Mapping[int, Topology]] = {
    coordinator_pb2.DEBATE_TOPOLOGY_UNSPECIFIED: Topology.RING,
    coordinator_pb2.DEBATE_TOPOLOGY_RING: Topology.RING,
    coordinator_pb2.DEBATE_TOPOLOGY_FULL: Topology.FULL,
}
EARLY_STOPS: Final = (
    coordinator_pb2.STOP_RULE_RISK,
    coordinator_pb2.STOP_RULE_ADAPTIVE,
    coordinator_pb2.STOP_RULE_WINDOW,
)


class Exchange(NamedTuple):
    """The checked fields, with the strategy's own values where the question names none."""

    samples: int
    rounds: int
    topology: Topology
    widths: tuple[int, ...]
    cascade: bool


def exchange_of(asked: coordinator_pb2.Question, strategy: str) -> Exchange:
    """Check a question's fields about rounds; `strategy` is a name of the table.

    Raises InvalidRequest that names the field, its value, and which strategies read it.
    """
    row = voting.find(strategy)
    _check_readers(asked, strategy)
    _check_widths(asked)
    if asked.topology not in TOPOLOGIES:
        raise InvalidRequest.field(
            "topology", asked.topology, "there is no such topology", "Leave it out for a ring."
        )
    _check_stopping(asked, row)
    usual = SELF_CONSISTENCY_SAMPLES if strategy == "self_consistency" else 1
    return Exchange(
        samples=asked.samples or usual,
        rounds=asked.rounds,
        topology=TOPOLOGIES[asked.topology],
        widths=tuple(asked.widths),
        cascade=asked.cascade,
    )


def asks_again(row: Strategy) -> bool:
    """Whether a strategy needs more than one plain vote."""
    return row.name != "self_consistency" and (
        row.orchestrated or row.ranked or row.name == "best_of_n"
    )


def is_warm(strategy: str, samples: int) -> bool:
    """Whether a model is drawn from several times, which only a temperature makes differ."""
    return samples > 1 or strategy == "pacore"


def _check_readers(asked: coordinator_pb2.Question, strategy: str) -> None:
    if asked.rounds and strategy not in WITH_ROUNDS:
        raise InvalidRequest.field(
            "rounds", asked.rounds, f"the strategy {strategy!r} has none",
            "Leave it out, or choose debate or moa.",
        )  # fmt: skip
    if asked.topology and strategy != "debate":
        raise InvalidRequest.field(
            "topology", asked.topology, f"the strategy {strategy!r} has none",
            "Leave it out, or choose debate.",
        )  # fmt: skip
    if asked.widths and strategy != "pacore":
        raise InvalidRequest.field(
            "widths", list(asked.widths), f"the strategy {strategy!r} has none",
            "Leave it out, or choose pacore.",
        )  # fmt: skip
    if asked.samples > 1 and strategy == "pacore":
        raise InvalidRequest.field(
            "samples", asked.samples, "pacore deals its widths over the models",
            "Leave it out and give widths.",
        )  # fmt: skip


def _check_widths(asked: coordinator_pb2.Question) -> None:
    if len(asked.widths) > MOST_WIDTHS:
        raise InvalidRequest.field(
            "widths", len(asked.widths), f"there may be {MOST_WIDTHS} rounds", "Give fewer."
        )
    for position, width in enumerate(asked.widths):
        limits.check(f"widths[{position}]", width, WIDTH)
    if sum(asked.widths) > MOST_CANDIDATES:
        raise InvalidRequest.field(
            "widths", sum(asked.widths), f"together they may be {MOST_CANDIDATES}", "Lower them."
        )


def _check_stopping(asked: coordinator_pb2.Question, row: Strategy) -> None:
    """Refuse what stops a plain vote early where every answer is what others work with."""
    again = asks_again(row)
    if asked.cascade and again:
        raise InvalidRequest.field(
            "cascade", True, f"the strategy {row.name!r} asks all models at once",
            "Leave it out, or choose a strategy that counts one ballot of each, such as majority.",
        )  # fmt: skip
    if (again or asked.cascade) and (asked.stop_rule in EARLY_STOPS or asked.risk > 0.0):
        what = "a cascade" if asked.cascade else f"the strategy {row.name!r}"
        raise InvalidRequest.field(
            "stop_rule", asked.stop_rule, f"{what} stops by its own rule", "Leave it and risk out."
        )
