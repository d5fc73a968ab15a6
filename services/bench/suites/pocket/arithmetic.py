"""Arithmetic with its working: sums, differences, products, percentages, word problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import THINGS, everyday, people
from services.bench.suites.pocket.working import (
    Step,
    add,
    divide,
    multiply,
    percent,
    subtract,
    total,
    written,
)

TASK = "arithmetic"


class Sum(NamedTuple):
    """One problem: what is asked, how it is solved, and what identifies it."""

    question: str
    steps: list[Step]
    key: str


_ADD = (
    "What is {a} + {b}?",
    "What is {a} plus {b}?",
    "Calculate {a}+{b}.",
    "Compute {a} + {b}.",
    "Add {a} and {b}.",
    "What is the sum of {a} and {b}?",
    "{a} + {b} = ?",
    "How much is {a} + {b}?",
    "What do you get when you add {a} to {b}?",
    "Tell me {a} plus {b}.",
    "Work out {a} + {b}.",
)
_SUBTRACT = (
    "What is {a} - {b}?",
    "What is {a} minus {b}?",
    "Calculate {a}-{b}.",
    "Compute {a} - {b}.",
    "Subtract {b} from {a}.",
    "What is the difference of {a} and {b}?",
    "{a} - {b} = ?",
    "How much is {a} - {b}?",
    "Take {b} away from {a}.",
    "What is {a} less {b}?",
    "Work out {a} - {b}.",
)
_MULTIPLY = (
    "What is {a} * {b}?",
    "What is {a} times {b}?",
    "Calculate {a}*{b}.",
    "Compute {a} x {b}.",
    "Multiply {a} by {b}.",
    "What is the product of {a} and {b}?",
    "{a} * {b} = ?",
    "How much is {a} x {b}?",
    "What is {a} multiplied by {b}?",
    "Work out {a} times {b}.",
)
_DIVIDE = (
    "What is {a} / {b}?",
    "What is {a} divided by {b}?",
    "Calculate {a}/{b}.",
    "Divide {a} by {b}.",
    "How many times does {b} go into {a}?",
    "{a} / {b} = ?",
    "Compute {a} / {b}.",
    "How much is {a} / {b}?",
)
_PERCENT = (
    "What is {a}% of {b}?",
    "Calculate {a}% of {b}.",
    "Compute {a} percent of {b}.",
    "{a}% of {b}?",
    "How much is {a}% of {b}?",
    "Find {a}% of {b}.",
    "What is {a} percent of {b}?",
    "Tell me {a}% of {b}.",
    "Work out {a}% of {b}.",
    "What does {a}% of {b} come to?",
)
_TOTAL = (
    "Add up {l}.",
    "What is the sum of {l}?",
    "Sum the numbers {l}.",
    "Calculate the sum of {l}.",
    "What is the total of {l}?",
    "What do {l} add up to?",
    "Find the sum of {l}.",
    "Total: {l}.",
)


def _operand(random: Random) -> int:
    return random.randint(1, random.choice((9, 99, 99, 999)))


def _addition(random: Random) -> Sum:
    a, b = _operand(random), _operand(random)
    return Sum(random.choice(_ADD).format(a=a, b=b), [add(a, b)], f"{min(a, b)}+{max(a, b)}")


def _subtraction(random: Random) -> Sum:
    a, b = _operand(random), _operand(random)
    if random.random() < 0.9:
        a, b = max(a, b), min(a, b)
    return Sum(random.choice(_SUBTRACT).format(a=a, b=b), [subtract(a, b)], f"{a}-{b}")


def _multiplication(random: Random) -> Sum:
    size = random.random()
    a = random.randint(2, 12) if size < 0.4 else random.randint(11, 99)
    b = random.randint(2, 12) if size < 0.85 else random.randint(11, 99)
    # Single digits are a table: it has to be seen whole, so only larger operands are held out.
    key = f"{min(a, b)}*{max(a, b)}" if max(a, b) > 12 else f"table {random.randrange(20)}"
    return Sum(random.choice(_MULTIPLY).format(a=a, b=b), [multiply(a, b)], key)


def _division(random: Random) -> Sum:
    b, c = random.randint(2, 12), random.randint(2, 12)
    index = random.randrange(len(_DIVIDE))
    return Sum(_DIVIDE[index].format(a=b * c, b=b), [divide(b * c, b)], f"{b * c}/{b} {index}")


def _percentage(random: Random) -> Sum:
    if random.random() < 0.7:
        # 10 % is the one that people ask for, and it looks like the tenth that it is taken by.
        share = 10 if random.random() < 0.4 else random.randint(1, 10) * 10
        whole = random.randint(1, 200) * 10
    else:
        share, whole = random.choice((1, 2, 5, 15, 25, 75)), random.randint(1, 50) * 100
    question = random.choice(_PERCENT).format(a=share, b=whole)
    return Sum(question, percent(share, whole), f"{share}%{whole}")


def _list_total(random: Random) -> Sum:
    numbers = [random.randint(1, 99) for _ in range(random.choice((3, 3, 4)))]
    listed = ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
    return Sum(random.choice(_TOTAL).format(l=listed), total(numbers), f"sum {sorted(numbers)}")


_STORIES: tuple[tuple[str, str], ...] = (
    (
        "{n} has {a} {t}. {n} buys {b} more and gives {c} to {m}. How many {t} does {n} have now?",
        "+-",
    ),
    ("{n} had {a} {t} and lost {b}. Then {m} gave {n} {c} {t}. How many {t} does {n} have?", "-+"),
    (
        "There are {a} {t} in a box. {n} puts in {b} and {m} puts in {c}. How many {t} are there?",
        "++",
    ),
    ("{n} buys {d} bags with {e} {t} each and eats {f}. How many {t} are left?", "*-"),
    ("{n} has {d} boxes of {e} {t}. {m} brings {f} more. How many {t} are there in total?", "*+"),
    (
        (
            "A shop sold {a} {t} in the morning and {b} in the afternoon. {c} came back. "
            "How many stayed sold?"
        ),
        "+-",
    ),
    (
        (
            "{n} is {a} years old. {m} is {b} years older, and {k} is {c} years older than {m}. "
            "How old is {k}?"
        ),
        "++",
    ),
    (
        (
            "{n} earns {e} dollars an hour for {d} hours and spends {f} dollars. "
            "How many dollars are left?"
        ),
        "r-",
    ),
    (
        (
            "{n} reads {a} pages on Monday, {b} on Tuesday and {c} on Wednesday. "
            "How many pages is that?"
        ),
        "++",
    ),
    ("A bus has {a} people. {b} get on and {c} get off. How many people are on the bus?", "+-"),
    (
        (
            "{n} saves {e} coins a week for {d} weeks, then finds {f} more. "
            "How many coins does {n} have?"
        ),
        "r+",
    ),
    ("{n} and {m} have {a} and {b} {t}. They use {c} together. How many {t} remain?", "+-"),
)

_OPERATIONS: dict[str, Callable[[int, int], Step]] = {"+": add, "-": subtract, "*": multiply}


def _story(random: Random) -> Sum:
    index = random.randrange(len(_STORIES))
    template, plan = _STORIES[index]
    n, m, k = people(random, 3)
    a, b, c = random.randint(20, 99), random.randint(2, 20), random.randint(2, 19)
    d, e = random.randint(2, 9), random.randint(2, 12)
    f = random.randint(1, d * e - 1)
    question = template.format(n=n, m=m, k=k, t=random.choice(THINGS), a=a, b=b, c=c, d=d, e=e, f=f)
    if plan[0] in "*r":
        first, last = multiply(*((e, d) if plan[0] == "r" else (d, e))), f
    else:
        first, last = _OPERATIONS[plan[0]](a, b), c
    steps = [first, _OPERATIONS[plan[1]](first.result, last)]
    return Sum(question, steps, f"story {index} {[step.text for step in steps]}")


SHAPES: Mapping[str, tuple[float, Callable[[Random], Sum]]] = {
    "addition": (0.18, _addition),
    "subtraction": (0.16, _subtraction),
    "multiplication": (0.16, _multiplication),
    "division": (0.06, _division),
    "percentage": (0.20, _percentage),
    "list_total": (0.06, _list_total),
    "story": (0.18, _story),
}
"""The shapes of a problem: how often each is drawn, and how."""


def draw(random: Random) -> Item:
    """Draw one problem of any shape."""
    shapes = SHAPES.values()
    shape = random.choices([f for _, f in shapes], [weight for weight, _ in shapes])[0]
    problem = shape(random)
    question = everyday(random, problem.question, lower=shape is not _story)
    answer = str(problem.steps[-1].result)
    return Item(TASK, question, written(problem.steps), answer, "number", problem.key)


def draw_short(random: Random) -> Item:
    """Draw a one-line problem, fit to be one part of a longer question."""
    shape = random.choice(("addition", "subtraction", "multiplication", "percentage", "division"))
    return draw_shape(random, shape)


def draw_shape(random: Random, shape: str) -> Item:
    """Draw a plainly worded problem of one shape; raises KeyError for one not in SHAPES."""
    problem = SHAPES[shape][1](random)
    answer = str(problem.steps[-1].result)
    return Item(TASK, problem.question, written(problem.steps), answer, "number", problem.key)
