"""Leases: a node is listed and asked for as long as it holds one, under its own name only."""

from __future__ import annotations

import asyncio

import grpc.aio
import pytest

from quorate import errors
from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2, registry_pb2, registry_pb2_grpc

pytestmark = pytest.mark.anyio
HERE = "127.0.0.1:7001"


async def test_a_node_that_announces_itself_is_listed_as_it_said(mesh, script) -> None:
    status = script.status_of("n1", ["atlas"])
    status.version = "1.2.3"
    peers = await mesh.peers_of(Role.NODE, "n1")
    lease = registry_pb2_grpc.RegistryServiceStub(peers.channel(mesh.address)).Lease()
    await lease.write(registry_pb2.LeaseRequest(address=HERE, status=status, group="lab"))
    granted = await lease.read()
    assert granted.lease_id
    assert (granted.time_to_live_seconds, granted.heartbeat_seconds) == (60.0, 2.0)
    assert not granted.drain
    node = (await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())).nodes[0]
    assert node.status == status
    assert (node.address, node.group) == (HERE, "lab")
    assert node.last_heartbeat.seconds > 1_700_000_000


async def test_a_heartbeat_brings_news_and_may_leave_out_what_is_known(mesh, script) -> None:
    lease, granted = await mesh.register("n1", HERE, script.status_of("n1", ["atlas"]))
    await lease.write(registry_pb2.LeaseRequest(status=script.status_of("n1", ["atlas", "scribe"])))
    renewed = await lease.read()
    assert renewed.lease_id == granted.lease_id
    node = (await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())).nodes[0]
    assert [model.name for model in node.status.models] == ["atlas", "scribe"]
    assert node.address == HERE


async def test_nodes_are_listed_by_name(mesh, script) -> None:
    for name in ("n2", "n10", "n1"):
        await mesh.register(name, HERE, script.status_of(name, []))
    assert await mesh.nodes() == ["n1", "n10", "n2"]


@pytest.mark.parametrize("how", ["cancel", "leave", "end", "break"])
async def test_a_node_that_goes_is_dropped_at_once(mesh, script, how: str) -> None:
    lease, _ = await mesh.register("n1", HERE, script.status_of("n1", []))
    assert await mesh.nodes() == ["n1"]
    if how == "cancel":
        lease.cancel()
    elif how == "leave":
        await lease.write(registry_pb2.LeaseRequest(leaving=True))
    elif how == "end":
        await lease.done_writing()
    else:
        await mesh.last_peers.close()
    await mesh.until_nodes_are()


async def test_a_lease_ends_when_no_heartbeat_comes(bare_mesh, script) -> None:
    await bare_mesh.start(lease_seconds=0.3)
    lease, _ = await bare_mesh.register("n1", HERE, script.status_of("n1", []))
    assert await bare_mesh.nodes() == ["n1"]
    with pytest.raises(errors.DeadlineExceeded, match="No heartbeat of n1"):
        await lease.read()
    assert await bare_mesh.nodes() == []


async def test_heartbeats_keep_a_lease_alive_past_its_first_end(bare_mesh, script) -> None:
    await bare_mesh.start(lease_seconds=0.5)
    status = script.status_of("n1", [])
    lease, granted = await bare_mesh.register("n1", HERE, status)
    for _ in range(4):
        await asyncio.sleep(0.2)
        await lease.write(registry_pb2.LeaseRequest(status=status))
        assert (await lease.read()).lease_id == granted.lease_id
    assert await bare_mesh.nodes() == ["n1"]


async def test_a_name_that_is_not_the_certificates_is_refused(mesh, script) -> None:
    peers = await mesh.peers_of(Role.NODE, "mallory")
    lease = registry_pb2_grpc.RegistryServiceStub(peers.channel(mesh.address)).Lease()
    await lease.write(registry_pb2.LeaseRequest(address=HERE, status=script.status_of("n1", [])))
    with pytest.raises(errors.NotPermitted, match="mallory may not register as 'n1'"):
        await lease.read()
    assert await mesh.nodes() == []


async def test_a_client_cannot_register(mesh, script) -> None:
    lease = registry_pb2_grpc.RegistryServiceStub(mesh.peers.channel(mesh.address)).Lease()
    with pytest.raises(errors.NotPermitted, match="may be called by: node"):
        await lease.read()


async def test_a_name_in_use_is_refused_until_it_is_free(mesh, script) -> None:
    status = script.status_of("n1", [])
    first, _ = await mesh.register("n1", HERE, status)
    with pytest.raises(errors.AlreadyExists, match=HERE):
        await mesh.register("n1", "127.0.0.1:7002", status)
    first.cancel()
    await mesh.until_nodes_are()
    await mesh.register("n1", "127.0.0.1:7002", status)
    assert await mesh.nodes() == ["n1"]


async def test_a_node_that_comes_back_takes_its_lease_over(mesh, script) -> None:
    status = script.status_of("n1", [])
    old, first = await mesh.register("n1", HERE, status)
    _, second = await mesh.register("n1", HERE, status)
    assert first.lease_id != second.lease_id
    await old.write(registry_pb2.LeaseRequest(status=status))
    with pytest.raises(errors.Unavailable, match="announce again"):
        await old.read()
    assert await mesh.nodes() == ["n1"]


@pytest.mark.parametrize(
    ("address", "name", "field"),
    [
        ("", "n1", "address"),
        ("nowhere", "n1", "address"),
        ("a:99999", "n1", "address"),
        (HERE, "", "status.node"),
        (HERE, "N 1", "status.node"),
    ],
)
async def test_a_wrong_announcement_is_refused_and_named(
    mesh, address: str, name: str, field: str
) -> None:
    peers = await mesh.peers_of(Role.NODE, "n1")
    lease = registry_pb2_grpc.RegistryServiceStub(peers.channel(mesh.address)).Lease()
    status = common_pb2.NodeStatus(node=name)
    await lease.write(registry_pb2.LeaseRequest(address=address, status=status))
    with pytest.raises(errors.InvalidRequest) as refused:
        await lease.read()
    assert refused.value.metadata["field"] == field


async def test_a_stream_without_a_message_is_no_lease(mesh) -> None:
    peers = await mesh.peers_of(Role.NODE, "n1")
    lease = registry_pb2_grpc.RegistryServiceStub(peers.channel(mesh.address)).Lease()
    await lease.done_writing()
    assert await lease.read() is grpc.aio.EOF


async def test_a_model_that_is_not_ready_does_not_vote(mesh, script) -> None:
    status = script.status_of("n1", ["atlas"])
    status.models[0].state = common_pb2.MODEL_STATE_FAILED
    status.models[0].problem = "the file is damaged"
    await mesh.register("n1", HERE, status)
    with pytest.raises(errors.NoNodes, match=r"atlas on n1 is failed \(the file is damaged\)"):
        await mesh.ask("What is it?")


async def test_a_drained_node_votes_no_more_and_is_told(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("a"))
    await mesh.node("n2", atlas=script.says("a"))
    peers = await mesh.peers_of(Role.ADMIN, "root")
    admin = type(mesh.client)(peers.channel(mesh.address, Role.COORDINATOR))
    drain = coordinator_pb2.DrainNodeRequest(node="n1", timeout_seconds=3.0)
    assert (await admin.DrainNode(drain)).abandoned == 2
    assert node.script.drained_seconds == 3.0
    listed = (await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())).nodes[0]
    assert listed.status.state == common_pb2.NODE_STATE_DRAINING
    assert (await mesh.ask("What is it?")).quorum.asked == 1
    await node.lease.write(registry_pb2.LeaseRequest(status=script.status_of("n1", ["atlas"])))
    assert (await node.lease.read()).drain
    with pytest.raises(errors.UnknownNode, match="Did you mean 'n1'"):
        await admin.DrainNode(coordinator_pb2.DrainNodeRequest(node="n11"))
    for seconds in (-1.0, float("nan"), 1e9):
        request = coordinator_pb2.DrainNodeRequest(node="n1", timeout_seconds=seconds)
        with pytest.raises(errors.InvalidRequest, match="timeout_seconds"):
            await admin.DrainNode(request)
    with pytest.raises(errors.NotPermitted):
        await mesh.client.DrainNode(drain)


async def test_a_node_at_a_new_address_is_called_there(mesh, script) -> None:
    first = await mesh.node("n1", atlas=script.says("old"))
    assert (await mesh.ask("What is it?")).answer == "old"
    first.lease.cancel()
    await first.kill()
    await mesh.until_nodes_are()
    await mesh.node("n1", atlas=script.says("new"))
    assert (await mesh.ask("What is it?")).answer == "new"


async def test_a_peer_that_is_not_the_node_it_claims_to_be_gets_no_question(mesh, script) -> None:
    other = await mesh.node("n2", atlas=script.says("wrong"))
    status = script.status_of("n1", ["atlas"])
    await mesh.register("n1", other.server.address, status)
    result = await mesh.ask("What is it?")
    ballots = {ballot.ballot_id: ballot for ballot in result.parts[0].ballots}
    assert ballots["t1/n1/atlas/0"].failure.kind == "PEER_UNREACHABLE"
    assert len(other.script.requests) == 1


async def test_a_lease_is_not_renewed_under_another_name(mesh, script) -> None:
    lease, _ = await mesh.register("n1", HERE, script.status_of("n1", []))
    await lease.write(registry_pb2.LeaseRequest(status=script.status_of("n2", [])))
    with pytest.raises(errors.NotPermitted, match="n2"):
        await lease.read()
    await mesh.until_nodes_are()


async def test_a_node_with_absurdly_many_models_is_refused(mesh, script) -> None:
    status = script.status_of("n1", [f"m{number}" for number in range(1_025)])
    with pytest.raises(errors.InvalidRequest, match=r"status\.models"):
        await mesh.register("n1", HERE, status)


@pytest.mark.parametrize("weight", [float("inf"), float("nan"), -1.0, 1e9])
async def test_an_absurd_weight_counts_as_one(mesh, script, weight: float) -> None:
    await mesh.node("n1", weight=weight, atlas=script.says("a", logprob=-0.5))
    result = await mesh.ask("What is it?", strategy="weighted")
    assert result.parts[0].ballots[0].weight == pytest.approx(0.6065, abs=1e-3)


async def test_a_node_that_freezes_in_mid_answer_is_waited_for_no_longer_than_its_lease(
    bare_mesh, script
) -> None:
    await bare_mesh.start(lease_seconds=0.6, ballot_seconds=20.0)
    await bare_mesh.node("n1", atlas=script.hangs("I think"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(errors.NoQuorum, match="n1 stopped sending heartbeats"):
        await bare_mesh.ask("What is it?")
    assert loop.time() - began < 5.0


async def test_a_frozen_node_costs_its_own_ballot_only(bare_mesh, script) -> None:
    await bare_mesh.start(lease_seconds=0.6, ballot_seconds=20.0)
    await bare_mesh.node("n2", atlas=script.says("a"))
    await bare_mesh.node("n1", atlas=script.hangs())
    result = await bare_mesh.ask("What is it?", stop_rule="STOP_RULE_NEVER")
    assert result.answer == "a"
    assert (result.quorum.asked, result.quorum.answered) == (2, 1)
    lost = result.parts[0].ballots[0]
    assert lost.status == common_pb2.BALLOT_STATUS_TIMED_OUT
    assert "heartbeats" in lost.failure.message
