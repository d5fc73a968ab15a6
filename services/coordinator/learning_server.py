"""The part of CoordinatorService that is about what was learned, and about records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from quorate.v1 import coordinator_pb2
from services.coordinator.state import archive
from services.coordinator.state.learning import estimate
from services.coordinator.state.lessons import Verdict

if TYPE_CHECKING:
    import grpc.aio

    from quorate.voting.knowledge import Joint, Together
    from services.coordinator.state.insight import Insight
    from services.coordinator.state.memory import Memory

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class LearningServer:
    """Serves what the coordinator remembers; mixed into the coordinator's servicer."""

    memory: Memory

    async def Feedback(  # noqa: N802
        self, request: coordinator_pb2.FeedbackRequest, context: Context
    ) -> coordinator_pb2.FeedbackResponse:
        """Learn whether an earlier answer was right."""
        correct = request.correct if request.HasField("correct") else None
        verdict = Verdict(request.ground_truth, correct)
        models = await self.memory.feedback(request.question_id, verdict)
        return coordinator_pb2.FeedbackResponse(models=models)

    async def GetLearned(  # noqa: N802
        self, request: coordinator_pb2.GetLearnedRequest, context: Context
    ) -> coordinator_pb2.GetLearnedResponse:
        """Show what was learned, as the next question will use it."""
        await self.memory.flush()
        await self.memory.refresh()
        topic = request.topic if request.HasField("topic") else None
        return learned_of(self.memory.insight, topic)

    async def ResetLearned(  # noqa: N802
        self, request: coordinator_pb2.ResetLearnedRequest, context: Context
    ) -> coordinator_pb2.ResetLearnedResponse:
        """Forget a model, or everything."""
        await self.memory.flush()
        rows = await self.memory.backing.run(lambda store: archive.forgotten(store, request.model))
        self.memory.insight.forget_durations(request.model)
        await self.memory.refresh()
        return coordinator_pb2.ResetLearnedResponse(rows=rows)

    async def ExportLearned(  # noqa: N802
        self, request: coordinator_pb2.ExportLearnedRequest, context: Context
    ) -> coordinator_pb2.ExportLearnedResponse:
        """Give all that was learned."""
        await self.memory.flush()
        state = await self.memory.backing.run(archive.exported)
        return coordinator_pb2.ExportLearnedResponse(state=state)

    async def ImportLearned(  # noqa: N802
        self, request: coordinator_pb2.ImportLearnedRequest, context: Context
    ) -> coordinator_pb2.ImportLearnedResponse:
        """Put an export in the place of all that was learned."""
        await self.memory.flush()
        rows = await self.memory.backing.run(lambda store: archive.restored(store, request.state))
        await self.memory.refresh()
        return coordinator_pb2.ImportLearnedResponse(rows=rows)

    async def GetRecord(  # noqa: N802
        self, request: coordinator_pb2.GetRecordRequest, context: Context
    ) -> coordinator_pb2.GetRecordResponse:
        """Give an answer's record."""
        record = await self.memory.record(request.question_id)
        return coordinator_pb2.GetRecordResponse(record=record.decode())


def learned_of(insight: Insight, topic: str | None) -> coordinator_pb2.GetLearnedResponse:
    """Write what is known, in order."""
    state = insight.state
    return coordinator_pb2.GetLearnedResponse(
        reliabilities=[
            coordinator_pb2.Reliability(
                model=model.name,
                model_sha256=model.sha256,
                topic=about,
                evidence=evidence.value,
                right=record.right,
                wrong=record.wrong,
                estimate=estimate(state, model, about).mean,
            )
            for (model, about, evidence), record in sorted(state.records.items())
            if topic in {None, about}
        ],
        pairs=_pairs(state.together, state.joint),
        calibrations=[*_models(insight), *_answers(insight)],
        durations=[
            coordinator_pb2.Duration(
                node=place.node,
                model=place.model.id,
                count=latency.count,
                average_seconds=latency.average,
                quantile_seconds=latency.quantile,
            )
            for place, latency in sorted(insight.latencies.items())
        ],
    )


def _pairs(together: Any, joint: Any) -> list[coordinator_pb2.PairHistory]:
    rows = []
    for pair in sorted({*together, *joint}):
        agreed: Together | None = together.get(pair)
        erred: Joint | None = joint.get(pair)
        row = coordinator_pb2.PairHistory(first=pair[0].id, second=pair[1].id)
        if agreed is not None:
            row.same, row.different = agreed
        if erred is not None:
            row.both_right, row.first_right, row.second_right, row.neither_right = erred
        rows.append(row)
    return rows


def _models(insight: Insight) -> list[coordinator_pb2.Calibration]:
    return [
        coordinator_pb2.Calibration(model=model.id, items=fitted.items, claims=fitted.claims)
        for model, fitted in sorted(insight.judges.models.items(), key=lambda pair: pair[0])
    ]


def _answers(insight: Insight) -> list[coordinator_pb2.Calibration]:
    return [
        coordinator_pb2.Calibration(
            strategy=strategy, items=judge.items, claims=judge.calibrator.claims
        )
        for strategy, judge in sorted(insight.judges.answers.items(), key=lambda pair: pair[0])
    ]
