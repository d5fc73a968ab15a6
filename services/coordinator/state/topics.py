"""What a question is about, by the form of answer that it wants and by its words. Pure.

Topics are the task types of a split: math, code, extraction, reasoning, facts, creative and
summarize; "" is unknown. Whatever else gives one of these names can stand in for these rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from quorate.answers import Kind, infer_kind

TOPICS: Final = ("code", "creative", "extraction", "facts", "math", "reasoning", "summarize")
LONGEST_TOPIC: Final = 64
LONGEST_READ: Final = 4_000
"""Characters that are looked at: what is asked stands at the start or at the end."""


class Classifier(Protocol):
    """Tells topics; `rules` below needs nobody, `embedding` asks a model."""

    async def topic(self, text: str, seconds: float) -> str:
        """Give the topic of a question, "" when it cannot be told; never raises.

        `seconds` is what is left for the whole question, of which this may take a small share.
        """
        ...


class Rules:
    """Tells topics by the rules of this module."""

    async def topic(self, text: str, seconds: float) -> str:
        """Give the topic of a question."""
        return topic_of(text)


_ORDER = r"^(?:please\s+|now\s+|then\s+|can you\s+|could you\s+)*"
_SUMMARIZE = re.compile(
    _ORDER + r"(?:summari[sz]e|sum up (?:the|this|that|what)|condense|shorten|paraphrase)\b"
    r"|\b(?:a|one|short|brief)[- ]?(?:sentence)? summary\b|\btl;?dr\b|\bkey points\b",
    re.IGNORECASE,
)
_CREATIVE = re.compile(
    _ORDER + r"(?:write|compose|invent|make up|create|imagine|draft|give me|tell me|suggest"
    r"|think of|come up with|recommend)\b"
    r"[^.?!\n]{0,50}\b(?:poem|haiku|limerick|story|tale|song|lyrics?|joke|riddle|slogan|motto|name"
    r"|title|rhyme|letter|speech|dialogue|tagline)\b",
    re.IGNORECASE,
)
_EXTRACTION = re.compile(
    r"\b(?:extract|pull out|parse|list all|find all|pick out)\b[^?\n]*(?:\bfrom\b|\bin\b|:|\bas\b)"
    r"|\b(?:as|in|into|to)\s+(?:an?\s+)?json\b|^\s*json\b|\bjson\s*(?:list|object|array|:)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"```|\bpython\b|\bjavascript\b|\bjava\b|\brust\b|\bc\+\+|\bsql\b|\bregex\b|\bdef \w+\("
    r"|\b(?:function|method|class|script|program)\s+(?:called|named|that|which|to|for)\b"
    r"|\b(?:compile|debug|refactor|unit test|stack trace|traceback)\b",
    re.IGNORECASE,
)
_LOGIC = re.compile(
    r"\b(?:if all|all \w+ are|some \w+ are|no \w+ are|therefore|does it follow|must it|implies"
    r"|premise|conclude|logically)\b",
    re.IGNORECASE,
)


def _by_words(text: str, kind: Kind) -> str:
    if _SUMMARIZE.search(text):
        return "summarize"
    return "creative" if _CREATIVE.search(text) else ""


def _by_json(text: str, kind: Kind) -> str:
    return "extraction" if kind is Kind.JSON or _EXTRACTION.search(text) else ""


def _by_code(text: str, kind: Kind) -> str:
    return "code" if kind is Kind.CODE or _CODE.search(text) else ""


def _by_form(text: str, kind: Kind) -> str:
    """Numbers are math, yes or no is reasoning, letters ask for facts."""
    return _FORMS.get(kind, "")


_FORMS: Final[Mapping[Kind, str]] = {
    Kind.NUMBER: "math",
    Kind.EXPRESSION: "math",
    Kind.BOOLEAN: "reasoning",
    Kind.CHOICE: "facts",
}
_ASKS_FACT = re.compile(
    r"\b(?:what|which|who|whose|whom|where|when)\b|\?\s*$"
    r"|^(?:\W*(?:please|quick|so|now))*\W*(?:name|give|tell|state|say|find|look up)\b"
    r"|\b(?:know|tell me|find out|remember)\b",
    re.IGNORECASE,
)


def _by_question(text: str, kind: Kind) -> str:
    if _LOGIC.search(text):
        return "reasoning"
    return "facts" if _ASKS_FACT.search(text.strip()) else ""


_RULES: Sequence[Callable[[str, Kind], str]] = (
    _by_json,
    _by_code,
    _by_words,
    _by_form,
    _by_question,
)


def topic_of(text: str) -> str:
    """Give the topic of a question; "" when no rule can tell."""
    asked = text if len(text) <= 2 * LONGEST_READ else text[:LONGEST_READ] + text[-LONGEST_READ:]
    kind = infer_kind(asked)
    return next((found for rule in _RULES if (found := rule(asked, kind))), "")
