"""The client against a real gRPC server behind mutual TLS that answers every RPC there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from quorate import errors
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
    PlanStep,
    Provisional,
    Residency,
    Retraction,
    SynthesisText,
    question,
)
from quorate.config import TlsSettings
from quorate.errors import InvalidRequest, NoQuorum, PeerUnreachable, UnknownStrategy
from quorate.v1 import common_pb2, coordinator_pb2

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
    "GetLearned": lambda client: client.learned("math"),
    "ResetLearned": lambda client: client.reset_learned("atlas"),
    "ExportLearned": lambda client: client.export_learned(),
    "ImportLearned": lambda client: client.import_learned("{}"),
    "GetRecord": lambda client: client.record("q1"),
    "ListNodes": lambda client: client.nodes(),
    "DrainNode": lambda client: client.drain_node("n1", timeout_seconds=1),
    "ListStrategies": lambda client: client.strategies(),
}


def with_client(
    served: Any, use: Callable[[AsyncClient], Awaitable[Any]], tls: TlsSettings | None = None
) -> Any:
    async def run() -> Any:
        async with AsyncClient(
            served.address, tls or served.admin, coordinator="boss", timeout_seconds=20
        ) as client:
            return await use(client)

    return asyncio.run(run())


async def collect(iterator: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in iterator]


def test_every_rpc_of_the_contract_has_a_method_of_both_clients(served: Any) -> None:
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


def test_answer_is_read_with_all_its_ballots(served: Any) -> None:
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


def test_stream_tells_every_kind_of_event_and_ends_with_the_answer(served: Any) -> None:
    events = with_client(served, lambda client: collect(client.stream("2+2?", omit_tokens=True)))
    assert [type(event) for event in events] == [
        Plan,
        PlanStep,
        Residency,
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


@pytest.mark.parametrize("pareto", [False, True])
def test_the_frontier_is_asked_for_and_read(served: Any, pareto: bool) -> None:
    plan = with_client(served, lambda client: client.plan("2+2?", pareto=pareto, horizon=1))
    request = served.coordinator.requests["Plan"]
    assert (request.pareto, request.question.horizon) == (pareto, 1)
    assert [(point.reliability, point.chosen) for point in plan.frontier] == [(0.75, True)]
    with Client(served.address, served.admin, coordinator="boss") as client:
        assert client.plan("2+2?", pareto=pareto) == plan
    assert served.coordinator.requests["Plan"].pareto == pareto


def test_options_reach_the_coordinator(served: Any) -> None:
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
        ({"kind": "numberz"}, "Did you mean 'number'"),
        ({"decompose": "split"}, "decompose cannot be 'split'"),
        ({"seed": -1}, "seed is -1"),
        ({"grammar": "a", "json_schema": "{}"}, "exclude each other"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(
    served: Any, options: Any, expected: str
) -> None:
    with pytest.raises(InvalidRequest, match=expected):
        with_client(served, lambda client: client.ask("2+2?", **options))
    assert not served.coordinator.requests


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], "messages"),
        ([Message("x", "god")], "god"),
        ("Rome\udce9?", "not UTF-8"),
        ("a" * 20_000_000, "1048576 are the most"),
    ],
    ids=["none", "role", "surrogate", "huge"],
)
def test_wrong_messages_are_refused(served: Any, asked: Any, expected: str) -> None:
    with pytest.raises(InvalidRequest, match=expected):
        with_client(served, lambda client: client.ask(asked))


def test_error_of_the_coordinator_is_raised_as_itself(served: Any) -> None:
    with pytest.raises(UnknownStrategy) as raised:
        with_client(served, lambda client: client.ask("2+2?", strategy="majorty"))
    assert raised.value.metadata["nearest"] == "majority"
    with pytest.raises(NoQuorum, match="nobody answered"):
        with_client(served, lambda client: collect(client.stream("fail")))


def test_error_in_a_stream_reaches_the_blocking_client(served: Any) -> None:
    with Client(served.address, served.admin) as client, pytest.raises(NoQuorum):
        list(client.stream("fail"))


def test_leaving_a_stream_early_cancels_it_at_the_coordinator(served: Any) -> None:
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


def test_deadline_of_the_client_ends_a_call(served: Any) -> None:
    with (
        Client(served.address, served.admin, timeout_seconds=0.3) as client,
        pytest.raises(errors.DeadlineExceeded),
    ):
        list(client.stream("go on"))


def test_nodes_batches_and_strategies_are_read(served: Any) -> None:
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
        known = client.learned()
        assert (known.reliabilities[0].model, known.reliabilities[0].right) == ("atlas", 2.5)
        assert (known.pairs[0].first_right, known.calibrations[0].items) == (3, 50)
        assert known.durations[0].quantile_seconds == 0.5
        assert (client.reset_learned(), client.import_learned("{}")) == (7, 8)
        assert (client.export_learned(), client.record("q1")) == ("{}", '{"a": 1}')


def test_caller_of_the_wrong_role_is_told_so(served: Any) -> None:
    with pytest.raises(errors.NotPermitted):
        with_client(served, lambda client: client.nodes(), tls=served.node)


def test_coordinator_of_another_name_is_not_talked_to(served: Any) -> None:
    async def run() -> None:
        async with AsyncClient(
            served.address, served.admin, coordinator="other", timeout_seconds=5
        ) as client:
            await client.nodes()

    with pytest.raises(PeerUnreachable):
        asyncio.run(run())


def test_client_outside_of_its_block_says_so(served: Any) -> None:
    client = Client(served.address, served.admin)
    with pytest.raises(RuntimeError, match="with statement"):
        client.nodes()
