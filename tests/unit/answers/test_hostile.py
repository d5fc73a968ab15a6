"""Hostile texts cost neither time nor memory, and never more than an abstention."""

from __future__ import annotations

import sys
import time
import tracemalloc
from types import FrameType

import pytest

from quorate.answers import Kind, equivalent, extract

MEGA = 10**6
MOST_BYTES = 50 * MEGA
UNITS = ["1", "1,", "x + ", "a ", '{"a":', "Answer: ", "no ", "def f():\n", "½", "march 5 "]
MOST_SECONDS = 2.0  # each takes under 0.3 s on a free core; a quadratic rule would take minutes
HOSTILE = {
    "ten million digits": "1" * (10 * MEGA),
    "digits and points": "1." * MEGA,
    "thousands without end": "1,000" * MEGA,
    "nested lists": "[" * (10 * MEGA),
    "nested objects": '{"a":' * MEGA,
    "closed nesting": "[" * 10_000 + "]" * 10_000,
    "nested parentheses": "def f(x):\n return " + "(" * 10_000,
    "unary minus": "x = " + "-" * 15_000 + "1",
    "attributes": "x = y" + ".a" * 9_000,
    "power tower": "9**9**9**9**9",
    "long power": "2^" * 10_000 + "2",
    "blanks behind a mark": "answer is" + " " * (10 * MEGA) + "\n",
    "blanks between words": ("the answer" + " " * 15_000 + "\n") * 100,
    "open boxes": "\\boxed{" * MEGA,
    "open fractions": "\\frac{1}{" * MEGA,
    "open fences": "```\n" * MEGA,
    "answers": "answer: " * MEGA,
    "numerals": "one hundred and " * MEGA,
    "letters": "A B C " * MEGA,
    "truths": "no yes not true " * MEGA,
    "line ends": "\n" * (10 * MEGA) + "x",
    "expanding ligatures": "ﷺ" * MEGA,
    "superscripts": "2" + "⁹" * 30_000,
    "quotes": '"' * 30_000,
    "stars": "*" * 30_000 + "a" + "*" * 30_000,
    "signs": "-" * 30_000 + "5",
    "links": "is " * 30_000,
    "equals signs": "=" * (10 * MEGA),
    "slashes": "1/" * MEGA,
    "lone surrogates": "\ud800" * 1000 + " 5",
    "surrogates only": "\ud800" * MEGA,
    "null bytes": "x = 1\x00" * 1000,
    "nulls": "\0" * MEGA,
    "brackets closed again": "[" * 100_000 + "]" * 100_000,
    "parentheses closed again": "(" * 100_000 + "1" + ")" * 100_000,
    "objects closed again": '{"answer":' * 5000 + "1" + "}" * 5000,
    "a key over and over": "{" + ",".join(f'"a":{number}' for number in range(3000)) + "}",
    "answer fields": '{"answer":1} ' * MEGA,
    "open answer fields": "{'answer':'" * MEGA,
    "answer tags": "<answer>" * MEGA,
    "thoughts": "</think>" * MEGA,
    "final answers": "final answer (" * MEGA,
    "nested fractions": "\\frac{" * 100_000 + "x" + "}" * 100_000,
    "a huge formula": "\\frac{x}{2}+" * MEGA,
    "nested roots": "\\sqrt{" * 60 + "x" + "}" * 60,
    "a huge exponent": "1e999999999",
    "a variable to a huge power": "x^999999999",
    "a fraction to a huge power": "(1/3)^(10^9)",
    "a tower in braces": "2^{9^{9^{9^9}}}",
    "dollars": "$" * MEGA,
    "formulas": "$x$ " * MEGA,
    "months": "march 5 " * MEGA,
    "weekdays": "monday, " * MEGA,
    "times": "3:30 " * MEGA,
    "dates": "1/1/" * MEGA,
    "initials": "a. " * MEGA,
    "combining marks": "a" + "\u0301" * MEGA,
    "no width": "\u200b" * MEGA + "18",
    "full width": "（" * MEGA,
    "vulgar fractions": "½" * MEGA,
    "digits of another script": "١" * MEGA,
    "points between thousands": "1.000." * MEGA,
    "spaces between thousands": "1 000 " * MEGA,
    "hours and minutes": "1 h 1 min " * MEGA,
    "feet": "5' " * MEGA,
    "halves": "one half " * MEGA,
    "digits in words": "one point " + "one " * MEGA,
    "equals": "1 = " * MEGA,
    "is the answer": "is the answer " * MEGA,
    "open strings": "let x = '" + "\\'" * MEGA,
    "open comments": "/*" * MEGA,
    "lambdas": "lambda x:" * 3000 + "x",
    "comprehensions": "[" * 80 + "x" + " for x in y]" * 80,
    "functions in functions": "".join(" " * i + "def f():\n" for i in range(90))
    + " " * 90
    + "pass",
    "signs of a formula": "-" * 399 + "x",
    "sines": "sin " * 99 + "x",
    "an interval": "(" + "1," * MEGA + "1]",
}


def _kinds(place: int) -> set[Kind | None]:
    """Give the kinds that a text is read as: all in turn, one beside those that take most work."""
    return {None, Kind.NUMBER, [*Kind][place % len(Kind)], [*Kind][place // 7 % len(Kind)]}


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for place, name in enumerate(HOSTILE) for kind in sorted(_kinds(place), key=str)],
)
def test_a_hostile_text_is_read_in_bounded_time(name: str, kind: Kind | None) -> None:
    started = time.process_time()
    extract(HOSTILE[name], kind)
    assert time.process_time() - started < MOST_SECONDS


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_read_in_bounded_memory(name: str) -> None:
    tracemalloc.start()
    extract(HOSTILE[name])
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < MOST_BYTES


@pytest.mark.parametrize("kind", [None, Kind.NUMBER])
@pytest.mark.parametrize("unit", UNITS)
def test_the_work_does_not_grow_with_the_length_of_a_text(unit: str, kind: Kind | None) -> None:
    # Beyond what is looked at from both ends, only the plain search for its parts may grow.
    shorter, longer = (_lines(unit * (size // len(unit)), kind) for size in (MEGA // 10, MEGA))
    assert longer <= 1.1 * shorter + 200


def _lines(text: str, kind: Kind | None) -> int:
    """Count the lines of Python that reading a text takes."""
    count = 0

    def tracer(frame: FrameType, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        extract(text, kind)
    finally:
        sys.settrace(before)
    return count


def test_comparing_hostile_answers_is_bounded_too() -> None:
    started = time.process_time()
    texts = ["word " * 6_000, "is " * 6_000, "1" * 50, "x = " + "+".join("x" * 3_000)]
    for kind in Kind:
        for one in texts:
            for other in texts:
                equivalent(one, other, kind)
    assert time.process_time() - started < 5 * MOST_SECONDS


def test_half_a_character_in_json_is_no_answer_that_could_not_be_written() -> None:
    for text in ('{"name": "\\ud83d"}', '{"answer": "\\ud800 x"}', '["\\udfff"]'):
        answer = extract(text)
        assert answer is None or answer.text.encode()
