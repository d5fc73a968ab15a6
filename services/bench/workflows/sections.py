"""The sections of workflows.json: what was asked, and the tables that the documentation shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.bench import figures, stats
from services.bench.suites import registry
from services.bench.suites.jobs.templates import WITHIN_REACH
from services.bench.workflows import playing, report

if TYPE_CHECKING:
    from services.bench.suites.workflow import Job
    from services.bench.vote.records import Records
    from services.bench.workflows.report import Attempt
    from services.bench.workflows.study import Study

SPECIALISTS: Final = "specialists by type"
MAJORITY: Final = "majority of all"
REACHES: Mapping[str, Callable[[Job], bool]] = {
    "practised": lambda job: job.template in WITHIN_REACH,
    "beyond": lambda job: job.template not in WITHIN_REACH,
}
"""Jobs whose steps the pocket models practise, and jobs with a step that they do not."""


@dataclass(frozen=True)
class Material:
    """A study with what is recorded of it."""

    study: Study
    records: Records

    def specialists(self) -> Mapping[str, str]:
        """Name the best model of each task type, by the calibration jobs."""
        return report.best_by_type(self._alone("calibration"))

    def _alone(self, split: str) -> Mapping[str, Sequence[Attempt]]:
        way = playing.CALIBRATION if split == "calibration" else playing.STEPS
        jobs = self.study.jobs("calibration" if split == "calibration" else "test")
        return report.by_model(self.study.suite, jobs, self.records.of(way.name))

    def sections(self) -> Mapping[str, Any]:
        """Work everything out."""
        types = registry.find_workflow(self.study.suite).task_types
        alone, best = self._alone("test"), self.specialists()
        jobs = self.study.jobs("test")
        ways = {
            **{model: f"alone/{model}" for model in alone},
            SPECIALISTS: playing.specialists_name(best),
            MAJORITY: playing.VOTE,
        }
        whole = {
            name: report.answered(self.study.suite, jobs, self.records.of(way))
            for name, way in ways.items()
        }
        return {
            "study": self.study.described(),
            "specialists": best,
            "steps": {reach: _steps(alone, types, chosen) for reach, chosen in REACHES.items()},
            "jobs": {reach: _jobs(whole, chosen) for reach, chosen in REACHES.items()},
            "verdict": _verdict(whole),
        }


def _steps(
    alone: Mapping[str, Sequence[Attempt]],
    types: Sequence[str],
    chosen: Callable[[Job], bool],
) -> Sequence[Mapping[str, Any]]:
    return [
        {"name": model, "right": _plain(report.steps_right(report.within(tried, chosen), types))}
        for model, tried in alone.items()
    ]


def _jobs(
    whole: Mapping[str, Sequence[Attempt]], chosen: Callable[[Job], bool]
) -> Sequence[Mapping[str, Any]]:
    rows = []
    for name, attempts in whole.items():
        kept = report.within(attempts, chosen)
        right = {
            "steps": report.share([one.right for one in kept]),
            "jobs": report.share(list(report.jobs_done(kept).values())),
        }
        rows.append({"name": name, "right": _plain(right)})
    return rows


def _plain(estimates: Mapping[str, stats.Estimate | None]) -> Mapping[str, Any]:
    return {name: one._asdict() if one else None for name, one in estimates.items()}


def headline(sections: Mapping[str, Any]) -> Sequence[figures.Figure]:
    """Give the share of jobs that were done, beside the best single model's."""
    verdict = sections["verdict"]
    single = 100 * verdict["best_single_done"] / verdict["jobs"]
    return [
        figures.compare(
            f"jobs done: {name}",
            "%",
            [100 * verdict[key] / verdict["jobs"]],
            f"{verdict['best_single']}, the best single model",
            [single],
        )
        for name, key in ((SPECIALISTS, "specialists_done"), (MAJORITY, "majority_done"))
        if single
    ]


def _verdict(whole: Mapping[str, Sequence[Attempt]]) -> Mapping[str, Any]:
    """Compare specialists with the single model that does most jobs."""
    done = {name: report.jobs_done(attempts) for name, attempts in whole.items()}
    ours = done[SPECIALISTS]
    singles = [name for name in done if name not in (SPECIALISTS, MAJORITY)]
    best = min(singles, key=lambda name: (-sum(done[name].values()), name))
    test = stats.mcnemar([ours[job] for job in ours], [done[best][job] for job in ours])
    return {
        "best_single": best,
        "jobs": len(ours),
        "specialists_done": sum(ours.values()),
        "majority_done": sum(done[MAJORITY].values()),
        "best_single_done": sum(done[best].values()),
        "p_value": test.p_value,
    }
