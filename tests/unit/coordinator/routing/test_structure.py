"""What the structure proves is what CVXPY and HiGHS find from scratch."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.bench.plan.instances import draw
from services.coordinator.routing import structure_parts, structure_search
from services.coordinator.routing.mip import exact, mip
from services.coordinator.routing.modelling import model_of, run_highs
from services.coordinator.routing.packing import rows_of
from services.coordinator.routing.problem import Pool
from services.coordinator.routing.structure import by_structure
from services.coordinator.routing.structure_bound import descend, first_prices
from services.coordinator.routing.structure_core import core_of
from services.coordinator.routing.structure_exchange import improved
from services.coordinator.routing.structure_parts import (
    FREE,
    IN,
    OUT,
    Fractions,
    Listed,
    maximal_sets,
    parts_of,
)
from tests.unit.coordinator.routing.conftest import GB, best_by_trying, drawn, problem_of

FOREVER = math.inf


def spread(problem, random, copies=1):
    """Put every model on two of the machines."""
    places, options = [], []
    for place, option in enumerate(problem.options):
        for machine in random.choice(4, 2, replace=False):
            name = f"machine{machine}"
            options.append(option._replace(node=f"n{machine}", machine=name, pools=(name,)))
            places.append(place)
    pools = tuple(half_pool(options, f"machine{machine}") for machine in range(4))
    return replace(
        problem, options=tuple(options), pools=pools, copies=copies,
        reliability=problem.reliability[places], token_cost=problem.token_cost[places],
        seconds=problem.seconds[places],
    )  # fmt: skip


def half_pool(options, name):
    mine = [option.memory_bytes for option in options if option.machine == name]
    return Pool(name, max([*mine, sum(mine) // 2]))


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("batch", range(5))
def test_it_equals_cvxpy_from_scratch(batch, repeated):
    for seed in range(batch * 20, batch * 20 + 20):
        random = np.random.default_rng(seed)
        problem = draw(int(random.integers(8, 33)), int(random.integers(8, 49)), seed, repeated)
        ours, theirs = mip(problem, 20.0, 0), exact(problem, 20.0, 0)
        assert (ours.status, theirs.status) == ("optimal", "optimal")
        assert ours.solver == "structure"
        assert ours.objective == pytest.approx(theirs.objective, abs=1e-6)


def test_with_copies_on_several_machines_it_equals_cvxpy_from_scratch():
    for seed in range(40):
        random = np.random.default_rng(seed)
        problem = spread(draw(int(random.integers(4, 9)), 12, seed), random, 1 + seed % 2)
        ours, theirs = mip(problem, 20.0, 0), exact(problem, 20.0, 0)
        assert ours.status == "optimal"
        assert ours.objective == pytest.approx(theirs.objective, abs=1e-6)


def test_a_machine_with_too_many_models_to_list_their_sets_is_bounded_by_fractions(monkeypatch):
    monkeypatch.setattr(structure_parts, "MOST_LISTED", 1)
    random = np.random.default_rng(21)
    for _ in range(120):
        problem = drawn(random)
        best = best_by_trying(problem)
        if best > -math.inf:
            found = mip(problem, 10.0, 0)
            assert found.objective == pytest.approx(best, abs=1e-6)
            assert found.status == "optimal"


def test_sets_that_fit_are_listed_as_by_hand():
    random = np.random.default_rng(2)
    for _ in range(50):
        count, rows = int(random.integers(1, 9)), int(random.integers(1, 4))
        weights = random.integers(0, 9, (rows, count))
        budgets = np.maximum(weights.max(axis=1), weights.sum(axis=1) // 2)
        listed = {tuple(row) for row in maximal_sets(weights, budgets).tolist()}
        assert listed == sets_by_hand(weights, budgets)


def sets_by_hand(weights, budgets):
    count = weights.shape[1]
    fitting = [
        taken
        for taken in (tuple(bool(n >> i & 1) for i in range(count)) for n in range(2**count))
        if (weights[:, list(taken)].sum(axis=1) <= budgets).all()
    ]
    return {
        taken
        for taken in fitting
        if not any(other != taken and all(o >= t for o, t in zip(other, taken, strict=True))
                   for other in fitting)
    }  # fmt: skip


@pytest.mark.parametrize("kind", [Listed, Fractions])
def test_what_a_part_may_gain_is_never_less_than_by_hand(kind):
    random = np.random.default_rng(23)
    for _ in range(300):
        count, rows = int(random.integers(1, 7)), int(random.integers(1, 4))
        weights = random.integers(0, 6, (rows, count)) * (random.random((rows, count)) < 0.6)
        budgets = np.maximum(weights.max(axis=1), weights.sum(axis=1) // 2)
        gains = np.round(random.normal(size=count), 1)
        state = random.choice([FREE, FREE, IN, OUT], count).astype(np.int8)
        part = made(kind, weights, budgets).decided(state)
        most = most_by_hand(weights, budgets, gains, state)
        if part is None:
            assert most == -math.inf
            continue
        best = part.best(gains).gain
        assert best >= most - 1e-12
        if kind is Listed:
            assert best == pytest.approx(most)
        into, out = part.penalties(gains)
        for option in np.flatnonzero(state == FREE):
            for forced, fall in ((IN, into[option]), (OUT, out[option])):
                changed = state.copy()
                changed[option] = forced
                assert best - fall >= most_by_hand(weights, budgets, gains, changed) - 1e-12


def made(kind, weights, budgets):
    state = np.zeros(weights.shape[1], dtype=np.int8)
    if kind is Listed:
        return Listed(np.arange(weights.shape[1]), maximal_sets(weights, budgets), state)
    return Fractions(np.arange(weights.shape[1]), weights, budgets, state)


def most_by_hand(weights, budgets, gains, state):
    """The most that a set gains that holds all that are in, and none that is out."""
    best = -math.inf
    for number in range(2 ** len(gains)):
        taken = np.array([bool(number >> i & 1) for i in range(len(gains))])
        allowed = taken[state == IN].all() and not taken[state == OUT].any()
        if allowed and (weights[:, taken].sum(axis=1) <= budgets).all():
            best = max(best, float(gains[taken].sum()))
    return best


@pytest.mark.parametrize("listed", [0, 40])
def test_a_search_whose_bounds_are_bad_still_ends_at_the_best_plan(monkeypatch, listed):
    """With hardly a step for each bound there are many branches, and bounds rise on the way."""
    monkeypatch.setattr(structure_search, "ROOT_STEPS", 2)
    monkeypatch.setattr(structure_search, "NODE_STEPS", 1)
    monkeypatch.setattr(structure_search, "improved", lambda core, members, until: members)
    monkeypatch.setattr(structure_parts, "MOST_LISTED", listed)
    nodes = []
    for seed in range(80):
        problem = draw(9, 12, seed)
        core = core_of(problem)
        found = structure_search.search(core, FOREVER)
        if found.value == -math.inf:
            continue  # without steps there may be no plan to begin with
        assert found.value == pytest.approx(exact(problem, 10.0, 0).objective, abs=1e-6)
        nodes.append(found.nodes)
    assert len(nodes) > 40
    assert max(nodes) > 10


def test_more_sets_than_are_of_use_are_not_listed():
    weights = np.full((1, 30), GB)
    assert maximal_sets(weights, np.array([15 * GB])) is None


def test_the_bound_is_never_below_the_best_plan_and_no_worse_than_the_relaxation():
    random = np.random.default_rng(4)
    for seed in range(20):
        problem = draw(8, 12, seed) if seed % 2 else drawn(random, options=6)
        core = core_of(problem)
        best = best_by_trying(problem)
        if not len(core.options) or best == -math.inf:
            continue
        bound = descend(
            core, parts_of(core), first_prices(core), 400, lambda share, best=best: best,
            lambda value, best=best: value <= best,
        )  # fmt: skip
        relaxed = run_highs(model_of(problem, rows_of(problem), relaxed=True), 10.0).bound
        assert bound.value >= best - 1e-9
        assert bound.value <= relaxed + 1e-3 * max(1.0, abs(relaxed))


def test_equal_tasks_are_decided_once_and_useless_options_left_out():
    problem = problem_of(
        [[0.9] * 5, [0.8] * 5, [0.7] * 5, [0.6] * 5], [GB, GB, 2 * GB, GB], {"gpu": 2 * GB},
        voters=[1, 1, 1, 2, 2],
    )  # fmt: skip
    core = core_of(problem)
    assert core.weight.tolist() == [3.0, 2.0]
    assert core.voters.tolist() == [1, 2]
    assert core.options.tolist() == [0, 1]  # beside the two best the others are of no use


def test_an_option_that_is_worse_but_lighter_is_kept():
    problem = problem_of([[0.9], [0.5]], [3 * GB, GB], {"gpu": 3 * GB}, voters=[1])
    assert core_of(problem).options.tolist() == [0, 1]


def test_steps_improve_a_plan_and_end_where_no_step_helps():
    random = np.random.default_rng(6)
    for seed in range(20):
        core = core_of(draw(16, 24, seed))
        start = np.sort(random.permutation(len(core.options))[:2])
        if not core.fits(start):
            continue
        better = improved(core, start)
        assert core.fits(better)
        assert core.value(better) >= core.value(start)
        assert improved(core, better).tolist() == better.tolist()


def test_the_same_problem_gives_the_same_plan():
    for seed in range(5):
        assert (
            mip(draw(24, 48, seed), 10.0, 0).assignment
            == mip(draw(24, 48, seed), 10.0, 1).assignment
        )


def test_of_equal_plans_the_one_with_earlier_options_is_given():
    column = [0.5, 0.5, 0.5, 0.5]
    problem = problem_of(
        np.array([column] * 6), [GB] * 6, {"a": 2 * GB, "b": GB},
        pools=[("a",)] * 4 + [("b",)] * 2, voters=[1, 2, 3, 3],
    )  # fmt: skip
    assert mip(problem, 5.0, 0).assignment.workers == ((0,), (0, 1), (0, 1, 4), (0, 1, 4))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_its_bound_holds_and_its_plan_is_feasible(seed, copies):
    problem = drawn(np.random.default_rng(seed), copies=copies)
    best = best_by_trying(problem)
    if best == -math.inf:
        return
    partial = by_structure(problem, FOREVER)
    assert partial.bound >= best - 1e-6
    assert partial.objective <= best + 1e-9
    if partial.closed:
        assert partial.objective == pytest.approx(best, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 3.0))
def test_more_memory_never_makes_a_plan_worse(seed, factor):
    problem = drawn(np.random.default_rng(seed))
    best = best_by_trying(problem)
    if best == -math.inf:
        return
    roomier = replace(
        problem,
        pools=tuple(
            pool._replace(budget_bytes=int(pool.budget_bytes * factor)) for pool in problem.pools
        ),
    )
    assert mip(roomier, 10.0, 0).objective >= best - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_the_order_of_tasks_changes_nothing_of_the_value(seed, shuffle):
    problem = drawn(np.random.default_rng(seed))
    if best_by_trying(problem) == -math.inf:
        return
    order = list(range(len(problem.tasks)))
    shuffle.shuffle(order)
    turned = replace(
        problem,
        tasks=tuple(problem.tasks[m] for m in order),
        reliability=problem.reliability[:, order],
        token_cost=problem.token_cost[:, order],
        seconds=problem.seconds[:, order],
    )
    assert mip(turned, 10.0, 0).objective == pytest.approx(
        mip(problem, 10.0, 0).objective, abs=1e-9
    )
