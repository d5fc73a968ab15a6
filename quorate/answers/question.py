"""What type of answer a question asks for, from its wording."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from quorate.answers.answer import Kind

LONGEST_QUESTION = 20_000
"""Characters that are looked at; the end of a question says what is asked."""

_FIRST_OPTION = re.compile(r"(?:^|\s)[(\[]?A[).\]:]\s*\S")
_SECOND_OPTION = re.compile(r"(?:^|\s)[(\[]?B[).\]:]\s*\S")
_JSON = re.compile(
    r"\b(?:as|in|into|to|with|return|give|valid)\s+(?:a\s+)?json\b|\bjson (?:object|list|array)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:write|implement|create|define|code|make|complete|give me|show)\b[^.?!\n]{0,60}?"
    r"\b(?:function|program|script|class|method|code|python|def)\b",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(
    r"\bhow (?:many|much|old|far|tall|long|fast|big|heavy)\b"
    r"|\bwhat (?:number|percentage|percent|year|age)\b|\bin (?:what|which) year\b",
    re.IGNORECASE,
)
_ARITHMETIC = re.compile(
    r"\d\s*(?:[-+*/×÷^−]|times|plus|minus|divided by|multiplied by)\s*\d|\d\s*(?:%|percent)\s+of\b"
    r"|\bsquare root\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^(?:please\s+|now\s+|then\s+|first\s+)*(?:calculate|compute|sum|add|subtract|multiply|divide"
    r"|count|total|average|evaluate|what is the (?:sum|total|product|difference|average|mean))\b",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"\byes or no\b|\btrue or false\b"
    r"|^(?:is|are|was|were|does|do|did|can|could|has|have|had|will|would|should)\b[^?]*\?",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r",?\s+or\s+", re.IGNORECASE)


def infer_kind(question: str) -> Kind:
    """Say what type of answer is asked for; free text when nothing says otherwise."""
    looked_at = question[-LONGEST_QUESTION:].strip()
    for rule in _RULES:
        kind = rule(looked_at)
        if kind is not None:
            return kind
    return Kind.TEXT


def _choice(question: str) -> Kind | None:
    both = _FIRST_OPTION.search(question) and _SECOND_OPTION.search(question)
    return Kind.CHOICE if both else None


def _json(question: str) -> Kind | None:
    return Kind.JSON if _JSON.search(question) else None


def _code(question: str) -> Kind | None:
    return Kind.CODE if _CODE.search(question) else None


def _boolean(question: str) -> Kind | None:
    asked = _last_sentence(question)
    match = _YES_NO.search(asked)
    if match is None:
        return None
    stated = "yes or no" in asked.lower() or "true or false" in asked.lower()
    return Kind.BOOLEAN if stated or not _ALTERNATIVE.search(asked) else None


def _number(question: str) -> Kind | None:
    asked = _last_sentence(question)
    wanted = _HOW_MUCH.search(asked) or _ARITHMETIC.search(asked) or _ORDER.match(asked)
    return Kind.NUMBER if wanted else None


_RULES: Sequence[Callable[[str], Kind | None]] = (_choice, _json, _code, _boolean, _number)


def _last_sentence(text: str) -> str:
    """Give the sentence that asks: the last one, after what is told and known."""
    asked = text.rpartition("Question: ")[2].strip()
    sentences = [part for part in re.split(r"(?<=[.?!])\s+(?=[A-Z(])|\n+", asked) if part.strip()]
    return sentences[-1].strip() if sentences else asked
