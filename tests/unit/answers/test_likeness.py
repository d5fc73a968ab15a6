"""Whatever compares as the same is found to be alike beforehand, so that nothing is missed."""

from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.answers import Answer, Kind, cluster, extract
from quorate.answers.clusters import MOST_PAIRS
from quorate.answers.equivalence import compare
from quorate.answers.likeness import Likeness

CORPUS = yaml.safe_load(Path(__file__).with_name("corpus_same.yaml").read_text(encoding="utf-8"))
WORDS = ["the", "Paris", "Asia", "is", "are", "in", "by", "and", "not", "foot", "ball", "football"]
LONG = ["Mississippi", "Mississipi", "accommodation", "acommodation", "recieving", "receiving"]
UNITS = ["", " kg", " g", " tonnes", "%", " km", " m", " °C", " K", " lb", " pounds", " £"]
FORMULAS = [r"\sqrt{2}", r"\frac{1}{3}", "x + 1", "1 + x", r"2\sqrt{2}", r"\sqrt{8}", r"\pi", "x^2"]
NUMBERS = st.builds(
    lambda number, places, unit: f"{number:.{places}f}{unit}",
    st.one_of(st.floats(-40.0, 40.0), st.sampled_from([1 / 3, 2 / 3, 1230.0, 1.23, 1e7, 0.0])),
    st.integers(0, 4),
    st.sampled_from(UNITS),
)
TEXTS = st.lists(st.sampled_from([*WORDS, *LONG]), min_size=1, max_size=6).map(" ".join)
ANSWERS = st.one_of(
    NUMBERS.map(lambda text: extract(text, Kind.NUMBER)),
    TEXTS.map(lambda text: extract(text, Kind.TEXT)),
    st.sampled_from(FORMULAS).map(lambda text: extract(text, Kind.EXPRESSION)),
)


def alike(one: Answer, other: Answer) -> bool:
    likeness = Likeness()
    assert likeness.add(0, one) == set()
    return likeness.add(1, other) == {0}


@settings(max_examples=400)
@given(st.lists(ANSWERS, min_size=2, max_size=12))
def test_answers_that_are_the_same_are_alike(answers: list[Answer | None]) -> None:
    for one, other in combinations(filter(None, answers), 2):
        if compare(one, other):
            assert alike(one, other)
            assert alike(other, one)


PAIRS = [(*case[:2], row.get("kind")) for row in CORPUS for case in row["cases"]]


@pytest.mark.parametrize(("first", "second", "given_kind"), PAIRS)
def test_pairs_of_the_corpus_are_alike(first: str, second: str, given_kind: str | None) -> None:
    for kind in [Kind(given_kind)] if given_kind else [None, *Kind]:
        one, other = extract(first, kind), extract(second, kind)
        loose = {Kind.NUMBER, Kind.EXPRESSION, Kind.TEXT}
        if one is None or other is None or {one.kind, other.kind} - loose:
            continue
        if compare(one, other):
            assert alike(one, other)
            assert alike(other, one)


def test_a_coarse_unit_that_came_first_draws_finer_ones_from_afar() -> None:
    tonnes, kilograms = extract("1.23 tonnes", Kind.NUMBER), extract("1234 kg", Kind.NUMBER)
    assert tonnes is not None
    assert kilograms is not None
    assert compare(tonnes, kilograms)
    assert alike(tonnes, kilograms)
    assert alike(kilograms, tonnes)


@pytest.mark.parametrize("text", ["Answer: 10{}.5", "city number {} of them", "gate{} north"])
def test_hundreds_of_different_answers_are_hardly_compared(text: str) -> None:
    likeness = Likeness()
    answers = [extract(text.format(number)) for number in range(384)]
    found = [likeness.add(place, one) for place, one in enumerate(answers) if one is not None]
    assert len(found) == 384
    assert sum(map(len, found)) < 400


def test_more_likenesses_than_can_be_compared_end_in_bounded_time() -> None:
    said = [extract(f"thing{number} is glass", Kind.TEXT) for number in range(1500)]
    assert MOST_PAIRS < 1500 * 1499 / 2
    Random(3).shuffle(said)
    started = time.perf_counter()
    assert len(set(cluster(said).labels)) == 1500
    assert time.perf_counter() - started < 5.0
