"""Certificates of a local mesh: made on first use, renewed before they end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from quorate.config import TlsSettings
from quorate.errors import ConfigurationError
from quorate.identity import AUTHORITY_CERTIFICATE, Role, create_authority, describe, issue

if TYPE_CHECKING:
    from pathlib import Path

    from quorate.topology import Topology

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
USER = "local"
RENEW_BEFORE = timedelta(days=30)


class Peer(NamedTuple):
    """Somebody who needs a certificate: a role, a name, and the hosts it is reached at."""

    role: Role
    name: str
    hosts: Sequence[str] = LOCAL_NAMES


class Credentials(NamedTuple):
    """The certificates of everybody in a mesh, and the trust domain they belong to."""

    trust_domain: str
    leaves: Mapping[tuple[Role, str], TlsSettings]


def peers(topology: Topology) -> Iterator[Peer]:
    """Give everybody who takes part in a local mesh, the people who use it included."""
    coordinator, synthesizer = topology.coordinator, topology.synthesizer
    yield Peer(Role.COORDINATOR, coordinator.name, _hosts(coordinator.host))
    yield Peer(Role.SYNTHESIZER, synthesizer.name, _hosts(synthesizer.host))
    for node in topology.nodes:
        yield Peer(Role.NODE, node.name, _hosts(node.host))
    for role in (Role.CLIENT, Role.ADMIN, Role.BENCH):
        yield Peer(role, USER)


def provide(directory: Path, topology: Topology, now: datetime) -> Credentials:
    """Give every peer of a mesh its certificate, making what is missing or about to end.

    Raises ConfigurationError when the directory's authority cannot be used.
    """
    if not (directory / AUTHORITY_CERTIFICATE).exists():
        create_authority(directory, now=now)
    leaves = {(peer.role, peer.name): _leaf(directory, peer, now) for peer in peers(topology)}
    identity = describe(leaves[Role.CLIENT, USER].certificate).spiffe
    if identity is None:
        raise ConfigurationError(f"the certificates in {directory} carry no identity of a mesh")
    return Credentials(identity.trust_domain, leaves)


def _leaf(directory: Path, peer: Peer, now: datetime) -> TlsSettings:
    leaf = TlsSettings(
        certificate=directory / f"{peer.role}-{peer.name}.pem",
        key=directory / f"{peer.role}-{peer.name}.key",
        authorities=directory / AUTHORITY_CERTIFICATE,
    )
    if leaf.certificate.exists() and leaf.key.exists():
        known = describe(leaf.certificate)
        lasts = known.not_after - now > RENEW_BEFORE
        if lasts and set(peer.hosts) <= set(known.subject_alternative_names):
            return leaf
    return issue(directory, peer.role, peer.name, hosts=peer.hosts, now=now)


def _hosts(host: str) -> tuple[str, ...]:
    return LOCAL_NAMES if host in LOCAL_NAMES else (*LOCAL_NAMES, host)
