"""Free text as an answer: what is left when case, punctuation and articles do not count."""

from __future__ import annotations

import re
import unicodedata
from itertools import dropwhile
from typing import TypeAlias

from quorate.answers import dates, spelling

Words: TypeAlias = tuple[str, ...]

LONGEST_FACT_WORDS = 8
"""A longer phrase is an argument, not a fact that a sentence could wrap."""
MOST_SLIPS = 2
MOST_EXPANDED = 1_000

# Signs that carry meaning stay: -5, 3.5, 50%, C++, .NET, x - 1, a < b, $5; hyphens of words do not.
_WORDS = re.compile(
    r"\d{4}-\d\d(?:-\d\d)?(?![\d-])|--\d\d-\d\d|\d\d:\d\d(?!\d)"
    r"|(?<!\w)-?\d+(?:[.,]\d+)*%?|[.#]?\w+(?:['.]\w+)*(?:[+#]+(?!\w))?"
    r"|[<>≤≥≠=±→⇒€£¥₹~^×÷√∞]|\$(?=\d)|(?<=\d)[/:](?=\d)|(?<=[\w)])[*+](?=[\w(])"
    r"|(?<=\s)[*+/](?=\s)|(?<=[\d)])-(?=[\d(])|(?<=\b[a-z])-(?=\d|[a-z]\b)"
    r"|(?<=[\d)]\s)-(?=\s[\d(])|(?<=\b[a-z]\s)-(?=\s(?:\d|[a-z]\b))"
)
_MARKUP = re.compile(
    r"\*\*+|__+|`+|^#{1,6}\s|(?<!\w)[*_](?=\w)|(?<=[\w.!?])[*_](?!\w)", re.MULTILINE
)
_MARKED_LETTER = re.compile(r"([a-z])[\u0300-\u036f]+")
_REWRITTEN = (
    (re.compile(r"\b(it|that|he|she|there|this|answer)'s\b"), r"\1 is"),
    (re.compile(r"\b(?:[a-z]\. ?){2,8}(?![a-z]\b)"), lambda match: f"{_initials(match[0])} "),
    (re.compile(r"(?<=\w) & (?=\w)"), " and "),
    (re.compile(r"(?<=\d) ?(?:%|per ?cent\b)"), "%"),
)
_COUNTS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen", "twenty",
        ]
    )
    if word
}  # fmt: skip
"""Not "one", which is mostly a pronoun."""
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
        "couldn't",
        "hasn't",
        "haven't",
        "wouldn't",
        "shouldn't",
        "non",
        "false",
        "wrong",
        "incorrect",
        "untrue",
        "barely",
        "except",
        "unlikely",
        "rarely",
        "seldom",
        "nowhere",
        "lack",
        "lacks",
    ]
)
_HEDGES = frozenset({"maybe", "perhaps", "possibly", "either", "or", "if", "unless"})
_FILLERS = frozenset(
    {"in", "at", "on", "from", "called", "named", "known", "as", "located", "class"}
)
_PRONOUNS = frozenset({"it", "this", "that", "he", "she", "they", "there"})


def words(text: str) -> Words:
    """Give the words of a text in one spelling, without articles, markup and punctuation.

    Dates and times are words of their own, written in one way.
    """
    found = [_number(word) for word in _WORDS.findall(_plain(text))]
    # An article at the end is a name: "vitamin A".
    kept = [word for word in found[:-1] if word not in _ARTICLES]
    return (*kept, *found[-1:])


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) > 2 * len(text) + MOST_EXPANDED:  # a flood of signs that stand for sentences
        plain = text
    plain = plain.casefold()
    if not plain.isascii():
        plain = re.sub(r"(?![0-9])\d", lambda match: str(unicodedata.decimal(match[0])), plain)
        plain = re.sub(r"[−‐‑‒–]", "-", plain.replace("’", "'"))
        plain = _MARKED_LETTER.sub(r"\1", unicodedata.normalize("NFKD", plain))
        plain = unicodedata.normalize("NFC", plain)
    plain = _MARKUP.sub("", plain)
    for pattern, replacement in _REWRITTEN:
        plain = pattern.sub(replacement, plain)
    return dates.standardised(plain)


def _initials(written: str) -> str:
    return re.sub(r"[. ]", "", written)


def _number(word: str) -> str:
    """Write a number in one way: 1,000.0 as 1000, seven as 7."""
    if not re.fullmatch(r"-?\d+(?:,\d{3})*(?:\.\d+)?", word):
        return _COUNTS.get(word) or spelling.standard(word)
    plain = word.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


_NUMBERED_NAME = re.compile(r"(?:[A-Z][\w'’-]* ){1,4}(?:\d{1,4}|[A-Z])\.?")
_MARK_WORDS = re.compile(
    r"(?:The |My |Final )*(?:Answer|Result|Total|Sum|About|Only|Exactly|It|Option|Choice"
    r"|Letter|I|Choose|Pick|Select)\b"
)


def is_numbered_name(text: str) -> bool:
    """Whether a text is a name that ends in a number or a letter, which is no answer: Apollo 11."""
    plain = text.strip()
    return bool(_NUMBERED_NAME.fullmatch(plain)) and not _MARK_WORDS.match(plain)


def numbers(said: Words) -> list[str]:
    """Give the words that hold digits, sorted."""
    return sorted(word for word in said if any(character.isdecimal() for character in word))


def denies(said: Words) -> bool:
    """Whether a text denies or hedges, so that it states nothing."""
    return bool((_DENIALS | _HEDGES) & {*said})


def why_same(one: Words, other: Words) -> str:
    """Say why two different texts state one fact: "The capital of France is Paris" and "Paris".

    They may differ by slips of spelling. A sentence with one "is" states either of its sides, and
    two such sentences may be turned around. Whatever is denied or hedged agrees with nothing else.
    "" when they differ.
    """
    if why := _why_same_words(one, other):
        return why
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


def _why_same_words(one: Words, other: Words) -> str:
    """Say why two texts are the same word for word, but for their spelling."""
    if len(one) == len(other):
        different = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
        if len(different) <= MOST_SLIPS and all(spelling.is_slip(*pair) for pair in different):
            return "the same words but for a slip of spelling"
        if _swapped(one) == other:
            return "the same two, named in another order"
    elif abs(len(one) - len(other)) == 1 and not denies((*one, *other)):
        joined = "".join(one)
        if len(joined) >= spelling.FEWEST_LETTERS and joined.isalpha() and joined == "".join(other):
            return "the same words but for a space"
    return ""


def _swapped(said: Words) -> Words | None:
    """Turn "cats and dogs" around; None for whatever is not two things of one or two words."""
    if said.count("and") != 1:
        return None
    at = said.index("and")
    one, other = said[:at], said[at + 1 :]
    if not (1 <= len(one) <= 2 and 1 <= len(other) <= 2):
        return None
    return (*other, "and", *one)


def _sides(sentence: Words) -> tuple[Words, Words] | None:
    """Split a sentence at its only "is"."""
    links = [position for position, word in enumerate(sentence) if word in _LINKS]
    if len(links) != 1:
        return None
    left, right = sentence[: links[0]], sentence[links[0] + 1 :]
    return (left, right) if left and right else None


def statements(said: Words) -> list[Words]:
    """Give the sides of a sentence's only "is", and the facts in them; none of any other text."""
    sides = _sides(said)
    return [*sides, *_facts(sides)] if sides else []


def _facts(sides: tuple[Words, Words]) -> list[Words]:
    """Give what a sentence may answer: a side, "in Asia" without its "in", or who it is "by"."""
    left, right = sides
    facts = [right, tuple(dropwhile(_FILLERS.__contains__, right))]
    if left[0] not in _PRONOUNS:
        facts.append(left)
    if "by" in right[1:]:
        facts.append(right[right.index("by", 1) + 1 :])
    return facts
