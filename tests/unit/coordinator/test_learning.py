"""What an answer teaches: counts, estimates and what strategies get of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.errors import InvalidRequest
from quorate.voting.knowledge import Joint, Kin, Record, Together
from services.coordinator.state import learning
from services.coordinator.state.learned import (
    NOTHING_LEARNED,
    BallotItem,
    Changes,
    Evidence,
    JointChange,
    ModelKey,
    RecordChange,
    State,
    TogetherChange,
)

ATLAS = ModelKey("atlas", "a" * 64)
BOREAS = ModelKey("boreas", "b" * 64)


def answered(
    model: ModelKey, *, right: bool, topic: str = "math", evidence: Evidence = Evidence.TRUTH
) -> Changes:
    return Changes(records=(RecordChange(model, topic, evidence, float(right), float(not right)),))


def after(*changes: Changes, half_life: float = learning.HALF_LIFE_ITEMS) -> State:
    state = NOTHING_LEARNED
    for change in changes:
        state = learning.learn(state, change, half_life)
    return state


def test_a_perfect_models_estimate_rises_with_every_answer_and_passes_999_per_mille() -> None:
    state, before = NOTHING_LEARNED, 0.5
    for _ in range(3_000):
        state = learning.learn(state, answered(ATLAS, right=True))
        now = learning.estimate(state, ATLAS, "math").mean
        assert now > before or math.isclose(now, before, rel_tol=1e-12)
        before = now
    assert before > 0.995
    assert learning.estimate(state, ATLAS).mean > 0.999


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7, 0.9])
def test_an_estimate_settles_at_the_share_of_right_answers_and_does_not_drift_to_one_half(
    share: float,
) -> None:
    state = NOTHING_LEARNED
    for number in range(5_000):
        right = math.floor((number + 1) * share) > math.floor(number * share)
        state = learning.learn(state, answered(ATLAS, right=right))
    assert learning.estimate(state, ATLAS).mean == pytest.approx(share, abs=0.005)


def test_other_models_answers_do_not_change_an_estimate() -> None:
    state = after(*[answered(ATLAS, right=True)] * 50)
    alone = learning.estimate(state, ATLAS, "math")
    for _ in range(500):
        state = learning.learn(state, answered(BOREAS, right=False))
    assert learning.estimate(state, ATLAS, "math") == alone


def test_an_item_counts_half_after_a_half_life_of_further_items() -> None:
    state = after(answered(ATLAS, right=False), *[answered(ATLAS, right=True)] * 100, half_life=100)
    assert learning.record_of(state, ATLAS, "math").wrong == pytest.approx(0.5)


def test_a_model_that_becomes_worse_is_seen_through() -> None:
    state = after(*[answered(ATLAS, right=True)] * 500, half_life=100)
    for _ in range(500):
        state = learning.learn(state, answered(ATLAS, right=False), 100)
    assert learning.estimate(state, ATLAS).mean < 0.05


def test_a_topic_with_little_history_shrinks_to_the_general_reliability() -> None:
    state = after(
        *[answered(ATLAS, right=True, topic="math")] * 100,
        answered(ATLAS, right=False, topic="code"),
    )
    on_code = learning.estimate(state, ATLAS, "code").mean
    assert 0.8 < on_code < 0.9  # (0 + 8 · 101/102) / 9
    for _ in range(100):
        state = learning.learn(state, answered(ATLAS, right=False, topic="code"))
    assert learning.estimate(state, ATLAS, "code").mean < 0.1
    assert learning.estimate(state, ATLAS, "math").mean > 0.9


def test_an_announced_prior_is_where_a_model_starts_and_is_outweighed() -> None:
    assert learning.estimate(NOTHING_LEARNED, ATLAS, prior=0.9).mean == pytest.approx(0.9)
    state = after(*[answered(ATLAS, right=False)] * 100)
    assert learning.estimate(state, ATLAS, prior=0.9).mean < 0.05


def test_consensus_is_counted_apart_and_counts_only_where_that_is_asked_for() -> None:
    state = after(*[answered(ATLAS, right=True, evidence=Evidence.CONSENSUS)] * 20)
    assert learning.estimate(state, ATLAS).mean == 0.5
    assert learning.knowledge(state, [ATLAS]).overall == {}
    known = learning.knowledge(state, [ATLAS], consensus=True)
    assert known.overall[ATLAS.id].right > 19


def test_a_changed_file_starts_anew_and_the_old_file_finds_its_history_again() -> None:
    state = after(*[answered(ATLAS, right=True)] * 50)
    assert learning.estimate(state, ModelKey("atlas", "c" * 64)).items == 0
    assert learning.estimate(state, ATLAS).items > 45


def test_knowledge_holds_the_voters_alone_by_their_ids() -> None:
    pair = (ATLAS, BOREAS)
    state = after(
        Changes(
            records=(
                RecordChange(ATLAS, "math", Evidence.TRUTH, 1, 0),
                RecordChange(ATLAS, "code", Evidence.TEST, 0, 1),
                RecordChange(ModelKey("corvus"), "math", Evidence.TRUTH, 1, 0),
            ),
            together=(TogetherChange(pair, 0.25, 0.75),),
            joint=(JointChange(pair, 0, 1, 0, 0),),
        )
    )
    kin = {ATLAS: Kin(ATLAS.sha256, "pocket", "n1")}
    known = learning.knowledge(state, [BOREAS, ATLAS, ATLAS], "math", kin, options=4)
    names = ("atlas@aaaaaaaaaaaa", "boreas@bbbbbbbbbbbb")
    assert known.overall == {names[0]: Record(1, 1)}
    assert known.on_topic == {names[0]: Record(1, 0)}
    assert known.together == {names: Together(0.25, 0.75)}
    assert known.joint == {names: Joint(0, 1, 0, 0)}
    assert known.kin == {names[0]: Kin(ATLAS.sha256, "pocket", "n1")}
    assert (known.topic, known.options) == ("math", 4)


def test_an_unknown_topic_has_no_record_of_its_own() -> None:
    state = after(answered(ATLAS, right=True, topic=""))
    known = learning.knowledge(state, [ATLAS], "")
    assert known.overall
    assert not known.on_topic


def test_a_joint_count_turns_with_its_pair_where_ids_sort_otherwise_than_keys() -> None:
    one, other = ModelKey("a", "f" * 64), ModelKey("a-b", "")  # "a@f…" sorts after "a-b"
    state = after(Changes(joint=(JointChange((one, other), 0, 1, 0, 0),)))
    assert learning.knowledge(state, [one, other]).joint == {(other.id, one.id): Joint(0, 0, 1, 0)}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -0.1])
def test_counts_that_are_no_counts_are_refused_by_name(bad: float) -> None:
    for changes in (
        Changes(records=(RecordChange(ATLAS, "", Evidence.TRUTH, bad, 0),)),
        Changes(together=(TogetherChange((ATLAS, BOREAS), bad, 0),)),
        Changes(joint=(JointChange((ATLAS, BOREAS), 0, 0, bad, 0),)),
        Changes(ballots=(BallotItem(ATLAS, "", bad, right=True),)),
    ):
        with pytest.raises(InvalidRequest, match=r"count|confidence"):
            learning.learn(NOTHING_LEARNED, changes)


def test_a_pair_of_one_model_or_in_the_wrong_order_is_refused() -> None:
    for pair in ((ATLAS, ATLAS), (BOREAS, ATLAS)):
        with pytest.raises(InvalidRequest, match="pair"):
            learning.learn(NOTHING_LEARNED, Changes(together=(TogetherChange(pair, 1, 0),)))


@pytest.mark.parametrize("half_life", [0.0, -1.0, math.nan])
def test_a_half_life_that_is_none_is_refused(half_life: float) -> None:
    with pytest.raises(InvalidRequest, match="half_life"):
        learning.learn(NOTHING_LEARNED, Changes(), half_life)


@settings(max_examples=200)
@given(st.lists(st.booleans(), max_size=60), st.floats(1, 1e6))
def test_an_estimate_always_lies_strictly_between_0_and_1(
    rights: list[bool], half_life: float
) -> None:
    state = after(*[answered(ATLAS, right=right) for right in rights], half_life=half_life)
    for topic in (None, "math", "code"):
        assert 0.0 < learning.estimate(state, ATLAS, topic).mean < 1.0
