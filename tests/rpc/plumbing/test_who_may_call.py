"""Who gets through to a server, and what those who do not are told."""

from __future__ import annotations

import datetime
from typing import Any

import grpc.aio
import pytest
import trustme

from quorate import identity
from quorate.channel import Peers
from quorate.config import TlsSettings
from quorate.errors import ConfigurationError, NotAuthenticated, NotPermitted, PeerUnreachable
from quorate.identity import Role
from quorate.v1 import node_pb2, node_pb2_grpc

pytestmark = pytest.mark.anyio


async def status(request: object, context: object) -> node_pb2.GetStatusResponse:
    return node_pb2.GetStatusResponse()


async def get_status(peers: Peers, address: str, peer: Any = None) -> object:
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(address, peer))
    return await stub.GetStatus(node_pb2.GetStatusRequest(), timeout=10)


async def test_a_caller_with_the_right_role_is_served(serve_node: Any, peers: Peers) -> None:
    async with serve_node(GetStatus=status) as node:
        assert await get_status(peers, node.address, (Role.NODE, "atlas")) is not None


async def test_a_caller_without_a_certificate_is_refused(serve_node: Any, authority: Any) -> None:
    roots = (authority / identity.AUTHORITY_CERTIFICATE).read_bytes()
    async with (
        serve_node(GetStatus=status) as node,
        grpc.aio.secure_channel(
            node.address, grpc.ssl_channel_credentials(root_certificates=roots)
        ) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await node_pb2_grpc.NodeServiceStub(channel).GetStatus(node_pb2.GetStatusRequest())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_plaintext_caller_is_refused(serve_node: Any) -> None:
    async with serve_node(GetStatus=status) as node, Peers(None, insecure=True) as strangers:
        with pytest.raises(PeerUnreachable):
            await get_status(strangers, node.address)


def trustme_pair(directory: Any) -> tuple[bytes, bytes]:
    leaf = trustme.CA().issue_cert("localhost")
    return leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()


def false_admin_pair(directory: Any) -> tuple[bytes, bytes]:
    now = datetime.datetime.now(datetime.UTC)
    identity.create_authority(directory, now=now)  # of the same trust domain, by name
    admin = identity.issue(directory, Role.ADMIN, "root", now=now)
    return admin.key.read_bytes(), admin.certificate.read_bytes()


@pytest.mark.parametrize("pair", [trustme_pair, false_admin_pair])
async def test_a_caller_of_a_foreign_authority_is_refused(
    serve_node: Any, authority: Any, tmp_path: Any, pair: Any
) -> None:
    key, chain = pair(tmp_path)
    # The foreigner trusts the mesh; the mesh must not trust the foreigner.
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(authority / identity.AUTHORITY_CERTIFICATE).read_bytes(),
        private_key=key,
        certificate_chain=chain,
    )
    async with (
        serve_node(GetStatus=status) as node,
        grpc.aio.secure_channel(node.address, credentials) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await node_pb2_grpc.NodeServiceStub(channel).GetStatus(node_pb2.GetStatusRequest())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_of_a_foreign_authority_is_refused(tmp_path: Any, peers: Peers) -> None:
    foreign = trustme.CA()
    leaf = foreign.issue_cert("127.0.0.1", "atlas.node.quorate.internal")
    credentials = grpc.ssl_server_credentials(
        [(leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes())]
    )
    impostor = grpc.aio.server()
    port = impostor.add_secure_port("127.0.0.1:0", credentials)
    await impostor.start()
    try:
        with pytest.raises(PeerUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
            await get_status(peers, f"127.0.0.1:{port}", (Role.NODE, "atlas"))
    finally:
        await impostor.stop(None)


async def test_a_caller_with_the_wrong_role_is_told_the_right_ones(
    serve_node: Any, tls: Any
) -> None:
    async with serve_node(GetStatus=status) as node, Peers(tls(Role.CLIENT, "ann")) as clients:
        with pytest.raises(NotPermitted) as refused:
            await get_status(clients, node.address)
    assert "admin, bench, coordinator, gateway, synthesizer" in refused.value.message
    assert refused.value.metadata == {
        "role": "client",
        "method": "/quorate.v1.NodeService/GetStatus",
        "allowed_roles": "admin, bench, coordinator, gateway, synthesizer",
    }


async def test_a_refused_caller_never_reaches_the_handler(serve_node: Any, tls: Any) -> None:
    reached = []

    async def load(request: object, context: Any) -> None:
        reached.append(request)

    async with serve_node(LoadModel=load) as node, Peers(tls(Role.BENCH, "load")) as bench:
        stub = node_pb2_grpc.NodeServiceStub(bench.channel(node.address))
        with pytest.raises(NotPermitted, match="called by: admin, coordinator"):
            await stub.LoadModel(node_pb2.LoadModelRequest()).read()
    assert reached == []


async def test_a_caller_of_another_trust_domain_is_refused(
    serve_node: Any, authority: Any, peers: Peers, tmp_path: Any
) -> None:
    # The same authority signs, but for another mesh.
    now = datetime.datetime.now(datetime.UTC)
    other = tmp_path / "other"
    identity.create_authority(other, "other.mesh", now=now)
    stranger = identity.issue(other, Role.ADMIN, "root", now=now)
    mixed = tmp_path / "both.pem"
    ours = authority / identity.AUTHORITY_CERTIFICATE
    mixed.write_bytes(ours.read_bytes() + stranger.authorities.read_bytes())
    atlas = identity.issue(authority, Role.NODE, "trusting", now=now)
    trusting = TlsSettings(certificate=atlas.certificate, key=atlas.key, authorities=mixed)
    async with (
        serve_node("trusting", {"tls": trusting}, GetStatus=status) as node,
        Peers(stranger.model_copy(update={"authorities": mixed})) as strangers,
    ):
        with pytest.raises(NotAuthenticated, match="another trust domain"):
            await get_status(strangers, node.address)


async def test_a_node_is_reached_only_as_the_node_that_it_is(serve_node: Any, peers: Peers) -> None:
    async with serve_node("atlas", GetStatus=status) as node:
        with pytest.raises(PeerUnreachable, match=r"Hostname Verification Check failed"):
            await get_status(peers, node.address, (Role.NODE, "scribe"))
        with pytest.raises(PeerUnreachable):
            await get_status(peers, node.address, Role.COORDINATOR)
        with pytest.raises(PeerUnreachable):
            await get_status(peers, node.address, (Role.COORDINATOR, "atlas"))
        await get_status(peers, node.address, Role.NODE)
        await get_status(peers, node.address)


async def test_without_tls_on_loopback_everybody_is_served(serve: Any) -> None:
    async with (
        serve(Role.NODE, "atlas", {"GetStatus": status}, insecure=True) as node,
        Peers(None, insecure=True) as anybody,
    ):
        await get_status(anybody, node.address, (Role.NODE, "atlas"))


async def test_other_machines_are_not_called_without_tls() -> None:
    async with Peers(None, insecure=True) as anybody:
        with pytest.raises(ConfigurationError, match="not on this machine"):
            anybody.channel("10.0.0.5:7000")


async def test_peers_without_an_identity_need_to_say_so() -> None:
    with pytest.raises(ConfigurationError, match="no certificate is given"):
        Peers(None)
