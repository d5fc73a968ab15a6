"""Facts about errors in common: copies count once, strangers more, history tells."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
import pytest

from quorate.errors import InvalidRequest
from quorate.voting.correlation import (
    PRIOR_ITEMS,
    SAME_FAMILY,
    SAME_NODE,
    STRANGERS,
    effective_votes,
    error_correlation,
    phi,
)
from quorate.voting.knowledge import NOTHING_KNOWN, Joint, Kin, Knowledge

INDEPENDENT = Joint(2500.0, 2500.0, 2500.0, 2500.0)
TOGETHER = Joint(5000.0, 0.0, 0.0, 5000.0)


def random_knowledge(random: Random, models: list[str], copies: bool = True) -> Knowledge:
    joint = {}
    for pair in combinations(sorted(models), 2):
        if random.random() < 0.8:
            joint[pair] = Joint(*(float(random.randint(0, 60)) for _ in range(4)))
    kin = {
        model: Kin(
            random.choice(["", "x", "y"]) if copies else "",
            random.choice(["", "f", "g"]),
            random.choice(["", "n1", "n2"]),
        )
        for model in models
    }
    return Knowledge(joint=joint, kin=kin)


@pytest.mark.parametrize("seed", range(60))
def test_the_matrix_is_a_correlation_matrix_and_votes_lie_between_one_and_n(seed: int) -> None:
    random = Random(seed)
    models = [f"m{n}" for n in range(random.randint(1, 9))]
    knowledge = random_knowledge(random, models)
    matrix = error_correlation(models, knowledge)
    assert matrix.shape == (len(models), len(models))
    assert np.allclose(matrix, matrix.T)
    assert np.allclose(np.diag(matrix), 1.0)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-8
    assert np.abs(matrix).max() < 1.0 + 1e-9
    assert 1.0 <= effective_votes(models, knowledge) <= len(models)
    weights = [random.random() + 0.01 for _ in models]
    of_weights = effective_votes(models, knowledge, weights)
    assert 1.0 <= of_weights <= effective_votes(models, knowledge) + 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_a_copy_of_a_member_changes_nothing(seed: int) -> None:
    random = Random(1000 + seed)
    models = [f"m{n}" for n in range(random.randint(1, 6))]
    knowledge = random_knowledge(random, models, copies=False)
    kin = {model: of._replace(sha256=f"file of {model}") for model, of in knowledge.kin.items()}
    copied = random.choice(models)
    kin["copy"] = kin[copied]
    with_copy = Knowledge(joint=knowledge.joint, kin=kin)
    before = effective_votes(models, with_copy)
    assert effective_votes([*models, "copy"], with_copy) == pytest.approx(before, abs=1e-5)
    assert effective_votes([*models, copied], with_copy) == pytest.approx(before, abs=1e-5)


def test_entries_do_not_depend_on_the_order_of_the_models() -> None:
    random = Random(5)
    models = [f"m{n}" for n in range(6)]
    knowledge = random_knowledge(random, models)
    forward = error_correlation(models, knowledge)
    backward = error_correlation(models[::-1], knowledge)
    assert np.allclose(forward, backward[::-1, ::-1], atol=1e-9)


def test_before_any_history_kinship_decides() -> None:
    kin = {
        "a": Kin("1", "llama", "n1"),
        "b": Kin("1", "llama", "n2"),
        "c": Kin("2", "llama", "n2"),
        "d": Kin("3", "qwen", "n2"),
        "e": Kin(),
        "f": Kin(),
    }
    matrix = error_correlation(list("abcdef"), Knowledge(kin=kin))
    assert matrix[0, 1] == pytest.approx(1.0)
    assert matrix[0, 2] == pytest.approx(SAME_FAMILY + SAME_NODE), "its copy is on that node"
    assert matrix[1, 2] == pytest.approx(SAME_FAMILY + SAME_NODE)
    assert matrix[0, 4] == pytest.approx(STRANGERS)
    assert matrix[2, 3] == pytest.approx(STRANGERS + SAME_NODE)
    assert matrix[4, 5] == pytest.approx(STRANGERS), "what is unknown equals nothing"


def test_samples_of_one_model_count_once_until_they_are_seen_to_err_apart() -> None:
    assert effective_votes(["m"] * 5) == pytest.approx(1.0)
    apart = Knowledge(joint={("m", "m"): INDEPENDENT})
    assert effective_votes(["m"] * 5, apart) > 4.5
    half = Knowledge(joint={("m", "m"): Joint(7500.0, 2500.0, 2500.0, 7500.0)})
    assert effective_votes(["m"] * 5, half) == pytest.approx(5 / (1 + 4 * 0.5), abs=0.02)


def test_much_history_outweighs_kinship_and_little_does_not() -> None:
    def between(joint: Joint) -> float:
        return float(error_correlation(["a", "b"], Knowledge(joint={("a", "b"): joint}))[0, 1])

    assert between(INDEPENDENT) == pytest.approx(0.0, abs=0.002)
    assert between(TOGETHER) == pytest.approx(1.0, abs=0.004)
    as_much_as_the_prior = Joint(*(count * PRIOR_ITEMS / 10_000 for count in TOGETHER))
    assert between(as_much_as_the_prior) == pytest.approx((1.0 + STRANGERS) / 2)


def test_history_of_copies_is_pooled_whatever_their_names() -> None:
    kin = {"a": Kin("1"), "z": Kin("1"), "m": Kin("2")}
    joint = {("a", "m"): Joint(50, 30, 5, 15), ("m", "z"): Joint(50, 5, 30, 15)}
    matrix = error_correlation(["a", "m", "z"], Knowledge(joint=joint, kin=kin))
    assert matrix[0, 1] == pytest.approx(matrix[1, 2])
    pooled = phi(Joint(100, 60, 10, 30))
    assert pooled is not None
    expected = (200 * pooled + PRIOR_ITEMS * STRANGERS) / (200 + PRIOR_ITEMS)
    assert matrix[0, 1] == pytest.approx(expected)


def test_phi_is_the_correlation_of_the_two_columns() -> None:
    one, other = (
        [1] * 50 + [1] * 20 + [0] * 10 + [0] * 20,
        [1] * 50 + [0] * 20 + [1] * 10 + [0] * 20,
    )
    assert phi(Joint(50, 20, 10, 20)) == pytest.approx(np.corrcoef(one, other)[0, 1])
    assert phi(Joint(90, 10, 0, 0)) is None, "one was never wrong"
    assert phi(Joint()) is None


def test_history_that_contradicts_itself_is_made_consistent() -> None:
    opposed = Joint(0.0, 5000.0, 5000.0, 0.0)
    joint = {("a", "b"): opposed, ("a", "c"): opposed, ("b", "c"): opposed}
    matrix = error_correlation(["a", "b", "c"], Knowledge(joint=joint))
    assert np.linalg.eigvalsh(matrix)[0] > -1e-9
    assert matrix[0, 1] == pytest.approx(-0.5, abs=0.01)
    assert effective_votes(["a", "b", "c"], Knowledge(joint=joint)) == 3.0


def test_three_strangers_are_worth_two_votes() -> None:
    assert effective_votes(["a", "b", "c"]) == pytest.approx(3 / (1 + 2 * STRANGERS))
    assert effective_votes(["a", "b", "c"], NOTHING_KNOWN, [1, 1, 1]) == pytest.approx(2.0)
    assert effective_votes(["a", "b", "c"], NOTHING_KNOWN, [1, 0, 0]) == pytest.approx(1.0)


def test_a_member_that_adds_only_the_others_noise_gets_no_weight() -> None:
    # c errs with both a and b, which err apart: the best weighting leaves c out.
    joint = {
        ("a", "b"): INDEPENDENT,
        ("a", "c"): Joint(4500, 500, 500, 4500),
        ("b", "c"): Joint(4000, 1000, 1000, 4000),
    }
    of_three = effective_votes(["a", "b", "c"], Knowledge(joint=joint))
    of_two = effective_votes(["a", "b"], Knowledge(joint=joint))
    assert of_three == pytest.approx(of_two, abs=0.05)


def test_nobody_is_worth_nothing() -> None:
    assert effective_votes([]) == 0.0
    assert error_correlation([]).shape == (0, 0)


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [1.0, -1.0], [1.0, float("nan")]])
def test_weights_that_mean_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(InvalidRequest, match="weights"):
        effective_votes(["a", "b"], NOTHING_KNOWN, weights)
