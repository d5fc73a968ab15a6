"""What every strategy is compared with: one model, the same model again, luck, and the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from services.bench.vote.replay import Answered, Answers, Replay, single

if TYPE_CHECKING:
    from services.bench.vote.cases import Case
    from services.bench.vote.learned import Learned

NEIGHBOURS = 25
"""Calibration items that the router looks at."""
PIECE = 3
"""Characters of the pieces that questions are compared by."""


def best_single(learned: Learned) -> str:
    """Name the model that was right most often on calibration items of all tasks."""
    overall = learned.overall.overall
    return min(overall, key=lambda model: (-overall[model].right / overall[model].total, model))


def best_of_task(learned: Learned, cases: Sequence[Case]) -> Answers:
    """Let the model answer that was the best on the item's task: a router that is told the task."""

    def choose(case: Case) -> str:
        records = learned.on_topic[case.item.task]
        return min(records, key=lambda model: (-records[model].right, model))

    return single(cases, choose)


def oracle(cases: Sequence[Case]) -> Answers:
    """Count an item as right when any member is: no vote over these ballots can do better."""
    return {
        case.item.id: Answered(
            case.item.task,
            float(any(ballot.right for ballot in case.ballots)),
            case.tokens,
            case.seconds,
        )
        for case in cases
    }


def random_member(cases: Sequence[Case]) -> Answers:
    """Let chance choose who answers: the expectation over all members."""
    return {
        case.item.id: Answered(
            case.item.task,
            fmean(ballot.right for ballot in case.ballots),
            round(case.tokens / len(case.ballots)),
            fmean(ballot.seconds for ballot in case.ballots),
        )
        for case in cases
    }


def self_consistency(
    replay: Replay, samples: Sequence[Case], members: Mapping[str, Case]
) -> Answers:
    """Let samples of one model vote, as many as the members' tokens on the item pay for."""
    made = {}
    for case in samples:
        budget, spent, count = members[case.item.id].tokens, 0, 0
        for ballot in case.ballots:
            spent += ballot.tokens
            if count and spent > budget:
                break
            count += 1
        made[case.item.id] = replay.answer("majority", case.first(count))
    return made


def nearest_neighbours(calibration: Sequence[Case], cases: Sequence[Case]) -> Answers:
    """Let the model answer that was right most often on the calibration items most like this one.

    Questions are alike by the cosine of their pieces of three characters, weighted by rarity.
    """
    models = [ballot.model for ballot in calibration[0].ballots]
    right = np.array([[ballot.right for ballot in case.ballots] for case in calibration], float)
    known = [_pieces(case.item.question) for case in calibration]
    seen_in = Counter(piece for pieces in known for piece in pieces)
    columns = {piece: place for place, piece in enumerate(seen_in)}
    rarity = np.log(len(known) / np.array(list(seen_in.values())))
    matrix = _matrix(known, columns, rarity)
    likeness = _matrix([_pieces(case.item.question) for case in cases], columns, rarity) @ matrix.T
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :NEIGHBOURS]
    best = right[nearest].sum(axis=1).argmax(axis=1)
    chosen = {case.item.id: models[place] for case, place in zip(cases, best, strict=True)}
    return single(cases, lambda case: chosen[case.item.id])


def _pieces(text: str) -> Counter[str]:
    lower = f" {text.lower()} "
    return Counter(lower[at : at + PIECE] for at in range(len(lower) - PIECE + 1))


def _matrix(
    texts: Sequence[Counter[str]],
    columns: Mapping[str, int],
    rarity: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Give one row of unit length for each text; pieces that were never seen are left out."""
    matrix = np.zeros((len(texts), len(columns)), np.float32)
    for row, pieces in enumerate(texts):
        for piece, count in pieces.items():
            if piece in columns:
                matrix[row, columns[piece]] = count * rarity[columns[piece]]
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    normalized: np.ndarray[tuple[int, int], np.dtype[np.float32]] = matrix / np.maximum(
        lengths, 1e-9
    )
    return normalized
