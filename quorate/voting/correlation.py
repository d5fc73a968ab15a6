"""How alike the voters err, and so how many independent votes they are worth. Pure.

Two models that share a file err together, two of a family often, and strangers still more often
than chance: the hard questions are hard for all. History says how much; before there is any,
kinship does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.errors import InvalidRequest
from quorate.voting.knowledge import NOTHING_KNOWN, Joint, Kin, pair_of

if TYPE_CHECKING:
    from quorate.voting.knowledge import Knowledge

Matrix: TypeAlias = NDArray[np.float64]
Homes: TypeAlias = dict[str, tuple[set[str], set[str]]]
"""The families and the nodes of a file."""

SAME_FILE = 1.0
"""Two samples of one file count as one vote until it is measured that they err apart."""
SAME_FAMILY = 0.5
STRANGERS = 0.25
"""The embedded models' errors correlate by 0.20 to 0.30 (quorate/models/pocket/CARD.md)."""
SAME_NODE = 0.05
"""Added for sharing a machine: its limits (context, memory, time) fail both at once."""
PRIOR_ITEMS = 40.0
"""Items that the prior is worth: true correlations of pairs scatter by about 0.15 around it, and
phi of n items by 1/√n."""
_SWEEPS = 1000
_CLOSE_ENOUGH = 1e-10


def error_correlation(models: Sequence[str], knowledge: Knowledge = NOTHING_KNOWN) -> Matrix:
    """Estimate how the errors of models correlate, one row and column for each in the given order.

    Gives N × N: symmetric, positive semidefinite, ones on the diagonal. A model may be named
    several times (its samples); (m, m) in `knowledge.joint` tells how two samples of it err.
    Entries are phi coefficients of right and wrong, shrunk to what kinship suggests:
    (n·phi + 40·prior) / (n + 40), the phi of the history joined by 40 items made up from the
    prior. History of models with the same file is pooled. Where the entries contradict one
    another, negative eigenvalues are cut off (Rousseeuw & Molenberghs 1993).
    """
    files = _files(models, knowledge)
    history = _history(models, files, knowledge)
    homes = _homes(models, files, knowledge)
    distinct = sorted(homes)
    between = np.eye(len(distinct))
    within = np.ones(len(distinct))
    for one in range(len(distinct)):
        for other in range(one + 1):
            pair = (distinct[other], distinct[one])
            entry = _shrunk(history.get(pair, Joint()), _prior(pair, homes))
            if one == other:
                within[one] = entry
            else:
                between[one, other] = between[other, one] = entry
    places = [distinct.index(file) for file in files]
    return _spread_out(_consistent(between), within, places)


def phi(joint: Joint) -> float | None:
    """Give the correlation of two models' errors in [−1, 1] (Yule's phi).

    None when one of them was always right or always wrong: then nothing can be said.
    """
    first, second = joint.both + joint.first, joint.both + joint.second
    total = sum(joint)
    spread = first * (total - first) * second * (total - second)
    if spread <= 0.0:
        return None
    shared = joint.both * joint.neither - joint.first * joint.second
    return max(-1.0, min(1.0, shared / math.sqrt(spread)))


def effective_votes(
    models: Sequence[str],
    knowledge: Knowledge = NOTHING_KNOWN,
    weights: Sequence[float] | None = None,
) -> float:
    """Give how many independent votes the models' votes are worth, in [1, N]; 0 for none.

    Without `weights` it is max over w ≥ 0 of (Σw)² / Σ w_i·w_j·ρ_ij, what the best weighting of the
    members is worth. It is the similarity-sensitive effective number of Leinster & Cobbold (2012),
    at its maximum (Leinster & Meckes 2016): a second copy of a member changes nothing. With
    `weights` it is the ratio itself for these weights (Kish's design effect, 1965), so that a
    copy's greater weight costs. Raises InvalidRequest for weights that are negative, not finite,
    all zero, or not one for each model.
    """
    if not models:
        return 0.0
    matrix = error_correlation(models, knowledge)
    most = _most(_files(models, knowledge), matrix)
    if weights is None:
        return max(1.0, min(most, float(_best_weights(matrix).sum())))
    given = _checked(weights, len(models))
    spread = float(given @ matrix @ given)
    return max(1.0, min(most, float(given.sum()) ** 2 / max(spread, _CLOSE_ENOUGH)))


def _files(models: Sequence[str], knowledge: Knowledge) -> list[str]:
    """Name the file of each model: its digest, or where that is unknown the model's own name."""
    kin = (knowledge.kin.get(model, Kin()) for model in models)
    return [of.sha256 or f"model {model}" for model, of in zip(models, kin, strict=True)]


def _homes(models: Sequence[str], files: Sequence[str], knowledge: Knowledge) -> Homes:
    """Collect the families and nodes of each file over all its copies, so that copies are alike."""
    found: Homes = {file: (set(), set()) for file in files}
    for model, file in zip(models, files, strict=True):
        of = knowledge.kin.get(model, Kin())
        families, nodes = found[file]
        families.update({of.family} - {""})
        nodes.update({of.node} - {""})
    return found


def _history(
    models: Sequence[str], files: Sequence[str], knowledge: Knowledge
) -> dict[tuple[str, str], Joint]:
    """Pool the joint counts of all models here by file, so that copies have equal rows."""
    file_of = dict(zip(models, files, strict=True))
    pooled: dict[tuple[str, str], Joint] = {}
    names = sorted(file_of)
    for place, one in enumerate(names):
        for other in names[place:]:
            seen = knowledge.joint.get((one, other))
            if seen is None:
                continue
            if file_of[one] > file_of[other]:
                seen = Joint(seen.both, seen.second, seen.first, seen.neither)
            pair = pair_of(file_of[one], file_of[other])
            before = pooled.get(pair, Joint())
            pooled[pair] = Joint(*(a + b for a, b in zip(before, seen, strict=True)))
    return pooled


def _prior(files: tuple[str, str], homes: Homes) -> float:
    if files[0] == files[1]:
        return SAME_FILE
    (families, nodes), (other_families, other_nodes) = homes[files[0]], homes[files[1]]
    close = SAME_FAMILY if families & other_families else STRANGERS
    return close + (SAME_NODE if nodes & other_nodes else 0.0)


def _shrunk(seen: Joint, prior: float) -> float:
    observed = phi(seen)
    if observed is None:
        return prior
    items = sum(seen)
    return (items * observed + PRIOR_ITEMS * prior) / (items + PRIOR_ITEMS)


def _spread_out(between: Matrix, within: Matrix, places: Sequence[int]) -> Matrix:
    """Turn a matrix of files into one of models; `within` is how samples of one file correlate."""
    matrix = between[np.ix_(places, places)]
    same = np.equal.outer(places, places)
    matrix[same] = np.broadcast_to(within[places], matrix.shape)[same]
    np.fill_diagonal(matrix, 1.0)
    return _consistent(matrix)


def _consistent(matrix: Matrix) -> Matrix:
    """Cut negative eigenvalues off, and put the diagonal back to ones."""
    values, vectors = np.linalg.eigh(matrix)
    if len(values) == 0 or values[0] >= -_CLOSE_ENOUGH:
        return matrix
    raised = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    scaled = raised / np.outer(scale, scale)
    np.fill_diagonal(scaled, 1.0)
    return np.asarray((scaled + scaled.T) / 2.0, dtype=np.float64)


def _best_weights(matrix: Matrix) -> Matrix:
    """Solve min ½·wᵀRw − Σw over w ≥ 0; the sum of the solution is the effective number.

    Mostly R·w = 1 has no negative weight and that is it. Else the weights are improved one by one,
    which always converges for a positive semidefinite R with ones on its diagonal.
    """
    weights = np.asarray(np.linalg.lstsq(matrix, np.ones(len(matrix)), rcond=1e-9)[0])
    solved = np.allclose(matrix @ weights, 1.0, rtol=0.0, atol=1e-8)
    if solved and bool(np.all(weights >= 0.0)):
        return weights
    weights = np.maximum(weights, 0.0)
    for _ in range(_SWEEPS):
        moved = 0.0
        for place in range(len(matrix)):
            step = 1.0 - float(matrix[place] @ weights)
            better = max(0.0, float(weights[place]) + step)
            moved = max(moved, abs(better - float(weights[place])))
            weights[place] = better
        if moved < _CLOSE_ENOUGH:
            break
    return weights


def _checked(weights: Sequence[float], models: int) -> Matrix:
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != (models,):
        raise InvalidRequest.field(
            "weights", len(weights), f"there are {models} models", "Give one for each model."
        )
    if not np.all(np.isfinite(given)) or given.min() < 0.0 or given.max() == 0.0:
        raise InvalidRequest.field(
            "weights",
            list(weights),
            "they must be at least 0, not all of them 0",
            "Leave out for 1.",
        )
    return given


def _most(files: Sequence[str], matrix: Matrix) -> float:
    """Bound the effective number by that of files whose errors have nothing in common.

    Errors that repel one another would count as more votes than there are.
    """
    same = np.array([[one == other for other in files] for one in files])
    return float((1.0 / np.where(same, np.maximum(matrix, 0.0), 0.0).sum(axis=1)).sum())
