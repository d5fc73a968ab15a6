"""Channels to peers: mTLS with a check of who answers, deadlines, retries, renewal.

    async with Peers(settings) as peers:
        node = NodeServiceStub(peers.channel("10.0.0.5:7000", (Role.NODE, "atlas")))
        async for message in node.Generate(request):
            ...

Calls carry the request id, the trace and what is left of the deadline of the call being served, and
fail with errors of the catalogue only.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import grpc
import grpc.aio

from quorate.authorization import COORDINATOR, NODE
from quorate.config import ServiceSettings
from quorate.errors import ConfigurationError
from quorate.identity import Role, TlsMaterial, TlsWatcher, server_name
from quorate.listening import MESSAGE_BYTES, is_loopback
from quorate.peer_channel import Connection, PeerChannel

if TYPE_CHECKING:
    from types import TracebackType

    from quorate.config import TlsSettings

Peer: TypeAlias = tuple[Role, str] | Role | None
"""Who must answer: one peer, any of a role, or whoever the address's host name is certified for."""

WATCH_SECONDS: Final = 1.0  # how often files of certificates are looked at, at most

# Unary, without effects: safe to send again. Streams are never retried here; who reads one knows
# whether a token was seen.
IDEMPOTENT: Final[Mapping[str, tuple[str, ...]]] = {
    NODE: ("GetStatus", "ListModels", "Tokenize", "Embed", "Score"),
    COORDINATOR: ("ListNodes", "ListStrategies", "Plan", "GetBatch", "ListBatches"),
}
SERVICE_CONFIG: Final = json.dumps(
    {
        "methodConfig": [
            {
                "name": [
                    {"service": service, "method": method}
                    for service, methods in IDEMPOTENT.items()
                    for method in methods
                ],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
CLIENT_OPTIONS: Final = (
    # The server allows pings from every 10 s on, see quorate/listening.py.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),  # a long prefill sends no data, and is alive
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),  # peers are reached directly, whatever the environment says
    # By default channels with equal arguments share connections in the whole process; a channel
    # with a new certificate must make its own.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.service_config", SERVICE_CONFIG),
)


class Peers:
    """The channels of one process, one per address and peer; closes all of them at its end.

    No identity is possible only with `insecure`, and then only towards this machine. Certificates
    are taken up again when their files change, without ending a call.
    """

    def __init__(
        self,
        identity: ServiceSettings | TlsSettings | None,
        *,
        insecure: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call as the service with these settings, or with this certificate.

        Raises ConfigurationError when there is none, or it cannot be used.
        """
        if isinstance(identity, ServiceSettings):
            insecure, identity = identity.insecure, identity.tls
        if identity is None and not insecure:
            raise ConfigurationError(
                "no certificate is given to call peers with; set tls, "
                "or insecure: true for peers on this machine"
            )
        self._watcher = TlsWatcher(identity) if identity is not None else None
        self._clock = clock
        self._looked_at = clock()
        self._channels: dict[tuple[str, Peer], PeerChannel] = {}
        self._retired: set[Connection] = set()
        self._group: asyncio.TaskGroup | None = None

    def channel(self, address: str, peer: Peer = None) -> PeerChannel:
        """Give the channel to host:port, where only `peer` is talked to.

        `(Role.NODE, "atlas")` is that node, `Role.COORDINATOR` any coordinator, None whoever is
        certified for the host name. Another peer at the address is PeerUnreachable. Without TLS
        nobody can be told apart. Raises ConfigurationError to call another machine insecurely.
        """
        channel = self._channels.get((address, peer))
        if channel is None:
            if self._watcher is None and not is_loopback(address):
                raise ConfigurationError(
                    f"{address} is not on this machine, and may not be called without a certificate"
                )
            channel = PeerChannel(
                address,
                lambda material: _connect(address, peer, material),
                self._material,
                self._retire,
            )
            self._channels[address, peer] = channel
        return channel

    @property
    def retiring(self) -> int:
        """How many connections with older certificates still have calls that run."""
        return len(self._retired)

    async def forget(self, address: str, peer: Peer = None) -> None:
        """Close the channel to a peer that is gone; does nothing when there is none."""
        channel = self._channels.pop((address, peer), None)
        if channel is not None:
            await channel.close()

    def let_go(self, address: str, peer: Peer = None) -> None:
        """Drop the channel to a peer that has left; its running calls may end before it closes."""
        channel = self._channels.pop((address, peer), None)
        if channel is not None:
            channel.let_go()

    async def close(self) -> None:
        """End all calls and close all connections."""
        for channel in list(self._channels.values()):
            await channel.close()
        for connection in list(self._retired):
            await connection.close()
        self._channels.clear()

    def _material(self) -> TlsMaterial | None:
        if self._watcher is None:
            return None
        now = self._clock()
        if now - self._looked_at >= WATCH_SECONDS:
            self._looked_at = now
            self._watcher.refresh()
        return self._watcher.material

    def _retire(self, connection: Connection) -> None:
        self._retired.add(connection)
        if self._group is not None:
            self._group.create_task(self._close_when_idle(connection))

    async def _close_when_idle(self, connection: Connection) -> None:
        await connection.close_when_idle()
        self._retired.discard(connection)

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        group, self._group = self._group, None
        try:
            await self.close()
        finally:
            # Given the block's error, the group would wrap it into an ExceptionGroup.
            if group is not None:
                await group.__aexit__(None, None, None)


def _connect(address: str, peer: Peer, material: TlsMaterial | None) -> grpc.aio.Channel:
    if material is None:
        return grpc.aio.insecure_channel(address, options=CLIENT_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=material.authorities,
        private_key=material.key,
        certificate_chain=material.certificate,
    )
    options = [*CLIENT_OPTIONS]
    if peer is not None:
        role, name = peer if isinstance(peer, tuple) else (peer, None)
        options.append(("grpc.ssl_target_name_override", server_name(role, name)))
    return grpc.aio.secure_channel(address, credentials, options=options)
