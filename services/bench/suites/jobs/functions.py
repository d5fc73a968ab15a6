"""Steps that ask for a Python function: one that does a step's work, or one that uses its result.

Golds are source text; what counts is that the assertions hold, on the job's own numbers too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from quorate.answers import Kind
from services.bench.suites.jobs.draft import Aside, Asked, FollowUp, value
from services.bench.suites.jobs.follow_ups import numbers
from services.bench.suites.pocket import python_code
from services.bench.suites.pocket.python_functions import FUNCTIONS

if TYPE_CHECKING:
    from services.bench.suites.pocket.item import Item
    from services.bench.suites.workflow import Step

_BY_NAME = {function.names[0]: function for function in FUNCTIONS}


def _request(name: str) -> Callable[[Random], Item]:
    def draw(random: Random) -> Item:
        return python_code.draw_short(random, (_BY_NAME[name],))

    return draw


def _own_name(source: str) -> str:
    return source.removeprefix("def ").partition("(")[0]


def _for_list(name: str, rule: Callable[[list[int]], int]) -> Aside:
    """Ask for the function that does to any list what another step does to the job's list."""

    def check(source: str, about: Sequence[Step]) -> str:
        return f"assert {_own_name(source)}({numbers(about[0])}) == {rule(numbers(about[0]))}"

    return Aside("python", _request(name), check)


def _for_two(name: str, rule: Callable[[int, int], int]) -> Aside:
    """Ask for the function that does to any two numbers what another step does to two results."""

    def check(source: str, about: Sequence[Step]) -> str:
        one, other = (value(step) for step in about)
        return f"assert {_own_name(source)}({one}, {other}) == {rule(one, other)}"

    return Aside("python", _request(name), check)


SUMS = _for_list("sum_list", sum)
FINDS_LARGEST = _for_list("largest", max)
FINDS_SMALLEST = _for_list("smallest", min)
ADDS = _for_two("add", lambda a, b: a + b)
PICKS_LARGER = _for_two("maximum", max)


# Functions that use results: beyond what the pocket models practise.


def _using(
    name: str, does: str, body: str, tries: Callable[[Random, list[int]], list[tuple[str, object]]]
) -> FollowUp:
    """Ask for `name`(n), which `does` something with the results; {0}, {1} are theirs in `body`.

    `tries` gives arguments with what the function returns for them.
    """

    def draw(random: Random, parents: Sequence[Step]) -> Asked | None:
        results = [value(parent) for parent in parents]
        if not all(isinstance(result, int) for result in results) or len(set(results)) < len(
            parents
        ):
            return None
        source = f"def {name}(n):\n    return {body.format(*sorted(results))}"
        checks = tuple(
            f"assert {name}({given}) == {gives!r}"
            for given, gives in tries(random, sorted(results))
        )
        text = f"Write a Python function {name}(n) that {does}"
        return Asked(text, source, Kind.CODE, checks, name)

    return FollowUp("python", draw)


def _near(random: Random, bound: int) -> list[int]:
    return [bound - random.randint(1, 9), bound, bound + random.randint(1, 9)]


ADDS_RESULT = _using(
    "add_result",
    "adds the result to n",
    "n + {0}",
    lambda random, known: [(str(n), n + known[0]) for n in (0, random.randint(1, 50))],
)
TIMES_RESULT = _using(
    "times_result",
    "multiplies n by the result",
    "n * {0}",
    lambda random, known: [(str(n), n * known[0]) for n in (1, random.randint(2, 9))],
)
ABOVE_RESULT = _using(
    "above_result",
    "returns True if n is greater than the result",
    "n > {0}",
    lambda random, known: [(str(n), n > known[0]) for n in _near(random, known[0])],
)
BETWEEN_RESULTS = _using(
    "between_results",
    "returns True if n is not below the smaller and not above the larger result",
    "{0} <= n <= {1}",
    lambda random, known: [
        (str(n), known[0] <= n <= known[1]) for end in known for n in _near(random, end)
    ],
)
