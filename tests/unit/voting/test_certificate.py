"""Facts about mode certificates: rarely false, whenever one looks, and never about correctness."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import InvalidRequest
from quorate.voting.certificate import CertificateProcess, _log_bets, certify, most_log_e

DELTA = 0.05


def first_crossings(wins: np.ndarray, recomputed: bool) -> float:
    """Share of rows of wins and losses in which the evidence ever reaches 1/δ."""
    won = np.cumsum(wins, axis=1)
    seen = np.arange(1, wins.shape[1] + 1)
    before = np.concatenate([np.zeros((len(wins), 1)), won[:, :-1]], axis=1)
    bet = np.maximum(0.5, (before + 0.5) / seen)
    if recomputed:
        logs = won * np.log(2 * bet) + (seen - won) * np.log(2 * (1 - bet))
    else:
        logs = np.cumsum(np.log(2 * np.where(wins, bet, 1 - bet)), axis=1)
    return float((logs.max(axis=1) >= math.log(1 / DELTA)).mean())


def test_recomputing_the_likelihood_crosses_falsely_and_the_product_of_bets_does_not() -> None:
    # The null: two answers equally common, 100 votes looked at one by one.
    wins = np.random.default_rng(2025).random((40_000, 100)) < 0.5
    assert first_crossings(wins, recomputed=True) == pytest.approx(0.065, abs=0.005)
    product = first_crossings(wins, recomputed=False)
    assert product == pytest.approx(0.019, abs=0.003)
    assert product <= DELTA


def test_the_process_multiplies_the_bets_that_the_simulation_multiplies() -> None:
    wins = np.random.default_rng(7).random((300, 60)) < 0.62
    crossed = 0
    for row in wins:
        process = CertificateProcess(DELTA)
        for label in ["a" if win else "b" for win in row]:
            process.add(label)
        crossed += process.certificate is not None and process.certificate.answer == "a"
    alone = first_crossings(wins, recomputed=False)
    assert 0.5 * alone < crossed / len(wins) <= alone + 1e-9


@pytest.mark.parametrize(
    "shares",
    [
        [0.5, 0.5],
        [1 / 3, 1 / 3, 1 / 3],
        [0.4, 0.4, 0.2],
        [0.34, 0.33, 0.33],
        [0.3, 0.28, 0.28, 0.14],
        [0.1] * 10,
        [0.51, 0.49],
    ],
)
def test_what_is_not_the_mode_is_rarely_certified_however_often_one_looks(
    shares: list[float],
) -> None:
    draws = np.random.default_rng(len(shares)).choice(len(shares), size=(600, 40), p=shares)
    certified = [certify(row.tolist(), DELTA) for row in draws]
    modes = {place for place, share in enumerate(shares) if share == max(shares)}
    only_mode = modes if len(modes) == 1 else set()
    false = [one for one in certified if one is not None and one.answer not in only_mode]
    assert len(false) / len(draws) <= DELTA + 2 * math.sqrt(DELTA * (1 - DELTA) / len(draws))


def test_a_clear_mode_is_certified_soon() -> None:
    draws = np.random.default_rng(1).choice(3, size=(300, 60), p=[0.8, 0.1, 0.1])
    certified = [certify(row.tolist(), DELTA) for row in draws]
    found = [one for one in certified if one is not None]
    assert len(found) / len(draws) > 0.95
    assert all(one.answer == 0 for one in found)
    assert np.median([one.votes for one in found]) <= 20


def test_seven_unanimous_votes_certify_and_six_do_not() -> None:
    assert certify(["x"] * 6) is None
    certificate = certify(["x"] * 7)
    assert certificate is not None
    assert (certificate.answer, certificate.votes, certificate.delta) == ("x", 7, 0.05)
    # 2^7 · C(14, 7) / 4^7: the estimates (i + ½)/(i + 1) multiplied.
    assert certificate.e_value == pytest.approx(2**7 * math.comb(14, 7) / 4**7)


def test_the_rest_together_can_withhold_what_the_runner_up_alone_would_not() -> None:
    # "a" beats each other answer by far, and all of them together not at all.
    labels = [label for n in range(12) for label in ("a", f"other {n}")]
    assert certify(labels) is None
    assert certify(["a"] * 12 + ["b"] * 2) is not None


def test_a_tie_is_no_evidence() -> None:
    process = CertificateProcess()
    for label in "abab":
        process.add(label)
    assert process.e_value == 1.0
    assert CertificateProcess().e_value == 1.0


def test_abstentions_are_counted_as_votes_and_never_as_evidence() -> None:
    certificate = certify([None, "x"] * 7)
    assert certificate is not None
    assert certificate.votes == 14
    assert certify([None] * 50) is None


def test_the_first_certificate_stays() -> None:
    process = CertificateProcess()
    first = [process.add("x") for _ in range(7)][-1]
    assert first is not None
    assert [process.add("y") for _ in range(20)] == [first] * 20


def test_the_process_and_the_function_say_the_same() -> None:
    random = Random(3)
    for _ in range(200):
        labels = random.choices("abc", [6, 2, 1], k=25)
        process = CertificateProcess(0.1)
        seen = [process.add(label) for label in labels]
        assert certify(labels, 0.1) == next((one for one in seen if one is not None), None)


@pytest.mark.parametrize("delta", [0.0, -0.1, 0.51, float("nan")])
def test_a_delta_that_promises_nothing_is_refused(delta: float) -> None:
    with pytest.raises(InvalidRequest, match="delta"):
        CertificateProcess(delta)


@given(st.lists(st.booleans(), max_size=40))
def test_no_order_of_wins_and_losses_gives_more_than_the_bound(wins: list[bool]) -> None:
    won = sum(wins)
    bound = most_log_e(won, len(wins) - won)
    assert _log_bets(wins) <= bound + 1e-9


@given(st.integers(0, 60), st.integers(0, 40))
def test_the_bound_is_reached_by_wins_alone_after_the_losses(ahead: int, losses: int) -> None:
    wins = [*[False, True] * losses, *[True] * ahead]
    assert _log_bets(wins) == pytest.approx(most_log_e(losses + ahead, losses), abs=1e-9)


@given(st.lists(st.sampled_from([None, "a", "a", "a", "b", "c"]), max_size=60))
def test_the_certificate_comes_with_the_very_vote_at_which_the_e_value_is_reached(
    labels: list[str | None],
) -> None:
    watched, unhurried = CertificateProcess(0.05), CertificateProcess(0.05)
    reached = None
    for label in labels:
        watched.add(label)
        unhurried.certificate = None
        unhurried.add(label)
        if reached is None and label is not None and unhurried.e_value >= 1.0 / 0.05:
            reached = unhurried.e_value
        assert (watched.certificate is None) is (reached is None)
    if watched.certificate is not None:
        assert watched.certificate.e_value == pytest.approx(reached)
