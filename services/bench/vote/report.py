"""From recorded ballots to the result: every table of docs/quality.md, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from services.bench import figures, stats
from services.bench.vote import (
    baselines,
    confidence,
    live,
    recording,
    replay,
    stops,
    tables,
)
from services.bench.vote.cases import Case, cases
from services.bench.vote.learned import Learned, learn

if TYPE_CHECKING:
    from services.bench.suites.suite import Suite
    from services.bench.vote.records import Records
    from services.bench.vote.study import Study

DRAWS: Final = 1_000
CALIBRATED: Final = ("majority", "weighted", "topic")
"""Strategies whose answers' confidences are looked at; the first is the mesh's default."""
CALIBRATION_GOAL: Final = 0.05
STOP_GOALS: Final[Mapping[str, tuple[str, float]]] = {
    "exact": ("<= 0.75", 0.0),
    "risk 5 %": ("<= 0.65", 0.005),
}
"""Share of the tokens that a rule may need, and share of the winners that it may change."""
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Material:
    """Everything recorded of a study, as cases."""

    study: Study
    suite: Suite
    records: Records
    calibration: Sequence[Case]
    test: Sequence[Case]
    samples: Sequence[Case]
    larger: Sequence[Case]

    @property
    def clusters(self) -> Mapping[str, str]:
        """Give each test item's cluster."""
        return {case.item.id: case.item.cluster for case in self.test}


def gather(study: Study, suite: Suite, records: Records) -> Material:
    """Join the items of a study with its records; raises KeyError for what is not recorded."""
    test = [item for items in study.items("test").values() for item in items]
    calibration = [item for items in study.items("calibration").values() for item in items]
    return Material(
        study,
        suite,
        records,
        cases(calibration, records.of(recording.CALIBRATION.name)),
        cases(test, records.of(recording.TEST.name)),
        cases(test, records.of(recording.SAMPLED)),
        cases(study.larger_items(), records.of(recording.ELECTORATE.name)),
    )


class Report:
    """Works the tables out, one after the other; `say` is told which."""

    def __init__(self, material: Material, sha256: Mapping[str, str], say: Progress) -> None:
        self._material = material
        self._seed = material.study.seed
        self._say = say
        self._learned: Learned = learn(material.calibration, sha256)
        by_model = confidence.calibrators(material.calibration, datetime.now(UTC).date())
        self._confidence = confidence.calibrated(by_model)
        self._replay = replay.Replay(material.suite, self._learned, self._confidence)
        self._best = baselines.best_single(self._learned)

    def sections(self) -> dict[str, Any]:
        """Give every table."""
        strategies, references, not_replayed = self.strategies()
        best = next(one for one in references if one.name == self._best)
        made = {
            "study": self._material.study.described(),
            "best_single": self._best,
            "verdict": tables.verdict(strategies, best),
            "smallest_difference": self._smallest_difference(strategies),
            "strategies": [asdict(one) for one in strategies],
            "baselines": [asdict(one) for one in references],
            "not_replayed": dict(not_replayed),
            "live": self.live(),
            "stopping": self.stopping(),
            "confidence": self.confidences(),
            "correlation": self.correlation(),
        }
        return {name: _plain(section) for name, section in made.items()}

    def strategies(self) -> tuple[list[tables.Row], list[tables.Row], Mapping[str, str]]:
        """Replay every strategy on all test items, and compare it with the best single model."""
        material, test = self._material, self._material.test
        able, unable = replay.replayable(self._replay, material.calibration[:20])
        answered = {}
        for name in able:
            self._say(f"replaying {name}")
            answered[name] = self._replay.answers(name, test)
        best = replay.single(test, lambda case: self._best)
        consistent = baselines.self_consistency(
            self._replay, material.samples, {case.item.id: case for case in test}
        )
        answered_again = {f"self_consistency of {self._best}": consistent}
        against = tables.compared(
            {**answered, **answered_again}, best, material.clusters, self._seed
        )
        references = {
            self._best: best,
            "best of the task (told the task)": baselines.best_of_task(self._learned, test),
            "nearest-neighbour router": baselines.nearest_neighbours(material.calibration, test),
            "random member": baselines.random_member(test),
            "oracle (any member right)": baselines.oracle(test),
        }
        return (
            [self._row(name, answers, against) for name, answers in answered.items()],
            [self._row(n, a, against) for n, a in {**answered_again, **references}.items()],
            unable,
        )

    def _row(
        self, name: str, answers: replay.Answers, against: Mapping[str, tables.Against]
    ) -> tables.Row:
        made = tables.row(name, answers, self._material.clusters, self._seed)
        return tables.with_comparison(made, against.get(name))

    def _smallest_difference(self, strategies: Sequence[tables.Row]) -> Mapping[str, float]:
        """Say what difference the test items show with a power of 80 % at the family's level."""
        discordant = [
            one.against.only_ours + one.against.only_theirs for one in strategies if one.against
        ]
        n = len(self._material.test)
        either = sum(discordant) / len(discordant) / n
        alpha = tables.ALPHA / len(discordant)
        return {
            "n": n,
            "alpha": alpha,
            "power": 0.8,
            "value": stats.smallest_difference(n, either, alpha),
        }

    def live(self) -> dict[str, Any]:
        """Tabulate what asks again, beside the default vote and the best model on its items."""
        items = self._material.study.live_items()
        if not items:
            return {}
        chosen = {item.id for item in items}
        test = [case for case in self._material.test if case.item.id in chosen]
        answered = {
            name: answers
            for name in recording.ORCHESTRATED
            if (answers := live.answers(items, self._material.records.of(f"live/{name}")))
        }
        best = replay.single(test, lambda case: self._best)
        same_votes = {"majority (same items)": self._replay.answers("majority", test)}
        against = tables.compared(
            {**answered, **same_votes}, best, self._material.clusters, self._seed
        )
        listed = {**answered, **same_votes, f"{self._best} (same items)": best}
        debates = self._material.records.of("live/debate")
        return {
            "rows": [asdict(self._row(name, one, against)) for name, one in listed.items()],
            "missing": [name for name in recording.ORCHESTRATED if name not in answered],
            "flips": asdict(live.flips(items, debates, self._replay)),
        }

    def stopping(self) -> dict[str, Any]:
        """Replay every stop rule on three electorates, and tell what the live checks saw."""
        self._say("replaying stop rules")
        material = self._material
        chosen = {case.item.id for case in material.larger}
        some = [case for case in material.test if case.item.id in chosen]
        members = f"{len(material.test[0].ballots)} members"
        ordered = stops.in_best_order(material.test, material.calibration)
        electorates = [
            (members, "majority", material.test),
            (f"{members}, in the order that is best on calibration items", "majority", ordered),
            (members, "topic", some),
            (f"{recording.VOTES_OF_EACH} samples of each member", "majority", material.larger),
            (
                f"{recording.SAMPLES} samples of {self._best}",
                "majority",
                [one for one in material.samples if one.item.id in chosen],
            ),
        ]
        replayed = [
            asdict(stops.replayed(rule, name, strategy, some, self._learned, most))
            for name, strategy, some in electorates
            for most in [stops.most_saved(some) if strategy == "majority" else 0.0]
            for rule in stops.RULES
        ]
        full = material.records.of(recording.TEST.name)
        items = material.study.live_items()
        checks = [
            asdict(live.stopped(rule, items, records, full))
            for rule in recording.STOPS
            if (records := material.records.of(f"live/stop-{rule}")) and items
        ]
        return {"replayed": replayed, "live": checks}

    def confidences(self) -> list[dict[str, Any]]:
        """Measure calibration and abstention of some strategies on test items."""
        made = []
        asked = dict.fromkeys(self._material.study.tasks, self._material.study.test)
        for name in CALIBRATED:
            self._say(f"calibrating {name}")
            answers = confidence.Answers(
                self._replay, name, self._confidence, self._material.calibration
            )
            known, test = (
                answers.scored(self._material.calibration),
                answers.scored(self._material.test),
            )
            made.append(self._confidence_of(name, known, test, asked))
        return made

    def _confidence_of(
        self,
        name: str,
        known: Sequence[confidence.Scored],
        test: Sequence[confidence.Scored],
        asked: Mapping[str, int],
    ) -> dict[str, Any]:
        said, right = [one.probability for one in test], [one.right for one in test]
        clusters = [one.cluster for one in test]
        return {
            "strategy": name,
            "items": len(known),
            "error": stats.expected_calibration_error(
                said, right, seed=self._seed, draws=DRAWS
            )._asdict(),
            "brier": stats.brier(said, right, clusters, seed=self._seed)._asdict(),
            "curve": [_plain(one) for one in stats.reliability(said, right)],
            "abstention": _plain(confidence.abstention(known, test, sum(asked.values()))),
            "by_task": {
                task: _plain(one) for task, one in confidence.by_task(known, test, asked).items()
            },
        }

    def correlation(self) -> list[dict[str, Any]]:
        """Correlate the members' errors on test items, pair by pair."""
        models = [ballot.model for ballot in self._material.test[0].ballots]
        right = {
            model: [case.ballots[place].right for case in self._material.test]
            for place, model in enumerate(models)
        }
        return [
            {"one": one, "other": other, **stats.phi(right[one], right[other])._asdict()}
            for place, one in enumerate(models)
            for other in models[place + 1 :]
        ]


def _plain(value: Any) -> Any:
    """Turn named tuples, however deep, into mappings, as JSON would not."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def headline(sections: Mapping[str, Any]) -> list[figures.Figure]:
    """Give the figures that have a goal, each beside its peer."""
    best = next(one for one in sections["baselines"] if one["name"] == sections["best_single"])
    made = [
        figures.compare(
            f"accuracy: {one['name']}",
            "",
            [one["accuracy"]["value"]],
            f"best single model ({best['name']})",
            [best["accuracy"]["value"]],
        )
        for one in sections["strategies"]
    ]
    made += [_saved(one) for one in sections["stopping"]["replayed"]]
    for one in sections["confidence"]:
        made.append(_against_limit(f"calibration error: {one['strategy']}", one["error"]["value"]))
        if (error := one["abstention"]["error"]) is not None:
            made.append(_against_limit(f"wrong among answered: {one['strategy']}", error["value"]))
    return made


def _saved(one: Mapping[str, Any]) -> figures.Figure:
    """Compare a stop rule's tokens with everybody's; it fails where it changes too many winners."""
    goal, most_changed = STOP_GOALS.get(one["rule"], ("", 1.0))
    figure = figures.compare(
        f"tokens: {one['rule']}, {one['strategy']} of {one['electorate']} "
        f"({one['changed_share']['value']:.2%} of the winners changed)",
        "/question",
        [one["tokens"] / one["items"]],
        "everybody is asked",
        [one["tokens_of_all"] / one["items"]],
        goal,
    )
    if one["changed_share"]["value"] > most_changed:
        figure = replace(figure, holds=False)
    return figure


def _against_limit(name: str, value: float) -> figures.Figure:
    return figures.compare(name, "", [value], "accepted", [CALIBRATION_GOAL], "<= 1.00")
