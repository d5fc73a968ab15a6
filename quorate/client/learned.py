"""What the client tells about what was learned of the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorate.v1 import coordinator_pb2


@dataclass(frozen=True)
class Reliability:
    """How often a model was right; counts are fractions, for old answers are forgotten.

    `evidence` is "truth", "test", "verifier" or "consensus", which is weak. `estimate` is the
    probability of a right answer on the topic, from strong evidence, in (0, 1).
    """

    model: str
    sha256: str
    topic: str
    evidence: str
    right: float
    wrong: float
    estimate: float


@dataclass(frozen=True)
class PairHistory:
    """How often two models agreed, and which of them were right."""

    first: str
    second: str
    same: float
    different: float
    both_right: float
    first_right: float
    second_right: float
    neither_right: float


@dataclass(frozen=True)
class Calibration:
    """A calibrated confidence, of a model's ballots or of a strategy's answers.

    It `claims` nothing while its `items` are too few.
    """

    model: str
    strategy: str
    items: int
    claims: bool


@dataclass(frozen=True)
class Duration:
    """How long a model takes on a node, in seconds."""

    node: str
    model: str
    count: int
    average_seconds: float
    quantile_seconds: float


@dataclass(frozen=True)
class Learned:
    """All that was learned."""

    reliabilities: tuple[Reliability, ...]
    pairs: tuple[PairHistory, ...]
    calibrations: tuple[Calibration, ...]
    durations: tuple[Duration, ...]


def learned(wire: coordinator_pb2.GetLearnedResponse) -> Learned:
    """Read what was learned."""
    return Learned(
        tuple(
            Reliability(
                row.model,
                row.model_sha256,
                row.topic,
                row.evidence,
                row.right,
                row.wrong,
                row.estimate,
            )
            for row in wire.reliabilities
        ),
        tuple(
            PairHistory(
                row.first,
                row.second,
                row.same,
                row.different,
                row.both_right,
                row.first_right,
                row.second_right,
                row.neither_right,
            )
            for row in wire.pairs
        ),
        tuple(
            Calibration(row.model, row.strategy, row.items, row.claims) for row in wire.calibrations
        ),
        tuple(
            Duration(row.node, row.model, row.count, row.average_seconds, row.quantile_seconds)
            for row in wire.durations
        ),
    )
