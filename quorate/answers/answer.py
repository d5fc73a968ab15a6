"""What an answer is: a kind, a text for people, and a value that comparisons use."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of an answer."""

    CHOICE = "choice"
    NUMBER = "number"
    BOOLEAN = "boolean"
    EXPRESSION = "expression"
    CODE = "code"
    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True)
class Answer:
    """An answer that was found in a text.

    `text` is how a reader would write it, `value` its canonical form: answers of one kind whose
    values are equal are the same answer. `rule` names what found it.
    """

    kind: Kind
    text: str
    value: Hashable
    rule: str
