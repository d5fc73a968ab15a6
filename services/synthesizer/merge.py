"""How a model is asked to merge answered parts, and the check of what it wrote. Pure.

A part that failed has no answer. It is never shown to a model, which could invent one; it is named
behind the merged text.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorate import prompts
from quorate.merging import Part, deterministic, failures_behind
from services.synthesizer.words import place_after, words_of

__all__ = ["Part", "answered", "deterministic", "failures_behind", "problem_with", "prompt"]


def answered(parts: Sequence[Part]) -> list[Part]:
    """Give the parts that have an answer, in order."""
    return [part for part in parts if not part.failed]


def prompt(question: str, parts: Sequence[Part]) -> str:
    """Ask a model to merge the parts that have an answer."""
    return prompts.merge(
        question, [prompts.Part(part.question, part.answer) for part in answered(parts)]
    )


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
