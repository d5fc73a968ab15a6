"""An answer that one ballot gives for all others: who stands behind it, and whether they suffice.

One model that speaks last agrees with itself, which says nothing: what counts are the ballots that
its answer was made of. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorate.answers import Answer, cluster


def agreement(answer: Answer, voted: Sequence[Answer | None]) -> float:
    """Give the share of ballots that have an answer, in [0, 1]; None is a ballot that has none."""
    labels = cluster([answer, *voted]).labels
    return (labels.count(labels[0]) - 1) / max(1, len(voted))


def too_little(answer: Answer, share: float, least: float) -> str:
    """Say that an answer has less agreement than was asked for."""
    return f"{answer.text!r} has an agreement of {share:.3f}, below min_agreement {least}"
