"""Enums of the contract as the lower-case words that users read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.v1 import common_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor


def enum_text(enum: EnumDescriptor, number: int) -> str:
    """Give an enum's value as lower-case text without its prefix; a newer peer's as unspecified."""
    unset = enum.values_by_number[0].name
    known = enum.values_by_number.get(number)
    name = known.name if known else unset
    return name.removeprefix(unset.removesuffix("UNSPECIFIED")).lower()


def kind_text(number: int) -> str:
    """Give a type of answer as text, "" when it is unknown."""
    text = enum_text(common_pb2.AnswerKind.DESCRIPTOR, number)
    return "" if text == "unspecified" else text
