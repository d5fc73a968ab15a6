"""How clauses hang together: where a link may be cut, and which clause works on another's result.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.coordinator.decompose import lexicon
from services.coordinator.decompose.clauses import (
    THEN,
    Clause,
    is_arithmetic,
    is_request,
    lacks_object,
    opens_request,
    refers_back,
    speaks_of_actions,
)
from services.coordinator.decompose.gaps import bare_definites

_PLURAL = frozenset(
    {"them", "these", "those", "they", "both", "results", "answers", "numbers", "everything"}
)


def may_cut(left: Clause, right: Clause, link: str) -> bool:
    """Say whether a link between two clauses separates two requests."""
    if not is_request(left) or not is_request(right) or is_quoting(left):
        return False
    said = link.lower()
    if _shares_owner(left, right):
        return False
    if THEN.search(said) or ";" in said or "also" in said or is_step(left, right):
        return not speaks_of_actions(left)
    if ":" in left.words or not opens_request(right, left):
        return False
    return said.strip() != "," or right.words[0] in lexicon.WH - {"which"}


def _shares_owner(left: Clause, right: Clause) -> bool:
    """Say whether both ask about what only the right one names.

    As in "who is the king and who is the heir of Norway", "find the length and find the width of a
    wall".
    """
    ends = [word for word in left.words if word.isalpha()]
    opens = [place for place, word in enumerate(left.words) if word == "the"]
    asks = left.words[0] in lexicon.WH or left.verb == right.verb != ""
    if not asks or not opens or is_arithmetic(left):
        return False
    open_end = not any(word in lexicon.PREPOSITIONS for word in left.words[opens[-1] :])
    named = any(token[:1].isupper() for token in left.tokens[1:])
    owner = "the" in right.words and any(
        word in {"of", "in", "for"} for word in right.words[right.words.index("the") :]
    )
    return open_end and not named and owner and bool(ends) and ends[-1] not in lexicon.UNIQUE


def is_step(left: Clause, right: Clause) -> bool:
    """Say whether the right clause calculates with the left one's result: ", and sum them"."""
    return right.verb in lexicon.CALCULATIONS and _produces(left) and refers_back(right)


def is_quoting(left: Clause) -> bool:
    """Say whether what follows a colon is material to the end, as in "Translate: go, then rest"."""
    return left.verb in lexicon.QUOTING and ":" in left.words


def goes_on(left: Clause) -> bool:
    """Say whether material after a colon may go on in the next sentence: it has no quotation marks.

    Quoted text is masked with X, so that nothing else is left of it.
    """
    material = left.masked.partition(":")[2].strip().rstrip(".?!")
    return is_quoting(left) and bool(material.strip("X"))


def parents_of(
    part: Clause, earlier: Sequence[Clause], parents: Sequence[tuple[int, ...]]
) -> tuple[int, ...] | None:
    """Give the earlier clauses whose results a clause works on.

    Empty: it works on none. None: it points back in a way that is not a step on a result, so that
    it cannot be taken apart from the rest.
    """
    if not earlier or not _works_on_result(part, earlier):
        return ()
    place = len(earlier) - 1
    if names_places(part):
        counted = _places(part, len(earlier))
        return (place,) if counted is None and _counts_items(part, earlier) else counted
    if not _produces(earlier[place]):
        return None
    if place > 0 and _is_plural(part) and not parents[place]:
        return _all_results(earlier, parents)
    mentioned = [index for index, other in enumerate(earlier) if _mentions(other, part)]
    return (mentioned[-1],) if mentioned else (place,)


_PLACE = (
    r"(?:(?:results?|answers?|outputs?|values?)\s+(?:of|to|from)\s+"
    r"(?:(?:questions?|parts?|steps?|tasks?|items?|numbers?|points?)\s+)?#?"
    r"|(?:question|part|step|task)s?\s+#?)"
)
_BY_NUMBER = re.compile(_PLACE + r"(\d{1,2}(?:(?:\s*,\s*|\s+and\s+)\d{1,2})*)\b", re.IGNORECASE)
_ORDINAL = r"(first|second|third|fourth|fifth)"
_BY_ORDINAL = re.compile(
    rf"\bthe\s+{_ORDINAL}(?:\s+and\s+(?:the\s+)?{_ORDINAL})?\s+"
    r"(?:results?|answers?|questions?|parts?|steps?|sums?|products?|calculations?)\b",
    re.IGNORECASE,
)
_BARE_ORDINAL = re.compile(
    rf"\bthe\s+{_ORDINAL}(?=\s+(?:from|and|by|with|or)\b|\s*[.?!,]*$)", re.IGNORECASE
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}


def names_places(part: Clause) -> bool:
    """Say whether a clause counts the parts it needs: "the result of question 2"."""
    return bool(_named_places(part))


def _named_places(part: Clause) -> set[int]:
    numbers = {
        int(number)
        for found in _BY_NUMBER.finditer(part.masked)
        for number in re.findall(r"\d+", found[1])
    }
    said = [word for found in _BY_ORDINAL.finditer(part.masked) for word in found.groups() if word]
    if part.verb in lexicon.TRANSFORMS:  # "who was the first" counts no parts
        said += _BARE_ORDINAL.findall(part.masked)
    return numbers | {_ORDINALS[word.lower()] for word in said}


def _places(part: Clause, before: int) -> tuple[int, ...] | None:
    """Give the parts that are counted, from 0; None when one of them is no earlier part."""
    named = sorted(_named_places(part))
    return tuple(place - 1 for place in named) if named[0] >= 1 and named[-1] <= before else None


def _counts_items(part: Clause, earlier: Sequence[Clause]) -> bool:
    """Say whether "the first" and "the second" are items of the list that was just asked for."""
    lists = len(earlier) == 1 and earlier[0].verb in lexicon.LISTING
    return lists and not _BY_NUMBER.search(part.masked)


def _works_on_result(part: Clause, earlier: Sequence[Clause]) -> bool:
    if names_places(part) or _picks_from_list(part, earlier):
        return True
    if not _transforms(part):
        return False
    if lacks_object(part) or refers_back(part):
        return True
    return any(_mentions(other, part) for other in earlier) or _is_plain_calculation(part)


def _picks_from_list(part: Clause, earlier: Sequence[Clause]) -> bool:
    """Say whether a question takes up a word of an extraction: "how many ages are there?"."""
    before = earlier[-1]
    if before.verb not in {"extract", "list"} or _brings_material(part, before):
        return False
    return bool(_content(before) & _content(part))


def _brings_material(part: Clause, before: Clause) -> bool:
    """Say whether a question has its own list or names, so that a shared word means nothing."""
    names = {token for token in part.tokens[1:] if token[:1].isupper()}
    return ":" in part.words or part.words.count(",") > 1 or not names <= set(before.tokens)


def _content(part: Clause) -> set[str]:
    """Give the words that carry meaning; "Will" does, as a name, though "will" does not."""
    return {
        token.lower()
        for token in part.tokens[1:]
        if len(token) > 2
        and token.isalpha()
        and not token.isupper()
        and (token[0].isupper() or token.lower() not in lexicon.COMMON)
    }


def _transforms(part: Clause) -> bool:
    """Say whether a clause is a step on a result: "sum …", "what is the total"."""
    if part.verb in lexicon.TRANSFORMS:
        return True
    return "the" in part.words[:4] and any(word in lexicon.CALCULATED for word in part.words[2:6])


def _is_plain_calculation(part: Clause) -> bool:
    """Say whether it asks for "the total" or "the largest" of something that it does not name."""
    if part.words[0] in {"which", "what"} and part.words[1] not in lexicon.AUXILIARY | {"one"}:
        return False  # "which planet is the largest" names what it is about
    return any(phrase[-1] in lexicon.CALCULATED for phrase in bare_definites(part))


def _mentions(other: Clause, part: Clause) -> bool:
    """Say whether a definite phrase of a clause takes up a word of another: "the ages"."""
    return any(phrase[-1] in other.words for phrase in _definites(part))


def _definites(part: Clause) -> list[tuple[str, ...]]:
    # "the sum of the ages": the outer phrase is anchored, the inner one is what is taken up.
    return bare_definites(part)


def _produces(part: Clause) -> bool:
    """Say whether a clause gives a thing that a later step can work on."""
    return part.verb in lexicon.PRODUCERS or is_arithmetic(part)


def _is_plural(part: Clause) -> bool:
    return any(word in _PLURAL for word in part.words)


def _all_results(
    earlier: Sequence[Clause], parents: Sequence[tuple[int, ...]]
) -> tuple[int, ...] | None:
    """Give every earlier clause, if each has a result and stands alone; otherwise it is unclear."""
    if all(_produces(other) for other in earlier) and not any(parents):
        return tuple(range(len(earlier)))
    return None
