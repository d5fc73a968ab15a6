"""How sure a ballot and an answer are, by held-out items, and when to withhold one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from quorate.voting import answer_calibration, calibration, conformal
from quorate.voting.answer_calibration import AnswerCalibrator, Features
from services.coordinator.question import Ballot, Status
from services.coordinator.state.learned import AnswerItem, BallotItem, ModelKey
from services.coordinator.state.rungs import NONE_LEARNED, Thresholds

if TYPE_CHECKING:
    from quorate.voting.calibration import Calibrator
    from quorate.voting.conformal import RiskCurve
    from services.coordinator.outcome import Decision

FEWEST_ANSWERS = 2 * answer_calibration.FEWEST_ITEMS
"""Half of the items fit the calibrator, the others prove what it promises."""


class AnswerJudge(NamedTuple):
    """How sure the answers of one strategy are.

    `calibrator` was fitted on one half of the `items`; `curve` proves on the other half, which it
    has not seen, how rarely they are wrong.
    """

    calibrator: AnswerCalibrator
    curve: RiskCurve
    items: int


@dataclass(frozen=True)
class Judges:
    """What is calibrated: models by key, answers by strategy, and the rungs of a cascade."""

    models: Mapping[ModelKey, Calibrator] = field(default_factory=dict)
    answers: Mapping[str, AnswerJudge] = field(default_factory=dict)
    cascade: Thresholds = NONE_LEARNED


def fit_model(items: Sequence[BallotItem], day: date) -> Calibrator:
    """Fit a model's calibrator; uncalibrated below the fewest items."""
    return calibration.fit([calibration.Item(one.confidence, one.right) for one in items], day)


def fit_answers(items: Sequence[AnswerItem], day: date) -> AnswerJudge:
    """Fit the judge of a strategy's answers; about half of the items are held out for the proof.

    The halves are drawn by place, the same ones every time and without any rhythm.
    """
    described = [
        answer_calibration.AnswerItem(features_of(one.features), one.right) for one in items
    ]
    draw = Random(0)  # noqa: S311 - a split, not a secret
    halves = [draw.random() < 0.5 for _ in described]
    fitting = [one for one, held in zip(described, halves, strict=True) if not held]
    fitted = answer_calibration.fit_answers(fitting, day)
    proving = [one for one, held in zip(described, halves, strict=True) if held]
    held_out = proving if fitted.claims else []
    scores = [fitted.apply(one.features) or 0.0 for one in held_out]
    curve = conformal.risk_curve(scores, [one.right for one in held_out])
    return AnswerJudge(fitted, curve, len(items))


def features_of(numbers: Mapping[str, float]) -> Features:
    """Read a vote's features; what is missing counts as 0, ballots' confidence as unknown."""
    return Features(
        numbers.get("share", 0.0),
        numbers.get("agreement", 0.0),
        numbers.get("margin", 0.0),
        numbers.get("effective_votes", 0.0),
        numbers.get("ballots"),
    )


def calibrated(ballot: Ballot, judges: Judges) -> Ballot:
    """Put the probability of being right in the place of what a model said of its confidence.

    Without enough items of that very model the confidence stays, and is not called calibrated.
    """
    key = ModelKey(ballot.seat.model, ballot.sha256)
    accepted_from = judges.cascade.accepted_from.get(key.id)
    raw = ballot
    if (ballot.raw_confidence, ballot.accepted_from) != (ballot.confidence, accepted_from):
        raw = replace(ballot, raw_confidence=ballot.confidence, accepted_from=accepted_from)
    if ballot.status is not Status.VALID:
        return raw
    known = judges.models.get(key)
    chance = known.apply(ballot.confidence) if known else None
    return raw if chance is None else replace(raw, confidence=chance, calibrated=True)


def described(decision: Decision, effective_votes: float) -> Decision:
    """Note how a vote stood, before anything is calibrated."""
    if decision.error is not None:
        return replace(decision, effective_votes=effective_votes)
    scores = [max(0.0, standing.score) for standing in decision.standings]
    total = sum(scores)
    second = scores[1] if len(scores) > 1 else 0.0
    numbers = {
        "share": decision.confidence,
        "agreement": decision.agreement,
        "margin": max(0.0, scores[0] - second) / total if scores and total > 0.0 else 0.0,
        "effective_votes": effective_votes,
    }
    sure = [
        ballot.confidence
        for ballot in decision.ballots
        if ballot.calibrated and ballot.answer and ballot.answer.text == decision.answer
    ]
    if sure:
        numbers["ballots"] = sum(sure) / len(sure)
    return replace(decision, effective_votes=effective_votes, features=numbers)


def judged(decision: Decision, strategy: str, judges: Judges, error_risk: float) -> Decision:
    """Say how sure an answer is, and withhold it when it is riskier than `error_risk` (0: never).

    Where nothing was calibrated nothing is claimed: with an `error_risk` the answer is withheld.
    What is promised is the share of wrong answers among those that are given. One that is itself
    more likely wrong than right is not given even where the others would make up for it.
    """
    if decision.error is not None:
        return decision
    judge = judges.answers.get(strategy)
    chance = judge.calibrator.apply(features_of(decision.features)) if judge else None
    if chance is not None:
        decision = replace(decision, confidence=chance, calibrated=True, risk=1.0 - chance)
    if error_risk == 0.0:
        return decision
    limit = judge.curve.threshold(error_risk) if judge and chance is not None else None
    verdict = conformal.decide(chance, limit)
    if verdict.answer and chance is not None and 1.0 - chance > max(error_risk, 0.5):
        verdict = conformal.Decision(False, "not sure: it is more likely wrong than right")
    if verdict.answer:
        return decision
    items = judge.items if judge else 0
    return replace(decision, withheld=True, missing=_why(verdict.reason, strategy, items, chance))


def _why(reason: str, strategy: str, items: int, chance: float | None) -> str:
    if chance is not None:
        return f"{reason} ({items} items of the strategy {strategy!r})"
    return (
        f"{reason}; {max(1, FEWEST_ANSWERS - items)} items are missing of the {FEWEST_ANSWERS} "
        f"that the strategy {strategy!r} needs: give ground_truth, or feedback on earlier answers"
    )
