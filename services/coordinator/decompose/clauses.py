"""Is a stretch of text a request that can stand alone? Pure.

A clause is read as words; names are told by their capital letter, quoted text by its mask. When in
doubt the answer is no: a question that stays whole loses speed, a broken one loses its meaning.
"""

from __future__ import annotations

import re
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
        return bool(_NUMBER.fullmatch(words[1]))
    return words[-1] not in lexicon.PREPOSITIONS or len(words) > 2


def _is_question(part: Clause, words: list[str]) -> bool:
    if words[0] in {"how", "what"} and words[1] == "about":
        return False
    if words[0] in lexicon.WH:
        return _has_verb(words)
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
    return any(
        word == "to" and after.isalpha() and after not in lexicon.DETERMINERS | {"and"}
        for word, after in pairwise(inner)
    )


def refers_back(part: Clause) -> bool:
    """Say whether a clause points to something that was said before it."""
    return any(_points_back(part.words, place) for place in range(len(part.words)))


def _points_back(words: tuple[str, ...], place: int) -> bool:
    word, before = words[place], words[place - 1] if place else ""
    after = words[place + 1] if place + 1 < len(words) else ""
    if word == "that":
        opens = lexicon.PREPOSITIONS | lexicon.VERBS | lexicon.AUXILIARY
        return not before or before in opens or after in {"", "?", ".", "!"}
    if word == "it":
        return before != "is" or "time" not in words
    if word in {"result", "results"}:
        return before == "the" and after != "of"
    if word == "there":
        return before not in {"is", "are", "was", "were"} and after not in {"is", "are"}
    if word == "one":
        return after in {"", "?", ".", "!"} or before in {"which", "that", "this"}
    if word in {"above", "below"}:
        return not _NUMBER.fullmatch(after) and after not in lexicon.DETERMINERS
    if word == "your":
        return after in {"answer", "answers", "work", "reasoning", "steps", "response", "result"}
    return word in lexicon.BACK_REFERENCES


def lacks_object(part: Clause) -> bool:
    """Say whether a command leaves out what it works on, as in "multiply by 2" or "add 5"."""
    words = [word for word in part.words if word not in ",;:?.!"]
    if part.verb not in lexicon.TRANSFORMS:
        return False
    rest = words[2:] if words[1:2] in (["up"], ["out"]) else words[1:]
    if not rest or rest[0] in lexicon.PREPOSITIONS:
        return True
    return part.verb in {"add", "subtract"} and len(rest) == 1 and bool(_NUMBER.fullmatch(rest[0]))


def bare_definites(part: Clause) -> list[tuple[str, ...]]:
    """List noun phrases such as "the ages" that say nothing about which ones are meant."""
    return [
        phrase
        for place, word in enumerate(part.words)
        if word == "the" and (phrase := _phrase_after(part, place + 1))
    ]


def _phrase_after(part: Clause, start: int) -> tuple[str, ...]:
    stop = start
    closing = lexicon.PREPOSITIONS | lexicon.AUXILIARY | {"and", "or", "that", "who", "which"}
    while stop < len(part.words) and part.words[stop] not in closing | set(",;:?.!"):
        stop += 1
    phrase, tokens = part.words[start:stop], part.tokens[start:stop]
    following = part.words[stop] if stop < len(part.words) else ""
    anchored = following in lexicon.PREPOSITIONS or following in {"that", "who", "which"}
    named = any(token[:1].isupper() or token[:1].isdigit() for token in tokens)
    superlative = len(phrase) > 1 and phrase[0] in lexicon.SUPERLATIVES
    if not phrase or anchored or named or superlative or phrase[-1] in lexicon.UNIQUE:
        return ()
    return phrase


def needs_owner(part: Clause) -> bool:
    """Say whether it asks for something that nothing here owns, as in "list three reasons"."""
    words = part.words
    for place, word in enumerate(words):
        if word not in lexicon.RELATIONS or place == 0:
            continue
        after = words[place + 1] if place + 1 < len(words) else ""
        if after in {"", "?", ".", "!", ",", "and", "or"} and not _owned(part, place):
            return True
    return False


def _owned(part: Clause, place: int) -> bool:
    """Say whether something before the noun owns it: a name, a genitive, or "of" further left."""
    before = part.words[:place]
    return any(word.endswith(("'s", "s'")) or word == "of" for word in before) or any(
        token[:1].isupper() for token in part.tokens[1:place]
    )


def is_arithmetic(part: Clause) -> bool:
    """Say whether a clause is arithmetic and nothing else: no later part can mean its words."""
    numbers = [word for word in part.words if _NUMBER.fullmatch(word)]
    others = [word for word in part.words if word not in numbers and word.isalpha()]
    return bool(numbers) and all(word in lexicon.ARITHMETIC_WORDS for word in others)


def has_anchor(part: Clause) -> bool:
    """Say whether a command names what it is about: a name, quotation, phrase or calculation."""
    if any(token[:1].isupper() for token in part.tokens[1:]) or is_arithmetic(part):
        return True
    inner = part.words[1:-1]
    return any(word in lexicon.PREPOSITIONS or word in {"that", "which", "who"} for word in inner)
