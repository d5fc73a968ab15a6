"""What a member has said so far, and the ballot that becomes of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.answers import Kind
from quorate.errors import DeadlineExceeded, InternalError, ModelCrashed
from services.coordinator.question import Member, Seat, Seconds, Status, Tokens
from services.coordinator.said import (
    LONGEST_TEXT,
    Asked,
    Ending,
    Said,
    confidence,
    finished_ballot,
    lost_ballot,
)

SEAT = Seat("n1", "atlas", 0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def said(samples: int = 1) -> tuple[Said, Clock, list[int]]:
    clock, ends = Clock(), []
    return Said(Member("n1", "atlas", "h:1", "ab"), samples, clock, None, ends.append), clock, ends


def test_a_finished_sample_becomes_a_ballot_with_its_provenance() -> None:
    record, clock, ends = said()
    record.begin(7, "")
    clock.now += 1.0
    record.add(0, "Answer: ", 1)
    clock.now += 2.0
    record.add(0, "18", 1)
    record.end(0, Ending(Tokens(5, 2, 1), 0.25, math.log(0.5)))
    clock.now += 9.0
    assert ends == [0]
    ballot = finished_ballot("t1", SEAT, record, Asked("", Kind.NUMBER, {}), 2.0)
    assert (ballot.status, ballot.text) == (Status.VALID, "Answer: 18")
    assert ballot.answer is not None
    assert ballot.answer.text == "18"
    assert ballot.confidence == pytest.approx(0.5)
    assert ballot.seconds == Seconds(0.25, 1.0, 3.0)
    assert ballot.tokens == Tokens(5, 2, 1)
    assert (ballot.sha256, ballot.seed, ballot.weight, ballot.id) == ("ab", 7, 2.0, "t1/n1/atlas/0")


def test_silence_abstains() -> None:
    record, _, _ = said()
    record.end(0, Ending())
    ballot = finished_ballot("t1", SEAT, record, Asked("", None, {}), 1.0)
    assert (ballot.status, ballot.answer, ballot.confidence) == (Status.ABSTAINED, None, 0.0)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, Status.CANCELLED),
        (ModelCrashed("x"), Status.FAILED),
        (DeadlineExceeded("x"), Status.TIMED_OUT),
    ],
)
def test_what_was_said_before_the_end_is_kept(error: Exception | None, status: Status) -> None:
    record, clock, _ = said()
    clock.now += 1.0
    record.add(0, "half", 3)
    clock.now += 1.0
    ballot = lost_ballot("t1", SEAT, record, 1.0, error)  # type: ignore[arg-type]
    assert (ballot.status, ballot.text, ballot.error) == (status, "half", error)
    assert ballot.tokens == Tokens(completion=3)
    assert ballot.seconds == Seconds(0.0, 1.0, 2.0)


def test_a_call_that_was_never_made_leaves_an_empty_ballot() -> None:
    ballot = lost_ballot("t1", SEAT, None, 1.0, None)
    assert (ballot.status, ballot.text, ballot.node) == (Status.CANCELLED, "", "n1")


def test_samples_are_kept_apart() -> None:
    record, _, ends = said(2)
    record.add(1, "b", 1)
    record.add(0, "a", 1)
    record.end(1, Ending())
    assert (record.text(0), record.text(1)) == ("a", "b")
    assert (record.unfinished, ends) == ([0], [1])
    assert record.has_tokens


def test_a_second_ending_changes_nothing() -> None:
    record, _, ends = said()
    record.end(0, Ending(mean_logprob=-1.0))
    record.end(0, Ending(mean_logprob=-2.0))
    assert ends == [0]
    assert record.samples[0].ending == Ending(mean_logprob=-1.0)


def test_a_model_that_never_stops_is_stopped() -> None:
    record, _, _ = said()
    record.add(0, "x" * LONGEST_TEXT, 1)
    with pytest.raises(InternalError, match="atlas on n1 said more than"):
        record.add(0, "x", 1)


@pytest.mark.parametrize("sample", [-1, 1])
def test_a_sample_that_nobody_asked_for_is_an_error(sample: int) -> None:
    record, _, _ = said()
    with pytest.raises(InternalError, match="sample"):
        record.add(sample, "x", 1)
    with pytest.raises(InternalError, match="sample"):
        record.end(sample, Ending())


def test_nothing_said_is_no_token() -> None:
    record, _, _ = said()
    assert not record.has_tokens
    assert "before it was complete" in record.cut_short().message


@given(st.floats(), st.integers(0, 1000))
def test_confidence_is_always_a_share(mean_logprob: float, tokens: int) -> None:
    assert 0.0 <= confidence(mean_logprob, tokens) <= 1.0


def test_without_log_probabilities_there_is_no_confidence() -> None:
    assert confidence(0.0, 0) == 0.0
    assert confidence(0.0, 1) == 1.0
    assert confidence(float("nan"), 3) == 0.0
    assert confidence(-math.inf, 3) == 0.0
