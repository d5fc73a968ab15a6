"""Facts about the confidence of an answer: learned from how votes stood, right when held out."""

from __future__ import annotations

import json
import math
from datetime import date

import numpy as np
import pytest

from quorate.answers import extract
from quorate.errors import InvalidRequest
from quorate.voting import Vote, decide
from quorate.voting.answer_calibration import (
    FEWEST_ITEMS,
    AnswerCalibrator,
    AnswerItem,
    Features,
    features_of,
    fit_answers,
)
from quorate.voting.calibration import Item, expected_calibration_error

TODAY = date(2026, 1, 31)


def polls(seed: int, items: int, voters: int = 7) -> list[AnswerItem]:
    """Votes of panels on questions of all difficulties, with four possible answers."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(items):
        skill = random.beta(2.0, 1.2)
        said = np.where(random.random(voters) < skill, 0, random.integers(1, 4, voters))
        counts = np.bincount(said, minlength=4)
        winner = int(np.argmax(counts))
        first, second = np.sort(counts)[::-1][:2] / voters
        sure = float(np.clip(0.3 + 0.6 * skill + random.normal(0, 0.1), 0, 1))
        known = sure if random.random() < 0.8 else None
        features = Features(float(first), float(first), float(first - second), 3.5, known)
        made.append(AnswerItem(features, winner == 0))
    return made


def test_held_out_answers_are_calibrated() -> None:
    fitted = fit_answers(polls(1, 1500), TODAY)
    held_out = polls(2, 4000)
    likely = [Item(fitted.apply(item.features) or -1.0, item.right) for item in held_out]
    assert expected_calibration_error(likely) <= 0.05
    assert expected_calibration_error(likely, equal_mass=False) <= 0.05
    shares = [Item(item.features.share, item.right) for item in held_out]
    assert expected_calibration_error(shares) > 0.06


@pytest.mark.parametrize("seed", range(5))
def test_a_clearer_vote_is_never_less_sure(seed: int) -> None:
    fitted = fit_answers(polls(seed, 150), TODAY)
    base = Features(0.5, 0.5, 0.2, 3.0, 0.6)
    before = fitted.apply(base)
    assert before is not None
    for field in Features._fields:
        more = fitted.apply(base._replace(**{field: getattr(base, field) + 0.2}))
        assert more is not None
        assert more >= before - 1e-12


def test_a_feature_that_misleads_is_left_out() -> None:
    random = np.random.default_rng(3)
    items = [
        AnswerItem(Features(share, 1 - share, 0.5, 2.0), bool(random.random() < share))
        for share in random.random(400)
    ]
    fitted = fit_answers(items, TODAY)
    assert fitted.weights[0] > 0.0
    assert fitted.weights[1] == 0.0
    assert all(weight >= 0.0 for weight in fitted.weights)


def test_a_feature_that_never_varied_has_no_say() -> None:
    fitted = fit_answers(polls(1, 300), TODAY)
    assert fitted.weights[3] == 0.0
    low, high = (fitted.apply(Features(0.7, 0.7, 0.4, number)) for number in (1.0, 50.0))
    assert low == high


def test_too_few_items_claim_nothing() -> None:
    few = fit_answers(polls(1, FEWEST_ITEMS - 1), TODAY)
    assert (few.method, few.items, few.claims) == ("uncalibrated", FEWEST_ITEMS - 1, False)
    assert few.apply(Features(1, 1, 1, 5)) is None
    assert fit_answers([], TODAY).apply(Features(1, 1, 1, 5)) is None


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_is_believed_only_as_far_as_the_items_go(right: bool) -> None:
    items = [AnswerItem(item.features, right) for item in polls(4, 200)]
    likely = fit_answers(items, TODAY).apply(Features(0.9, 0.9, 0.8, 3.5))
    assert likely is not None
    off = 1 - likely if right else likely
    assert off >= 1 / 202 - 1e-12
    assert off < 0.05


@pytest.mark.parametrize("few", [True, False])
def test_a_stored_calibrator_says_the_same(few: bool) -> None:
    fitted = fit_answers(polls(5, 50 if few else 300), TODAY)
    stored = json.loads(json.dumps(fitted.to_dict()))
    assert stored["fitted_on"] == "2026-01-31"
    assert AnswerCalibrator.from_dict(stored) == fitted


@pytest.mark.parametrize(
    "change",
    [
        {"weights": [1.0]},
        {"scales": [1.0, 1.0, 0.0, 1.0, 1.0]},
        {"method": "guess"},
        {"means": "none"},
        {"means": [0.0, 0.0, 0.0, math.nan, 0.0]},
        {"scales": [1.0, 1.0, math.inf, 1.0, 1.0]},
        {"weights": [1.0, 1.0, -1.0, 1.0, 1.0]},
        {"weights": []},
        {"intercept": math.nan},
        {"items": 99},
        {"method": "uncalibrated"},
        {"fitted_on": "2026-02-30"},
    ],
)
def test_a_damaged_store_is_an_error_and_not_a_guess(change: dict[str, object]) -> None:
    stored = fit_answers(polls(5, 300), TODAY).to_dict()
    with pytest.raises(InvalidRequest, match="stored calibration"):
        AnswerCalibrator.from_dict({**stored, **change})


@pytest.mark.parametrize("field", Features._fields)
@pytest.mark.parametrize("bad", [math.nan, -0.1, math.inf])
def test_a_feature_outside_its_limits_is_named(field: str, bad: float) -> None:
    wrong = Features(0.5, 0.5, 0.1, 2.0, 0.5)._replace(**{field: bad})
    with pytest.raises(InvalidRequest, match=rf"items\[0\]\.features\.{field}"):
        fit_answers([AnswerItem(wrong, True)], TODAY)


def test_the_features_of_a_vote_are_its_share_agreement_and_margin() -> None:
    texts = ["A", "A", "A", "B", ""]
    votes = [Vote(f"m{n}", extract(text)) for n, text in enumerate(texts)]
    features = features_of(decide("majority", votes), 2.5, 0.7)
    assert features.agreement == pytest.approx(3 / 5)
    assert features.share == pytest.approx(3 / 4 * 4 / 5)
    assert features.margin == pytest.approx(2 / 4)
    assert features[3:] == (2.5, 0.7)
    alone = features_of(decide("majority", votes[:1]), 1.0)
    assert (alone.margin, alone.ballots) == (1.0, None)
    nothing = features_of(decide("weighted", [Vote("m", extract("A"), 0.0)]), 1.0)
    assert nothing.margin == 0.0
