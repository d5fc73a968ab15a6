"""What is known of the models before the test: counted on calibration items alone, then frozen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from quorate.answers import equivalent
from quorate.voting import Knowledge
from quorate.voting.knowledge import Joint, Kin, Pair, Record, Together, pair_of
from services.bench.vote.cases import OPTIONS

if TYPE_CHECKING:
    from services.bench.vote.cases import Case


@dataclass(frozen=True)
class Learned:
    """The history of the models by task; a task is the topic of its questions."""

    overall: Knowledge
    on_topic: Mapping[str, Mapping[str, Record]]

    def about(self, case: Case) -> Knowledge:
        """Give what is known for one item: nothing of the item itself but task and kind."""
        return replace(
            self.overall,
            on_topic=self.on_topic.get(case.item.task, {}),
            topic=case.item.task,
            options=OPTIONS.get(case.kind, 0),
        )


def learn(calibration: Sequence[Case], sha256: Mapping[str, str]) -> Learned:
    """Count right and wrong, agreement and joint errors; `sha256` gives each model's file."""
    tasks = sorted({case.item.task for case in calibration})
    nodes = {
        ballot.model: ballot.member.partition("/")[0]
        for case in calibration
        for ballot in case.ballots
    }
    overall = Knowledge(
        overall=_records(calibration),
        together=_together(calibration),
        joint=_joint(calibration),
        kin={model: Kin(sha256.get(model, ""), "", node) for model, node in nodes.items()},
    )
    by_task = {
        task: _records([case for case in calibration if case.item.task == task]) for task in tasks
    }
    return Learned(overall, by_task)


def _records(cases: Sequence[Case]) -> Mapping[str, Record]:
    right, asked = Counter[str](), Counter[str]()
    for case in cases:
        for ballot in case.ballots:
            asked[ballot.model] += 1
            right[ballot.model] += ballot.right
    return {model: Record(right[model], asked[model] - right[model]) for model in asked}


def _together(cases: Sequence[Case]) -> Mapping[Pair, Together]:
    """Count on how many items two models gave the same answer, where both gave one."""
    same, different = Counter[Pair](), Counter[Pair]()
    for case in cases:
        said = [
            (ballot.model, answer)
            for ballot, answer in zip(case.ballots, case.answers, strict=True)
            if answer is not None
        ]
        for place, (one, answer) in enumerate(said):
            for other, theirs in said[place + 1 :]:
                counter = same if equivalent(answer, theirs) else different
                counter[pair_of(one, other)] += 1
    pairs = same.keys() | different.keys()
    return {pair: Together(same[pair], different[pair]) for pair in sorted(pairs)}


def _joint(cases: Sequence[Case]) -> Mapping[Pair, Joint]:
    counts: dict[Pair, list[int]] = {}
    for case in cases:
        right = {ballot.model: ballot.right for ballot in case.ballots}
        for one, other in combinations_with_replacement(sorted(right), 2):
            if one != other:
                # both, only the first, only the second, neither
                place = 2 * (not right[one]) + (not right[other])
                counts.setdefault((one, other), [0, 0, 0, 0])[place] += 1
    return {pair: Joint(*map(float, four)) for pair, four in counts.items()}
