"""Each wrong field of a request has an error of its own."""

from __future__ import annotations

import math

import pytest

from quorate.errors import InvalidRequest, UnknownModel, WrongModel
from services.node.engine.messages import ChatTurn, Sampling
from services.node.requests import (
    LONGEST_PROMPT_BYTES,
    MOST_TURNS,
    RANGES,
    Draft,
    ModelFacts,
    Range,
    SamplingDraft,
    check_generate,
    check_name,
    check_text,
)

FACTS = ModelFacts("atlas", "ab" * 32, context_tokens=2048, vocabulary_tokens=1536, most_samples=72)


def check(draft: Draft) -> object:
    return check_generate(draft, FACTS, lambda: 77)


def refused(draft: Draft) -> str:
    with pytest.raises(InvalidRequest) as caught:
        check(draft)
    return caught.value.metadata["field"]


def with_sampling(**options: object) -> Draft:
    return Draft("atlas", prompt="x", sampling=SamplingDraft(**options))


def test_an_unset_field_has_its_documented_default() -> None:
    order = check(Draft("atlas", prompt="x"))
    assert order.samples == 1
    assert order.sampling == Sampling(seed=77)
    assert (order.sampling.top_k, order.sampling.max_tokens) == (40, 512)


def test_what_was_said_is_kept() -> None:
    draft = Draft(
        "atlas",
        turns=(ChatTurn("user", "hi"),),
        sampling=SamplingDraft(
            numbers={"temperature": 0.5, "top_k": 3, "top_logprobs": 2},
            logit_bias={5: -100.0},
            seed=0,
            max_tokens=9,
            stop=("END",),
            grammar="root ::= [a]",
        ),
        samples=64,
        model_sha256="AB" * 32,
        priority=-3,
    )
    order = check(draft)
    assert (order.samples, order.priority, order.turns) == (64, -3, draft.turns)
    assert order.sampling == Sampling(
        temperature=0.5, top_k=3, top_logprobs=2, logit_bias={5: -100.0}, seed=0, max_tokens=9,
        stop=("END",), grammar="root ::= [a]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in RANGES for value in (math.nan, math.inf, -math.inf, -3.0)],
)
def test_numbers_that_are_none_or_outside_are_refused(name: str, value: float) -> None:
    if name == "mirostat_tau" and value == -3.0:
        value = -0.1
    assert refused(with_sampling(numbers={name: value})) == f"sampling.{name}"


@pytest.mark.parametrize(("name", "allowed"), RANGES.items())
def test_the_ends_of_every_range_are_as_documented(name: str, allowed: Range) -> None:
    check(with_sampling(numbers={name: allowed.high}))
    low = with_sampling(numbers={name: allowed.low})
    if allowed.above:
        assert refused(low) == f"sampling.{name}"
    else:
        check(low)


@pytest.mark.parametrize("value", [0, -1, 2049, 2**31 - 1])
def test_max_tokens_must_be_positive_and_fit_the_context(value: int) -> None:
    assert refused(with_sampling(max_tokens=value)) == "sampling.max_tokens"


@pytest.mark.parametrize("value", [0, -1, 65, 1000])
def test_the_number_of_samples_is_bounded(value: int) -> None:
    assert refused(Draft("atlas", prompt="x", samples=value)) == "n"


def test_no_more_samples_than_slots_and_queue_can_ever_hold() -> None:
    small = ModelFacts("atlas", "", 2048, 1536, most_samples=3)
    with pytest.raises(InvalidRequest, match=r"\[1, 3\]"):
        check_generate(Draft("atlas", prompt="x", samples=4), small, lambda: 0)


@pytest.mark.parametrize("value", [-101, 101])
def test_priorities_are_bounded(value: int) -> None:
    assert refused(Draft("atlas", prompt="x", priority=value)) == "priority"


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft("atlas"), "prompt"),
        (Draft("atlas", turns=(ChatTurn("user", "a"),), prompt="b"), "prompt"),
        (Draft("atlas", prompt="x" * (LONGEST_PROMPT_BYTES + 1)), "prompt"),
        (Draft("atlas", turns=(ChatTurn("user", "🙂" * 2**18 + "x"),)), "messages"),
        (Draft("atlas", turns=(ChatTurn("user", "a"),) * (MOST_TURNS + 1)), "messages"),
        (Draft("atlas", turns=(ChatTurn("tool", "a"),)), "messages[0].role"),
        (Draft("atlas", turns=(ChatTurn("user", ""),)), "messages[0].content"),
        (with_sampling(stop=["x"] * 17), "sampling.stop"),
        (with_sampling(stop=["x", ""]), "sampling.stop[1]"),
        (with_sampling(stop=["é" * 129]), "sampling.stop[0]"),
        (with_sampling(logit_bias={1536: 1.0}), "sampling.logit_bias"),
        (with_sampling(logit_bias={-1: 1.0}), "sampling.logit_bias"),
        (with_sampling(logit_bias={1: math.nan}), "sampling.logit_bias[1]"),
        (with_sampling(logit_bias={1: -math.inf}), "sampling.logit_bias[1]"),
        (with_sampling(logit_bias=dict.fromkeys(range(5000), 1.0)), "sampling.logit_bias"),
        (with_sampling(grammar=" "), "sampling.grammar"),
        (with_sampling(json_schema=""), "sampling.json_schema"),
    ],
)
def test_a_wrong_field_is_named(draft: Draft, field: str) -> None:
    assert refused(draft) == field


def test_a_prompt_of_exactly_the_limit_is_let_through() -> None:
    check_text((), "x" * LONGEST_PROMPT_BYTES, "prompt")


def test_another_model_than_expected_is_told_apart() -> None:
    with pytest.raises(WrongModel, match="ab" * 32):
        check(Draft("atlas", prompt="x", model_sha256="cd" * 32))


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownModel, match="Did you mean 'atlas'"):
        check_name("atlsa", ["atlas", "abacus"])
    with pytest.raises(InvalidRequest, match="required"):
        check_name("", ["atlas"])
    assert check_name("atlas", ["atlas"]) == "atlas"
