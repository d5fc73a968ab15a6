"""Log-probabilities and confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.node.engine.confidence import GROUP_TOKENS, Confidence
from services.node.engine.logprobs import likeliest, peaks

rows = arrays.arrays(np.float32, (3, 17), elements=st.floats(-50, 50, width=32, allow_nan=False))


@given(rows)
def test_probabilities_of_a_row_sum_to_one(logits: np.ndarray) -> None:
    found = peaks(logits)
    total = np.exp(logits - np.array(found.normalizers)[:, None]).sum(axis=1)
    assert total == pytest.approx(np.ones(3), rel=1e-3)
    assert list(found.likeliest) == logits.argmax(axis=1).tolist()


def test_large_logits_do_not_overflow() -> None:
    row = np.array([[1e4, 1e4]], np.float32)
    assert peaks(row).normalizers == [pytest.approx(1e4 + np.log(2))]


def test_the_likeliest_come_first_and_no_more_than_there_are() -> None:
    row = np.array([0.1, 3.0, -1.0, 2.0], np.float32)
    assert likeliest(row, 2).tolist() == [1, 3]
    assert likeliest(row, 20).tolist() == [1, 3, 0, 2]


def test_confidence_before_the_first_token_is_zero() -> None:
    confidence = Confidence()
    assert (confidence.mean_logprob, confidence.lowest_group) == (0.0, 0.0)


def test_a_sample_shorter_than_a_group_has_no_group_confidence() -> None:
    confidence = Confidence()
    confidence.add(-0.5, [-0.5, -1.5])
    assert (confidence.mean_logprob, confidence.lowest_group) == (-0.5, 0.0)


def test_the_lowest_group_is_found_wherever_it_lies() -> None:
    confidence = Confidence()
    for logprob in [-3.0] * GROUP_TOKENS + [-1.0] * GROUP_TOKENS + [-2.0] * GROUP_TOKENS:
        confidence.add(logprob, [logprob])
    assert confidence.lowest_group == pytest.approx(1.0)
    assert confidence.mean_logprob == pytest.approx(-2.0)
