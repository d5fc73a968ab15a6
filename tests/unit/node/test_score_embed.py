"""Each wrong field of a request to score or to embed has an error of its own."""

from __future__ import annotations

import pytest

from quorate.errors import InvalidRequest, WrongModel
from services.node.engine.messages import ChatTurn
from services.node.requests import LONGEST_PROMPT_BYTES, ModelFacts
from services.node.score_embed import (
    LONGEST_CANDIDATE_BYTES,
    MOST_CANDIDATES,
    MOST_TEXTS,
    EmbedDraft,
    EmbedOrder,
    ScoreDraft,
    ScoreOrder,
    check_embed,
    check_score,
)

FACTS = ModelFacts("atlas", "ab" * 32, context_tokens=2048, vocabulary_tokens=1536, most_samples=72)
TURNS = (ChatTurn("user", "Which?"),)


def score(**options: object) -> ScoreDraft:
    return ScoreDraft("atlas", **{"prompt": "x", "candidates": ["a"], **options})


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (score(prompt=""), "prompt"),
        (score(turns=TURNS), "prompt"),
        (score(prompt="", turns=(ChatTurn("tool", "a"),)), "messages[0].role"),
        (score(candidates=[]), "candidates"),
        (score(candidates=["a"] * (MOST_CANDIDATES + 1)), "candidates"),
        (score(candidates=["a", "b", "c", ""]), "candidates[3]"),
        (score(candidates=["a", "x" * (LONGEST_CANDIDATE_BYTES + 1)]), "candidates[1]"),
        (score(candidates=["é" * (LONGEST_CANDIDATE_BYTES // 2 + 1)]), "candidates[0]"),
        (score(candidates=["x" * LONGEST_CANDIDATE_BYTES] * 65), "candidates"),
        (score(priority=-101), "priority"),
    ],
)
def test_a_wrong_field_of_a_score_is_named(draft: ScoreDraft, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_score(draft, FACTS)
    assert caught.value.metadata["field"] == field
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (EmbedDraft("atlas"), "texts"),
        (EmbedDraft("atlas", ["a"] * (MOST_TEXTS + 1)), "texts"),
        (EmbedDraft("atlas", ["a", ""]), "texts[1]"),
        (EmbedDraft("atlas", ["x" * (LONGEST_PROMPT_BYTES + 1)]), "texts[0]"),
        (EmbedDraft("atlas", ["x" * LONGEST_PROMPT_BYTES, "y"]), "texts"),
        (EmbedDraft("atlas", ["a"], priority=101), "priority"),
    ],
)
def test_a_wrong_field_of_an_embedding_is_named(draft: EmbedDraft, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_embed(draft, FACTS)
    assert caught.value.metadata["field"] == field


def test_the_limits_themselves_are_let_through_and_a_candidate_may_come_twice() -> None:
    longest = "x" * LONGEST_CANDIDATE_BYTES
    order = check_score(score(candidates=[longest, longest, "a"], priority=7), FACTS)
    assert order == ScoreOrder("atlas", (), "x", (longest, longest, "a"), 7)
    assert len(check_score(score(candidates=["a"] * MOST_CANDIDATES), FACTS).candidates) == 256
    assert check_score(score(prompt="", turns=TURNS), FACTS).turns == TURNS
    texts = ["x"] * MOST_TEXTS
    assert check_embed(EmbedDraft("atlas", texts), FACTS) == EmbedOrder("atlas", tuple(texts), 0)
    check_embed(EmbedDraft("atlas", ["x" * LONGEST_PROMPT_BYTES]), FACTS)


def test_another_model_than_expected_is_told_apart() -> None:
    with pytest.raises(WrongModel, match="ab" * 32):
        check_score(score(model_sha256="cd" * 32), FACTS)
    with pytest.raises(WrongModel, match="ab" * 32):
        check_embed(EmbedDraft("atlas", ["a"], model_sha256="cd" * 32), FACTS)
    check_embed(EmbedDraft("atlas", ["a"], model_sha256="AB" * 32), FACTS)
