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
    run = [mark for mark, letter in zip(marks[start:], _LETTERS, strict=False) if mark[1] == letter]
    if len(run) < 2:
        return {}
    ends = [*(mark.start() for mark in run[1:]), len(question)]
    texts = [question[mark.end() : end] for mark, end in zip(run, ends, strict=True)]
    texts[-1] = _REQUEST.sub("", texts[-1].split("\n", 1)[0])
    return {mark[1]: text.strip().rstrip(";,. ") for mark, text in zip(run, texts, strict=True)}


def named(text: str, offered: Mapping[str, str]) -> str | None:
    """Give the letter of the only option that a text states; None when it states none, or several.

    "Paris" and "The capital of France is Paris." both state the option "Paris".
    """
    said = phrase.words(text)
    fitting = [
        letter
        for letter, option in offered.items()
        if (wanted := phrase.words(option)) and (said == wanted or phrase.why_same(said, wanted))
    ]
    return fitting[0] if len(fitting) == 1 else None
