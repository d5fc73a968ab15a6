"""What a part is: its task type, the tokens that its answer needs, how hard it is. Pure.

Rough rules that need no model. They order models and budgets; they promise nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from quorate.answers import Kind, infer_kind
from services.coordinator.state.topics import LONGEST_READ, topic_of

if TYPE_CHECKING:
    from services.coordinator.decompose.dag import Subtask

MOST_ESTIMATED: Final = 4096
"""Tokens beyond which nothing is estimated."""

TOKENS_BY_KIND: Final[Mapping[Kind, int]] = {
    Kind.CHOICE: 16,
    Kind.BOOLEAN: 32,
    Kind.NUMBER: 64,
    Kind.JSON: 64,
    Kind.EXPRESSION: 96,
    Kind.CODE: 160,
}
"""Tokens of an easy answer by its type, with a little working; text goes by its task type."""

TOKENS_BY_TASK: Final[Mapping[str, int]] = {
    "facts": 32,
    "extraction": 64,
    "summarize": 96,
    "reasoning": 128,
    "creative": 192,
    "code": 160,
    "math": 64,
    "": 96,
}
"""Tokens of an easy answer in words by its task type; "" is unknown."""

LONGER: Final[Mapping[str, float]] = {"easy": 1.0, "medium": 1.5, "hard": 2.0}
"""How much longer answers to harder questions are."""

TOKENS_PER_WORD: Final = 1.5
"""For "in 200 words": English takes 1.3 tokens a word, small vocabularies more."""

_WORDS_WANTED = re.compile(r"\b(\d{1,4})[- ]words?\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,.]*")
_DEMANDING = re.compile(
    r"\b(?:prove|derive|optimi[sz]e|design|refactor|debug|algorithm|compare|contrast|analy[sz]e"
    r"|evaluate the|trade-?offs?|step by step|in detail|why)\b",
    re.IGNORECASE,
)
_LONG_WORDS = 40
_MANY_NUMBERS = 4


def described(part: Subtask) -> Subtask:
    """Fill in what is not known of a part yet: task type, difficulty, tokens and type of answer."""
    # What is asked stands at the start or at the end of a long text.
    text = part.text if len(part.text) <= 2 * LONGEST_READ else _ends(part.text)
    expected = part.expected or infer_kind(text)
    task_type = part.task_type or topic_of(text)
    difficulty = part.difficulty or difficulty_of(text, expected, waits=bool(part.depends_on))
    tokens = part.estimated_tokens or tokens_of(text, expected, task_type, difficulty)
    return replace(
        part,
        expected=expected,
        task_type=task_type,
        difficulty=difficulty,
        estimated_tokens=tokens,
    )


def difficulty_of(text: str, expected: Kind, *, waits: bool) -> str:
    """Count what makes a part hard: "easy" is nothing, "medium" one thing, "hard" more.

    The things: program text or a verdict is wanted; it works on another part's result; it has a
    word such as "prove" or "compare"; it has four numbers or more; it is longer than 40 words.
    """
    found = [rule(text, expected) for rule in _HARD]
    return ("easy", "medium", "hard")[min(2, sum(found) + waits)]


def _wants_much(text: str, expected: Kind) -> bool:
    return expected in {Kind.CODE, Kind.BOOLEAN, Kind.EXPRESSION}


def _demands(text: str, expected: Kind) -> bool:
    return bool(_DEMANDING.search(text))


def _has_many_numbers(text: str, expected: Kind) -> bool:
    return len(_NUMBER.findall(text)) >= _MANY_NUMBERS


def _is_long(text: str, expected: Kind) -> bool:
    return len(text.split()) > _LONG_WORDS


_HARD: Sequence[Callable[[str, Kind], bool]] = (
    _wants_much,
    _demands,
    _has_many_numbers,
    _is_long,
)


def tokens_of(text: str, expected: Kind, task_type: str, difficulty: str) -> int:
    """Estimate the tokens of an answer, 1 to `MOST_ESTIMATED`; a length that is asked for wins."""
    if wanted := _WORDS_WANTED.search(text):
        estimated = math.ceil(int(wanted[1]) * TOKENS_PER_WORD)
    else:
        by_task = TOKENS_BY_TASK.get(task_type, TOKENS_BY_TASK[""])
        base = TOKENS_BY_KIND.get(expected, by_task)
        estimated = round(base * LONGER[difficulty])
    return max(1, min(MOST_ESTIMATED, estimated))


def _ends(text: str) -> str:
    return text[:LONGEST_READ] + text[-LONGEST_READ:]
