"""Facts about "not sure": what is answered is wrong as rarely as promised, or nothing is said."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from quorate.errors import InvalidRequest
from quorate.voting.conformal import (
    GRID,
    RiskCurve,
    by_topic,
    decide,
    risk_curve,
    threshold,
)


def split(
    random: np.random.Generator, items: int, twist: float = 1.0
) -> tuple[list[float], list[bool]]:
    """Scores, and answers that are right with probability score^twist."""
    scores = random.beta(3.0, 0.6, items)
    return scores.tolist(), (random.random(items) < scores**twist).tolist()


def true_risk(value: float, twist: float) -> float:
    """The share of wrong answers at or above a threshold, for the distribution of `split`."""
    grid = np.linspace(value, 1.0, 40_001)[1:-1]
    density = grid**2.0 * (1.0 - grid) ** -0.4
    return float((density * (1.0 - grid**twist)).sum() / density.sum())


@pytest.mark.parametrize("twist", [1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_the_promise_holds_with_the_probability_stated(alpha: float, twist: float) -> None:
    random = np.random.default_rng(11)
    runs, delta, broken, promised = 600, 0.1, 0, 0
    for _ in range(runs):
        found = threshold(*split(random, 500, twist), alpha, delta)
        if found is None:
            continue
        promised += 1
        broken += true_risk(found.value, twist) > alpha
    assert broken / runs <= delta
    assert promised > (runs / 3 if twist == 1.0 or alpha == 0.1 else 0)


def test_errors_that_scores_do_not_foretell_break_no_promise() -> None:
    # The risk is 8 % at every threshold: any threshold at all would be a broken promise at 5 %.
    random = np.random.default_rng(5)
    runs, delta = 1000, 0.1
    given = 0
    for _ in range(runs):
        scores = random.random(400)
        given += (
            threshold(scores.tolist(), (random.random(400) > 0.08).tolist(), 0.05, delta)
            is not None
        )
    assert given / runs <= delta


def test_a_good_split_lets_most_questions_be_answered() -> None:
    random = np.random.default_rng(2)
    found = threshold(*split(random, 2000), 0.05)
    assert found is not None
    assert found.value < 0.95
    assert found.answered > 600
    assert found.wrong / found.answered < 0.05


def test_more_risk_is_never_more_silence() -> None:
    curve = risk_curve(*split(np.random.default_rng(4), 1500))
    values = [curve.threshold(alpha) for alpha in (0.02, 0.05, 0.1, 0.2, 0.5)]
    known = [one.value for one in values if one is not None]
    assert len(known) >= 4
    assert known == sorted(known, reverse=True)


def test_too_few_items_promise_nothing() -> None:
    assert threshold([], [], 0.05) is None
    assert threshold([0.99] * 85, [True] * 85, 0.05) is None
    found = threshold([0.99] * 86, [True] * 86, 0.05)
    assert found is not None
    assert (found.value, found.items, found.answered, found.wrong) == (0.0, 86, 86, 0)


def test_items_that_are_all_wrong_promise_nothing() -> None:
    assert threshold([0.99] * 500, [False] * 500, 0.05) is None


def test_each_topic_has_its_own_promise() -> None:
    topics = ["math"] * 200 + ["law"] * 200
    right = [True] * 200 + [n % 2 == 0 for n in range(200)]
    found = by_topic(topics, [0.97] * 400, right, 0.05)
    assert found["math"] is not None
    assert found["law"] is None


def test_below_the_threshold_and_without_one_the_answer_is_not_sure() -> None:
    scores = [0.97] * 200 + [0.3] * 200
    found = threshold(scores, [True] * 200 + [False] * 200, 0.05)
    assert found is not None
    assert 0.3 < found.value <= 0.97
    assert decide(0.97, found) == (True, "")
    assert decide(found.value, found).answer
    assert "below" in decide(0.3, found).reason
    assert "too few calibration items" in decide(0.97, None).reason
    assert "uncalibrated" in decide(None, found).reason
    assert not any(decide(*of).answer for of in [(0.3, found), (0.97, None), (None, found)])


def test_a_stored_curve_gives_the_same_thresholds() -> None:
    curve = risk_curve(*split(np.random.default_rng(8), 700))
    again = RiskCurve.from_dict(json.loads(json.dumps(curve.to_dict())))
    assert again == curve
    assert again.threshold(0.1) == curve.threshold(0.1)


@pytest.mark.parametrize(
    "stored", [{}, {"items": 1, "answered": [1], "wrong": [0]}, {"items": "x"}]
)
def test_a_damaged_store_is_an_error_and_not_a_promise(stored: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="stored risk curve"):
        RiskCurve.from_dict(stored)


@pytest.mark.parametrize(
    ("name", "place", "value", "limit"),
    [
        ("answered", 5, 701, "at most the"),
        ("answered", 0, 701, "all 700 items"),
        ("answered", 99, -1, "at least 0"),
        ("wrong", 99, 600, "at most the"),
        ("wrong", 3, -2, "at least 0"),
        ("wrong", 0, 701, "were answered there"),
    ],
)
def test_a_stored_curve_that_no_split_gives_is_named(
    name: str, place: int, value: int, limit: str
) -> None:
    stored = risk_curve(*split(np.random.default_rng(8), 700)).to_dict()
    counts = list(cast("Sequence[int]", stored[name]))
    counts[place] = value
    with pytest.raises(InvalidRequest, match=limit) as raised:
        RiskCurve.from_dict({**stored, name: counts})
    assert raised.value.metadata["field"].startswith(f"stored risk curve.{name}[")


def test_a_stored_curve_of_wrong_types_is_named() -> None:
    stored = risk_curve([0.5], [True]).to_dict()
    for change in ({"items": -1}, {"items": 2.5}, {"wrong": [0.5] * 100}, {"wrong": [0] * 99}):
        with pytest.raises(InvalidRequest) as raised:
            RiskCurve.from_dict({**stored, **change})
        assert raised.value.metadata["field"].split(".")[-1].split("[")[0] in change


def test_counts_are_of_scores_at_or_above_each_threshold() -> None:
    curve = risk_curve([0.0, 0.29, 0.29, 1.0], [False, True, False, True])
    assert (curve.answered[0], curve.wrong[0]) == (4, 2)
    assert (curve.answered[29], curve.wrong[29]) == (3, 1)
    assert (curve.answered[30], curve.wrong[30]) == (1, 0)
    assert (curve.answered[GRID - 1], curve.wrong[GRID - 1]) == (1, 0)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_a_score_that_is_no_probability_is_named(bad: float) -> None:
    with pytest.raises(InvalidRequest, match=r"scores\[1\]"):
        threshold([0.5, bad], [True, True], 0.05)
    with pytest.raises(InvalidRequest, match="score"):
        decide(bad, None)


@pytest.mark.parametrize("bad", [0.0, 1.0, math.nan])
def test_a_risk_that_cannot_be_promised_is_refused(bad: float) -> None:
    with pytest.raises(InvalidRequest, match="alpha"):
        threshold([], [], bad)
    with pytest.raises(InvalidRequest, match="delta"):
        threshold([], [], 0.05, bad)


def test_lists_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="right"):
        threshold([0.5], [], 0.05)
    with pytest.raises(InvalidRequest, match="topics"):
        by_topic([], [0.5], [True], 0.05)
