"""Checks what is asked of the synthesizer and turns it into our own types."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest
from services.synthesizer.merge import Part
from services.synthesizer.synthesis import Model

if TYPE_CHECKING:
    from quorate.v1 import synthesizer_pb2

MOST_PARTS: Final = 64
MOST_MODELS: Final = 16
MOST_CHARACTERS: Final = 1 << 20
"""Of all texts of a request together."""


def parts_of(request: synthesizer_pb2.SynthesizeRequest) -> list[Part]:
    """Give the parts to merge; raises InvalidRequest that names the field."""
    _need("question", request.question)
    if not 1 <= len(request.parts) <= MOST_PARTS:
        raise InvalidRequest.field(
            "parts", len(request.parts), f"there must be 1 to {MOST_PARTS}", "Send that many."
        )
    parts = [_part(f"parts[{position}]", part) for position, part in enumerate(request.parts)]
    _bound("parts", [request.question, *(f"{part.question}{part.answer}" for part in parts)])
    seen: set[str] = set()
    for position, part in enumerate(parts):
        if part.id in seen:
            raise InvalidRequest.field(
                f"parts[{position}].part_id", part.id, "another part has it", "Give each its own."
            )
        seen.add(part.id)
    return parts


def _part(field: str, part: synthesizer_pb2.SynthesisPart) -> Part:
    _need(f"{field}.part_id", part.part_id)
    _need(f"{field}.question", part.question)
    if not part.failed:
        _need(f"{field}.answer", part.answer)
    if math.isnan(part.confidence) or not 0.0 <= part.confidence <= 1.0:
        raise InvalidRequest.field(
            f"{field}.confidence", part.confidence, "it must lie in [0, 1]", "0 means none."
        )
    return Part(part.part_id, part.question, part.answer, part.failed)


def check_judge(request: synthesizer_pb2.JudgeRequest) -> None:
    """Check what is to be judged; raises InvalidRequest that names the field."""
    _need("question", request.question)
    if request.reference:
        _need("reference", request.reference)
    _bound("answer", [request.question, request.reference, request.answer])
    if not request.models:
        raise InvalidRequest.field(
            "models", 0, "a judgement needs at least one", "Name a node and its model."
        )


def models_of(models: Iterable[synthesizer_pb2.SynthesisModel]) -> list[Model]:
    """Give the models that may write; raises InvalidRequest that names the field."""
    found = [Model(model.address, model.node, model.model) for model in models]
    if len(found) > MOST_MODELS:
        raise InvalidRequest.field(
            "models", len(found), f"there may be {MOST_MODELS}", "Name the best ones."
        )
    for position, model in enumerate(found):
        _need(f"models[{position}].address", model.address)
        _need(f"models[{position}].node", model.node)
        _need(f"models[{position}].model", model.name)
    return found


def _need(name: str, value: str) -> None:
    if not value.strip():
        raise InvalidRequest.field(name, value, "it must not be empty", "Give its text.")


def _bound(name: str, texts: Iterable[str]) -> None:
    size = sum(len(text) for text in texts)
    if size > MOST_CHARACTERS:
        raise InvalidRequest.field(
            name, size, f"all texts together may have {MOST_CHARACTERS} characters", "Shorten them."
        )
