"""Splits a question into parts where that is safe, by rules alone. Pure.

Three ordered lists of small functions decide, and each gives a reason that a person can read:
`GUARDS` leave a question whole at sight, `CUTS` propose clauses, `CHECKS` refuse clauses that
cannot stand alone. A clause that works on an earlier one's result becomes its child. Whatever no
rule knows passes through whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice

from services.coordinator.decompose import lexicon, links
from services.coordinator.decompose.clauses import (
    Clause,
    clause,
    is_arithmetic,
    is_request,
    refers_back,
)
from services.coordinator.decompose.dag import MOST_PARTS, Subtask
from services.coordinator.decompose.describing import described
from services.coordinator.decompose.gaps import (
    bare_definites,
    has_anchor,
    is_elliptic,
    is_past_of_nothing,
    names_its_set,
    names_kind,
    needs_owner,
    says_not_where,
)
from services.coordinator.decompose.splits import Split, SplitBy, whole
from services.coordinator.decompose.text import Span, listing, mask, sentences

LONGEST_QUESTION = 8_000
"""Characters beyond which a text is material, not a list of questions; it bounds the time."""


def decompose(question: str) -> Split:
    """Split a question into parts that each stand alone, or wait for an earlier part's result."""
    clauses = requests(question)
    return clauses if isinstance(clauses, Split) else _judge(question, clauses)


def requests(question: str) -> list[Clause] | Split:
    """Cut a question into the requests that it is made of; gives it whole when there is one."""
    for guard in GUARDS:
        if reason := guard(question):
            return whole(question, reason)
    masked = mask(question)
    if masked is None:
        return whole(question, "a quotation mark or bracket stays open")
    found = next((made for cut in CUTS if (made := cut(question, masked)) is not None), [])
    if len(found) > MOST_PARTS:
        return whole(question, f"it has more than {MOST_PARTS} parts")
    return found if len(found) > 1 else whole(question, "it asks one thing")


# --- guards: what is left whole at sight ----------------------------------------------------------

_CODE = re.compile(
    r"```|~~~|^(?: {4}|\t)\S|^[ \t]*(?:def|class|import|#include|SELECT)\s", re.MULTILINE
)
_CONDITION = re.compile(
    r"\s*(?:if|suppose|assum(?:e|ing)|given|let|imagine|while|since|unless"
    r"|when(?!\s+(?:is|are|was|were|do|does|did|has|have|had|will|can|could|should|would)\b))\b",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?:^|\s)\(?([A-Ha-h])[).:]\s*\S")


def _too_long(question: str) -> str:
    return "it is too long to be a list of questions" if len(question) > LONGEST_QUESTION else ""


def _has_code(question: str) -> str:
    return "it contains program text" if _CODE.search(question) else ""


def _has_options(question: str) -> str:
    letters = [found.lower() for found in _OPTION.findall(question)]
    return "its options belong to one question" if "a" in letters and "b" in letters else ""


def _is_conditional(question: str) -> str:
    return "it sets a condition for what it asks" if _CONDITION.match(question) else ""


GUARDS: Sequence[Callable[[str], str]] = (_too_long, _has_code, _has_options, _is_conditional)


# --- cuts: where clauses may begin ----------------------------------------------------------------

Cut = Callable[[str, str], list[Clause] | None]
_LINK = re.compile(
    r"(?P<link>,?\s+and\s+(?:then|also|after that|afterwards|finally|next),?\s+"
    r"|;\s+(?:and\s+)?(?:then\s+)?|,?\s+(?:then|after that|afterwards)\s+"
    r"|,\s+(?:finally|lastly|next),?\s+"
    r"|,?\s+and\s+|,\s+(?:also\s+)?|\s+as well as\s+)",
    re.IGNORECASE,
)


def _by_list(question: str, masked: str) -> list[Clause] | None:
    found = listing(masked)
    if found is None or not _says_nothing(masked[found.lead.start : found.lead.stop]):
        return None
    clauses: list[Clause] = []
    for item in found.items:
        inner = _sentences(question, masked, item)
        if inner is None:
            return None
        clauses += inner
    if len(clauses) != len(found.items) and any(links.names_places(part) for part in clauses):
        return None  # "the result of question 2" counts items, not clauses
    return clauses


def _by_sentence(question: str, masked: str) -> list[Clause] | None:
    if listing(masked):
        return None
    clauses = _sentences(question, masked, Span(0, len(masked)))
    return clauses if clauses and len(clauses) > 1 else None


def _sentences(question: str, masked: str, within: Span) -> list[Clause] | None:
    """Cut a stretch at sentences and links; None when one of them is not a request."""
    clauses: list[Clause] = []
    for span in sentences(masked, within):
        if not _says_nothing(masked[span.start : span.stop]):
            clauses += _by_link(question, masked, _without_lead(masked, span))
    if any(links.goes_on(part) for part in clauses[:-1]):
        return None  # "Translate: who are you? I am Ana." is material to the end
    return clauses if clauses and all(is_request(part) for part in clauses) else None


CUTS: Sequence[Cut] = (_by_list, _by_sentence)


def _by_link(question: str, masked: str, span: Span) -> list[Clause]:
    """Cut one sentence at links such as ", then", or leave it uncut."""
    clauses: list[Clause] = []
    start, opening = span.start, ""
    for found in islice(_LINK.finditer(masked, span.start, span.stop), MOST_PARTS):
        left = _taken(question, masked, Span(start, found.start()), opening)
        right = _taken(question, masked, Span(found.end(), span.stop), found["link"])
        if links.may_cut(left, right, found["link"]):
            clauses.append(left)
            start, opening = found.end(), found["link"]
    return [*clauses, _taken(question, masked, Span(start, span.stop), opening)]


def _taken(question: str, masked: str, span: Span, opening: str) -> Clause:
    return clause(question[span.start : span.stop], masked[span.start : span.stop], opening)


def _says_nothing(masked: str) -> bool:
    return not (bare := masked.strip().rstrip(".!:,? ")) or bool(lexicon.PHATIC.fullmatch(bare))


def _without_lead(masked: str, span: Span) -> Span:
    """Leave out an announcement such as "Two things:" before a sentence's request."""
    head, colon, _ = masked[span.start : span.stop].partition(":")
    return Span(span.start + len(head) + 1, span.stop) if colon and _says_nothing(head) else span


# --- checks: which clauses cannot stand alone -----------------------------------------------------


def _judge(question: str, clauses: list[Clause]) -> Split:
    parents: list[tuple[int, ...]] = []
    for place, part in enumerate(clauses):
        needed = links.parents_of(part, clauses[:place], parents)
        if needed is None:
            reason = f'"{shown(part)}" cannot be answered without the rest'
            return whole(question, reason, doubtful=True)
        parents.append(needed)
    for place, part in enumerate(clauses):
        if not parents[place] and (reason := dependence(part, clauses[:place])):
            return whole(question, f'"{shown(part)}" {reason}', doubtful=True)
    return _split(clauses, parents)


def dependence(part: Clause, earlier: Sequence[Clause]) -> str:
    """Say why a clause cannot stand alone after the earlier ones; "" when it can."""
    return next((reason for check in CHECKS if (reason := check(part, earlier))), "")


def _split(clauses: list[Clause], parents: list[tuple[int, ...]]) -> Split:
    parts = tuple(
        described(Subtask(f"t{place}", written(part), tuple(f"t{parent + 1}" for parent in needed)))
        for place, (part, needed) in enumerate(zip(clauses, parents, strict=True), 1)
    )
    return Split(parts, reason_of(parts), SplitBy.RULES)


def reason_of(parts: Sequence[Subtask]) -> str:
    """Say in words how the parts of a split hang together."""
    waiting = [part.id for part in parts if part.depends_on]
    if waiting:
        return f"{', '.join(waiting)} works on the result of an earlier part"
    return f"its {len(parts)} requests can each be answered alone"


def _points_elsewhere(part: Clause, earlier: Sequence[Clause]) -> str:
    return "points to something said before" if earlier and refers_back(part) else ""


def _leaves_open(part: Clause, earlier: Sequence[Clause]) -> str:
    phrases = [] if names_its_set(part, earlier) else bare_definites(part)
    phrases = [phrase for phrase in phrases if not names_kind(part, phrase, earlier)]
    if earlier and not all(is_arithmetic(other) for other in earlier) and phrases:
        return f'does not say which "{" ".join(phrases[0])}" is meant'
    owned = lexicon.RELATIONS | lexicon.MATERIAL
    unclear = [phrase for phrase in phrases if phrase[-1] in owned or phrase[0] in owned]
    return f'does not say which "{" ".join(unclear[0])}" is meant' if unclear else ""


def _asks_for_more(part: Clause, earlier: Sequence[Clause]) -> str:
    more = needs_owner(part) and not names_its_set(part, earlier)
    more = more or (bool(earlier) and is_elliptic(part))
    free = all(is_arithmetic(other) for other in earlier)
    more = more or (says_not_where(part) and not free)
    return "asks for something of another part" if more else ""


def _names_nothing(part: Clause, earlier: Sequence[Clause]) -> str:
    free = all(is_arithmetic(other) for other in earlier)
    vague = not has_anchor(part) if part.verb else is_past_of_nothing(part)
    return "does not say what it is about" if vague and not free else ""


CHECKS: Sequence[Callable[[Clause, Sequence[Clause]], str]] = (
    _points_elsewhere,
    _leaves_open,
    _asks_for_more,
    _names_nothing,
)


def written(part: Clause) -> str:
    """Write a clause as a question of its own: a capital letter, a question mark where one fits."""
    text = part.text.strip()
    if text[-1] == "." and not text.endswith(".."):
        text = text[:-1]
    asks = part.words[0] in lexicon.WH | lexicon.AUXILIARY
    return text[0].upper() + text[1:] + ("?" if asks and text[-1] not in "?!." else "")


def shown(part: Clause) -> str:
    """Show a clause in a reason, in at most 60 characters."""
    return part.text if len(part.text) <= 60 else f"{part.text[:59]}…"
