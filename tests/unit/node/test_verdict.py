"""The node's own vote: all models give the same answer, or there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.answers import Kind, equivalent
from quorate.errors import DeadlineExceeded, ModelCrashed
from services.node.engine.messages import ChatTurn, Finished, FinishReason
from services.node.verdict import Asked, Ballot, Status, Voice, asked, cast, decide

SUM = Asked("What is 9 + 9?", Kind.NUMBER)
TEXTS = (
    *("The answer is 18.", "18.0", "It is 20", "18 kg", "18 g", "I am not sure.", "", "eighteen"),
    *("Answer: 18", "2", "I cannot help with that."),
)


def finished(mean_logprob: float = -0.5, tokens: int = 3) -> Finished:
    return Finished(0, FinishReason.STOP, 5, tokens, 0, 0.0, 0.1, 0.2, mean_logprob, 0.0)


def said(model: str, text: str, mean_logprob: float = -0.5) -> Ballot:
    return cast(Voice(model, text=text, finished=finished(mean_logprob)), SUM)


def failed(model: str) -> Ballot:
    return cast(Voice(model, text="The answer is 18.", error=ModelCrashed("it died")), SUM)


BALLOTS = st.lists(
    st.one_of(
        st.builds(said, st.just("m"), st.sampled_from(TEXTS), st.floats(-9, 0)),
        st.builds(failed, st.just("m")),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda ballots: [
        Ballot(Voice(f"m{i}", text=b.voice.text, finished=b.voice.finished, error=b.voice.error),
               b.status, b.answer)
        for i, b in enumerate(ballots)
    ]
)  # fmt: skip


def test_answers_that_are_the_same_in_other_words_agree() -> None:
    verdict = decide([said("abacus", "The answer is 18."), said("atlas", "9 + 9 = 18.0")])
    assert verdict.agreed
    assert verdict.answer is not None
    assert verdict.answer.text in {"18", "18.0"}
    assert verdict.explanation == "abacus and atlas give the same answer: equal numbers"


def test_disagreement_has_no_answer_and_keeps_all_ballots() -> None:
    ballots = [said("abacus", "It is 18."), said("atlas", "It is 20.")]
    verdict = decide(ballots)
    assert not verdict.agreed
    assert verdict.answer is None
    assert list(verdict.ballots) == ballots
    assert verdict.explanation == "no agreement: abacus answers '18', atlas answers '20'"


def test_one_voice_is_no_consensus() -> None:
    assert not decide([said("abacus", "18")]).agreed
    verdict = decide([said("abacus", "18"), failed("atlas")])
    assert not verdict.agreed
    assert "atlas failed (MODEL_CRASHED)" in verdict.explanation


def test_what_a_failed_model_had_said_does_not_count() -> None:
    ballot = failed("atlas")
    assert (ballot.status, ballot.answer) == (Status.FAILED, None)
    assert ballot.voice.text


def test_time_that_ran_out_is_told_apart_from_a_failure() -> None:
    ballot = cast(Voice("atlas", error=DeadlineExceeded("late")), SUM)
    assert ballot.status is Status.TIMED_OUT
    assert "atlas ran out of time" in decide([said("abacus", "18"), ballot]).explanation


def test_an_abstention_agrees_with_nobody_not_even_another() -> None:
    silent = [said("abacus", ""), said("atlas", "")]
    assert {ballot.status for ballot in silent} == {Status.ABSTAINED}
    verdict = decide(silent)
    assert not verdict.agreed
    assert "abacus gives no answer that can be read" in verdict.explanation


def test_two_of_three_are_no_agreement() -> None:
    assert not decide([said("a", "18"), said("b", "18"), said("c", "20")]).agreed
    assert decide([said("a", "18"), said("b", "18"), said("c", "18.0")]).agreed


def test_the_surest_of_the_common_words_speaks_for_all() -> None:
    ballots = [said("a", "18", -2.0), said("b", "18 kg", -0.1), said("c", "18", -1.0)]
    verdict = decide(ballots)
    assert verdict.answer is not None
    assert verdict.answer.text == "18"
    pair = decide(ballots[:2])
    assert pair.answer is not None
    assert pair.answer.text == "18 kg"


@given(BALLOTS)
def test_agreement_is_of_all_with_all_and_nothing_else(ballots: list[Ballot]) -> None:
    verdict = decide(ballots)
    assert list(verdict.ballots) == ballots
    assert verdict.agreed == (verdict.answer is not None)
    everyone = len(ballots) > 1 and all(
        equivalent(one.answer, other.answer) for one in ballots for other in ballots
    )
    assert verdict.agreed == everyone
    if verdict.agreed:
        assert all(equivalent(verdict.answer, ballot.answer) for ballot in ballots)


@given(BALLOTS, st.randoms(use_true_random=False))
def test_the_order_of_the_ballots_changes_nothing(ballots, random) -> None:
    shuffled = list(ballots)
    random.shuffle(shuffled)
    assert decide(shuffled).answer == decide(ballots).answer


@given(BALLOTS)
def test_one_that_fails_more_undoes_every_agreement(ballots: list[Ballot]) -> None:
    assert not decide([*ballots, failed("z")]).agreed


@pytest.mark.parametrize(
    ("mean", "tokens", "confidence"),
    [(-0.5, 3, math.exp(-0.5)), (0.3, 3, 1.0), (math.nan, 3, 0.0), (-0.5, 0, 0.0)],
)
def test_confidence_is_a_share_whatever_the_engine_says(mean, tokens, confidence) -> None:
    assert Voice("a", finished=finished(mean, tokens)).confidence == pytest.approx(confidence)
    assert Voice("a").confidence == 0.0


def test_the_question_is_the_last_that_the_user_said() -> None:
    turns = [
        ChatTurn("user", "What is the capital of France?"),
        ChatTurn("assistant", "Paris"),
        ChatTurn("user", "How many apples are left?"),
        ChatTurn("assistant", "There"),
    ]
    assert asked(turns, None) == Asked("How many apples are left?", Kind.NUMBER)
    assert asked(turns, Kind.TEXT).kind is Kind.TEXT
    assert asked([ChatTurn("system", "Be brief.")], None) == Asked("", Kind.TEXT)


def test_the_question_names_the_option_that_an_answer_means() -> None:
    about = asked([ChatTurn("user", "Which is largest? A) Mars B) Jupiter C) Venus")], None)
    ballots = [
        cast(Voice("a", text="B", finished=finished()), about),
        cast(Voice("b", text="The largest one is Jupiter.", finished=finished()), about),
    ]
    verdict = decide(ballots)
    assert verdict.answer is not None
    assert verdict.answer.text == "B"
