"""What a sentence says that its question did not: the Paris of "The capital of France is Paris"."""

from __future__ import annotations

import re

from quorate.answers import phrase

LONGEST_SENTENCE_WORDS = 24
_ASKED = re.compile(r"(?:^|\n)Question:", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z])|\n+")
_NAME = re.compile(r"(?<!^)(?<![.?!:] )\b[A-Z][\w'’-]+")
_ALTERNATIVES = re.compile(r"\bor\b|\beither\b|^Merge ", re.IGNORECASE)
_LINKS = frozenset({"is", "are", "was", "were"})
_SMALL_WORDS = frozenset({"of", "in", "is", "are", "was", "were", "by", "to", "for"})


def told(said: phrase.Words, question: str) -> phrase.Words:
    """Give the side of an "… is …" that answers, when the rest only repeats the question.

    The rest must hold every name of the question, so that answers about different things stay
    different; a question that offers alternatives is left alone. `said` itself otherwise.
    """
    if not question or len(said) > LONGEST_SENTENCE_WORDS or phrase.denies(said):
        return said
    asked = _SENTENCE_END.split(_ASKED.split(question)[-1].strip())[-1]
    names = {word for name in _NAME.findall(asked) for word in phrase.words(name)}
    links = [place for place, word in enumerate(said) if word in _LINKS]
    if not names or len(links) != 1 or _ALTERNATIVES.search(asked):
        return said
    known = {*phrase.words(asked)} | _SMALL_WORDS
    answers = [
        new
        for new, rest in _splits(said, links[0])
        if names <= {*rest} <= known and new and not known & {*new}
    ]
    return answers[0] if len(answers) == 1 else said


def _splits(said: phrase.Words, link: int) -> list[tuple[phrase.Words, phrase.Words]]:
    """Give what a sentence may answer with, each with the rest: a side, or what "of" leads to."""
    splits = [(said[:link], said[link:]), (said[link + 1 :], said[: link + 1])]
    preposition = next((at for at in range(len(said) - 1, link, -1) if said[at] == "of"), None)
    if preposition is not None:
        splits.append((said[preposition + 1 :], said[: preposition + 1]))
    return splits
