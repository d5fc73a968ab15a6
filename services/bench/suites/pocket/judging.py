"""Judging: does an answer agree with the reference? The same value written differently does."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from quorate import prompts
from services.bench.suites.pocket import arithmetic, extraction, facts, yes_no
from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.world import RELATIONS

TASK = "judging"


class Case(NamedTuple):
    """A question with its reference, an answer to judge, and both values in their plainest form."""

    question: str
    reference: str
    answer: str
    expected: str
    given: str
    key: str


def _near(random: Random, value: int) -> int:
    """Change a number as a slip would: off by a little, one digit wrong, a zero too many."""
    while True:
        digits = list(str(abs(value)))
        digits[random.randrange(len(digits))] = random.choice("0123456789")
        options = (value + random.choice((-10, -2, -1, 1, 2, 10)), int("".join(digits)), value * 10)
        wrong = random.choice(options)
        if wrong != value:
            return wrong


def _number_text(random: Random, value: int) -> str:
    styles = (
        f"{value}",
        f"{value}",
        f"Answer: {value}",
        f"The answer is {value}.",
        f"{value}.0",
        f"{value:,}",
        f"It is {value}.",
        f"{value}.",
        f"= {value}",
        f"I get {value}.",
    )
    return random.choice(styles)


def _number(random: Random, right: bool) -> Case:
    item = arithmetic.draw_short(random)
    value = int(item.answer)
    given = value if right else _near(random, value)
    answer = _number_text(random, given)
    if given == value and random.random() < 0.2:
        answer = item.completion
    return Case(item.prompt, item.answer, answer, item.answer, str(given), f"{item.key} {given}")


def _fact(random: Random, right: bool) -> Case:
    item = facts.draw_open(random)
    relation = next(r for r in RELATIONS if item.fact.startswith(r.name + "/"))
    subject = item.fact.split("/", 1)[1]
    others = sorted(set(relation.pairs.values()) - {item.answer})
    given = item.answer if right else random.choice(others)
    statement = relation.statement.format(subject, given)
    answer = random.choice((given, given, f"{given}.", statement, f"It is {given}.", given.lower()))
    return Case(item.prompt, item.answer, answer, item.answer, given, f"{item.key} {given}")


def _truth(random: Random, right: bool) -> Case:
    item = yes_no.draw_short(random)
    given = item.answer if right else ("no" if item.answer == "yes" else "yes")
    answer = random.choice(
        (given, given.capitalize(), f"{given.capitalize()}.", f"Answer: {given}")
    )
    return Case(item.prompt, item.answer, answer, item.answer, given, f"{item.key} {given}")


def _record(random: Random, right: bool) -> Case:
    item = extraction.draw_short(random)
    while item.answer[0] != "{":
        item = extraction.draw_short(random)
    value = dict(json.loads(item.answer))
    if not right:
        field = random.choice(list(value))
        del value[field]
        given = json.dumps(value)
    else:
        order = random.sample(list(value), len(value))
        given = json.dumps({field: value[field] for field in order})
    return Case(item.prompt, item.answer, given, item.answer, given, f"{item.key} {right}")


_CASES: tuple[tuple[float, Callable[[Random, bool], Case]], ...] = (
    (0.45, _number),
    (0.3, _fact),
    (0.15, _truth),
    (0.1, _record),
)


def draw(random: Random) -> Item:
    """Draw one answer to judge; half of them are right."""
    right = random.random() < 0.5
    make = random.choices([case for _, case in _CASES], [weight for weight, _ in _CASES])[0]
    case = make(random, right)
    short = case.expected[0] != "{"
    if right:
        rationale = f"Both say {case.expected}." if short else "Both hold the same values."
    elif short:
        rationale = f"The reference says {case.expected}, the answer says {case.given}."
    else:
        rationale = "The answer differs from the reference."
    gold = json.dumps({"score": int(right), "rationale": rationale})
    prompt = prompts.judge(case.question, case.reference, case.answer)
    return Item(TASK, prompt, gold, gold, "json", f"{case.key} {right}")
