"""Enums of the contract as the lower-case words that users read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quorate.errors import InvalidRequest, nearest
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


def enum_number(enum: EnumDescriptor, name: str, value: object) -> Any:
    """Give the number of an option's word, 0 for ""; raises InvalidRequest with near words."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    numbers = {text.removeprefix(prefix).lower(): one.number for text, one in
               enum.values_by_name.items() if one.number}  # fmt: skip
    if not isinstance(value, str) or (value and value.lower() not in numbers):
        raise InvalidRequest(f"{name} cannot be {value!r}.{nearest(str(value), numbers)}")
    return numbers.get(value.lower(), 0)
