"""Who may deliberate, and what a wrong request to deliberate is told."""

from __future__ import annotations

import pytest

from quorate.errors import InvalidRequest, ModelLoading, QuorateError
from services.node.engine.messages import ChatTurn
from services.node.requests import ModelFacts, SamplingDraft
from services.node.seats import DeliberateDraft, Seat, check_deliberate

KNOWN = ("abacus", "atlas", "scribe")
TURNS = (ChatTurn("user", "What is 9 + 9?"),)


def facts(name: str) -> ModelFacts:
    if name == "scribe":
        raise ModelLoading("model 'scribe' is loading")
    return ModelFacts(name, f"{name[:2]}" * 32, 2048, 1536, 72)


def check(draft: DeliberateDraft, known: tuple[str, ...] = KNOWN) -> list[Seat]:
    return check_deliberate(draft, known, facts, 77)


def test_the_pair_of_a_node_is_its_first_two_models() -> None:
    seats = check(DeliberateDraft(turns=TURNS))
    assert [seat.model for seat in seats] == ["abacus", "atlas"]
    assert [seat.sha256 for seat in seats] == ["ab" * 32, "at" * 32]


def test_all_draw_with_one_seed_and_once() -> None:
    for seed, used in ((None, 77), (5, 5)):
        seats = check(DeliberateDraft(turns=TURNS, sampling=SamplingDraft(seed=seed), priority=9))
        for seat in seats:
            assert seat.order is not None
            assert (seat.order.sampling.seed, seat.order.samples, seat.order.priority) == (
                used,
                1,
                9,
            )


def test_a_model_that_cannot_answer_now_keeps_its_seat_with_the_reason() -> None:
    seat = check(DeliberateDraft(("abacus", "scribe"), TURNS))[1]
    assert seat.order is None
    assert isinstance(seat.error, ModelLoading)


def test_another_file_than_expected_is_an_error_of_that_seat() -> None:
    expected = {"abacus": "AB" * 32, "atlas": "0" * 64}
    right, wrong = check(DeliberateDraft(turns=TURNS, model_sha256=expected))
    assert right.order is not None
    assert isinstance(wrong.error, QuorateError)
    assert wrong.error.kind == "WRONG_MODEL"


@pytest.mark.parametrize(
    ("draft", "field", "words"),
    [
        (DeliberateDraft(("abacus",), TURNS), "models", "2 to 8 models"),
        (DeliberateDraft(KNOWN * 3, TURNS), "models", "2 to 8 models"),
        (DeliberateDraft(("abacus", "atlsa"), TURNS), "models[1]", "Did you mean 'atlas'"),
        (DeliberateDraft(("abacus", "abacus"), TURNS), "models[1]", "named before"),
        (DeliberateDraft(("", "atlas"), TURNS), "models[0]", "no such model"),
        (DeliberateDraft(), "messages", "required"),
        (DeliberateDraft(turns=(ChatTurn("user", ""),)), "messages[0].content", "empty"),
        (DeliberateDraft(turns=TURNS, priority=101), "priority", "lie in"),
        (DeliberateDraft(turns=TURNS, model_sha256={"x": "0"}), "model_sha256[x]", "no part"),
        (
            DeliberateDraft(turns=TURNS, sampling=SamplingDraft(max_tokens=0)),
            "sampling.max_tokens",
            "lie in",
        ),
    ],
)
def test_a_wrong_field_is_named(draft: DeliberateDraft, field: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as caught:
        check(draft)
    assert caught.value.metadata["field"] == field


def test_a_node_with_one_model_has_no_pair() -> None:
    with pytest.raises(InvalidRequest, match="2 to 8 models deliberate"):
        check(DeliberateDraft(turns=TURNS), ("abacus",))
