"""Certificates are renewed under running servers and clients, and no call notices."""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from quorate import identity
from quorate.channel import WATCH_SECONDS, Peers
from quorate.config import TlsSettings
from quorate.errors import PeerUnreachable, QuorateError
from quorate.identity import Role
from quorate.v1 import node_pb2, node_pb2_grpc

pytestmark = pytest.mark.anyio


def now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Node:
    """A stream that sends when told to, and a unary call that says with whom it speaks."""

    def __init__(self) -> None:
        self.may_send = asyncio.Semaphore(0)
        self.callers: list[str] = []

    async def generate(self, request: object, context: object) -> Any:
        for _ in range(3):
            await self.may_send.acquire()
            yield node_pb2.GenerateResponse()

    async def get_status(self, request: object, context: Any) -> object:
        (pem,) = context.auth_context()["x509_pem_cert"]
        self.callers.append(fingerprint(pem))
        return node_pb2.GetStatusResponse()


def fingerprint(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()


async def served_fingerprint(address: str, caller: TlsSettings) -> str:
    """Give the fingerprint of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(caller.authorities))
    context.load_cert_chain(caller.certificate, caller.key)
    context.set_alpn_protocols(["h2"])
    host, port = address.split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Give an authority that this test may change."""
    identity.create_authority(tmp_path / "own", now=now())
    return tmp_path / "own"


@pytest.fixture
async def node(serve_node: Any, own: Path) -> Any:
    handler = Node()
    handler.tls = identity.issue(own, Role.NODE, "atlas", now=now())
    handler.caller = identity.issue(own, Role.COORDINATOR, "chief", now=now())
    methods = {"Generate": handler.generate, "GetStatus": handler.get_status}
    async with serve_node("atlas", {"tls": handler.tls}, **methods) as running:
        handler.address = running.address
        yield handler


async def get_status(peers: Peers, node: Any) -> None:
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address, (Role.NODE, "atlas")))
    await stub.GetStatus(node_pb2.GetStatusRequest(), timeout=10)


async def test_a_server_shows_its_renewed_certificate_and_keeps_its_streams(node: Any) -> None:
    async with Peers(node.caller) as peers:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address))
        stream = stub.Generate(node_pb2.GenerateRequest())
        node.may_send.release()
        await stream.read()

        before = await served_fingerprint(node.address, node.caller)
        identity.renew(node.tls.certificate, now=now())
        after = await served_fingerprint(node.address, node.caller)
        assert after != before
        assert after == identity.describe(node.tls.certificate).fingerprint

        node.may_send.release()
        node.may_send.release()
        assert len([message async for message in stream]) == 2


async def test_a_server_takes_up_new_authorities(node: Any, tmp_path: Path) -> None:
    successor = tmp_path / "successor"
    identity.create_authority(successor, now=now())
    newcomer = identity.issue(successor, Role.COORDINATOR, "chief", now=now())
    both = newcomer.authorities.read_bytes() + node.tls.authorities.read_bytes()
    trusting = newcomer.model_copy(update={"authorities": tmp_path / "both.pem"})
    trusting.authorities.write_bytes(both)

    async with Peers(trusting) as early:
        with pytest.raises(PeerUnreachable):
            await get_status(early, node)
    node.tls.authorities.write_bytes(both)
    async with Peers(trusting) as late, Peers(node.caller) as old:
        await get_status(late, node)
        await get_status(old, node)


def write_garbage(tls: TlsSettings, directory: Path) -> None:
    tls.certificate.write_bytes(b"not a certificate")


def remove_key(tls: TlsSettings, directory: Path) -> None:
    tls.key.unlink()


def write_half(tls: TlsSettings, directory: Path) -> None:
    other = identity.issue(directory, Role.NODE, "scribe", now=now())
    tls.key.write_bytes(other.key.read_bytes())


def become_another(tls: TlsSettings, directory: Path) -> None:
    other = identity.issue(directory, Role.NODE, "scribe", now=now())
    tls.key.write_bytes(other.key.read_bytes())
    tls.certificate.write_bytes(other.certificate.read_bytes())


def empty_authorities(tls: TlsSettings, directory: Path) -> None:
    tls.authorities.write_bytes(b"")


DAMAGES = [write_garbage, remove_key, write_half, become_another, empty_authorities]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_server_keeps_its_last_good_certificate(
    node: Any, own: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with Peers(node.caller) as peers:  # loaded before the damage
        key, certificate = node.tls.key.read_bytes(), node.tls.certificate.read_bytes()
        authorities = node.tls.authorities.read_bytes()
        with caplog.at_level(logging.ERROR, "quorate.identity.material"):
            damage(node.tls, own)
            await get_status(peers, node)
        assert "stay as they were" in caplog.text
        node.tls.key.write_bytes(key)
        node.tls.certificate.write_bytes(certificate)
        node.tls.authorities.write_bytes(authorities)
        identity.renew(node.tls.certificate, now=now())
        shown = await served_fingerprint(node.address, node.caller)
        assert shown == identity.describe(node.tls.certificate).fingerprint


async def test_a_client_calls_with_its_renewed_certificate_and_keeps_its_streams(
    node: Any,
) -> None:
    clock = Clock()
    async with Peers(node.caller, clock=clock) as peers:
        await get_status(peers, node)
        channel = peers.channel(node.address, (Role.NODE, "atlas"))
        stub = node_pb2_grpc.NodeServiceStub(channel)
        stream = stub.Generate(node_pb2.GenerateRequest())
        node.may_send.release()
        await stream.read()

        identity.renew(node.caller.certificate, now=now())
        await get_status(peers, node)
        assert node.callers[1] == node.callers[0]  # files were looked at a moment ago
        clock.seconds += WATCH_SECONDS
        await stub.GetStatus(node_pb2.GetStatusRequest())  # a stub made before the renewal
        assert node.callers[2] != node.callers[0]
        assert node.callers[2] == identity.describe(node.caller.certificate).fingerprint

        assert peers.retiring == 1
        node.may_send.release()
        node.may_send.release()
        assert len([message async for message in stream]) == 2
        async with asyncio.timeout(5):
            while peers.retiring:  # noqa: ASYNC110  # no event tells it
                await asyncio.sleep(0)
        await get_status(peers, node)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_client_keeps_its_last_good_certificate(
    node: Any, own: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with Peers(node.caller, clock=clock) as peers:
        await get_status(peers, node)
        with caplog.at_level(logging.ERROR, "quorate.identity.material"):
            damage(node.caller, own)
            for _ in range(3):
                clock.seconds += WATCH_SECONDS
                await get_status(peers, node)
        assert len(caplog.records) == 1  # told once, not at every look
        assert len(set(node.callers)) == 1


async def test_closing_peers_ends_streams_on_older_connections_too(node: Any) -> None:
    clock = Clock()
    async with Peers(node.caller, clock=clock) as peers:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(node.address))
        stream = stub.Generate(node_pb2.GenerateRequest())
        node.may_send.release()
        await stream.read()
        identity.renew(node.caller.certificate, now=now())
        clock.seconds += WATCH_SECONDS
        await stub.GetStatus(node_pb2.GetStatusRequest())
        assert peers.retiring == 1
    assert peers.retiring == 0
    assert stream.done()
    with pytest.raises(QuorateError):
        await stream.read()


async def test_an_error_in_the_block_leaves_peers_as_itself(node: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Peers(node.caller):
            raise ZeroDivisionError


async def test_a_channel_is_made_once_and_can_be_forgotten(node: Any) -> None:
    async with Peers(node.caller) as peers:
        first = peers.channel(node.address, Role.NODE)
        assert peers.channel(node.address, Role.NODE) is first
        assert peers.channel(node.address) is not first
        async with asyncio.timeout(10):
            await first.channel_ready()
            state = first.get_state()
            await peers.forget(node.address, Role.NODE)
            await peers.forget(node.address, Role.NODE)
        assert state.name == "READY"
        assert peers.channel(node.address, Role.NODE) is not first
