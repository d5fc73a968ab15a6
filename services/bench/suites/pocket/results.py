"""Questions that build on earlier results: sums, extremes and lookups over parents' answers."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

from quorate import prompts
from services.bench.suites.pocket import arithmetic, extraction, working
from services.bench.suites.pocket.item import Item, Kind
from services.bench.suites.pocket.lexicon import everyday

TASK = "results"


class FollowUp(NamedTuple):
    """A question about an earlier result, and its solution."""

    question: str
    completion: str
    answer: str
    kind: Kind


class Chain(NamedTuple):
    """An earlier question with its answer and task, and what is asked next."""

    first: str
    result: str
    task: str
    follow_up: FollowUp
    key: str


_SUM = (
    "Sum the {p}",
    "Add up the {p}",
    "Add the {p}",
    "What is the sum of the {p}?",
    "Calculate the total of the {p}",
    "Sum them",
    "Add them up",
    "Find the sum of the {p}",
    "What is the total?",
    "Tell me the sum of the {p}",
)
_DIFFERENCE = (
    "What is the difference between the {p}?",
    "Subtract the smaller from the larger",
    "How far apart are the {p}?",
    "Find the difference of the {p}",
)
_LARGEST = (
    "Which is the largest?",
    "Find the largest of the {p}",
    "What is the maximum?",
    "Give the highest of the {p}",
    "Tell me the maximum of the {p}",
    "Pick the biggest one",
)
_SMALLEST = (
    "Which is the smallest?",
    "Find the smallest of the {p}",
    "What is the minimum?",
    "Give the lowest of the {p}",
    "Tell me the minimum of the {p}",
    "Pick the smallest one",
)
_COUNT = ("How many {p} are there?", "Count the {p}", "Count them", "How many are in the list?")
_SCALE = (
    "Double it",
    "Multiply it by {k}",
    "Add {k} to it",
    "Subtract {k} from it",
    "Add {k} to the result",
    "Multiply the result by {k}",
    "Double the result",
    "Take {k} away from the result",
    "What is the result plus {k}?",
    "What is the result times {k}?",
)


def _written(question: str, steps: list[working.Step]) -> FollowUp:
    return FollowUp(question, working.written(steps), str(steps[-1].result), "number")


def _plain(question: str, value: int) -> FollowUp:
    return FollowUp(question, f"Answer: {value}", str(value), "number")


def _about_list(random: Random, plural: str, numbers: list[int]) -> FollowUp:
    form = random.random()
    if form < 0.55:
        return _written(random.choice(_SUM).format(p=plural), working.total(numbers))
    if form < 0.65 and len(numbers) == 2:
        question = random.choice(_DIFFERENCE).format(p=plural)
        return _written(question, [working.subtract(max(numbers), min(numbers))])
    if form < 0.8:
        return _plain(random.choice(_LARGEST).format(p=plural), max(numbers))
    if form < 0.93:
        return _plain(random.choice(_SMALLEST).format(p=plural), min(numbers))
    return _plain(random.choice(_COUNT).format(p=plural), len(numbers))


def _series(random: Random) -> Chain:
    plural, text, values = extraction.series(random)
    numbers = list(values.values())
    shapes: tuple[object, ...] = (numbers, {plural: numbers}, {plural: numbers}, values)
    shape = random.randrange(4)
    how = "as a JSON list" if shape == 0 else "as JSON"
    first = random.choice(
        (f"Extract the {plural} {how} from: {text}", f"Extract the {plural} {how}: {text}")
    )
    follow_up = _about_list(random, plural, numbers)
    if shape == 3 and random.random() < 0.4:
        follow_up = _lookup(random, values)
    return Chain(first, json.dumps(shapes[shape]), "extraction", follow_up, f"{plural} {values}")


def _lookup(random: Random, values: dict[str, int]) -> FollowUp:
    name, value = random.choice(list(values.items()))
    if random.random() < 0.5:
        return _plain(
            random.choice(("What is the value for {0}?", "Which number belongs to {0}?")).format(
                name
            ),
            value,
        )
    highest = random.random() < 0.5
    word = random.choice(("highest", "largest") if highest else ("lowest", "smallest"))
    found = max(values, key=values.__getitem__) if highest else min(values, key=values.__getitem__)
    return FollowUp(f"Who has the {word} number?", found, found, "text")


def _scaled(random: Random) -> Chain:
    first = arithmetic.draw_short(random)
    start, k = int(first.answer), random.randint(2, 20)
    template = random.choice(_SCALE)
    question = template.format(k=k)
    if "Double" in question:
        step = working.multiply(start, 2)
    elif "ultiply" in question or "times" in question:
        step = working.multiply(start, k)
    elif "Add" in question or "plus" in question:
        step = working.add(start, k)
    else:
        step = working.subtract(start, k)
    result = first.answer if random.random() < 0.7 else first.completion
    return Chain(
        first.prompt,
        result,
        "arithmetic",
        _written(question, [step]),
        f"scale {start} {template} {k}",
    )


def _two_results(random: Random) -> tuple[list[prompts.Part], FollowUp, str]:
    firsts = [arithmetic.draw_short(random) for _ in range(2)]
    numbers = [int(first.answer) for first in firsts]
    parts = [prompts.Part(first.prompt, first.answer) for first in firsts]
    form = random.random()
    if form < 0.6:
        question = random.choice(
            (
                "Add the two results",
                "Sum the results",
                "What is the sum of both results?",
                "Add both together",
            )
        )
        return parts, _written(question, working.total(numbers)), f"two sum {numbers}"
    question = random.choice(
        ("Which result is larger?", "Give the larger result", "What is the larger of the two?")
    )
    return parts, _plain(question, max(numbers)), f"two larger {numbers}"


def chain(random: Random) -> Chain:
    """Draw a question with its answer, and one that depends on it."""
    while True:
        drawn = random.choices((_series, _scaled), (2, 1))[0](random)
        # A product or difference far outside the taught range would not be asked.
        asked = drawn.follow_up
        follows = asked.kind != "number" or 0 <= int(asked.answer) < 10_000
        begins = drawn.task != "arithmetic" or 0 < int(drawn.result.split()[-1]) < 1_000
        if follows and begins:
            return drawn


def draw(random: Random) -> Item:
    """Draw one dependent question with its known results before it."""
    if random.random() < 0.15:
        parts, follow_up, key = _two_results(random)
        while any(abs(int(part.answer)) > 999 or int(part.answer) < 0 for part in parts):
            parts, follow_up, key = _two_results(random)
    else:
        drawn = chain(random)
        parts, follow_up, key = (
            [prompts.Part(drawn.first, drawn.result)],
            drawn.follow_up,
            drawn.key,
        )
    question = follow_up.question
    if question[-1] != "?":
        question += random.choice(("", ".", ""))
    question = everyday(random, question)
    prompt = prompts.with_results(question, parts)
    return Item(TASK, prompt, follow_up.completion, follow_up.answer, follow_up.kind, key)
