"""How answered parts become one answer: without a model, and the check of what a model wrote. Pure.

A part that failed has no answer. It is never shown to a model, which could invent one; it is named
behind the merged text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorate import prompts
from services.synthesizer.words import place_after, words_of


@dataclass(frozen=True)
class Part:
    """One part: what was asked, and what was answered, or why nothing was when it `failed`."""

    id: str
    question: str
    answer: str
    failed: bool = False


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
    for part in answered(parts):
        answer, question = words_of(part.answer), words_of(part.question)
        after = place_after(told, place, question, answer)
        if after is None and place_after(told, 0, question, answer) is not None:
            return f"part {part.id} is out of order"
        if after is None:
            return f"part {part.id} was left out"
        place = after
    return ""


def deterministic(parts: Sequence[Part]) -> str:
    """Merge by rule: every part's question and answer, numbered in order."""
    if len(parts) == 1:
        return _unanswered(parts[0])
    return "\n".join(f"{number}. {_entry(part)}" for number, part in enumerate(parts, 1))


def failures_behind(parts: Sequence[Part]) -> str:
    """Name the parts without an answer, to stand behind a model's text; "" when all have one."""
    return "".join(f"\n{_unanswered(part)}" for part in parts if part.failed)


def _entry(part: Part) -> str:
    """Write "What is 47 + 38? 85", or an answer of several lines below its question."""
    if part.failed:
        return _unanswered(part)
    asked, answer = _asked(part.question), part.answer.strip()
    if "\n" not in answer:
        return f"{asked} {answer}"
    return f"{asked}\n" + "\n".join(f"   {line}".rstrip() for line in answer.splitlines())


def _asked(question: str) -> str:
    """End a question so that its answer can follow: "Calculate 10% of 1000:"."""
    plain = " ".join(question.split())
    return plain if plain.endswith("?") else f"{plain.rstrip('.!:;, ')}:"


def _unanswered(part: Part) -> str:
    reason = " ".join(part.answer.split()).rstrip(".")
    return f"{_asked(part.question)} no answer{f' ({reason})' if reason else ''}."
