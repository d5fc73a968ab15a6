"""The problems of the plan benchmark are as it says, and its peers solve the same problem."""

import json

import pytest

from services.bench import figures
from services.bench.plan import __main__ as bench
from services.bench.plan.instances import draw, tight
from services.coordinator.routing.solve import solve


@pytest.mark.parametrize("seed", range(5))
def test_each_machine_has_room_for_40_to_70_percent_of_its_models(seed):
    problem = draw(64, 256, seed)
    assert len({option.machine for option in problem.options}) == 4
    for pool in problem.pools:
        total = sum(option.memory_bytes for option in problem.options if pool.name in option.pools)
        assert 0.39 < pool.budget_bytes / total < 0.71


def test_tasks_are_all_different_or_of_few_kinds():
    different, alike = draw(16, 64, 1), draw(16, 64, 1, repeated=True)
    assert len({column.tobytes() for column in different.reliability.T.copy()}) == 64
    assert len({column.tobytes() for column in alike.reliability.T.copy()}) <= 8


def test_the_same_seed_draws_the_same_problem():
    assert (draw(8, 16, 3).reliability == draw(8, 16, 3).reliability).all()
    assert draw(8, 16, 3).options == draw(8, 16, 3).options
    assert draw(8, 16, 4).options != draw(8, 16, 3).options


def test_a_tight_budget_holds_half_of_the_models_at_most_and_never_none():
    for seed in range(50):
        problem = tight(seed)
        sizes = [option.memory_bytes for option in problem.options]
        assert min(sizes) <= problem.pools[0].budget_bytes <= max(min(sizes), sum(sizes) // 2)


def test_all_peers_find_the_same_best_plan():
    for seed in range(3):
        problem = draw(10, 12, seed)
        ours = solve(problem)
        for name, peer in bench.PEERS.items():
            found = peer(problem, 10.0)
            assert found.finished, name
            assert found.objective == pytest.approx(ours.objective, abs=1e-6), name


def test_figures_stand_beside_what_is_accepted_and_the_proofs_beside_them(tmp_path):
    runs = bench.measure(8, 16, False, 2)
    made = [*bench.of_size(8, 16, False, runs), *bench.proved({"small": runs})]
    path = figures.publish("plan", made, tmp_path, sections={"proofs": bench.proofs({"s": runs})})
    written = json.loads(path.read_text())
    by_name = {(figure["name"], figure["peer"]): figure for figure in written["figures"]}
    assert by_name["8 models, 16 different tasks: p50", "accepted"]["goal"] == "<= 1.00"
    assert by_name["plans proved optimal", "problems"]["holds"]
    assert written["proofs"]["s"]["largest_gap"] == 0.0


def test_the_relaxation_with_argmax_breaks_budgets_and_ours_does_not():
    figure = bench.broken_budgets(20)
    assert figure.value == 0.0
    assert figure.peer_value > 0.0
    assert figure.holds
