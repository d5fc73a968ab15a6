"""A cascade: models are asked one after the other, the cheapest first, until one is sure enough.

Cheap is what needs no loading and few bytes of weights, since a token costs a pass over them. An
answer is accepted from a raw confidence on that was learned of its model: the cheapest setting
that is as good as any. A question that names an `error_risk`, or models of which that
was not learned, need a calibrated probability of being right of at least 1 - `error_risk` (default
DEFAULT_RISK). Where nothing was calibrated, raw confidences say nothing, and an answer is
accepted only when two models agree and nobody who was asked differs from them in number: then the
answer says that it is uncalibrated. Whatever is not accepted goes up; at the top all vote. A part
that is hard begins half-way up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import cluster
from services.coordinator.orchestrate.floor import Ask, answered, explained
from services.coordinator.question import Ballot, Member, Seat

if TYPE_CHECKING:
    from services.coordinator.orchestrate.floor import Floor
    from services.coordinator.outcome import Decision, Round

DEFAULT_RISK = 0.05
LEAST_AGREEING = 2
"""Models that must agree where nothing was calibrated: one alone always agrees with itself."""


class Accepted(NamedTuple):
    """Why a rung's answer is good enough."""

    why: str


async def cascade(floor: Floor) -> Decision:
    """Ask rung by rung; the vote of all asked so far decides."""
    rungs = from_difficulty(by_cost(floor.work.members), floor.part.difficulty)
    heard: list[Ballot] = []
    decision = floor.decide(heard) if not rungs else None
    accepted: Accepted | None = None
    held: list[Round] = []
    asked = 0
    for asked, member in enumerate(rungs, 1):
        seat = Seat(member.node, member.model, 0)
        ask = Ask(member, seat, floor.work.messages, floor.work.samples)
        heard += await floor.one(ask, floor.until(len(rungs) - asked))
        in_order = sorted(heard, key=lambda ballot: ballot.seat)
        held.append(await floor.stand(in_order, held))
        decision = floor.decide(in_order)
        accepted = enough(floor, decision)
        if accepted or floor.seconds_left <= 0.0:
            break
    if decision is None:
        raise ValueError("a cascade needs somebody to ask")
    return _reported(floor, decision, accepted, asked, len(rungs))


def by_cost(members: Sequence[Member]) -> list[Member]:
    """Order members by cost: those in memory first, then by bytes; unknown sizes come last."""
    return sorted(
        members, key=lambda one: (not one.resident, one.memory_bytes or float("inf"), one)
    )


def from_difficulty(rungs: Sequence[Member], difficulty: str) -> list[Member]:
    """Begin a hard part in the dearer half; the cheaper half follows where nobody was sure.

    A simple model would only be asked in vain there. Any other part begins with the cheapest.
    """
    first = len(rungs) // 2 if difficulty == "hard" else 0
    return [*rungs[first:], *rungs[:first]]


def enough(floor: Floor, decision: Decision) -> Accepted | None:
    """Say why the answer so far is accepted, None when the next rung is to be asked."""
    if decision.error is not None:
        return None
    behind = supporters(decision)
    if not floor.question.error_risk and any(one.accepted_from is not None for one in behind):
        return _believed(behind)
    known = [ballot for ballot in behind if ballot.calibrated]
    if known:
        ballot = max(known, key=lambda one: one.confidence)
        value = ballot.confidence
        threshold = 1.0 - (floor.question.error_risk or DEFAULT_RISK)
        told = f"{ballot.node}/{ballot.seat.model} is right with {value:.3f}"
        return Accepted(f"{told}, at least {threshold:g}") if value >= threshold else None
    agreeing = {(ballot.seat.node, ballot.seat.model) for ballot in behind}
    if len(agreeing) >= LEAST_AGREEING and decision.agreement > 0.5:
        return Accepted(f"uncalibrated, but {len(agreeing)} models agree")
    return None


def _believed(behind: Sequence[Ballot]) -> Accepted | None:
    """Say whose raw confidence reaches what was learned of its model."""
    for ballot in behind:
        least = ballot.accepted_from
        if least is not None and ballot.raw_confidence >= least:
            told = f"{ballot.node}/{ballot.seat.model} is sure with {ballot.raw_confidence:.3f}"
            return Accepted(f"{told}, at least the learned {least:.3f}")
    return None


def supporters(decision: Decision) -> list[Ballot]:
    """Give the ballots behind a decision's answer."""
    spoken = answered(decision.ballots)
    labels = cluster([ballot.answer for ballot in spoken]).labels
    winning = [
        label
        for ballot, label in zip(spoken, labels, strict=True)
        if ballot.answer is not None and ballot.answer.text == decision.answer
    ]
    return [b for b, label in zip(spoken, labels, strict=True) if label in winning]


def _reported(
    floor: Floor, decision: Decision, accepted: Accepted | None, asked: int, rungs: int
) -> Decision:
    late = accepted is None and asked < rungs
    if accepted:
        note = f"cascade: rung {asked} of {rungs} answered: {accepted.why}"
    elif late:
        note = f"cascade: the time was over at rung {asked} of {rungs}; all asked so far vote"
    else:
        note = f"cascade: no rung was sure enough; all {rungs} vote"
    stopped_by = "cascade" if accepted else "deadline" if late else "all"
    return replace(explained(decision, note), stopped_by=stopped_by, missing=note if late else "")
