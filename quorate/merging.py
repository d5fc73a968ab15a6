"""Answered parts as one answer without a model: numbered, each answer after its question. Pure.

The synthesizer falls back on it, and the coordinator when there is no synthesizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INDENT = "   "


@dataclass(frozen=True)
class Part:
    """One part: what was asked, and what was answered, or why nothing was when it `failed`."""

    id: str
    question: str
    answer: str
    failed: bool = False


def deterministic(parts: Sequence[Part]) -> str:
    """Merge by rule: each part's question and answer, numbered; a single part is its answer."""
    if len(parts) == 1:
        return _unanswered(parts[0]) if parts[0].failed else parts[0].answer.strip()
    return "\n".join(f"{number}. {_entry(part)}" for number, part in enumerate(parts, 1))


def failures_behind(parts: Sequence[Part]) -> str:
    """Name the parts without an answer, to stand behind a model's text; "" when all have one."""
    return "".join(f"\n{_unanswered(part)}" for part in parts if part.failed)


def _entry(part: Part) -> str:
    """Write "What is 47 + 38? 85", or an answer of several lines below its question."""
    if part.failed:
        return _unanswered(part)
    asked, answer = _asked(part.question), part.answer.strip()
    if len(answer.splitlines()) < 2:
        return f"{asked} {answer}"
    lines = (f"{INDENT}{line}".rstrip() for line in answer.splitlines())
    return "\n".join([asked, *lines])


def _asked(question: str) -> str:
    """End a question so that its answer can follow: "Calculate 10% of 1000:"."""
    plain = " ".join(question.split())
    return plain if plain.endswith("?") else f"{plain.rstrip('.!:;, ')}:"


def _unanswered(part: Part) -> str:
    """Say that a part has no answer, and why."""
    reason = " ".join(part.answer.split()).rstrip(".")
    return f"{_asked(part.question)} no answer{f' ({reason})' if reason else ''}."
