"""Written working: each operation as the columns, carries and partial results that lead to it.

The working is what makes arithmetic learnable for a model of two million weights: without written
carries the same training budget learns next to no additions.
"""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One operation, written out, and its result."""

    text: str
    result: int


def _digits(number: int, width: int) -> list[int]:
    return [number // 10**place % 10 for place in range(width)]


def _sum_columns(a: int, b: int) -> str:
    width = max(len(str(a)), len(str(b)))
    carry, columns = 0, []
    for x, y in zip(_digits(a, width), _digits(b, width), strict=True):
        total = x + y + carry
        columns.append(f"{x}+{y}+{carry}={total}")
        carry = total // 10
    return "; ".join(columns)


def _difference_columns(a: int, b: int) -> str:
    width = max(len(str(a)), len(str(b)))
    borrow, columns = 0, []
    for x, y in zip(_digits(a, width), _digits(b, width), strict=True):
        top = x + 10 if x < y + borrow else x
        columns.append(f"{top}-{y}-{borrow}={top - y - borrow}")
        borrow = int(top > 9)
    return "; ".join(columns)


def _product_columns(a: int, digit: int) -> str:
    carry, columns = 0, []
    for x in _digits(a, len(str(a))):
        total = x * digit + carry
        columns.append(f"{x}*{digit}+{carry}={total}")
        carry = total // 10
    return "; ".join(columns)


def add(a: int, b: int) -> Step:
    """Add column by column, right to left; each column shows its carry."""
    return Step(f"{a}+{b}: {_sum_columns(a, b)} = {a + b}", a + b)


def subtract(a: int, b: int) -> Step:
    """Subtract column by column; a borrowed ten is written into its column."""
    if a < b:
        return Step(f"{a}-{b}: {a}<{b}; {_difference_columns(b, a)} = {a - b}", a - b)
    return Step(f"{a}-{b}: {_difference_columns(a, b)} = {a - b}", a - b)


def multiply(a: int, b: int) -> Step:
    """Multiply: the table up to 12, else digit by digit, two partial products and their sum."""
    if a <= 12 and b <= 12:
        return Step(f"{a}*{b} = {a * b}", a * b)
    a, b = max(a, b), min(a, b)
    if b < 10:
        return Step(f"{a}*{b}: {_product_columns(a, b)} = {a * b}", a * b)
    ones, tens = a * (b % 10), a * (b // 10) * 10
    return Step(
        f"{a}*{b}: {_product_columns(a, b % 10)} = {ones}; "
        f"{_product_columns(a, b // 10)} = {tens}; "
        f"{_sum_columns(ones, tens)} = {a * b}",
        a * b,
    )


def divide(a: int, b: int) -> Step:
    """Divide exactly."""
    return Step(f"{a}/{b} = {a // b}", a // b)


def percent(share: int, whole: int) -> list[Step]:
    """Take a percentage by way of a tenth or a hundredth of the whole."""
    unit, times = (10, share // 10) if share % 10 == 0 else (100, share)
    part = divide(whole, unit)
    # 10 % is multiplied by 1 like any other: left out, models write 10 times the tenth instead.
    return [part, multiply(part.result, times)]


def total(numbers: list[int]) -> list[Step]:
    """Add a list up, two at a time."""
    steps = [Step("", numbers[0])]
    for number in numbers[1:]:
        steps.append(add(steps[-1].result, number))
    return steps[1:]


def written(steps: list[Step]) -> str:
    """Write steps one to a line, closed by the line that carries the answer."""
    lines = [step.text for step in steps if step.text]
    return "\n".join([*lines, f"Answer: {steps[-1].result}"])
