"""What is asked of the synthesizer is checked, and every refusal names the field."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from quorate.errors import InvalidRequest
from quorate.merging import Part
from quorate.v1 import synthesizer_pb2
from services.synthesizer.requests import (
    MOST_CHARACTERS,
    MOST_MODELS,
    MOST_PARTS,
    check_judge,
    models_of,
    parts_of,
)
from services.synthesizer.synthesis import Model

Request = synthesizer_pb2.SynthesizeRequest


def part(number: int = 1, **fields: object) -> synthesizer_pb2.SynthesisPart:
    wanted = {
        "part_id": f"t{number}",
        "question": "Why?",
        "answer": "so",
        "confidence": 0.5,
    } | fields
    return synthesizer_pb2.SynthesisPart(**wanted)  # type: ignore[arg-type]


def model(**fields: str) -> synthesizer_pb2.SynthesisModel:
    return synthesizer_pb2.SynthesisModel(**{"address": "h:1", "node": "n1", "model": "m"} | fields)


def test_parts_and_models_are_read() -> None:
    request = Request(
        question="Q", parts=[part(), part(2, failed=True, answer="")], models=[model()]
    )
    assert parts_of(request) == [Part("t1", "Why?", "so"), Part("t2", "Why?", "", failed=True)]
    assert models_of(request.models) == [Model("h:1", "n1", "m")]
    assert len(parts_of(Request(question="Q", parts=map(part, range(MOST_PARTS))))) == MOST_PARTS


@pytest.mark.parametrize(
    ("request_made", "field"),
    [
        (lambda: Request(question=" ", parts=[part()]), "question"),
        (lambda: Request(question="Q"), "parts"),
        (lambda: Request(question="Q", parts=map(part, range(MOST_PARTS + 1))), "parts"),
        (lambda: Request(question="Q", parts=[part(), part(1)]), "parts[1].part_id"),
        (lambda: Request(question="Q", parts=[part(part_id="")]), "parts[0].part_id"),
        (lambda: Request(question="Q", parts=[part(question="\n")]), "parts[0].question"),
        (lambda: Request(question="Q", parts=[part(), part(2, answer="")]), "parts[1].answer"),
        (lambda: Request(question="Q", parts=[part(confidence=1.5)]), "parts[0].confidence"),
        (lambda: Request(question="Q", parts=[part(confidence=math.nan)]), "parts[0].confidence"),
        (lambda: Request(question="Q", parts=[part(answer="x" * MOST_CHARACTERS)]), "parts"),
    ],
)
def test_a_merge_that_cannot_be_made_names_its_field(
    request_made: Callable[[], Request], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parts_of(request_made())
    assert refused.value.metadata["field"] == field
    assert field in refused.value.message


@pytest.mark.parametrize("field", ["address", "node", "model"])
def test_a_model_needs_an_address_a_node_and_a_name(field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        models_of([model(), model(**{field: ""})])
    assert refused.value.metadata["field"] == f"models[1].{field}"


def test_models_are_limited() -> None:
    with pytest.raises(InvalidRequest, match=str(MOST_MODELS)):
        models_of([model()] * (MOST_MODELS + 1))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"question": ""}, "question"),
        ({"reference": " "}, "reference"),
        ({"models": []}, "models"),
        ({"answer": "x" * MOST_CHARACTERS}, "answer"),
    ],
)
def test_a_judgement_needs_a_question_a_model_and_no_blank_reference(
    fields: dict[str, object], field: str
) -> None:
    wanted = {"question": "Q", "reference": "R", "answer": "", "models": [model()]}
    check_judge(synthesizer_pb2.JudgeRequest(**wanted))  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest) as refused:
        check_judge(synthesizer_pb2.JudgeRequest(**wanted | fields))  # type: ignore[arg-type]
    assert refused.value.metadata["field"] == field
