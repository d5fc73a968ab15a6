"""Starts the services of a local mesh in their order, keeps them running, and ends them all."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from quorate import error_groups
from quorate import topology as topologies
from quorate.cli.supervision import readiness
from quorate.cli.supervision.credentials import USER
from quorate.cli.supervision.process import Child, Command, ending
from quorate.client import AsyncClient, local_mesh
from quorate.client.local_mesh import MeshState, ProcessState, ServiceState
from quorate.errors import NotReady, QuorateError, Unavailable
from quorate.identity import Role

if TYPE_CHECKING:
    from quorate.cli.supervision.plan import Service, Site
    from quorate.cli.supervision.readiness import Readiness

LOOK_SECONDS = 0.1
CALL_SECONDS = 10.0
PATIENCE_SECONDS = 120.0
START_SECONDS = 60.0
# A node loads its models before it can be called, and how long that takes grows with their size.
NODE_START_SECONDS = 1800.0
GRACE_SECONDS = 12.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0


class Reporter(Protocol):
    """Tells the user how the mesh is doing."""

    def service(self, key: str, said: str) -> None:
        """Say that a service changed: where it can be called, or how it ended."""

    def models(self, models: Sequence[Readiness]) -> None:
        """Say that models changed."""


def pause_seconds(restarts: int) -> float:
    """Give how long to wait before a service is started again, after so many restarts."""
    return float(min(FIRST_PAUSE_SECONDS * 2**restarts, LONGEST_PAUSE_SECONDS))


class Supervisor:
    """A local mesh that is being run. One event loop, in the main thread, owns all its state."""

    def __init__(self, site: Site, reporter: Reporter, environment: Mapping[str, str]) -> None:
        self.site = site
        self.reporter = reporter
        self._environment = environment
        self._children: dict[str, Child] = {}
        self._services: dict[str, ServiceState] = {}
        self._ready = False

    @property
    def state(self) -> MeshState:
        """Describe the mesh as it stands; the coordinator must have been started."""
        leaves = self.site.credentials.leaves if self.site.credentials else {}
        coordinator = self._services[self.site.coordinator().key]
        return MeshState(
            supervisor=ProcessState.of(os.getpid()),
            coordinator=coordinator.address,
            coordinator_name=coordinator.name,
            tls=leaves.get((Role.CLIENT, USER)),
            admin=leaves.get((Role.ADMIN, USER)),
            insecure=self.site.credentials is None,
            ready=self._ready,
            topology=topologies.to_yaml(self.site.topology),
            services=tuple(self._services.values()),
        )

    def client(self) -> AsyncClient:
        """Give a client of the mesh."""
        mesh = self.state
        return AsyncClient(
            mesh.coordinator,
            mesh.tls,
            insecure=mesh.insecure,
            timeout_seconds=CALL_SECONDS,
            coordinator=mesh.coordinator_name,
        )

    async def start(self) -> None:
        """Start every service and wait until every model can answer.

        Raises NotReady with the reason when a service dies or a model cannot be used.
        """
        site = self.site
        synthesizer = await self._launch(site.synthesizer())
        coordinator = await self._launch(site.coordinator(), synthesizer=synthesizer)
        self._publish()
        try:
            async with asyncio.TaskGroup() as group:
                for node in site.nodes():
                    group.create_task(self._launch(node, coordinator=coordinator))
        except ExceptionGroup as several:
            # Several nodes that fail together mostly fail alike: the first reason is enough.
            raise error_groups.first(several, (QuorateError, OSError)) from None
        await self._complete()
        self._ready = True
        self._publish()

    async def _launch(
        self, service: Service, synthesizer: str | None = None, coordinator: str | None = None
    ) -> str:
        """Start a service for the first time; gives its address."""
        settings = self.site.settings(service, synthesizer, coordinator)
        path = self.site.settings_file(service)
        path.write_text(topologies.to_yaml(settings), encoding="utf-8")
        self.site.log_file(service).unlink(missing_ok=True)
        address = await self._run(service, restarts=0)
        if service.role is not Role.NODE:
            # Others know this address, so that a restarted service must come back to it.
            pinned = settings.model_copy(update={"listen": address})
            path.write_text(topologies.to_yaml(pinned), encoding="utf-8")
        return address

    async def _run(self, service: Service, restarts: int) -> str:
        site = self.site
        command = Command(
            service.key,
            service.module,
            site.settings_file(service),
            site.ready_file(service),
            site.log_file(service),
        )
        child = await Child.start(command, self._environment)
        self._children[service.key] = child
        ready = await child.ready(NODE_START_SECONDS if service.node else START_SECONDS)
        self._services[service.key] = ServiceState(
            key=service.key,
            role=service.role,
            name=service.name,
            process=child.state,
            address=ready.address,
            log=command.log_file,
            metrics_port=ready.metrics_port,
            probe_port=ready.probe_port,
            restarts=restarts,
        )
        self.reporter.service(service.key, ready.address)
        return ready.address

    def _publish(self) -> None:
        local_mesh.write(self.site.home.path, self.state)

    async def _complete(self) -> None:
        """Wait for every model; the wait goes on for as long as there is progress."""
        before: Sequence[Readiness] = ()
        changed = time.monotonic()
        async with self.client() as client:
            while True:
                for child in self._children.values():
                    child.check()
                models = await self._look(client)
                if models != before:
                    before, changed = models, time.monotonic()
                    self.reporter.models(models)
                readiness.refuse_failed(models)
                if all(model.ready for model in models):
                    return
                if time.monotonic() - changed > PATIENCE_SECONDS:
                    raise NotReady(
                        f"nothing has changed for {PATIENCE_SECONDS:.0f} s: "
                        f"{readiness.outstanding(models)}. The logs are in {self.site.home.logs}"
                    )
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, client: AsyncClient) -> tuple[Readiness, ...]:
        try:
            nodes = await client.nodes()
        except Unavailable:  # the coordinator may be slow to take its first call
            nodes = ()
        return readiness.compare(self.site.topology, nodes)

    async def watch(self) -> None:
        """Start services again that end by themselves; runs until it is cancelled."""
        site = self.site
        async with asyncio.TaskGroup() as group:
            for service in (site.synthesizer(), site.coordinator(), *site.nodes()):
                group.create_task(self._keep(service))

    async def _keep(self, service: Service) -> None:
        restarts = 0
        while True:
            began = time.monotonic()
            code = await self._children[service.key].process.wait()
            if time.monotonic() - began > STEADY_SECONDS:
                restarts = 0
            pause = pause_seconds(restarts)
            self.reporter.service(
                service.key, f"{ending(code)}; it is started again in {pause:.1f} s"
            )
            await asyncio.sleep(pause)
            restarts += 1
            try:
                await self._run(service, restarts)
                self._publish()
            except QuorateError as error:
                self.reporter.service(service.key, error.message)
                self._children[service.key].kill()

    async def stop(self) -> None:
        """End every service: the coordinator, which finishes its questions, before the rest."""
        coordinator = self._children.get(self.site.coordinator().key)
        if coordinator:
            await coordinator.end(GRACE_SECONDS)
        async with asyncio.TaskGroup() as group:
            for child in self._children.values():
                group.create_task(child.end(GRACE_SECONDS))

    def kill(self) -> None:
        """End every service now."""
        for child in self._children.values():
            child.kill()


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    """Run a mesh for the block; whatever happens in it, no process is left.

    Raises NotReady with the reason when it cannot be started.
    """
    try:
        await supervisor.start()
        yield
    finally:
        try:
            await supervisor.stop()
        finally:
            supervisor.kill()
            supervisor.site.home.state.unlink(missing_ok=True)
