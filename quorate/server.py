"""The server of every service: mTLS, roles, health, reflection, measurement and a graceful end.

    async with server.build(settings, Role.NODE, [service], telemetry) as node:
        await node.start()
        await node.wait()

When the block is left, also by a signal (see `run`), the server drains and stops. What the handlers
need must outlive it: open that outside of this block.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import grpc.aio
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from quorate.admission import Admission
from quorate.authorization import HEALTH, REFLECTION, check_complete
from quorate.errors import ConfigurationError, QuorateError
from quorate.health import Health
from quorate.interceptors import CallInterceptor
from quorate.listening import SERVER_OPTIONS, address_of, open_port, port_taken

if TYPE_CHECKING:
    from types import TracebackType

    from quorate.config import ServiceSettings
    from quorate.identity import Role
    from quorate.telemetry import Telemetry

STOP_SECONDS: Final = 1.0  # for calls that are left after the drain to hear that it is over


@dataclass(frozen=True)
class Service:
    """One service of a server: its full name and the generated function that adds its servicer."""

    name: str
    add: Callable[[grpc.aio.Server], None]


def build(
    settings: ServiceSettings, role: Role, services: Sequence[Service], telemetry: Telemetry
) -> Server:
    """Make a server and bind its ports; call it in the event loop that will run it.

    Raises ConfigurationError when it has no identity, a port is taken, or a method has no roles.
    """
    return Server(settings, role, services, telemetry)


class Server:
    """A server of one peer; made by `build`. All of it belongs to one event loop."""

    def __init__(
        self,
        settings: ServiceSettings,
        role: Role,
        services: Sequence[Service],
        telemetry: Telemetry,
    ) -> None:
        names = [service.name for service in services]
        check_complete(_methods([*names, HEALTH, REFLECTION]))
        self._settings = settings
        self._telemetry = telemetry
        self._admission = Admission()
        self._health = Health(names)
        self._started = False
        self._stopped = asyncio.Event()
        trust_domain = settings.trust_domain if settings.tls else None
        interceptor = CallInterceptor(telemetry, self._admission, trust_domain)
        self._server = grpc.aio.server(interceptors=[interceptor], options=SERVER_OPTIONS)
        for service in services:
            service.add(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*names, HEALTH, REFLECTION], self._server)
        self._address = address_of(settings, open_port(self._server, settings, role))
        self._probe_server, self._probe_port = self._open_probe()

    def _open_probe(self) -> tuple[grpc.aio.Server | None, int | None]:
        # A Kubernetes probe cannot show a certificate: health alone is served without.
        port, host = self._settings.probe_port, self._settings.probe_host
        if port is None:
            return None, None
        server = grpc.aio.server(options=SERVER_OPTIONS)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        try:
            return server, server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise port_taken(f"{host}:{port}", "probe_port") from error

    @property
    def address(self) -> str:
        """The host:port that peers are told."""
        return self._address

    @property
    def probe_port(self) -> int | None:
        """The port of plaintext health checks; None when there is none."""
        return self._probe_port

    @property
    def metrics_port(self) -> int | None:
        """The port of /metrics; None when there is none."""
        return self._telemetry.metrics_port

    @property
    def in_flight(self) -> int:
        """Calls being worked on, without watching and leases, which last as long as their peers."""
        return self._admission.in_flight

    @property
    def draining(self) -> bool:
        """Whether new work is refused."""
        return self._admission.draining

    async def wait_draining(self) -> None:
        """Wait until a drain begins; endless streams should end then."""
        await self._admission.wait_draining()

    async def start(self) -> None:
        """Take calls, then write the ready file; a second time does nothing.

        Raises ConfigurationError when the port for metrics is taken.
        """
        if self._started:
            return
        self._telemetry.start()
        self._started = True
        await self._server.start()
        if self._probe_server is not None:
            await self._probe_server.start()
        await self._health.set_serving(serving=True)
        self._write_ready_file()

    async def set_serving(self, *, serving: bool) -> None:
        """Say in health checks whether calls are welcome; they are served in either case."""
        if not self.draining:
            await self._health.set_serving(serving=serving)

    async def drain(self, seconds: float) -> bool:
        """Refuse new work and wait so long for what is running; true when all of it ended."""
        self._admission.start_draining(retry_after_seconds=seconds)
        await self._health.set_serving(serving=False)
        try:
            async with asyncio.timeout(seconds):
                await self._admission.wait_idle()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End all calls and close the ports; drain first for a graceful end."""
        if self._stopped.is_set():
            return
        self._remove_ready_file()
        await self._server.stop(0 if self.in_flight == 0 else STOP_SECONDS)
        if self._probe_server is not None:
            await self._probe_server.stop(0)
        await asyncio.to_thread(self._telemetry.shutdown)
        self._stopped.set()

    async def wait(self) -> None:
        """Wait until the server has stopped."""
        if not self._started:
            raise RuntimeError("the server was not started")
        await self._stopped.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._started and not self._stopped.is_set():
                await self.drain(self._settings.drain_seconds)
        finally:
            await self.stop()

    def _write_ready_file(self) -> None:
        path = self._settings.ready_file
        if path is None:
            return
        ready = {
            "address": self.address,
            "pid": os.getpid(),
            "metrics_port": self.metrics_port,
            "probe_port": self._probe_port,
        }
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(ready), encoding="utf-8")
        draft.replace(path)  # a reader sees the whole file or none

    def _remove_ready_file(self) -> None:
        if self._started and self._settings.ready_file is not None:
            self._settings.ready_file.unlink(missing_ok=True)


def _methods(services: Sequence[str]) -> list[str]:
    """Give the full names of all methods of services; they must be in loaded stubs."""
    pool = descriptor_pool.Default()
    methods = []
    for name in services:
        try:
            service = pool.FindServiceByName(name)
        except KeyError as error:
            raise ConfigurationError(f"no loaded proto has a service {name!r}") from error
        methods += [f"/{name}/{method.name}" for method in service.methods]
    return methods


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a program until it ends or is told to: SIGTERM and SIGINT cancel it once each.

    The first signal lets servers drain, a second one cuts the draining short. An error of the
    catalogue ends the program with its message and status 1.
    """
    try:
        asyncio.run(_until_signalled(main))
    except QuorateError as error:
        sys.exit(f"error: {error.message}")


async def _until_signalled(main: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    signalled = False

    def cancel() -> None:
        nonlocal signalled
        signalled = True
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, cancel)
    try:
        await main()
    except asyncio.CancelledError:
        if not signalled:
            raise
