"""Free text as an answer: what is left when case, punctuation and articles do not count."""

from __future__ import annotations

import re
import unicodedata

LONGEST_FACT_WORDS = 8
"""A longer phrase is an argument, not a fact that a sentence could wrap."""

_WORDS = re.compile(r"\w+(?:[.'’-]\w+)*", re.UNICODE)
_ARTICLES = frozenset({"a", "an", "the"})
_LINKS = frozenset({"is", "are", "was", "were"})
_DENIALS = frozenset({"not", "no", "never", "isn't", "wasn't", "aren't", "weren't"})


def words(text: str) -> tuple[str, ...]:
    """Give the words of a text in lower case, without articles and punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    found = _WORDS.findall(plain)
    return tuple(word for word in found if word not in _ARTICLES) or tuple(found)


def same_fact(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one text is a sentence that states the other: "capital of France is Paris", "Paris".

    Both sides of "is" may carry the fact, and two such sentences may be turned around. A denial on
    either side never agrees.
    """
    if _DENIALS & set(one) or _DENIALS & set(other):
        return False
    short, long = sorted((one, other), key=len)
    sides = _sides(long)
    if sides is None:
        return False
    turned = _sides(short)
    if turned is not None:
        return set(sides) == set(turned)
    return len(short) <= LONGEST_FACT_WORDS and short in sides


def _sides(sentence: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Split a sentence at its only "is"."""
    links = [position for position, word in enumerate(sentence) if word in _LINKS]
    if len(links) != 1:
        return None
    left, right = sentence[: links[0]], sentence[links[0] + 1 :]
    return (left, right) if left and right else None


def same_words(text: str, sought: str, start: int = 0) -> int | None:
    """Find the words of `sought` in a row in a text, from word `start` on.

    Gives the place after the last of them, counted in words of the text; None when they are not
    there. Case, punctuation and articles do not count; something without words is never found.
    """
    inside, wanted = words(text), words(sought)
    if not wanted:
        return None
    for position in range(start, len(inside) - len(wanted) + 1):
        if inside[position : position + len(wanted)] == wanted:
            return position + len(wanted)
    return None
