"""Where a question may be cut at all: quoted text is masked, sentences and list items are found.

Pure. Every function works on a masked copy with the same length as the question, so that a position
in the one is a position in the other. All patterns are linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTED = re.compile(
    r'"[^"]*"|“[^“”]*”|«[^«»]*»|‘[^‘’]*’(?!\w)|`[^`]*`|(?<!\w)\'[^\'\n]*\'(?!\w)'
    r"|\((?!\d{1,2}\))[^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|https?://\S+"
)
_OPEN_QUOTE = re.compile(r'["“«`{}\[\]]')
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|inc|ltd|jr|sr|approx|fig|[a-z])"
    r"|\b[a-z]\.[a-z])\.$",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.?!]+\s+|[ \t]*\n\s*")
_ITEM = re.compile(r"(?:(?<=\s)|^)\(?(\d{1,2})[.)]\s+(?=\S)")
_BULLET = re.compile(r"(?:(?<=\n)|^)[ \t]*[-*•][ \t]+(?=\S)")


class Span(NamedTuple):
    """A stretch of a text, from `start` up to and without `stop`."""

    start: int
    stop: int


def mask(question: str) -> str | None:
    """Blank out quoted text and brackets with x, or give None when a quotation mark stays open."""
    masked = question
    for _ in range(3):  # brackets in brackets, twice
        masked = _QUOTED.sub(lambda found: "X" * len(found[0]), masked)
    return None if _OPEN_QUOTE.search(masked) else masked


def sentences(masked: str, within: Span) -> list[Span]:
    """Find the sentences and lines of a stretch; an abbreviation's full stop ends nothing."""
    spans, start = [], within.start
    for end in _SENTENCE_END.finditer(masked, within.start, within.stop):
        marks = end[0].rstrip()
        if marks == "." and _ABBREVIATION.search(masked[max(0, end.start() - 8) : end.start() + 1]):
            continue
        spans.append(Span(start, end.start() + len(marks)))
        start = end.end()
    spans.append(Span(start, within.stop))
    return [span for span in spans if masked[span.start : span.stop].strip()]


class Listing(NamedTuple):
    """A numbered or bulleted list: the text before it, and its items."""

    lead: Span
    items: list[Span]


def listing(masked: str) -> Listing | None:
    """Find a list of at least two items, numbered from 1 without a gap, or bulleted."""
    marks = [(found.start(), found.end()) for found in _numbered(masked)]
    if len(marks) < 2:
        marks = [(found.start(), found.end()) for found in _BULLET.finditer(masked)]
    if len(marks) < 2:
        return None
    stops = [start for start, _ in marks[1:]] + [len(masked)]
    items = [Span(end, stop) for (_, end), stop in zip(marks, stops, strict=True)]
    return Listing(Span(0, marks[0][0]), items)


def _numbered(masked: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for mark in _ITEM.finditer(masked):
        if int(mark[1]) == len(found) + 1:
            found.append(mark)
    return found
