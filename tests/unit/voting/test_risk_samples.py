"""Facts about samples of one model: until it is measured how alike they err, nothing is known."""

from __future__ import annotations

from quorate.voting.knowledge import Joint, Knowledge, Record
from quorate.voting.risk import belief_of

HISTORY = Knowledge(overall={"a": Record(80, 20), "b": Record(70, 30)})


def test_samples_of_a_model_are_not_believed_before_they_were_compared() -> None:
    assert belief_of(["a", "a", "a"], 1, HISTORY) is None
    assert belief_of(["a", "b", "b"], 1, HISTORY) is None


def test_samples_that_were_compared_are_believed() -> None:
    measured = Knowledge(
        overall=HISTORY.overall, joint={("a", "a"): Joint(60, 20, 20, 0), ("a", "b"): Joint()}
    )
    belief = belief_of(["a", "a"], 1, measured)
    assert belief is not None
    assert belief.correlation < 0.5


def test_different_models_are_believed_by_their_kinship() -> None:
    assert belief_of(["a", "b"], 1, HISTORY) is not None
