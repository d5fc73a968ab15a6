"""What was stored is read back with suspicion: files are edited, cut off and mixed up. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

import msgspec

from quorate.errors import InvalidRequest

Stored = TypeVar("Stored", bound=msgspec.Struct)
_PATH = re.compile(r" - at `\$\.?(.*)`$")
_FIX = "Fit it again."
MOST_ITEMS = 10**12


def converted(stored: object, to: type[Stored], name: str) -> Stored:
    """Make a value of plain ones; InvalidRequest names the field that is missing or of no use.

    `name` says what was stored, such as "stored calibration".
    """
    if not isinstance(stored, Mapping):
        raise wrong(name, stored, "it must be a mapping of fields")
    try:
        return msgspec.convert(dict(stored), to)
    except msgspec.ValidationError as error:
        said = str(error)
        path = _PATH.search(said)
        field = path[1] if path else ""
        value = stored.get(re.split(r"[.\[]", field)[0], stored) if field else dict(stored)
        limit = _PATH.sub("", said)
        raise wrong(f"{name}.{field}" if field else name, value, limit) from error


def wrong(field: str, value: object, limit: str) -> InvalidRequest:
    """Say what is wrong with a stored value."""
    return InvalidRequest.field(field, value, limit, _FIX)


def check_items(items: int, fewest: int, name: str) -> None:
    """Raise InvalidRequest for a number of items on which what was stored cannot be fitted."""
    if not fewest <= items <= MOST_ITEMS:
        raise wrong(f"{name}.items", items, f"it must lie in [{fewest}, {MOST_ITEMS}]")


def check_day(day: str, name: str) -> None:
    """Raise InvalidRequest for anything but a day by ISO 8601."""
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise wrong(f"{name}.fitted_on", day, "it must be a day such as 2026-01-31") from error


def check_number(
    number: float, field: str, least: float = -math.inf, most: float = math.inf
) -> None:
    """Raise InvalidRequest for a number that is not finite or outside [least, most]."""
    if -math.inf < number < math.inf and least <= number <= most:  # false for NaN
        return
    limit = "it must be finite"
    if least > -math.inf:
        limit += f" and at least {least:g}"
    if most < math.inf:
        limit += f" and at most {most:g}"
    raise wrong(field, number, limit)


def check_numbers(
    numbers: Sequence[float], field: str, least: float = -math.inf, most: float = math.inf
) -> None:
    """Raise InvalidRequest for the first number that is not finite or outside [least, most]."""
    for place, number in enumerate(numbers):
        check_number(number, f"{field}[{place}]", least, most)


def check_length(numbers: Sequence[object], wanted: int, field: str) -> None:
    """Raise InvalidRequest unless there are as many as wanted."""
    if len(numbers) != wanted:
        raise wrong(f"{field}", numbers, f"it must have {wanted} entries, not {len(numbers)}")


def check_rising(numbers: Sequence[float], field: str, *, strictly: bool = False) -> None:
    """Raise InvalidRequest for the first number below the one before it, or equal if `strictly`."""
    for place in range(1, len(numbers)):
        before, number = numbers[place - 1], numbers[place]
        if number < before or (strictly and number == before):
            limit = f"it must be {'above' if strictly else 'at least'} the {before:g} before it"
            raise wrong(f"{field}[{place}]", number, limit)


def check_falling(numbers: Sequence[int], field: str) -> None:
    """Raise InvalidRequest for the first number above the one before it."""
    for place in range(1, len(numbers)):
        before, number = numbers[place - 1], numbers[place]
        if number > before:
            raise wrong(f"{field}[{place}]", number, f"it must be at most the {before} before it")
