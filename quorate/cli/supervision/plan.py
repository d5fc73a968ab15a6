"""Which services a local mesh consists of, and the settings of each. Pure."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from quorate import topology as topologies
from quorate.errors import ConfigurationError
from quorate.identity import Role
from quorate.topology import Deployment, Topology

if TYPE_CHECKING:
    from quorate.cli.supervision.credentials import Credentials
    from quorate.client.local_mesh import Home
    from quorate.config import ServiceSettings
    from quorate.topology_parts import TopologyNode

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Service(NamedTuple):
    """A service to be started; `node` is set for nodes alone."""

    role: Role
    name: str
    node: TopologyNode | None = None

    @property
    def key(self) -> str:
        """Name it uniquely within the mesh, such as "coordinator" or "node-n1"."""
        return f"{self.role}-{self.name}" if self.node else str(self.role)

    @property
    def module(self) -> str:
        """Give the module that runs it."""
        return f"services.{self.role}"


class Site(NamedTuple):
    """Where a local mesh lives and who its services are; no credentials is an insecure mesh."""

    home: Home
    topology: Topology
    credentials: Credentials | None

    def synthesizer(self) -> Service:
        """Give the synthesizer."""
        return Service(Role.SYNTHESIZER, self.topology.synthesizer.name)

    def coordinator(self) -> Service:
        """Give the coordinator."""
        return Service(Role.COORDINATOR, self.topology.coordinator.name)

    def nodes(self) -> list[Service]:
        """Give the nodes."""
        return [Service(Role.NODE, node.name, node) for node in self.topology.nodes]

    def settings_file(self, service: Service) -> Path:
        """Give the file that the service's settings are written to."""
        return self.home.run / f"{service.key}.yaml"

    def ready_file(self, service: Service) -> Path:
        """Give the file in which the service reports its address."""
        return self.home.run / f"{service.key}.ready"

    def log_file(self, service: Service) -> Path:
        """Give the file that the service logs to."""
        return self.home.logs / f"{service.key}.log"

    def settings(
        self, service: Service, synthesizer: str | None = None, coordinator: str | None = None
    ) -> ServiceSettings:
        """Give a service's settings from the addresses of those it calls."""
        credentials = self.credentials
        deployment = Deployment(
            tls=credentials.leaves[service.role, service.name] if credentials else None,
            ready_file=self.ready_file(service),
            state_directory=self.home.path / "state",
        )
        if credentials:
            deployment = deployment._replace(trust_domain=credentials.trust_domain)
        if service.node is not None:
            coordinators = [coordinator] if coordinator else []
            return topologies.node_settings(self.topology, service.node, coordinators, deployment)
        if service.role is Role.COORDINATOR:
            return topologies.coordinator_settings(self.topology, synthesizer, deployment)
        return topologies.synthesizer_settings(self.topology, deployment)


def check_places(topology: Topology, own_addresses: Collection[str], *, insecure: bool) -> None:
    """Refuse to start services of other machines, or unprotected ones beyond loopback.

    Raises ConfigurationError that names the service and its host.
    """
    places = [("the coordinator", topology.coordinator), ("the synthesizer", topology.synthesizer)]
    hosts = [(what, place.host) for what, place in places]
    hosts += [(f"node {node.name}", node.host) for node in topology.nodes]
    for what, host in hosts:
        if insecure and host not in LOOPBACK_HOSTS:
            raise ConfigurationError(
                f"{what} listens on {host}; a mesh without certificates stays on loopback"
            )
        if host not in LOOPBACK_HOSTS and host not in own_addresses:
            raise ConfigurationError(
                f"{what} belongs on {host}, which is not an address of this machine; "
                "`quorate up` starts the services of one machine"
            )
