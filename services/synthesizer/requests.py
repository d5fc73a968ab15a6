"""Checks what is asked of the synthesizer and turns it into our own types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest
from services.synthesizer.merge import Part

if TYPE_CHECKING:
    from quorate.v1 import synthesizer_pb2

MOST_PARTS: Final = 64
MOST_CHARACTERS: Final = 1 << 20


def parts_of(request: synthesizer_pb2.SynthesizeRequest) -> Sequence[Part]:
    """Give the parts to merge; raises InvalidRequest that names the field."""
    _text("question", request.question)
    if not 1 <= len(request.parts) <= MOST_PARTS:
        raise InvalidRequest.field(
            "parts", len(request.parts), f"there must be 1 to {MOST_PARTS}", "Send that many."
        )
    for position, part in enumerate(request.parts):
        _text(f"parts[{position}].question", part.question)
        _text(f"parts[{position}].answer", part.answer)
    _models(request.models)
    return [Part(part.part_id, part.question, part.answer, part.failed) for part in request.parts]


def check_judge(request: synthesizer_pb2.JudgeRequest) -> None:
    """Check what is to be judged; raises InvalidRequest that names the field."""
    _text("question", request.question)
    _text("reference", request.reference)
    _text("answer", request.answer)
    if not request.models:
        raise InvalidRequest.field(
            "models", [], "a judgement needs at least one", "Name a node and its model."
        )
    _models(request.models)


def _text(name: str, value: str) -> None:
    if not value.strip():
        raise InvalidRequest.field(name, value, "it must not be empty", "Give its text.")
    if len(value) > MOST_CHARACTERS:
        raise InvalidRequest.field(
            name, value, f"it may have {MOST_CHARACTERS} characters", "Shorten it."
        )


def _models(models: Sequence[synthesizer_pb2.SynthesisModel]) -> None:
    for position, model in enumerate(models):
        for name in ("address", "node", "model"):
            if not getattr(model, name):
                raise InvalidRequest.field(
                    f"models[{position}].{name}", "", "it must not be empty", "Name it."
                )
