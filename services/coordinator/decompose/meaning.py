"""Does a proposed split keep the meaning of its question? Pure.

A model only proposes which requests go together and which wait for which. The words stay the
question's own, so nothing can be invented; what points to something said before waits for all that
comes before it, so nothing can be missing; and what neither stands alone nor can wait is not split.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from services.coordinator.decompose import lexicon, links
from services.coordinator.decompose.manner import is_manner, is_tied
from services.coordinator.decompose.rules import dependence, shown, written

if TYPE_CHECKING:
    from services.coordinator.decompose.clauses import Clause
    from services.coordinator.decompose.dag import Subtask

LEAST_SHARED: Final = 0.5
"""Share of a request's words of content that the subtask which stands for it must have."""

_TOKEN = re.compile(r"\d[\d.,]*|[^\W\d_]+(?:['’-][^\W\d_]+)*")
_EMPTY = (
    lexicon.PREPOSITIONS
    | lexicon.AUXILIARY
    | lexicon.WH
    | lexicon.BACK_REFERENCES
    | lexicon.words("a an the and or that me my our us please then also first next finally")
)


class Judged(NamedTuple):
    """The parts of an accepted split, or what is wrong with it (then there are none)."""

    parts: tuple[Subtask, ...]
    problems: tuple[str, ...]


def unsplittable(requests: Sequence[Clause]) -> str:
    """Say why no split of a question's requests could keep their meaning; "" when one may."""
    if reason := dependence(requests[0], ()):
        return f'"{shown(requests[0])}" {reason}'
    for request, parents in zip(requests, _parents(requests), strict=True):
        if is_manner(request) or (parents is None and is_tied(request)):
            return f'"{shown(request)}" is about the answer to another, and asks nothing else'
    return ""


def judge(question: str, requests: Sequence[Clause], proposed: Sequence[Subtask]) -> Judged:
    """Match what a model proposed with the requests of a question, and accept or refuse it.

    `requests` has at least one, in the order of the question, and is not `unsplittable`; `proposed`
    has parents before children. An accepted split has one part for each proposed one, in the order
    of the question, with the question's own words.
    """
    problems = [*_lost(requests, proposed), *_invented(question, proposed)]
    places = _places(requests, proposed)
    problems += [
        f'"{shown(request)}" is in no subtask'
        for request, place in zip(requests, places, strict=True)
        if place is None
    ]
    if problems:
        return Judged((), tuple(problems))
    runs = [place for place, _ in groupby(places)]
    if unused := [part.id for place, part in enumerate(proposed) if place not in runs]:
        return Judged((), (f"{', '.join(unused)} asks for nothing that the question asks for",))
    if len(runs) != len(set(runs)):
        return Judged((), ("a subtask joins requests that do not follow each other",))
    return _chained(question, requests, [place for place in places if place is not None], proposed)


# --- words ----------------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """Give the words and numbers of a text; 1,000 and 1000. are 1000."""
    return [
        one.replace(",", "").rstrip(".") if one[0].isdigit() else one.replace("’", "'")
        for one in _TOKEN.findall(text)
    ]


def content(text: str) -> set[str]:
    """Give the stems of the words that carry meaning, and the numbers."""
    return {_stem(one.lower()) for one in tokens(text) if one.lower() not in _EMPTY}


def _stem(word: str) -> str:
    for ending in ("'s", "ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _numbers(text: str) -> set[str]:
    return {one for one in tokens(text) if one[0].isdigit()}


def _names(text: str) -> set[str]:
    """Give the words with a capital letter, but for a first word that is one of any sentence."""
    said = tokens(text)
    known = lexicon.VERBS | _EMPTY
    return {
        one
        for place, one in enumerate(said)
        if one[0].isupper() and one.lower() not in _EMPTY and (place or one.lower() not in known)
    }


def _lost(requests: Sequence[Clause], proposed: Sequence[Subtask]) -> list[str]:
    said = {word.lower() for part in proposed for word in tokens(part.text)}
    # "the result of question 2" counts parts, whose numbers a proposal is free to write as ids.
    kept = [request.text for request in requests if not links.names_places(request)]
    numbers = set[str]().union(*map(_numbers, kept)) - said
    names = {name for text in kept for name in _names(text) if not _is_said(name, said)}
    return [
        *(f"the number {number} is in no subtask" for number in sorted(numbers)),
        *(f'the name "{name}" is in no subtask' for name in sorted(names)),
    ]


def _invented(question: str, proposed: Sequence[Subtask]) -> list[str]:
    said = {word.lower() for word in tokens(question)}
    numbers = {one for part in proposed for one in _numbers(part.text)} - said
    names = {
        name for part in proposed for name in _inner_names(part.text) if not _is_said(name, said)
    }
    return [
        *(f"the number {number} is not in the question" for number in sorted(numbers)),
        *(f'the name "{name}" is not in the question' for name in sorted(names)),
    ]


def _inner_names(text: str) -> set[str]:
    first = tokens(text)[:1]
    return _names(text) - set(first)


def _is_said(name: str, said: Iterable[str]) -> bool:
    """Say whether a name is among lower-case words, with or without its genitive."""
    bare = name.lower().removesuffix("'s")
    return any(word.removesuffix("'s") == bare for word in said)


# --- from requests to parts -----------------------------------------------------------------------


def _places(requests: Sequence[Clause], proposed: Sequence[Subtask]) -> list[int | None]:
    """Give for each request the place of the proposed part that shares most words with it."""
    offered = [content(part.text) for part in proposed]
    return [_best(content(request.text), offered) for request in requests]


def _best(wanted: set[str], offered: Sequence[set[str]]) -> int | None:
    if not wanted:
        return None

    def shared(place: int) -> tuple[float, float]:
        both = len(wanted & offered[place])
        return both / len(wanted), both / len(wanted | offered[place])

    best = max(range(len(offered)), key=shared)
    return best if shared(best)[0] >= LEAST_SHARED else None


def _chained(
    question: str,
    requests: Sequence[Clause],
    places: Sequence[int],
    proposed: Sequence[Subtask],
) -> Judged:
    """Give the parts in the order of the question, each waiting for what it needs."""
    order = list(dict.fromkeys(places))
    renamed = {proposed[place].id: number for number, place in enumerate(order)}
    of_request = [order.index(place) for place in places]
    texts = _texts(question, requests, of_request)
    needed = _needed(requests, of_request)
    parts = []
    for number, place in enumerate(order):
        told = {renamed[parent] for parent in proposed[place].depends_on}
        if late := [parent for parent in told if parent > number]:
            text = f'"{texts[number]}" cannot wait for "{texts[late[0]]}", which comes later'
            return Judged((), (text,))
        parents = tuple(f"t{parent + 1}" for parent in sorted(told | needed[number]))
        name = f"t{number + 1}"
        parts.append(replace(proposed[place], id=name, text=texts[number], depends_on=parents))
    return Judged(tuple(parts), ())


def _needed(requests: Sequence[Clause], of_request: Sequence[int]) -> Mapping[int, set[int]]:
    """Give for each part the parts without which its words would lose their meaning."""
    needed: dict[int, set[int]] = {part: set() for part in of_request}
    for place, found in enumerate(_parents(requests)):
        before = range(place) if found is None else found
        needed[of_request[place]] |= {of_request[one] for one in before} - {of_request[place]}
    return needed


def _parents(requests: Sequence[Clause]) -> list[tuple[int, ...] | None]:
    """Give for each request those on whose results it works; None: it points to something else."""
    given: list[tuple[int, ...] | None] = []
    known: list[tuple[int, ...]] = []
    for place, request in enumerate(requests):
        found = links.parents_of(request, requests[:place], known)
        if not found and dependence(request, requests[:place]):
            found = None
        given.append(found)
        known.append(tuple(range(place)) if found is None else found)
    return given


def _texts(question: str, requests: Sequence[Clause], of_request: Sequence[int]) -> list[str]:
    """Give the question's own words for each part; requests that stay together are not cut."""
    starts, start = [], 0
    for request in requests:
        start = question.index(request.text, start)
        starts.append(start)
        start += len(request.text)
    texts = []
    for _, run in groupby(range(len(requests)), key=of_request.__getitem__):
        members = list(run)
        if len(members) == 1:
            texts.append(written(requests[members[0]]))
        else:
            stop = starts[members[-1]] + len(requests[members[-1]].text)
            texts.append(question[starts[members[0]] : stop].strip())
    return texts
