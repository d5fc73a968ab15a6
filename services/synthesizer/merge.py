"""How a model is asked to merge answered parts, and the check of what it wrote. Pure.

A part that failed has no answer. It is never shown to a model, which could invent one; it is named
behind the merged text.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorate import prompts
from quorate.merging import Part, deterministic, failures_behind
from quorate.quoting import LONGEST_QUOTE, LONGEST_QUOTES, quoted
from services.synthesizer.words import place_after, words_of

__all__ = [
    "Part",
    "answered",
    "deterministic",
    "failures_behind",
    "problem_with",
    "prompt",
    "too_long",
]


def answered(parts: Sequence[Part]) -> list[Part]:
    """Give the parts that have an answer, in order."""
    return [part for part in parts if not part.failed]


def prompt(question: str, parts: Sequence[Part]) -> str:
    """Ask a model to merge the parts that have an answer, each quoted in an entry of its own.

    An answer was written by a model: no line of it may pass for another part or for an order.
    """
    shown = answered(parts)
    return prompts.merge(
        question,
        [
            prompts.Part(" ".join(quoted(part.question).split()), quoted(part.answer))
            for part in shown
        ],
    )


def too_long(parts: Sequence[Part]) -> str:
    """Say which answers cannot be shown whole to a model, which would cut them; "" when all can."""
    shown = answered(parts)
    for part in shown:
        if len(part.answer) > LONGEST_QUOTE:
            return (
                f"part {part.id} has an answer of {len(part.answer)} characters; a model is shown"
                f" {LONGEST_QUOTE} at most, so the parts are listed whole"
            )
    size = sum(len(part.answer) for part in shown)
    if size > LONGEST_QUOTES:
        return (
            f"the answers have {size} characters together; a model is shown {LONGEST_QUOTES} at"
            " most, so the parts are listed whole"
        )
    return ""


def problem_with(text: str, parts: Sequence[Part]) -> str:
    """Say which part's answer a text leaves out or puts out of order; "" when it is right."""
    told, place = words_of(text), 0
    questions = [words_of(part.question) for part in parts]
    for part in answered(parts):
        answer = words_of(part.answer)
        after = place_after(told, place, questions, answer)
        if after is None and place_after(told, 0, questions, answer) is not None:
            return f"part {part.id} is out of order"
        if after is None:
            return f"part {part.id} was left out"
        place = after
    return ""
