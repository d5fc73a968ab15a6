"""Arithmetic to work out: the pocket suite's shapes, and word problems of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final, NamedTuple

from services.bench.suites.pocket import arithmetic
from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import THINGS, people

SHAPES: Final = (
    "addition",
    "subtraction",
    "multiplication",
    "division",
    "percentage",
    "list_total",
    "story",
)


class Problem(NamedTuple):
    """A word problem: wordings with {n} for a name, {t} for things and {a}, {b}, {c} for numbers.

    `draw` gives the numbers, `solve` the answer to them.
    """

    wordings: tuple[str, ...]
    draw: Callable[[Random], tuple[int, int, int]]
    solve: Callable[[int, int, int], int]


def _between(*ranges: tuple[int, int]) -> Callable[[Random], tuple[int, int, int]]:
    def draw(random: Random) -> tuple[int, int, int]:
        a, b, c = (random.randint(*one) for one in ranges)
        return a, b, c

    return draw


def _shared(random: Random) -> tuple[int, int, int]:
    """Draw what is shared out, among how many, and what is left over."""
    heads, each = random.randint(3, 12), random.randint(3, 40)
    left = random.randrange(heads)
    return heads * each + left, heads, left


def _paid(random: Random) -> tuple[int, int, int]:
    """Draw a price, how many are bought, and what is paid with."""
    price, count = random.randint(2, 12), random.randint(2, 12)
    return price, count, price * count + random.randint(1, 60)


def _discounted(random: Random) -> tuple[int, int, int]:
    return random.randint(4, 400) * 5, random.choice((5, 10, 20, 25, 30, 40, 50)), 0


PROBLEMS: Final[Mapping[str, Problem]] = {
    "rectangle_area": Problem(
        (
            "A garden is {a} metres long and {b} metres wide. How many square metres is it?",
            "{n} paints a wall of {a} by {b} metres. How many square metres are painted?",
        ),
        _between((11, 99), (3, 60), (0, 0)),
        lambda a, b, c: a * b,
    ),
    "rectangle_fence": Problem(
        (
            "A field is {a} metres long and {b} metres wide. How many metres of fence go round it?",
            "{n} walks once round a pool of {a} by {b} metres. How many metres is that?",
        ),
        _between((11, 120), (5, 90), (0, 0)),
        lambda a, b, c: 2 * (a + b),
    ),
    "change": Problem(
        (
            (
                "{n} buys {b} {t} at {a} dollars each and pays with {c} dollars. "
                "How many dollars does {n} get back?"
            ),
            (
                "{b} {t} cost {a} dollars each. {n} has {c} dollars and buys all of them. "
                "How many dollars are left?"
            ),
        ),
        _paid,
        lambda a, b, c: c - a * b,
    ),
    "travel": Problem(
        (
            (
                "A train goes {a} kilometres an hour for {b} hours. It has {c} kilometres left. "
                "How many kilometres is the whole way?"
            ),
            (
                "{n} rides {a} kilometres a day for {b} days and {c} kilometres on the last day. "
                "How many kilometres is that?"
            ),
        ),
        _between((12, 90), (2, 9), (3, 80)),
        lambda a, b, c: a * b + c,
    ),
    "empty_seats": Problem(
        (
            "A hall has {a} rows of {b} seats. {c} seats are taken. How many seats are empty?",
            "{n} stacks {a} shelves with {b} {t} each and sells {c} of them. How many are left?",
        ),
        _between((11, 40), (8, 24), (5, 80)),
        lambda a, b, c: a * b - c,
    ),
    "shared_out": Problem(
        (
            "{n} shares {a} {t} among {b} friends, as many to each as possible. How many are left?",
            "{a} {t} are packed in boxes of {b}. How many stay outside when no more box gets full?",
        ),
        _shared,
        lambda a, b, c: a % b,
    ),
    "discount": Problem(
        (
            "A coat costs {a} dollars. It becomes {b}% cheaper. What does it cost now, in cents?",
            "{n} gets {b}% off a bill of {a} dollars. How many cents does {n} pay?",
        ),
        _discounted,
        lambda a, b, c: a * (100 - b),
    ),
}


def _practised(shape: str) -> Callable[[Random], Item]:
    def draw(random: Random) -> Item:
        return arithmetic.draw_shape(random, shape)

    return draw


def _worded(name: str, problem: Problem) -> Callable[[Random], Item]:
    def draw(random: Random) -> Item:
        a, b, c = problem.draw(random)
        prompt = random.choice(problem.wordings).format(
            n=people(random, 1)[0], t=random.choice(THINGS), a=a, b=b, c=c
        )
        answer = str(problem.solve(a, b, c))
        return Item("math", prompt, answer, answer, "number", f"{name} {a} {b} {c}")

    return draw


PRACTISED: Final[Mapping[str, Callable[[Random], Item]]] = {
    shape: _practised(shape) for shape in SHAPES
}
TEMPLATES: Final[Mapping[str, Callable[[Random], Item]]] = {
    **PRACTISED,
    **{name: _worded(name, problem) for name, problem in PROBLEMS.items()},
}
