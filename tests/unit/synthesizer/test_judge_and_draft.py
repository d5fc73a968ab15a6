"""Judgements are read or refused, never bent; a draft shows nothing that it has to take back."""

from __future__ import annotations

import json

import pytest

from quorate.errors import UnusableReply
from services.synthesizer.draft import LONGEST_TEXT, Draft
from services.synthesizer.judge import LONGEST_RATIONALE, SCHEMA, Judgement, read


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        ('{"score": 1, "rationale": "Both say yes."}', Judgement(1.0, "Both say yes.")),
        ('Sure: {"score": 0.25, "rationale": "Partly."} Done.', Judgement(0.25, "Partly.")),
        ('```json\n{"rationale": "x", "score": 0}\n```', Judgement(0.0, "x")),
        ('{"score": 1}', Judgement(1.0, "")),
        ('{"score": 1, "rationale": 3}', Judgement(1.0, "")),
    ],
)
def test_a_judgement_is_found_in_what_a_model_says(text: str, judgement: Judgement) -> None:
    assert read(text) == judgement


@pytest.mark.parametrize(
    "text",
    [
        "", "good", "[1]", '{"rationale": "x"}', '{"score": 8}', '{"score": -0.1}',
        '{"score": true}', '{"score": "1"}', '{"score": null}', '{"score": NaN}',
        '{"score": 1e999}', '{"score": 1',
    ],
)  # fmt: skip
def test_what_holds_no_score_between_0_and_1_is_no_judgement(text: str) -> None:
    assert read(text) is None


def test_a_rationale_is_shortened() -> None:
    judgement = read(json.dumps({"score": 1, "rationale": "x" * 9_000}))
    assert judgement is not None
    assert len(judgement.rationale) == LONGEST_RATIONALE


def test_the_schema_asks_for_what_is_read() -> None:
    assert set(json.loads(SCHEMA)["required"]) == {"score", "rationale"}


def test_what_was_shown_is_always_the_text_so_far() -> None:
    draft = Draft()
    shown = [draft.add(piece) for piece in ("\n ", " Par", "is", " ", "\n", "is it", ". ", " ")]
    assert shown == ["", "Par", "is", "", "", " \nis it", ".", ""]
    assert draft.text == "".join(shown) == "Paris \nis it."


def test_an_endless_text_is_stopped() -> None:
    draft = Draft()
    draft.add("x" * LONGEST_TEXT)
    draft.check_length()
    draft.add("x")
    with pytest.raises(UnusableReply, match=str(LONGEST_TEXT)):
        draft.check_length()
