"""The client against a real gRPC server behind mutual TLS that answers every RPC there is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from quorate import errors, server
from quorate.client import (
    Answer,
    AsyncClient,
    Ballot,
    BallotStarted,
    BallotStatus,
    BallotToken,
    Certificate,
    Client,
    Message,
    Part,
    Plan,
    Provisional,
    Retraction,
    SynthesisText,
    question,
)
from quorate.config import CoordinatorSettings, TelemetrySettings, TlsSettings
from quorate.errors import InvalidRequest, NoQuorum, PeerUnreachable, UnknownStrategy
from quorate.identity import Role, create_authority, issue
from quorate.telemetry import Telemetry
from quorate.v1 import common_pb2, coordinator_pb2, coordinator_pb2_grpc

SERVICE = coordinator_pb2.DESCRIPTOR.services_by_name["CoordinatorService"]

# Every RPC of the contract and the client's method for it.
METHODS: dict[str, Callable[[Any], Any]] = {
    "Ask": lambda client: client.ask("2+2?"),
    "AskStream": lambda client: client.stream("2+2?"),
    "Plan": lambda client: client.plan("2+2?"),
    "SubmitBatch": lambda client: client.submit_batch(["a", question("b", seed=1)], name="n"),
    "GetBatch": lambda client: client.batch("b1"),
    "ListBatches": lambda client: client.batches(page_size=2, page_token="x"),
    "CancelBatch": lambda client: client.cancel_batch("b1"),
    "StreamBatchResults": lambda client: client.batch_results("b1", from_position=1),
    "Feedback": lambda client: client.feedback("q1", correct=False),
    "ListNodes": lambda client: client.nodes(),
    "DrainNode": lambda client: client.drain_node("n1", timeout_seconds=1),
    "ListStrategies": lambda client: client.strategies(),
}

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
    """Answers every RPC from the constants above and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: dict[str, Any] = {}
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
        return response

    setattr(Coordinator, name, handler)


for _name, _response in {
    "Plan": coordinator_pb2.PlanResponse(plan=PLAN),
    "SubmitBatch": coordinator_pb2.SubmitBatchResponse(batch=BATCH),
    "GetBatch": coordinator_pb2.GetBatchResponse(batch=BATCH),
    "ListBatches": coordinator_pb2.ListBatchesResponse(batches=[BATCH], next_page_token="y"),
    "CancelBatch": coordinator_pb2.CancelBatchResponse(batch=BATCH),
    "Feedback": coordinator_pb2.FeedbackResponse(models=["atlas"]),
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


def with_client(
    served: Served, use: Callable[[AsyncClient], Awaitable[Any]], tls: TlsSettings | None = None
) -> Any:
    async def run() -> Any:
        async with AsyncClient(
            served.address, tls or served.admin, coordinator="boss", timeout_seconds=20
        ) as client:
            return await use(client)

    return asyncio.run(run())


async def collect(iterator: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in iterator]


def test_every_rpc_of_the_contract_has_a_method_of_both_clients(served: Served) -> None:
    assert set(METHODS) == {method.name for method in SERVICE.methods}

    async def call_all(client: AsyncClient) -> None:
        for call in METHODS.values():
            started = call(client)
            await (collect(started) if hasattr(started, "__aiter__") else started)

    with_client(served, call_all)
    assert set(served.coordinator.requests) == set(METHODS)
    served.coordinator.requests.clear()
    with Client(served.address, served.admin, coordinator="boss") as client:
        for call in METHODS.values():
            given = call(client)
            if isinstance(given, Iterator):
                list(given)
    assert set(served.coordinator.requests) == set(METHODS)


def test_answer_is_read_with_all_its_ballots(served: Served) -> None:
    answer = with_client(served, lambda client: client.ask("2+2?"))
    assert isinstance(answer, Answer)
    assert (str(answer), answer.question_id, answer.seed) == ("4", "q1", 7)
    first, second = answer.ballots
    assert (first.member, first.status, first.answer) == ("n1/atlas", BallotStatus.VALID, "4")
    assert (first.kind, first.rule) == ("number", "last_number")
    assert first.usage.completion_tokens == 5
    assert first.timings.total_seconds == 0.25
    assert (second.status, second.answer) == (BallotStatus.FAILED, None)
    assert second.failure is not None
    assert isinstance(second.failure.error(), errors.ModelCrashed)
    assert answer.parts[0].subtask.depends_on == ("t0",)


def test_stream_tells_every_kind_of_event_and_ends_with_the_answer(served: Served) -> None:
    events = with_client(served, lambda client: collect(client.stream("2+2?", omit_tokens=True)))
    assert [type(event) for event in events] == [
        Plan,
        BallotStarted,
        BallotToken,
        Ballot,
        Provisional,
        Retraction,
        Certificate,
        Part,
        SynthesisText,
        Answer,
    ]
    assert served.coordinator.requests["AskStream"].omit_tokens


def test_options_reach_the_coordinator(served: Served) -> None:
    messages = [Message("be brief", role="system"), Message("2+2?")]
    with_client(
        served,
        lambda client: client.ask(
            messages,
            strategy="weighted",
            seed=0,
            temperature=0.5,
            stop=["\n"],
            json_schema="{}",
            kind="number",
            decompose="none",
            stop_rule="exact",
            models=["atlas"],
            nodes=["n1"],
            max_models=3,
            budget_seconds=2.5,
        ),
    )
    asked = served.coordinator.requests["Ask"].question
    assert [message.role for message in asked.messages] == [1, 2]
    assert asked.strategy == "weighted"
    assert asked.sampling.HasField("seed")
    assert asked.sampling.seed == 0
    assert not asked.sampling.HasField("max_tokens")
    assert asked.sampling.json_schema == "{}"
    assert asked.kind == common_pb2.ANSWER_KIND_NUMBER
    assert asked.decompose == coordinator_pb2.DECOMPOSE_MODE_NONE
    assert asked.stop_rule == coordinator_pb2.STOP_RULE_EXACT
    assert (list(asked.models), list(asked.nodes), asked.max_models) == (["atlas"], ["n1"], 3)
    assert asked.budget.seconds == 2.5


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"stratgy": "x"}, "Did you mean 'strategy'"),
        ({"kind": "nmber"}, "Did you mean 'number'"),
        ({"decompose": "split"}, "decompose cannot be 'split'"),
        ({"seed": -1}, "seed is -1"),
        ({"grammar": "a", "json_schema": "{}"}, "exclude each other"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(
    served: Served, options: Any, expected: str
) -> None:
    with pytest.raises(InvalidRequest, match=expected):
        with_client(served, lambda client: client.ask("2+2?", **options))
    assert not served.coordinator.requests


@pytest.mark.parametrize(("asked", "expected"), [([], "messages"), ([Message("x", "god")], "god")])
def test_wrong_messages_are_refused(served: Served, asked: Any, expected: str) -> None:
    with pytest.raises(InvalidRequest, match=expected):
        with_client(served, lambda client: client.ask(asked))


def test_error_of_the_coordinator_is_raised_as_itself(served: Served) -> None:
    with pytest.raises(UnknownStrategy) as raised:
        with_client(served, lambda client: client.ask("2+2?", strategy="majorty"))
    assert raised.value.metadata["nearest"] == "majority"
    with pytest.raises(NoQuorum, match="nobody answered"):
        with_client(served, lambda client: collect(client.stream("fail")))


def test_error_in_a_stream_reaches_the_blocking_client(served: Served) -> None:
    with Client(served.address, served.admin) as client, pytest.raises(NoQuorum):
        list(client.stream("fail"))


def test_leaving_a_stream_early_cancels_it_at_the_coordinator(served: Served) -> None:
    async def leave(client: AsyncClient) -> None:
        stream = client.stream("go on")
        async for _ in stream:
            break
        await stream.aclose()

    with_client(served, leave)
    assert served.coordinator.left.wait(10)
    served.coordinator.left.clear()
    with Client(served.address, served.admin) as client:
        stream = client.stream("go on")
        next(stream)
        stream.close()
        assert served.coordinator.left.wait(10)


def test_deadline_of_the_client_ends_a_call(served: Served) -> None:
    with (
        Client(served.address, served.admin, timeout_seconds=0.3) as client,
        pytest.raises(errors.DeadlineExceeded),
    ):
        list(client.stream("go on"))


def test_nodes_batches_and_strategies_are_read(served: Served) -> None:
    with Client(served.address, served.admin) as client:
        (node,) = client.nodes()
        assert (node.name, node.state, node.group) == ("n1", "serving", "fast")
        assert (node.models[0].name, node.models[0].state, node.models[0].weight) == (
            "atlas",
            "ready",
            1.0,
        )
        assert node.engines[0].pid == 42
        assert node.hardware.accelerators[0].name == "H100"
        assert node.started_at == datetime.fromtimestamp(1_900_000_000, UTC)
        assert node.last_heartbeat is None
        assert client.strategies()[0].aliases == ("majority_voting",)
        page = client.batches()
        assert (page.batches[0].state, page.next_page_token) == ("done", "y")
        done, failed = client.batch_results("b1")
        assert done.answer is not None
        assert (done.position, done.answer.answer) == (1, "4")
        assert failed.failure is not None
        assert client.drain_node("n1") == 3
        assert client.feedback("q1", ground_truth="4") == ("atlas",)


def test_caller_of_the_wrong_role_is_told_so(served: Served) -> None:
    with pytest.raises(errors.NotPermitted):
        with_client(served, lambda client: client.nodes(), tls=served.node)


def test_coordinator_of_another_name_is_not_talked_to(served: Served) -> None:
    async def run() -> None:
        async with AsyncClient(
            served.address, served.admin, coordinator="other", timeout_seconds=5
        ) as client:
            await client.nodes()

    with pytest.raises(PeerUnreachable):
        asyncio.run(run())


def test_client_outside_of_its_block_says_so(served: Served) -> None:
    client = Client(served.address, served.admin)
    with pytest.raises(RuntimeError, match="with statement"):
        client.nodes()
