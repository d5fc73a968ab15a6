"""Whether a text says what a part answered, judged by its words. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from typing import TypeAlias

Words: TypeAlias = tuple[str, ...]

LONGEST_VERBATIM = 24
"""Words up to which an answer must be said literally; a longer one may be put in other words."""
MOST_LITERAL = 1_000
"""Words up to which an answer is looked for literally, so that looking stays cheap."""
SHARE_OF_LONG = 0.6
"""Share of the distinct words of a longer answer that a merge must keep, beside all numbers."""
RESTATEMENT = 3
"""Words in a row that repeat a question; what they hold is no answer."""

_WORD = re.compile(
    r"(?:(?<![\w)\]])-)?\d+(?:,\d{3})*(?:\.\d+)?|\w+(?:['’]\w+)*|[-+*/%^=<>(){}\[\]]"
)
_ARTICLES = frozenset({"a", "an", "the"})


def words_of(text: str) -> Words:
    """Give the words, numbers and operators of a text, without case, articles and punctuation.

    A single capital stays one: it may be the letter of a choice. 1,000.0 and 1000 are one number.
    """
    found = (_plain(word) for word in _WORD.findall(unicodedata.normalize("NFKC", text)))
    return tuple(word for word in found if word not in _ARTICLES)


def _plain(word: str) -> str:
    if word[-1].isdecimal() and word.lstrip("-")[0].isdecimal():
        number = word.replace(",", "")
        return number.rstrip("0").rstrip(".") if "." in number else number
    return word if len(word) == 1 and word.isupper() else word.casefold().replace("’", "'")


def place_after(said: Words, start: int, questions: Sequence[Words], answer: Words) -> int | None:
    """Say where an answer ends in a text, looked for from a place on; None when it is not there.

    Words that merely repeat a question do not count: "25 / 5 is 3" does not answer 5.
    """
    asked = {run for question in questions for run in _runs(question)}
    # An answer may itself be taken from a question, as extraction does.
    repeated = _places_of(asked - set(_runs(answer)), said)
    last = len(said) - len(answer) if len(answer) <= MOST_LITERAL else -1
    for at in range(start, last + 1):
        end = at + len(answer)
        if said[at:end] == answer and not repeated.issuperset(range(at, end)):
            return end
    return _reworded(said, start, answer) if len(answer) > LONGEST_VERBATIM else None


def _reworded(said: Words, start: int, answer: Words) -> int | None:
    """Accept a long answer in other words: all its numbers and most of its words."""
    wanted, kept = set(answer), set(said[start:])
    numbers = {word for word in wanted if word[-1].isdecimal()}
    if not numbers <= kept or len(wanted & kept) < SHARE_OF_LONG * len(wanted):
        return None
    # Where it ends cannot be told: what follows may stand anywhere behind the start.
    return start


def _places_of(runs: Set[Words], said: Words) -> frozenset[int]:
    """Give the places of a text that lie in one of these runs of words."""
    return frozenset(
        place
        for at, run in enumerate(_runs(said))
        if run in runs
        for place in range(at, at + RESTATEMENT)
    )


def _runs(words: Words) -> list[Words]:
    return [words[at : at + RESTATEMENT] for at in range(len(words) - RESTATEMENT + 1)]
