"""Facts about calibrated confidence: right on held-out items, never falling, silent when unsure."""

from __future__ import annotations

import json
import math
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from quorate.errors import InvalidRequest
from quorate.voting.calibration import (
    FEWEST_ITEMS,
    Calibrator,
    Item,
    Method,
    brier_score,
    expected_calibration_error,
    fit,
    reliability_curve,
)

TODAY = date(2026, 1, 31)
METHODS: list[Method] = ["isotonic", "platt"]


def overconfident(seed: int, items: int) -> list[Item]:
    """A model that says c and is right as if its log odds were 0.4·logit(c) − 0.3."""
    random = np.random.default_rng(seed)
    said = random.beta(4, 1.2, items)
    true = 1 / (1 + np.exp(-(0.4 * np.log(said / (1 - said)) - 0.3)))
    return [Item(float(c), bool(r)) for c, r in zip(said, random.random(items) < true, strict=True)]


def stepped(seed: int, items: int) -> list[Item]:
    """A model whose confidence means nothing but low, middling and high."""
    random = np.random.default_rng(seed)
    said = random.random(items)
    true = np.where(said < 0.3, 0.2, np.where(said < 0.8, 0.55, 0.95))
    return [Item(float(c), bool(r)) for c, r in zip(said, random.random(items) < true, strict=True)]


def applied(calibrator: Calibrator, items: list[Item]) -> list[Item]:
    made = [(calibrator.apply(item.confidence), item.right) for item in items]
    return [Item(likely, right) for likely, right in made if likely is not None]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("equal_mass", [True, False])
def test_held_out_items_are_calibrated(method: Method, equal_mass: bool) -> None:
    fitted = fit(overconfident(1, 1000), TODAY, method)
    held_out = overconfident(2, 4000)
    raw = expected_calibration_error(held_out, equal_mass=equal_mass)
    assert raw > 0.15
    mended = applied(fitted, held_out)
    assert len(mended) == len(held_out)
    assert expected_calibration_error(mended, equal_mass=equal_mass) <= 0.05
    assert brier_score(mended) < brier_score(held_out)


def test_isotonic_follows_what_no_logistic_can() -> None:
    held_out = stepped(4, 4000)
    isotonic, platt = (fit(stepped(3, 1000), TODAY, method) for method in METHODS)
    assert expected_calibration_error(applied(isotonic, held_out)) <= 0.05
    assert brier_score(applied(isotonic, held_out)) < brier_score(applied(platt, held_out))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(8))
def test_confidence_never_falls_as_more_is_said(method: Method, seed: int) -> None:
    items = overconfident(seed, 80) if seed % 2 else stepped(seed, 80)
    fitted = fit(items, TODAY, method)
    likely = [fitted.apply(step / 200) for step in range(201)]
    assert all(one is not None and 0.0 < one < 1.0 for one in likely)
    assert all(a <= b for a, b in pairwise(likely) if a and b)


def test_pooling_gives_the_best_non_decreasing_fit() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    random = np.random.default_rng(6)
    # Ten items at each of a hundred confidences: no step is too small to stand.
    said = np.repeat(np.linspace(0.0, 0.99, 100), 10)
    right = random.random(1000) < 0.2 + 0.6 * said
    fitted = fit([Item(float(c), bool(r)) for c, r in zip(said, right, strict=True)], TODAY)
    best = optimize.isotonic_regression(right.astype(float), weights=None).x
    by_confidence = optimize.isotonic_regression(
        right.reshape(100, 10).mean(axis=1), weights=np.full(100, 10.0)
    ).x
    assert len(best) == 1000
    values = sorted({round(float(v), 9) for v in by_confidence if 0.01 < v < 0.99})
    knots = [round(rate, 9) for _, rate in fitted.knots if 0.01 < rate < 0.99]
    assert knots == values


@pytest.mark.parametrize("method", METHODS)
def test_too_few_items_claim_nothing(method: Method) -> None:
    few = fit(overconfident(1, FEWEST_ITEMS - 1), TODAY, method)
    assert (few.method, few.items, few.claims) == ("uncalibrated", FEWEST_ITEMS - 1, False)
    assert few.apply(0.9) is None
    assert fit(overconfident(1, FEWEST_ITEMS), TODAY, method).apply(0.9) is not None
    assert fit([], TODAY, method).apply(0.5) is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_is_believed_only_as_far_as_the_items_go(
    method: Method, right: bool
) -> None:
    items = [Item(0.5 + n / 400, right) for n in range(100)]
    likely = fit(items, TODAY, method).apply(0.6)
    assert likely is not None
    off = 1 - likely if right else likely
    assert off >= 1 / 102 - 1e-12
    assert off < 0.05


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_always_says_the_same_gets_its_accuracy(method: Method) -> None:
    fitted = fit([Item(0.99, n % 4 > 0) for n in range(200)], TODAY, method)
    assert fitted.apply(0.99) == pytest.approx(0.75, abs=0.01)
    assert fitted.apply(0.1) == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_confidence_that_means_the_opposite_counts_as_none(method: Method) -> None:
    items = [Item(n / 400, n < 200) for n in range(400)]
    fitted = fit(items, TODAY, method)
    assert fitted.apply(0.05) == pytest.approx(0.5, abs=0.01)
    assert fitted.apply(0.95) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_a_stored_calibrator_says_the_same(method: Method) -> None:
    fitted = fit(overconfident(5, 300), TODAY, method)
    stored = json.loads(json.dumps(fitted.to_dict()))
    assert (stored["items"], stored["fitted_on"], stored["method"]) == (300, "2026-01-31", method)
    again = Calibrator.from_dict(stored)
    assert again == fitted
    assert again.apply(0.7) == fitted.apply(0.7)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"method": "magic", "items": 60, "fitted_on": "2026-01-31"},
        {"method": "platt", "items": "many", "fitted_on": "2026-01-31"},
        {"method": "isotonic", "items": 60, "fitted_on": "2026-01-31"},
        {"method": "platt", "items": 60, "fitted_on": "2026-01-31", "colour": 3},
    ],
)
def test_a_damaged_store_is_an_error_and_not_a_guess(stored: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="stored calibration"):
        Calibrator.from_dict(stored)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": 49}, "items"),
        ({"items": -1, "method": "uncalibrated"}, "items"),
        ({"items": 10**400}, "items"),
        ({"items": True}, "items"),
        ({"fitted_on": "yesterday"}, "fitted_on"),
        ({"slope": math.nan}, "slope"),
        ({"slope": -1.0}, "slope"),
        ({"slope": "steep"}, "slope"),
        ({"intercept": math.inf}, "intercept"),
        ({"knots": [[0.1, 0.2]]}, "knots"),
        ({"method": "isotonic"}, "knots"),
        ({"method": "isotonic", "knots": [[0.1, 0.2, 0.3]]}, "knots[0]"),
        ({"method": "isotonic", "knots": [[0.1, "much"]]}, "knots[0][1]"),
        ({"method": "isotonic", "knots": [[0.1, math.nan]]}, "knots.right[0]"),
        ({"method": "isotonic", "knots": [[0.1, 0.2], [1.5, 0.3]]}, "knots.confidence[1]"),
        ({"method": "isotonic", "knots": [[0.4, 0.2], [0.4, 0.3]]}, "knots.confidence[1]"),
        ({"method": "isotonic", "knots": [[0.1, 0.5], [0.4, 0.3]]}, "knots.right[1]"),
    ],
)
def test_a_stored_value_that_no_fit_gives_is_named(change: dict[str, object], field: str) -> None:
    stored = {"method": "platt", "items": 60, "fitted_on": "2026-01-31", "slope": 1.0}
    assert Calibrator.from_dict(stored).slope == 1.0
    with pytest.raises(InvalidRequest) as raised:
        Calibrator.from_dict({**stored, **change})
    assert raised.value.metadata["field"] == f"stored calibration.{field}"
    assert all(raised.value.metadata[part] for part in ("value", "limit", "fix"))


@pytest.mark.parametrize("stored", [None, 3, "platt", ["platt"]])
def test_what_is_no_mapping_is_no_calibration(stored: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be a mapping"):
        Calibrator.from_dict(stored)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_a_confidence_that_is_no_probability_is_named(bad: float) -> None:
    with pytest.raises(InvalidRequest, match=r"items\[1\]\.confidence"):
        fit([Item(0.5, True), Item(bad, True)], TODAY)
    with pytest.raises(InvalidRequest, match="confidence"):
        fit(overconfident(1, 60), TODAY).apply(bad)
    with pytest.raises(InvalidRequest, match="confidence"):
        brier_score([Item(bad, True)])


def test_the_calibration_error_of_known_bins() -> None:
    items = [Item(0.2, n < 4) for n in range(10)] + [Item(0.9, n < 9) for n in range(10)]
    assert expected_calibration_error(items, 2) == pytest.approx(0.1)
    assert expected_calibration_error(items, 10, equal_mass=False) == pytest.approx(0.1)
    curve = reliability_curve(items, 2)
    assert [(round(b.confidence, 9), b.accuracy, b.items) for b in curve] == [
        (0.2, 0.4, 10),
        (0.9, 0.9, 10),
    ]
    assert brier_score([Item(0.8, True), Item(0.4, False)]) == pytest.approx(0.1)


def test_equal_masses_cut_crowded_places_finer_than_equal_widths() -> None:
    items = overconfident(1, 1000)
    assert {one.items for one in reliability_curve(items)} == {100}
    wide = reliability_curve(items, equal_mass=False)
    assert sum(one.items for one in wide) == 1000
    assert max(one.items for one in wide) > 200


def test_no_items_have_no_error_and_no_bins_are_refused() -> None:
    assert expected_calibration_error([]) == 0.0
    assert brier_score([]) == 0.0
    with pytest.raises(InvalidRequest, match="bins"):
        reliability_curve([], 0)
