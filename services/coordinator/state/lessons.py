"""What an answered question teaches: from its record, with or without the right answer. Pure.

Agreement of two models is learned from every answer. That somebody was right needs evidence: the
ground truth, or a verdict on the answer. What abstained, failed or was cancelled teaches nothing.
One question counts once for a model, however many samples of it voted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import Kind, cluster, equivalent, extract
from quorate.errors import InvalidRequest
from quorate.records.values import answer_of
from services.coordinator.state.learned import (
    NO_CHANGES,
    AnswerItem,
    BallotItem,
    Changes,
    Evidence,
    Heard,
    JointChange,
    ModelKey,
    RecordChange,
    RungItem,
    TogetherChange,
    pair_of,
)

if TYPE_CHECKING:
    from quorate.answers import Answer
    from quorate.records.record import BallotRecord, PartRecord, Record

MOST_TRUTH_CHARACTERS = 1 << 20
MOST_RUNGS = 16
"""Models of one cascade that are learned about."""


class Voice(NamedTuple):
    """A vote with an answer: whose it was, which group it is in, and whether it is right."""

    model: ModelKey
    group: int
    confidence: float
    right: bool | None = None


class Verdict(NamedTuple):
    """What a person says of an answer: the right one, or only whether it `correct`ly answered."""

    ground_truth: str = ""
    correct: bool | None = None

    @property
    def said(self) -> str:
        """A form in which two verdicts can be compared."""
        return f"truth:{self.ground_truth}" if self.ground_truth else f"correct:{self.correct}"


def check(verdict: Verdict) -> None:
    """Raise InvalidRequest for a verdict that says nothing, or is no answer."""
    if not verdict.ground_truth.strip() and verdict.correct is None:
        raise InvalidRequest.field(
            "ground_truth", verdict.ground_truth, "there is nothing in the feedback",
            "Give ground_truth, or say whether the answer was correct.",
        )  # fmt: skip
    if verdict.ground_truth and not is_answer(verdict.ground_truth):
        raise InvalidRequest.field(
            "ground_truth", verdict.ground_truth, "it is no answer that anything could equal",
            "Give the right answer, or say whether the answer was correct.",
        )  # fmt: skip
    if len(verdict.ground_truth) > MOST_TRUTH_CHARACTERS:
        raise InvalidRequest.field(
            "ground_truth", len(verdict.ground_truth),
            f"it may have {MOST_TRUTH_CHARACTERS} characters", "Shorten it.",
        )  # fmt: skip


def is_answer(truth: str, kind: Kind | None = None) -> bool:
    """Whether a right answer is one at all: nothing equals "unknown" or white space."""
    return extract(truth, kind) is not None or extract(truth) is not None


def agreement(record: Record) -> Changes:
    """Say which models answered alike; needs no evidence."""
    changes = NO_CHANGES
    for part in record.parts:
        changes = changes.plus(Changes(together=_together(_voices(_independent(part)))))
    return changes


def consensus(record: Record) -> Changes:
    """Take the winner for right: weak evidence, counted apart."""
    changes = NO_CHANGES
    for part in record.parts:
        if part.decision.error:
            continue
        voices = _judged(part, _independent(part), None, correct=True)
        changes = changes.plus(Changes(records=_records(voices, part.topic, Evidence.CONSENSUS)))
    return changes


def taught(record: Record, verdict: Verdict, evidence: Evidence = Evidence.TRUTH) -> Changes:
    """Say who was right.

    The right answer of a question is that of its only part, or of the only part that no other
    builds on. A verdict without it says of the winners whether they are right: when the answer of
    several parts is wrong, nobody knows which of them is, and nothing is learned.
    """
    changes = NO_CHANGES
    for part in _meant(record, verdict):
        truth, correct = verdict.ground_truth or None, bool(verdict.correct)
        voices = _judged(part, _independent(part), truth, correct=correct)
        counted = _judged(part, _spoken(part), truth, correct=correct)
        changes = changes.plus(
            Changes(
                records=_records(voices, part.topic, evidence),
                joint=_joint(voices),
                ballots=_ballot_items(voices, part.topic),
                answers=_answer_items(record.strategy, part, counted),
                rungs=_rung_items(part, voices),
            )
        )
    return changes


def _meant(record: Record, verdict: Verdict) -> Sequence[PartRecord]:
    if not verdict.ground_truth and verdict.correct:
        return record.parts
    needed = {parent for part in record.parts for parent in part.depends_on}
    last = [part for part in record.parts if part.id not in needed]
    if not verdict.ground_truth:
        return record.parts if len(record.parts) == 1 else ()
    return last if len(last) == 1 else ()


def _spoken(part: PartRecord) -> list[tuple[BallotRecord, Answer]]:
    return [
        (ballot, answer)
        for ballot in part.ballots
        if ballot.counted and ballot.status == "VALID" and (answer := answer_of(ballot.answer))
    ]


def _independent(part: PartRecord) -> list[tuple[BallotRecord, Answer]]:
    """Give the ballots of those who had read nobody else's: what was copied tells of nobody."""
    return [
        (ballot, answer)
        for ballot in part.ballots
        if ballot.round == 0 and ballot.status == "VALID" and (answer := answer_of(ballot.answer))
    ]


def _voices(spoken: Sequence[tuple[BallotRecord, Answer]]) -> list[Voice]:
    labels = cluster([answer for _, answer in spoken]).labels
    return [
        Voice(ModelKey(ballot.model, ballot.sha256), label, ballot.raw_confidence)
        for (ballot, _), label in zip(spoken, labels, strict=True)
        if label is not None
    ]


def _judged(
    part: PartRecord,
    spoken: Sequence[tuple[BallotRecord, Answer]],
    truth: str | None,
    *,
    correct: bool,
) -> list[Voice]:
    """Say of every voice whether it is right, as far as that is known."""
    voices = _voices(spoken)
    if truth is not None:
        if not any(is_answer(truth, answer.kind) for _, answer in spoken):
            return []
        return [
            voice._replace(right=bool(equivalent(answer, truth, answer.kind)))
            for voice, (_, answer) in zip(voices, spoken, strict=True)
        ]
    winners = {
        voice.group
        for voice, (_, answer) in zip(voices, spoken, strict=True)
        if answer.text == part.decision.answer
    }
    if len(winners) != 1:
        return []
    # Beside a right answer all others are wrong; beside a wrong one they may be anything.
    return [
        voice._replace(right=correct)
        if voice.group in winners
        else voice._replace(right=False if correct else None)
        for voice in voices
    ]


def _by_model(voices: Sequence[Voice]) -> Mapping[ModelKey, list[Voice]]:
    found: dict[ModelKey, list[Voice]] = {}
    for voice in voices:
        found.setdefault(voice.model, []).append(voice)
    return found


def _together(voices: Sequence[Voice]) -> tuple[TogetherChange, ...]:
    changes = []
    for one, other in combinations(sorted(_by_model(voices).items()), 2):
        pairs = [(first, second) for first in one[1] for second in other[1]]
        same = sum(first.group == second.group for first, second in pairs) / len(pairs)
        changes.append(TogetherChange(pair_of(one[0], other[0]), same, 1.0 - same))
    return tuple(changes)


def _records(voices: Sequence[Voice], topic: str, evidence: Evidence) -> tuple[RecordChange, ...]:
    known = _by_model([voice for voice in voices if voice.right is not None])
    shares = {
        model: sum(bool(voice.right) for voice in said) / len(said)
        for model, said in sorted(known.items())
    }
    return tuple(
        RecordChange(model, topic, evidence, share, 1.0 - share) for model, share in shares.items()
    )


def _joint(voices: Sequence[Voice]) -> tuple[JointChange, ...]:
    known = _by_model([voice for voice in voices if voice.right is not None])
    changes = []
    for one, other in combinations(sorted(known.items()), 2):
        pairs = [(first.right, second.right) for first in one[1] for second in other[1]]
        shares = [pairs.count(way) / len(pairs) for way in _WAYS]
        changes.append(JointChange(pair_of(one[0], other[0]), *shares))
    return tuple(changes)


_WAYS = ((True, True), (True, False), (False, True), (False, False))


def _ballot_items(voices: Sequence[Voice], topic: str) -> tuple[BallotItem, ...]:
    """Give one item for each model, from its first sample: samples of one question are one item."""
    firsts = {model: said[0] for model, said in _by_model(voices).items()}
    return tuple(
        BallotItem(model, topic, min(1.0, max(0.0, voice.confidence)), voice.right)
        for model, voice in sorted(firsts.items())
        if voice.right is not None
    )


def _rung_items(part: PartRecord, voices: Sequence[Voice]) -> tuple[RungItem, ...]:
    """Give one item of all models that are known to be right or wrong, from their first samples."""
    said: dict[str, Heard] = {}
    for voice, (ballot, _) in zip(voices, _independent(part), strict=False):
        if voice.right is not None and voice.model.id not in said:
            weight = ballot.memory_bytes / 2**30 or 1.0
            sure = min(1.0, max(0.0, voice.confidence))
            cost = weight * max(1, ballot.completion_tokens)
            said[voice.model.id] = Heard(sure, voice.right, cost)
    return (RungItem(part.topic, said),) if 2 <= len(said) <= MOST_RUNGS else ()


def _answer_items(
    strategy: str, part: PartRecord, voices: Sequence[Voice]
) -> tuple[AnswerItem, ...]:
    verdicts = [
        voice.right
        for voice, (_, answer) in zip(voices, _spoken(part), strict=False)
        if answer.text == part.decision.answer and voice.right is not None
    ]
    if not verdicts or not part.decision.features:
        return ()
    return (AnswerItem(strategy, part.topic, part.decision.features, verdicts[0]),)
