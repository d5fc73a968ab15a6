"""Python functions to write: those of the pocket suite by family, and functions with constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from services.bench.suites.pocket import python_code
from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.python_functions import FUNCTIONS

FAMILIES: Final[Mapping[str, str]] = {
    "operations": "add subtract multiply divide remainder power average",
    "comparisons": "maximum minimum is_equal is_greater is_less",
    "predicates": "is_even is_odd is_positive is_negative is_prime is_palindrome",
    "numbers": "square cube double half increment absolute",
    "loops": "factorial fibonacci sum_to",
    "strings": "reverse count_vowels count_words to_upper to_lower concat repeat",
    "lists": "length sum_list mean largest smallest first last",
    "choices": "sort_list unique evens contains count_item",
    "measures": "area perimeter to_fahrenheit",
}
"""Functions of the pocket suite by their first names."""


class Constant(NamedTuple):
    """A function with a constant {k}: what it is called and does, its body, and how it is tried.

    `tries` gives, for a constant, arguments as Python text with what the function returns.
    """

    name: str
    parameter: str
    wordings: tuple[str, ...]
    body: str
    least: int
    most: int
    tries: Callable[[int], Sequence[tuple[str, object]]]


CONSTANTS: Final[Mapping[str, Constant]] = {
    "adds_constant": Constant(
        "add_{k}", "n", ("adds {k} to a number", "returns n plus {k}"), "n + {k}", 2, 999,
        lambda k: [("0", k), ("7", 7 + k), ("-3", k - 3)],
    ),
    "takes_constant": Constant(
        "less_{k}", "n", ("subtracts {k} from a number", "returns n minus {k}"), "n - {k}", 2, 999,
        lambda k: [("0", -k), (str(k + 5), 5)],
    ),
    "times_constant": Constant(
        "times_{k}", "n", ("multiplies a number by {k}", "returns n times {k}"), "n * {k}", 3, 999,
        lambda k: [("0", 0), ("4", 4 * k), ("-1", -k)],
    ),
    "divisible_by_constant": Constant(
        "is_multiple_of_{k}", "n",
        ("returns True if n is a multiple of {k}", "checks whether {k} divides n"),
        "n % {k} == 0", 3, 999,
        lambda k: [("0", True), (str(3 * k), True), (str(3 * k + 1), False)],
    ),
    "keeps_above_constant": Constant(
        "above_{k}", "items",
        (
            "returns the numbers of a list that are greater than {k}",
            "keeps only the numbers of a list above {k}",
        ),
        "[item for item in items if item > {k}]", 2, 999,
        lambda k: [("[]", []), (f"[{k}, {k + 1}, 0, {k + 9}]", [k + 1, k + 9])],
    ),
    "repeats_constant": Constant(
        "repeat_{k}", "text",
        ("repeats a string {k} times", "returns a string written {k} times in a row"),
        "text * {k}", 2, 400,
        lambda k: [("''", ""), ("'ab'", "ab" * k)],
    ),
}  # fmt: skip
_ASKED = (
    "Write a Python function {f}({p}) that {s}.",
    "Implement {f}({p}) in Python. It {s}.",
    "Define a function {f}({p}) that {s}.",
    "I need a Python function that {s}. Call it {f} and its argument {p}.",
)


def _family(names: str) -> Callable[[Random], Item]:
    members = [function for function in FUNCTIONS if function.names[0] in names.split()]

    def draw(random: Random) -> Item:
        return python_code.draw_short(random, members)

    return draw


def _with_constant(function: Constant) -> Callable[[Random], Item]:
    def draw(random: Random) -> Item:
        k = random.randint(function.least, function.most)
        name, said = function.name.format(k=k), random.choice(function.wordings).format(k=k)
        prompt = random.choice(_ASKED).format(f=name, p=function.parameter, s=said)
        source = f"def {name}({function.parameter}):\n    return {function.body.format(k=k)}"
        checks = tuple(f"assert {name}({given}) == {gives!r}" for given, gives in function.tries(k))
        return Item("code", prompt, source, source, "code", name, "", checks)

    return draw


PRACTISED: Final[Mapping[str, Callable[[Random], Item]]] = {
    name: _family(names) for name, names in FAMILIES.items()
}
TEMPLATES: Final[Mapping[str, Callable[[Random], Item]]] = {
    **PRACTISED,
    **{name: _with_constant(function) for name, function in CONSTANTS.items()},
}
