"""Free text as an answer: what is left when case, punctuation and articles do not count."""

from __future__ import annotations

import re
import unicodedata
from itertools import dropwhile
from typing import TypeAlias

Words: TypeAlias = tuple[str, ...]

LONGEST_FACT_WORDS = 8
"""A longer phrase is an argument, not a fact that a sentence could wrap."""

# Signs that carry meaning stay with their word: -5, 3.5, 50%, C++, C#, .NET.
_WORDS = re.compile(r"(?<!\w)-?\d+(?:[.,]\d+)*%?|[.#]?\w+(?:['.]\w+)*[+#]*")
_ARTICLES = frozenset({"a", "an", "the"})
_LINKS = frozenset({"is", "are", "was", "were"})
_DENIALS = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nobody",
        "nothing",
        "neither",
        "nor",
        "cannot",
        "without",
        "isn't",
        "wasn't",
        "aren't",
        "weren't",
        "doesn't",
        "don't",
        "didn't",
        "won't",
        "can't",
        "hardly",
    ]
)
_HEDGES = frozenset({"maybe", "perhaps", "possibly", "either", "or", "if", "unless"})
_FILLERS = frozenset(
    {"in", "at", "on", "from", "called", "named", "known", "as", "located", "class"}
)
_PRONOUNS = frozenset({"it", "this", "that", "he", "she", "they", "there"})


def words(text: str) -> Words:
    """Give the words of a text in lower case, without articles and punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    found = [_number(word) for word in _WORDS.findall(plain)]
    # An article at the end is a name: "vitamin A".
    kept = [word for word in found[:-1] if word not in _ARTICLES]
    return (*kept, *found[-1:])


def _number(word: str) -> str:
    """Write a number in one way: 1,000.0 as 1000."""
    if not re.fullmatch(r"-?\d+(?:,\d{3})*(?:\.\d+)?", word):
        return word
    plain = word.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def denies(said: Words) -> bool:
    """Whether a text denies or hedges, so that it states nothing."""
    return bool((_DENIALS | _HEDGES) & {*said})


def why_same(one: Words, other: Words) -> str:
    """Say why two different texts state one fact: "The capital of France is Paris" and "Paris".

    A sentence with one "is" states either of its sides, and two such sentences may be turned
    around. Whatever is denied or hedged agrees with nothing else. "" when they differ.
    """
    if denies((*one, *other)):
        return ""
    short, long = sorted((one, other), key=len)
    sides = _sides(long)
    turned = _sides(short)
    if sides is None or not short:
        return ""
    if turned is None:
        stated = len(short) <= LONGEST_FACT_WORDS and short in _facts(sides)
        return "one is a sentence that states the other" if stated else ""
    if set(sides) == set(turned):
        return "the same statement, turned around"
    shared = set(sides[0]) & set(turned[0])
    if sides[1] == turned[1] and len(sides[1]) <= LONGEST_FACT_WORDS and shared:
        return "two sentences that state the same of the same thing"
    return ""


def _sides(sentence: Words) -> tuple[Words, Words] | None:
    """Split a sentence at its only "is"."""
    links = [position for position, word in enumerate(sentence) if word in _LINKS]
    if len(links) != 1:
        return None
    left, right = sentence[: links[0]], sentence[links[0] + 1 :]
    return (left, right) if left and right else None


def _facts(sides: tuple[Words, Words]) -> list[Words]:
    """Give what a sentence may answer: a side, "in Asia" without its "in", or who it is "by"."""
    left, right = sides
    facts = [right, tuple(dropwhile(_FILLERS.__contains__, right))]
    if left[0] not in _PRONOUNS:
        facts.append(left)
    if "by" in right[1:]:
        facts.append(right[right.index("by", 1) + 1 :])
    return facts
