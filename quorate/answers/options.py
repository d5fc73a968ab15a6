"""The options of a multiple-choice question, and which of them a text names without its letter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quorate.answers import phrase

_LETTERS = "ABCDEFGHIJ"
_MARK = re.compile(r"(?:(?<=\s)|^)[(\[]?([A-J])[).\]:](?=\s|$)\s*")
_REQUEST = re.compile(
    r"(?<=[\w.)])\s+(?:answer|reply|respond|give|choose|pick|select|write|please|only)\b.*",
    re.IGNORECASE | re.DOTALL,
)


def options(question: str) -> Mapping[str, str]:
    """Give the options of a question by letter, in order; empty when it has fewer than two.

    Letters must run from A on: a stray "B." in the text starts no list.
    """
    marks = list(_MARK.finditer(question))
    start = max((i for i, mark in enumerate(marks) if mark[1] == "A"), default=len(marks))
    run: list[re.Match[str]] = []
    for mark in marks[start:]:
        if len(run) < len(_LETTERS) and mark[1] == _LETTERS[len(run)]:  # not the J. of J. Tolkien
            run.append(mark)
    if len(run) < 2:
        return {}
    ends = [*(mark.start() for mark in run[1:]), len(question)]
    texts = [question[mark.end() : end] for mark, end in zip(run, ends, strict=True)]
    texts[-1] = _REQUEST.sub("", texts[-1].split("\n", 1)[0])
    return {mark[1]: text.strip().rstrip(";,. ") for mark, text in zip(run, texts, strict=True)}


def named(text: str, offered: Mapping[str, str]) -> str | None:
    """Give the letter of the only option that a text names; None when it names none, or several.

    "Paris" and "The capital of France is Paris." both name the option "Paris". An option inside
    another one that is named ("Sea" in "Red Sea") is not named by it. A denial names nothing.
    """
    said = phrase.words(text)
    if phrase.denies(said):
        return None
    found = {letter: phrase.words(option) for letter, option in offered.items()}
    found = {letter: option for letter, option in found.items() if _within(option, said)}
    longest = [
        letter
        for letter, option in found.items()
        if not any(option != other and _within(option, other) for other in found.values())
    ]
    return longest[0] if len(longest) == 1 else None


def _within(part: phrase.Words, whole: phrase.Words) -> bool:
    """Whether words stand in a row among others."""
    size = len(part)
    return size > 0 and any(whole[at : at + size] == part for at in range(len(whole) - size + 1))
