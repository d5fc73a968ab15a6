"""Is a stretch of text a request that can stand alone? Pure.

A clause is read as words; names are told by their capital letter, quoted text by its mask. When in
doubt the answer is no: a question that stays whole loses speed, a broken one loses its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from services.coordinator.decompose import lexicon

_WORD = re.compile(r"[^\W_]+(?:['’.,][^\W_]+|-[^\W\d_]+)*%?|[-+*/=^×÷%<>]|[,;:?.!]")
_NUMBER = re.compile(r"[$€£]?\d[\d.,]*(?:%|[a-z]{1,3})?")
_OPENING = re.compile(
    r"(?:(?:and|also|then|next|now|plus|finally|lastly|afterwards|first|firstly|second|secondly"
    r"|third|thirdly|fourth|fifth|after that|please|(?:can|could|would|will) you(?: please)?"
    r"|i (?:want|need) you to|i(?:'d| would) like you to|i also (?:want|need) you to|help me|kindly"
    r"|you should|you must)(?![\w'’-])[,:]?\s*|(?:and|also),?\s+)",
    re.IGNORECASE,
)
MOST_OPENINGS = 4
THEN = re.compile(r"\b(?:then|next|after that|afterwards|finally|lastly)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Clause:
    """A stretch of a question, without its opening words.

    `text` is what a model is asked, `masked` the same with quoted text blanked, `opening` the
    words taken off, such as "and then".
    """

    text: str
    masked: str
    opening: str = ""

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Words and marks, in the case they have."""
        return tuple(_WORD.findall(self.masked))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Words and marks in lower case."""
        return tuple(token.lower().replace("’", "'") for token in self.tokens)

    @property
    def verb(self) -> str:
        """The verb of an imperative, or the empty string."""
        return self.words[0] if self.words and self.words[0] in lexicon.VERBS else ""


def clause(text: str, masked: str, opening: str = "") -> Clause:
    """Take openings such as "And then please" off a stretch of text.

    Only if a request is left: "first president of France" keeps its first word.
    """
    stop = len(masked.rstrip().rstrip(",;").rstrip())
    bare = len(masked) - len(masked.lstrip())
    starts = [bare]
    while len(starts) <= MOST_OPENINGS and (found := _OPENING.match(masked, starts[-1])):
        starts.append(found.end())
    for start in reversed(starts):
        part = Clause(text[start:stop], masked[start:stop], f"{opening} {masked[:start]}".strip())
        if is_request(part):
            return part
    return Clause(text[bare:stop], masked[bare:stop], opening.strip())


def is_request(part: Clause) -> bool:
    """Say whether a clause is a whole question or command."""
    words = [word for word in part.words if word not in ",;:?.!"]
    if len(words) < 2:
        return False
    if words[0] in lexicon.VERBS:
        return part.words[1] != ":" and _is_command(words)
    return _is_question(part, words) or is_expression(part)


def is_expression(part: Clause) -> bool:
    """Say whether a clause is a bare calculation, such as "15% of 80?" or "9 + 95 =" ."""
    words = [word for word in part.words if word not in ",;:?.!"]
    operators = lexicon.OPERATORS.intersection(words) or "% of" in part.masked
    return bool(_NUMBER.fullmatch(words[0])) and bool(operators) and is_arithmetic(part)


def _is_command(words: list[str]) -> bool:
    if words[1] in {"is", "are", "was", "were", "has", "have", "and", "or", "of", "vs", "versus"}:
        return False
    if words[0] in {"look", "work"}:
        return words[1] in {"up", "out"} and len(words) > 2
    if words[0] == "take":
        taken = words[2] if words[1] == "away" and len(words) > 2 else words[1]
        return bool(_NUMBER.fullmatch(taken))
    if words[0] == "use":
        return _uses_result(words)
    return words[-1] not in lexicon.PREPOSITIONS or len(words) > 2


def _uses_result(words: list[str]) -> bool:
    """Say whether it is "use it to …", "use that result to …", not "use short sentences"."""
    return words[1] in {"it", "that", "this", "them"} or "result" in words[2:4]


def _is_question(part: Clause, words: list[str]) -> bool:
    if words[0] in {"how", "what"} and words[1] == "about":
        return False
    if words[0] in lexicon.WH:
        return _has_verb(words)
    if words[0] in lexicon.PREPOSITIONS and words[1] in lexicon.OF_WHICH:
        return any(word in lexicon.AUXILIARY for word in words[2:])
    return (
        words[0] in lexicon.AUXILIARY
        and len(words) >= 3
        and (_names_subject(part) or (len(words) >= 4 and part.text.endswith("?")))
    )


def _has_verb(words: list[str]) -> bool:
    if len(words) < 3:
        return "'s" in words[0]
    if words[0] in {"who", "what"}:
        return words[1] not in {"else", "more"}
    return (
        "'s" in words[0] or any(word in lexicon.AUXILIARY for word in words[1:]) or len(words) > 5
    )


def _names_subject(part: Clause) -> bool:
    second = part.tokens[1]
    return second[:1].isupper() or bool(_NUMBER.fullmatch(second))


def opens_request(part: Clause, left: Clause) -> bool:
    """Say whether a clause after a bare "and" is a request of its own, not more of the left one.

    "Explain research and design methods" has a noun there, "a king who ruled and who died" a
    relative clause, "a program to read and print" a second infinitive.
    """
    if not is_request(part) or not is_request(left) or is_expression(part):
        return False
    if speaks_of_actions(left):
        return False
    first, second = part.words[0], part.words[1]
    if first in lexicon.NOUN_VERBS:
        return second in lexicon.DETERMINERS or bool(_NUMBER.fullmatch(second))
    if first in lexicon.AUXILIARY:
        return left.words[0] in lexicon.AUXILIARY and _names_subject(part)
    return True


def speaks_of_actions(part: Clause) -> bool:
    """Say whether a clause has a subordinate one or an infinitive, which an "and" may continue."""
    inner = part.words[1:]
    if any(word in lexicon.SUBORDINATORS for word in inner):
        return True
    if part.verb in lexicon.TAKES_TO:
        return False
    no_verb = lexicon.DETERMINERS | lexicon.BACK_REFERENCES | {"and"}
    return any(
        word == "to" and after.isalpha() and after not in no_verb for word, after in pairwise(inner)
    )


def refers_back(part: Clause) -> bool:
    """Say whether a clause points to something that was said before it."""
    return any(_points_back(part.words, place) for place in range(len(part.words)))


def _points_back(words: tuple[str, ...], place: int) -> bool:
    word, before = words[place], words[place - 1] if place else ""
    after = words[place + 1] if place + 1 < len(words) else ""
    if word in _POINTING:
        return _POINTING[word](words, before, after)
    if word in {"result", "results"}:
        return after != "of" and "the" in words[max(0, place - 2) : place]
    return word in lexicon.BACK_REFERENCES


_Pointing = Callable[[tuple[str, ...], str, str], bool]
_CLOSING = {"", "?", ".", "!"}
_OPENS_THAT = lexicon.PREPOSITIONS | lexicon.VERBS | lexicon.AUXILIARY
_WORKS = {"answer", "answers", "work", "reasoning", "steps", "response", "result"}


def _aims_at_text(words: tuple[str, ...], before: str, after: str) -> bool:
    return not _NUMBER.fullmatch(after) and after not in lexicon.DETERMINERS


_POINTING: Mapping[str, _Pointing] = {
    "that": lambda words, before, after: not before or before in _OPENS_THAT or after in _CLOSING,
    "it": lambda words, before, after: before != "is" or "time" not in words,
    "there": lambda words, before, after: (
        before not in {"is", "are", "was", "were"} and after not in {"is", "are"}
    ),
    "one": lambda words, before, after: after in _CLOSING or before in {"which", "that", "this"},
    "above": _aims_at_text,
    "below": _aims_at_text,
    "your": lambda words, before, after: after in _WORKS,
    "each": lambda words, before, after: True,
    "which": lambda words, before, after: bool(before) and after in _CLOSING,
}
"""Words that point back in some places only: given all words, the one before, the one after."""


def lacks_object(part: Clause) -> bool:
    """Say whether a command leaves out what it works on, as in "multiply by 2" or "add 5"."""
    words = [word for word in part.words if word not in ",;:?.!"]
    if part.verb not in lexicon.TRANSFORMS:
        return False
    rest = words[2:] if words[1:2] in (["up"], ["out"], ["away"]) else words[1:]
    if not rest or rest[0] in lexicon.PREPOSITIONS:
        return True
    return (
        part.verb in {"add", "subtract", "take"}
        and len(rest) == 1
        and bool(_NUMBER.fullmatch(rest[0]))
    )


def is_arithmetic(part: Clause) -> bool:
    """Say whether a clause is arithmetic and nothing else: no later part can mean its words."""
    numbers = [word for word in part.words if _NUMBER.fullmatch(word)]
    others = [word for word in part.words if word not in numbers and word.isalpha()]
    return bool(numbers) and all(word in lexicon.ARITHMETIC_WORDS for word in others)
