"""What a clause leaves open: things it does not name, without which it cannot stand alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from services.coordinator.decompose import lexicon
from services.coordinator.decompose.clauses import Clause, is_arithmetic


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
    if following in lexicon.OF_STEPS and phrase:  # "multiply the sum by 2", "the total with tax"
        steps_on = start == 2 and part.verb in lexicon.TRANSFORMS
        anchored = not (steps_on or phrase[-1] in lexicon.CALCULATED | lexicon.SUMS_OF_MONEY)
    if len(phrase) > 1 and part.words[max(0, start - 2)] in {"do", "does", "did"}:
        anchored = anchored and following in {"that", "who", "which"}  # "the car use at 25 mpg"
    named = any(token[:1].isupper() or token[:1].isdigit() for token in tokens)
    return () if not phrase or anchored or named or _is_known(phrase) else phrase


def _is_known(phrase: tuple[str, ...]) -> bool:
    """Say whether everybody knows which one is meant: "the sun", "the largest planet"."""
    if phrase[-1] in lexicon.UNIQUE or (len(phrase) > 1 and phrase[0] in lexicon.SUPERLATIVES):
        return True
    return len(phrase) > 1 and phrase[0] in lexicon.RELATIONS and phrase[-1] in lexicon.ONE_SET


def names_kind(part: Clause, phrase: tuple[str, ...], earlier: Sequence[Clause]) -> bool:
    """Say whether "the telephone" in "who invented the telephone" is any telephone.

    It is not when the word was said before, as after "describe the steam engine".
    """
    verbs = [place for place, word in enumerate(part.words) if word in lexicon.FOUND_OUT]
    object_of = any(part.words[verb + 2 : verb + 2 + len(phrase)] == phrase for verb in verbs)
    return object_of and not any(phrase[-1] in other.words for other in earlier)


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


def names_its_set(part: Clause, earlier: Sequence[Clause]) -> bool:
    """Say whether a question names what its superlative ranks: "which planet is the largest"."""
    words = part.words
    if words[0] not in {"which", "what"} or not words[1].isalpha() or words[2:4] != ("is", "the"):
        return False
    if words[1] in lexicon.AUXILIARY | lexicon.BACK_REFERENCES | {"one", "of"}:
        return False
    free = all(is_arithmetic(other) for other in earlier) or words[1] in lexicon.ONE_SET
    return free and not any(word.startswith(words[1]) for other in earlier for word in other.words)


def is_elliptic(part: Clause) -> bool:
    """Say whether a later clause leaves its subject out.

    As in "explain like I'm five", "how does UDP differ", "give an example in Python".
    """
    words = [word for word in part.words if word not in ",;?.!"]
    compares = words[-1] in lexicon.COMPARATIVES and not {"than", "or"} & set(words)
    if words[-1] in lexicon.NEEDS_OTHER or compares:
        return True
    owners = {"of", "for", "why", "that", "which", "where", "when", "to"}
    if any(
        word in lexicon.ABOUT_OTHERS and after not in owners for word, after in pairwise(words[1:])
    ):
        return True
    direct = lexicon.PREPOSITIONS - {"about", "for", "up"} | {"as", "step"}
    return bool(part.verb) and words[1] in direct and ":" not in words


def says_not_where(part: Clause) -> bool:
    """Say whether it asks what there is, and not where: "how many moons are there"."""
    words = [word for word in part.words if word not in ",;?.!"]
    return words[-1] == "there" and words[-2:-1] in (["is"], ["are"], ["was"], ["were"])


def is_past_of_nothing(part: Clause) -> bool:
    """Say whether a question about the past names nobody and nothing: "what prizes were won"."""
    words = part.words
    named = any(token[:1].isupper() or token[:1].isdigit() for token in part.tokens[1:])
    linked = any(word in lexicon.PREPOSITIONS for word in words[1:-1])
    return (
        words[0] in lexicon.WH
        and not named
        and not linked
        and bool({"was", "were", "did", "had"} & set(words))
    )


def _owned(part: Clause, place: int) -> bool:
    """Say whether something before the noun owns it: a name, a genitive, or "of" further left."""
    before = part.words[:place]
    return any(word.endswith(("'s", "s'")) or word == "of" for word in before) or any(
        token[:1].isupper() for token in part.tokens[1:place]
    )


def has_anchor(part: Clause) -> bool:
    """Say whether a command names what it is about: a name, quotation, phrase or calculation."""
    if any(token[:1].isupper() for token in part.tokens[1:]) or is_arithmetic(part):
        return True
    if part.verb == "define" and len(part.words) > 1 and part.words[1] not in lexicon.DETERMINERS:
        return True  # a bare noun, "define osmosis", is a word as such
    inner = part.words[1:-1]
    return any(word in lexicon.PREPOSITIONS or word in {"that", "which", "who"} for word in inner)
