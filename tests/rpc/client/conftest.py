"""A coordinator behind mutual TLS that answers every RPC of the contract from constants."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from quorate import server
from quorate.client import local_mesh
from quorate.client.local_mesh import MeshState, ProcessState
from quorate.config import CoordinatorSettings, TelemetrySettings
from quorate.errors import NoQuorum, UnknownStrategy
from quorate.identity import Role, create_authority, issue
from quorate.telemetry import Telemetry
from quorate.v1 import common_pb2, coordinator_pb2, coordinator_pb2_grpc

SERVICE = coordinator_pb2.DESCRIPTOR.services_by_name["CoordinatorService"]

BALLOT = common_pb2.Ballot(
    ballot_id="t1/n1/atlas/0",
    part_id="t1",
    node="n1",
    model="atlas",
    status=common_pb2.BALLOT_STATUS_VALID,
    answer=common_pb2.Answer(kind=common_pb2.ANSWER_KIND_NUMBER, text="4", rule="last_number"),
    text="It is 4.",
    confidence=0.5,
    usage=common_pb2.Usage(prompt_tokens=3, completion_tokens=5),
    timings=common_pb2.Timings(total_seconds=0.25),
)
FAILED = common_pb2.Ballot(
    ballot_id="t1/n2/forge/0",
    status=common_pb2.BALLOT_STATUS_FAILED,
    failure=common_pb2.Failure(kind="MODEL_CRASHED", message="it died", retryable=True),
)
SUBTASK = coordinator_pb2.Subtask(id="t1", text="2+2?", depends_on=["t0"], task_type="math")
PART = coordinator_pb2.Part(
    subtask=SUBTASK,
    answer="4",
    kind=common_pb2.ANSWER_KIND_NUMBER,
    quorum=coordinator_pb2.Quorum(asked=2, answered=1),
    standings=[coordinator_pb2.Standing(answer="4", votes=1, score=1.0)],
    ballots=[BALLOT, FAILED],
)
RESULT = coordinator_pb2.Result(
    question_id="q1", answer="4", strategy="majority", agreement=0.5, parts=[PART], seed=7
)
PLAN = coordinator_pb2.PlanMade(
    question_id="q1",
    subtasks=[SUBTASK],
    assignments=[coordinator_pb2.Assignment(subtask_id="t1", node="n1", model="atlas")],
    reason="it is whole",
)
LOAD = coordinator_pb2.Residency(
    kind=coordinator_pb2.Residency.KIND_LOAD, node="n2", model="scribe", seconds=1.2, ahead=True
)
STEP = coordinator_pb2.PlanStep(layer=0, subtask_ids=["t1"], ahead_ids=["t2"])
NODE = coordinator_pb2.Node(
    status=common_pb2.NodeStatus(
        node="n1",
        state=common_pb2.NODE_STATE_SERVING,
        models=[common_pb2.ModelInfo(name="atlas", state=common_pb2.MODEL_STATE_READY)],
        engines=[common_pb2.EngineStatus(model="atlas", pid=42, slots=8)],
        hardware=common_pb2.Hardware(
            cores=4, accelerators=[common_pb2.Accelerator(index=0, name="H100")]
        ),
        started_at=Timestamp(seconds=1_900_000_000),
    ),
    address="127.0.0.1:7001",
    group="fast",
)
EVENTS = (
    coordinator_pb2.AskStreamResponse(planned=PLAN),
    coordinator_pb2.AskStreamResponse(plan_step=STEP),
    coordinator_pb2.AskStreamResponse(residency=LOAD),
    coordinator_pb2.AskStreamResponse(started=coordinator_pb2.BallotStarted(ballot_id="b")),
    coordinator_pb2.AskStreamResponse(token=coordinator_pb2.BallotToken(ballot_id="b", text="4")),
    coordinator_pb2.AskStreamResponse(ballot=BALLOT),
    coordinator_pb2.AskStreamResponse(provisional=coordinator_pb2.Provisional(part_id="t1")),
    coordinator_pb2.AskStreamResponse(retraction=coordinator_pb2.Retraction(part_id="t1")),
    coordinator_pb2.AskStreamResponse(certificate=coordinator_pb2.Certificate(part_id="t1")),
    coordinator_pb2.AskStreamResponse(part=PART),
    coordinator_pb2.AskStreamResponse(synthesis=coordinator_pb2.SynthesisText(text="4")),
    coordinator_pb2.AskStreamResponse(),  # from a coordinator that knows more events
    coordinator_pb2.AskStreamResponse(final=RESULT),
)
BATCH = coordinator_pb2.Batch(batch_id="b1", state=coordinator_pb2.BATCH_STATE_DONE, total=2)


class Coordinator(coordinator_pb2_grpc.CoordinatorServiceServicer):
    """Answers every RPC from the constants above and remembers what it was asked.

    A test may put a function of its own `instead` of an answer.
    """

    def __init__(self) -> None:
        self.requests: dict[str, Any] = {}
        self.instead: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        self.left = threading.Event()

    async def Ask(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.requests["Ask"] = request
        if request.question.strategy == "majorty":
            raise UnknownStrategy("no strategy 'majorty'", metadata={"nearest": "majority"})
        return coordinator_pb2.AskResponse(result=RESULT)

    async def AskStream(self, request: Any, context: Any) -> None:  # noqa: N802
        self.requests["AskStream"] = request
        try:
            for event in EVENTS:
                await context.write(event)
            text = request.question.messages[-1].content
            if text == "fail":
                raise NoQuorum("nobody answered")
            if text == "go on":
                await asyncio.Event().wait()
        finally:
            self.left.set()

    async def StreamBatchResults(self, request: Any, context: Any) -> None:  # noqa: N802
        self.requests["StreamBatchResults"] = request
        failure = common_pb2.Failure(kind="NO_QUORUM", message="nobody")
        for response in (
            coordinator_pb2.StreamBatchResultsResponse(position=1, result=RESULT),
            coordinator_pb2.StreamBatchResultsResponse(position=2, failure=failure),
        ):
            await context.write(response)


def answers(name: str, response: Any) -> None:
    async def handler(self: Coordinator, request: Any, context: Any) -> Any:
        self.requests[name] = request
        return await self.instead[name](request) if name in self.instead else response

    setattr(Coordinator, name, handler)


for _name, _response in {
    "Plan": coordinator_pb2.PlanResponse(
        plan=PLAN, frontier=[coordinator_pb2.ParetoPoint(reliability=0.75, chosen=True)]
    ),
    "SubmitBatch": coordinator_pb2.SubmitBatchResponse(batch=BATCH),
    "GetBatch": coordinator_pb2.GetBatchResponse(batch=BATCH),
    "ListBatches": coordinator_pb2.ListBatchesResponse(batches=[BATCH], next_page_token="y"),
    "CancelBatch": coordinator_pb2.CancelBatchResponse(batch=BATCH),
    "Feedback": coordinator_pb2.FeedbackResponse(models=["atlas"]),
    "GetLearned": coordinator_pb2.GetLearnedResponse(
        reliabilities=[coordinator_pb2.Reliability(model="atlas", topic="math", right=2.5)],
        pairs=[coordinator_pb2.PairHistory(first="atlas", second="boreas", first_right=3)],
        calibrations=[coordinator_pb2.Calibration(model="atlas", items=50, claims=True)],
        durations=[coordinator_pb2.Duration(node="n1", model="atlas", quantile_seconds=0.5)],
    ),
    "ResetLearned": coordinator_pb2.ResetLearnedResponse(rows=7),
    "ExportLearned": coordinator_pb2.ExportLearnedResponse(state="{}"),
    "ImportLearned": coordinator_pb2.ImportLearnedResponse(rows=8),
    "GetRecord": coordinator_pb2.GetRecordResponse(record='{"a": 1}'),
    "ListNodes": coordinator_pb2.ListNodesResponse(nodes=[NODE]),
    "DrainNode": coordinator_pb2.DrainNodeResponse(abandoned=3),
    "ListStrategies": coordinator_pb2.ListStrategiesResponse(
        strategies=[coordinator_pb2.Strategy(name="majority", aliases=["majority_voting"])]
    ),
}.items():
    answers(_name, _response)


class Served:
    """A coordinator in an event loop of its own, as it is for a real client."""

    def __init__(self, directory: Path) -> None:
        now = datetime.now(UTC)
        create_authority(directory, now=now)
        self.own = issue(directory, Role.COORDINATOR, "boss", now=now)
        self.admin = issue(directory, Role.ADMIN, "me", now=now)
        self.node = issue(directory, Role.NODE, "n1", now=now)
        self.coordinator = Coordinator()
        self.address = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        settings = CoordinatorSettings(name="boss", tls=self.own)
        service = server.Service(
            SERVICE.full_name,
            lambda added: coordinator_pb2_grpc.add_CoordinatorServiceServicer_to_server(
                self.coordinator, added
            ),
        )
        telemetry = Telemetry(TelemetrySettings(), "coordinator", "boss")
        async with server.build(settings, Role.COORDINATOR, [service], telemetry) as built:
            await built.start()
            self.address = built.address
            yield


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve in another thread, so that blocking and asynchronous clients find the same thing."""
    made = Served(tmp_path)
    started, ended = threading.Event(), threading.Event()

    async def run() -> None:
        async with made.serving():
            started.set()
            await asyncio.get_running_loop().run_in_executor(None, ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(20)
    yield made
    ended.set()
    thread.join(20)


@pytest.fixture
def home(served: Any, tmp_path: Path) -> Path:
    """A mesh's directory that says the coordinator is running here."""
    directory = tmp_path / "home"
    directory.mkdir()
    mesh = MeshState(
        supervisor=ProcessState.of(os.getpid()),
        coordinator=served.address,
        coordinator_name="boss",
        tls=served.admin,
        ready=True,
    )
    local_mesh.write(directory, mesh)
    return directory
