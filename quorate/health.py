"""Health of a server, for gRPC health checks (grpc.health.v1)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from quorate.calls import Context

Status = health_pb2.HealthCheckResponse
SERVING: Final[int] = Status.SERVING
NOT_SERVING: Final[int] = Status.NOT_SERVING
UNKNOWN: Final[int] = Status.SERVICE_UNKNOWN


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # the package has no types
    """One state for all services of a server, and for the server as a whole (the name "").

    The servicer of the grpcio-health-checking package is not used: when one of two watchers of a
    service leaves, the other one never hears of a change again.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset({"", *services})
        self._serving = False
        self._changed = asyncio.Condition()

    async def set_serving(self, *, serving: bool) -> None:
        """Change the state and tell all watchers."""
        async with self._changed:
            self._serving = serving
            self._changed.notify_all()

    def _status(self, service: str) -> int:
        if service not in self._services:
            return UNKNOWN
        return SERVING if self._serving else NOT_SERVING

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """Answer the state of a service; NOT_FOUND for one that is not served."""
        status = self._status(request.service)
        if status == UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r}")
        return Status(status=status)

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> None:
        """Send the state of a service now and whenever it changes."""
        sent: int | None = None
        while True:
            async with self._changed:
                while self._status(request.service) == sent:
                    await self._changed.wait()
                sent = self._status(request.service)
            await context.write(Status(status=sent))
