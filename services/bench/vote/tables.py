"""The table of a study: one row for each way of answering, with intervals and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Final

from services.bench import stats

if TYPE_CHECKING:
    from services.bench.vote.replay import Answered, Answers

ALPHA: Final = 0.01
"""Family-wise error of the comparisons with the best single model."""


@dataclass(frozen=True)
class Against:
    """A comparison with the best single model on the same items.

    `p_corrected` is Holm's over all strategies of the table. `difference` is in accuracy, with a
    paired bootstrap over clusters of items.
    """

    only_ours: int
    only_theirs: int
    p_value: float
    p_corrected: float
    odds: float
    odds_low: float
    odds_high: float
    difference: stats.Estimate
    power: float

    @property
    def wins(self) -> bool:
        """Whether ours is better, and not by chance."""
        return self.only_ours > self.only_theirs and self.p_corrected < ALPHA


@dataclass(frozen=True)
class Row:
    """How one way of answering did.

    Accuracies are Wilson's over items; `clustered` is the same accuracy with a bootstrap over
    clusters. Tokens and seconds are means per question. `agreement` and `effective_votes` are 0
    where nobody votes.
    """

    name: str
    accuracy: stats.Estimate
    clustered: stats.Estimate
    tasks: Mapping[str, stats.Estimate]
    tokens: float
    seconds: float
    agreement: float
    effective_votes: float
    against: Against | None = None


def row(name: str, answers: Answers, clusters: Mapping[str, str], seed: int) -> Row:
    """Sum up one way of answering; `clusters` gives each item's cluster."""
    listed = list(answers.values())
    tasks = list(dict.fromkeys(one.task for one in listed))
    return Row(
        name,
        _share(listed),
        stats.bootstrap(
            [one.right for one in listed], [clusters[item] for item in answers], seed=seed
        ),
        {task: _share([one for one in listed if one.task == task]) for task in tasks},
        fmean(one.tokens for one in listed),
        fmean(one.seconds for one in listed),
        fmean(one.agreement for one in listed),
        fmean(one.effective_votes for one in listed),
    )


def with_comparison(made: Row, against: Against | None) -> Row:
    """Give the row with its comparison with the best single model."""
    return replace(made, against=against)


def _share(answers: Sequence[Answered]) -> stats.Estimate:
    """Give the accuracy. Where chance decides, the expected number of right answers is rounded."""
    return stats.wilson(round(sum(one.right for one in answers)), len(answers))


def compared(
    rows: Mapping[str, Answers], best: Answers, clusters: Mapping[str, str], seed: int
) -> Mapping[str, Against]:
    """Compare every strategy with the best single model on the same items."""
    tests = {name: stats.mcnemar(*_paired(answers, best)) for name, answers in rows.items()}
    corrected = stats.holm({name: test.p_value for name, test in tests.items()})
    made = {}
    for name, test in tests.items():
        only_ours = int(test.statistic)
        only_theirs = test.informative - only_ours
        items = list(rows[name])
        made[name] = Against(
            only_ours,
            only_theirs,
            test.p_value,
            corrected[name],
            test.effect,
            test.low,
            test.high,
            stats.paired_bootstrap(
                [rows[name][item].right for item in items],
                [best[item].right for item in items],
                [clusters[item] for item in items],
                seed=seed,
            ),
            stats.mcnemar_power(test.n, only_ours / test.n, only_theirs / test.n, ALPHA),
        )
    return made


def _paired(ours: Answers, theirs: Answers) -> tuple[list[bool], list[bool]]:
    return [one.right > 0.5 for one in ours.values()], [theirs[item].right > 0.5 for item in ours]


def verdict(rows: Sequence[Row], best: Row) -> str:
    """Say plainly whether the best strategy beats the best single model."""
    strategies = [one for one in rows if one.against is not None]
    first = max(strategies, key=lambda one: one.accuracy.value)
    against = first.against
    if against is None:
        raise ValueError("no strategy was compared")
    told = (
        f"{first.name} answers {first.accuracy.value:.1%} right, the best single model "
        f"({best.name}) {best.accuracy.value:.1%}, on the same {first.accuracy.n} items: "
        f"only the strategy is right on {against.only_ours} of them, only the model on "
        f"{against.only_theirs} (McNemar exact, Holm-corrected p = {against.p_corrected:.2g})."
    )
    if against.wins:
        return f"Yes. {told}"
    why = (
        "the difference is one that chance makes"
        if against.power >= 0.8
        else (
            f"so many items show such a difference with a probability of {against.power:.0%} only"
        )
    )
    return f"No. {told} Not significant at p < {ALPHA}: {why}."
