"""Puts a synthesizer together from its settings."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from quorate import authorization, server
from quorate.channel import Peers
from quorate.identity import Role
from quorate.telemetry import Telemetry
from quorate.v1 import synthesizer_pb2_grpc
from services.synthesizer.server import SynthesizerServer

if TYPE_CHECKING:
    from quorate.config import SynthesizerSettings


async def serve(settings: SynthesizerSettings) -> None:
    """Serve until cancelled; then what is in flight is let end."""
    async with synthesizer(settings) as running:
        await running.wait()


@asynccontextmanager
async def synthesizer(settings: SynthesizerSettings) -> AsyncIterator[server.Server]:
    """Run a synthesizer for as long as the block lasts; it serves when the block begins."""
    telemetry = Telemetry(settings.telemetry, "synthesizer", settings.name)
    async with Peers(settings) as peers:
        servicer = SynthesizerServer(peers, telemetry, settings.model_seconds, time.monotonic)
        offered = server.Service(
            authorization.SYNTHESIZER,
            lambda to: synthesizer_pb2_grpc.add_SynthesizerServiceServicer_to_server(servicer, to),
        )
        async with server.build(settings, Role.SYNTHESIZER, [offered], telemetry) as running:
            await running.start()
            yield running
