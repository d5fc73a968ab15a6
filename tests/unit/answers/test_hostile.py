"""Hostile texts cost neither time nor memory, and never more than an abstention."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from quorate.answers import Kind, equivalent, extract

MEGA = 10**6
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
    "null bytes": "x = 1\x00" * 1000,
}


@pytest.mark.parametrize("kind", [None, *Kind])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_read_in_bounded_time(name: str, kind: Kind | None) -> None:
    started = time.process_time()
    extract(HOSTILE[name], kind)
    assert time.process_time() - started < MOST_SECONDS


def test_a_long_text_is_read_in_bounded_memory() -> None:
    text = HOSTILE["nested objects"]
    tracemalloc.start()
    extract(text)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 20 * MEGA


def test_comparing_hostile_answers_is_bounded_too() -> None:
    started = time.process_time()
    texts = ["word " * 6_000, "is " * 6_000, "1" * 50, "x = " + "+".join("x" * 3_000)]
    for kind in Kind:
        for one in texts:
            for other in texts:
                equivalent(one, other, kind)
    assert time.process_time() - started < 5 * MOST_SECONDS
