"""What type of answer a question asks for, from its wording."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from quorate.answers.answer import Kind

LONGEST_QUESTION = 20_000
"""Characters that are looked at; the end of a question says what is asked."""

_SHOWN_BEFORE = ("Known results:\n", "Other answers:\n")
"""How prompts begin that put earlier results, or what peers said, before the question."""
_ASKED_AFTER = "\nQuestion:"
_MERGE = "Merge the answers to the parts into one answer."

_FIRST_OPTION = re.compile(r"(?:^|\s)[(\[]?A[).\]:]\s*\S")
_SECOND_OPTION = re.compile(r"(?:^|\s)[(\[]?B[).\]:]\s*\S")
_JSON = re.compile(
    r"\b(?:as|return|give|valid|reply with)\s+(?:an?\s+)?json\b"
    r"|\bjson (?:only|object|list|array)\b"
    r"|^(?:please\s+|now\s+|then\s+)*(?:extract|pull out)\b[^:\n]*\bas an? (?:list|array)\b",
    re.IGNORECASE | re.MULTILINE,
)
_JSON_ORDERED = re.compile(r"\b(?:in|into|to|with)\s+(?:an?\s+)?json\b", re.IGNORECASE)
_EXPLAIN = re.compile(r"(?:please\s+)?(?:how|what|why|when|who|explain|describe)\b", re.IGNORECASE)
_CODE = re.compile(
    r"\b(?:write|implement|create|define|code|make|complete|give me|show|need|want)\b"
    r"[^.?!\n]{0,60}?"
    r"\b(?:function|program|script|(?<!animal )class (?:called|named|for|that|with)|code|def)\b"
    r"|\bpython (?:function|program|script|class|code)\b|```[a-z]+ block\b"
    r"|\b[a-z_]\w*\([^()\n]{0,80}\) in python\b"
    r"|\b(?:write|implement|define|code)\s+[a-z_]\w*\([^()\n]{0,80}\)"
    r"|\bin python\b[^.?!\n]{0,40}?\b(?:write|implement|define|code)\b"
    r"|\b(?:write|implement|define|code)\b[^.?!\n]{0,60}?\bin python\b",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(
    r"\bhow (?:many|much|old|far|tall|long|fast|big|heavy)\b"
    r"|\bwhat (?:number|percentage|percent|year|age)\b|\bin (?:what|which) year\b",
    re.IGNORECASE,
)
_ARITHMETIC = re.compile(
    r"\d\s*(?:[+*×÷^−]|times|plus|minus|less|over|divided by|multiplied by|added to)\s*\d"
    r"|\d\s+[-/x]\s+\d|(?:^|\b(?:is|what's)\s+)\d[\d,.]*\s*[-/]\s*\d[\d,.]*\s*(?:$|[=?])"
    r"|\d\s*(?:%|percent)\s+of\b|\d%\?|\bsquare root\b|\d\s*=\s*\?|\badds? up to\b"
    r"|\b(?:sum|average|mean|median) of\b"
    r"|\b(?:total|product|difference|quotient|remainder|larger|largest|smaller|smallest|greater"
    r"|greatest|biggest|maximum|minimum|double|half|triple|square)\s+(?:of|between)\s+[-$€£]?\d"
    r"|^(?:please\s+)?take\s+\d[\d,.]*\s+(?:away\s+)?from\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^(?:please\s+|now\s+|then\s+|first\s+|also\s+|and\s+|can you\s+|could you\s+|what do you get"
    r" (?:when|if) you\s+|if you\s+)*"
    r"(?:calculate|compute|sum(?! up (?:the|this|that|what))|add|subtract|multiply|divide|count"
    r"|total|average|evaluate|double|triple|halve|square|round\s+\d|take\s+(?:away\s+)?\d|solve\s+\d"
    r"|find\s+\d|work out\s+\d)\b",
    re.IGNORECASE,
)
_OF_RESULTS = re.compile(
    r"\b(?:larger|largest|smaller|smallest|greater|greatest|bigger|biggest|highest|lowest|maximum"
    r"|minimum|max|min|sum|total|average|mean|median|difference|product|add|subtract|multiply"
    r"|divide|double|triple|halve|half|oldest|youngest|up|many|much|percent|count|twice|times|plus"
    r"|minus|square|value|number)\b|%|\d",
    re.IGNORECASE,
)
"""What is asked about earlier results that hold numbers."""
_NUMBER_KNOWN = re.compile(r"-> .*\d|^ {4}.*\d", re.MULTILINE)
"""A number in a result; the numbers before results only count them."""
_YES_NO = re.compile(
    r"\byes or no\b|\btrue or false\b"
    r"|^(?:please\s+|and\s+|then\s+|so\s+|also\s+|now\s+)*"
    r"(?:is|are|was|were|does|do|did|can|could|has|have|had|will|would|should|must|may|might)\s+"
    r"(?!you\b|(?:some|any)(?:one|body)\b)\w",
    re.IGNORECASE,
)
_YES_NO_BEHIND = re.compile(r"[:;]\s*(?:is|are|does|do|can|must)\s+(?!you\b)\w", re.IGNORECASE)
_TASK = re.compile(
    r"^(?:please\s+)?(?:write|list|explain|name|give|tell|describe|summarize|summarise|show|state)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"who\b|which (?:of|person|item|one)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z(])|\n+")
_OPEN = re.compile(r"\bor\b|\b(?:which|what|who|whom|whose|where|when|why|how)\b", re.IGNORECASE)
"""Words of questions that yes or no does not answer."""


def infer_kind(question: str) -> Kind:
    """Say what type of answer is asked for; free text when nothing says otherwise."""
    if question.startswith(_MERGE):
        return Kind.TEXT
    return _inferred(question[-LONGEST_QUESTION:].strip())


@lru_cache(maxsize=64)  # planning, topics and counting ask the same within a question
def _inferred(question: str) -> Kind:
    told, asked = _told_and_asked(question)
    for rule in _RULES:
        kind = rule(asked)
        if kind is not None:
            return kind
    return _about_results(told, asked)


def _told_and_asked(question: str) -> tuple[str, str]:
    """Separate what a prompt shows before its question; only the question says what is asked."""
    if question.startswith(_SHOWN_BEFORE):
        told, found, asked = question.rpartition(_ASKED_AFTER)
        if found:
            return told, asked.strip()
    return "", question.removeprefix("Question:").strip()


def _about_results(told: str, asked: str) -> Kind:
    """Tell whether a number is wanted of earlier results: "the larger", but not who has it."""
    known = told.startswith(_SHOWN_BEFORE[0]) and _NUMBER_KNOWN.search(told)
    wanted = known and _OF_RESULTS.search(asked) and not _WHO.match(asked)
    return Kind.NUMBER if wanted else Kind.TEXT


def _json(question: str) -> Kind | None:
    ordered = _JSON_ORDERED.search(question) and not _EXPLAIN.match(question)
    return Kind.JSON if ordered or _JSON.search(question) else None


def _choice(question: str) -> Kind | None:
    both = _FIRST_OPTION.search(question) and _SECOND_OPTION.search(question)
    return Kind.CHOICE if both else None


def _code(question: str) -> Kind | None:
    return Kind.CODE if _CODE.search(question) and not _EXPLAIN.match(question) else None


def _boolean(question: str) -> Kind | None:
    for asked in _asking(question):
        if "yes or no" in asked.lower() or "true or false" in asked.lower():
            return Kind.BOOLEAN
        wanted = _YES_NO.match(asked) or _YES_NO_BEHIND.search(asked)
        if wanted and not _OPEN.search(asked):
            return Kind.BOOLEAN
    return None


def _number(question: str) -> Kind | None:
    for asked in _asking(question):
        if _HOW_MUCH.search(asked) or _ARITHMETIC.search(asked) or _ORDER.match(asked):
            return Kind.NUMBER
    return None


_RULES: Sequence[Callable[[str], Kind | None]] = (_json, _choice, _code, _boolean, _number)


def _asking(text: str) -> Sequence[str]:
    """Give the sentences that may ask: the last one, then the last with a question mark.

    Facts may follow what is asked about them; an order that follows is what is asked.
    """
    parts = [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]
    if not parts:
        return ()
    marked = [] if _TASK.match(parts[-1]) else [part for part in parts[:-1] if part.endswith("?")]
    return (parts[-1], *marked[-1:])
