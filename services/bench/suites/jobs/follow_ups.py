"""Steps that read the results of others: sums, extremes, look-ups, comparisons, functions.

The wordings of the first ones are those that the pocket models practise. What stands below BEYOND
they never practised: a larger model is needed there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from quorate.answers import Kind
from services.bench.suites.jobs.draft import Asked, FollowUp, number, value, yes_or_no
from services.bench.suites.pocket.world import RELATIONS

if TYPE_CHECKING:
    from services.bench.suites.workflow import Step

LARGEST_READ = 999
"""Larger results are not worked with further: models this small practise up to three digits."""
LARGEST_RESULT = 9_999


class Scaling(NamedTuple):
    """One way to change a number: its wording with {k}, the least and largest k, and the rule."""

    text: str
    least: int
    most: int
    apply: Callable[[int, int], int]


_SCALINGS = (
    Scaling("Multiply the result by {k}", 2, 12, lambda number, k: number * k),
    Scaling("What is the result times {k}?", 2, 12, lambda number, k: number * k),
    Scaling("Multiply it by {k}", 2, 12, lambda number, k: number * k),
    Scaling("Double the result", 2, 2, lambda number, k: number * k),
    Scaling("Add {k} to the result", 2, 20, lambda number, k: number + k),
    Scaling("Add {k} to it", 2, 20, lambda number, k: number + k),
    Scaling("What is the result plus {k}?", 2, 20, lambda number, k: number + k),
    Scaling("Subtract {k} from it", 2, 20, lambda number, k: number - k),
    Scaling("Take {k} away from the result", 2, 20, lambda number, k: number - k),
)
_ADD = _SCALINGS[4:7]


def numbers(step: Step) -> list[int]:
    """Give the numbers of a list that was extracted, bare or as the only field of an object."""
    found = value(step)
    return list(found if isinstance(found, list) else next(iter(found.values())))


def _plural(step: Step) -> str:
    return "prices" if step.text.startswith("Extract the prices") else "ages"


def _of_list(
    texts: tuple[str, ...], rule: Callable[[list[int]], int]
) -> Callable[[Random, Sequence[Step]], Asked]:
    def draw(random: Random, parents: Sequence[Step]) -> Asked:
        text = random.choice(texts).format(p=_plural(parents[0]))
        return number(text, rule(numbers(parents[0])), texts[0])

    return draw


def _scaled(scalings: tuple[Scaling, ...]) -> Callable[[Random, Sequence[Step]], Asked | None]:
    def draw(random: Random, parents: Sequence[Step]) -> Asked | None:
        start, scaling = value(parents[0]), random.choice(scalings)
        k = random.randint(scaling.least, scaling.most)
        result = scaling.apply(start, k)
        if not (0 < start <= LARGEST_READ and 0 <= result <= LARGEST_RESULT):
            return None
        return number(scaling.text.format(k=k), result, f"{start} to {result}")

    return draw


def _of_two(
    texts: tuple[str, ...], rule: Callable[[int, int], int]
) -> Callable[[Random, Sequence[Step]], Asked | None]:
    def draw(random: Random, parents: Sequence[Step]) -> Asked | None:
        one, other = (value(parent) for parent in parents)
        if one == other or not all(0 <= read <= LARGEST_READ for read in (one, other)):
            return None
        return number(random.choice(texts), rule(one, other), texts[0])

    return draw


def _field(name: str) -> Callable[[Random, Sequence[Step]], Asked]:
    def draw(random: Random, parents: Sequence[Step]) -> Asked:
        text = random.choice(("Which number belongs to {0}?", "What is the value for {0}?"))
        return number(text.format(name), value(parents[0])[name], name)

    return draw


def _exceeds(random: Random, parents: Sequence[Step]) -> Asked | None:
    result = value(parents[0])
    bound = random.randint(max(1, result - 40), result + 40)
    if result < 1 or bound == result:
        return None
    word, truth = random.choice((("greater", result > bound), ("less", result < bound)))
    return yes_or_no(f"Is the result {word} than {bound}?", truth)


TOTAL = FollowUp(
    "follow_up",
    _of_list(("Sum the {p}", "Add up the {p}", "What is the sum of the {p}?"), sum),
)
LARGEST = FollowUp(
    "follow_up",
    _of_list(("Find the largest of the {p}", "Give the highest of the {p}"), max),
)
SMALLEST = FollowUp(
    "follow_up",
    _of_list(("Find the smallest of the {p}", "Give the lowest of the {p}"), min),
)
COUNT = FollowUp("follow_up", _of_list(("How many {p} are there?", "Count the {p}"), len))
APART = FollowUp(
    "follow_up",
    _of_list(
        ("What is the difference between the {p}?", "Find the difference of the {p}"),
        lambda two: max(two) - min(two),
    ),
)
SCALED = FollowUp("follow_up", _scaled(_SCALINGS))
INCREASED = FollowUp("follow_up", _scaled(_ADD))
BOTH = FollowUp(
    "follow_up",
    _of_two(("Add the two results", "What is the sum of both results?"), lambda a, b: a + b),
)
LARGER = FollowUp("follow_up", _of_two(("Which result is larger?", "Give the larger result"), max))
GAP = FollowUp(
    "follow_up",
    _of_two(
        ("What is the difference between the results?", "Subtract the smaller from the larger"),
        lambda a, b: abs(a - b),
    ),
)
AGE = FollowUp("follow_up", _field("age"))
PRICE = FollowUp("follow_up", _field("price"))
QUANTITY = FollowUp("follow_up", _field("quantity"))
EXCEEDS = FollowUp("yes_no", _exceeds)


# BEYOND what the pocket models practise.


def _cost(random: Random, parents: Sequence[Step]) -> Asked:
    order = value(parents[0])
    text = random.choice(
        ("Multiply the quantity by the price", "What does the whole order cost in dollars?")
    )
    return number(text, order["quantity"] * order["price"], "cost")


def _all_results(random: Random, parents: Sequence[Step]) -> Asked | None:
    found = [value(parent) for parent in parents]
    if not all(0 <= read <= LARGEST_READ for read in found):
        return None
    text = random.choice(("Add all the results", "What is the sum of all the results?"))
    return number(text, sum(found), "all")


def _even(random: Random, parents: Sequence[Step]) -> Asked:
    word, rest = random.choice((("even", 0), ("odd", 1)))
    return yes_or_no(f"Is the result {word}?", value(parents[0]) % 2 == rest)


_OF_COUNTRIES = {
    "currency": "What is the currency of this country?",
    "language": "What is the main language of this country?",
    "continent": "Which continent is this country in?",
}


def _of_country(relation: str) -> Callable[[Random, Sequence[Step]], Asked | None]:
    pairs = {one.name: one.pairs for one in RELATIONS}[relation]

    def draw(random: Random, parents: Sequence[Step]) -> Asked | None:
        country = parents[0].gold
        if country not in pairs:
            return None
        return Asked(_OF_COUNTRIES[relation], pairs[country], Kind.TEXT, (), relation)

    return draw


COST = FollowUp("story", _cost)
ALL_RESULTS = FollowUp("follow_up", _all_results)
EVEN = FollowUp("yes_no", _even)
CURRENCY = FollowUp("facts", _of_country("currency"))
LANGUAGE = FollowUp("facts", _of_country("language"))
CONTINENT = FollowUp("facts", _of_country("continent"))
