"""The table of live nodes: leases, expiry, rejoining. Pure state; the time is an argument.

The coordinator's event loop owns the table; nothing else touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NewType

from quorate.errors import AlreadyExists, UnknownNode, nearest

if TYPE_CHECKING:
    from services.coordinator.question import Node

LeaseId = NewType("LeaseId", str)


@dataclass(frozen=True)
class Lease:
    """A node's right to be asked, until `expires_at` on the caller's clock, in seconds."""

    id: LeaseId
    node: Node
    expires_at: float
    drain: bool = False


class Registry:
    """Knows which nodes are alive.

    A lease lasts `lease_seconds` from its last renewal. Names are unique among live leases.
    """

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._leases: dict[str, Lease] = {}
        self._granted = 0

    def announce(self, node: Node, now: float) -> Lease:
        """Grant a lease.

        Raises AlreadyExists while another node holds the name. The same address is the same node
        come back: nobody else can listen there, so it takes its old lease over at once.
        """
        self.expire(now)
        held = self._leases.get(node.name)
        if held is not None and held.node.address != node.address:
            raise AlreadyExists(
                f"A live node called {node.name!r} is registered from {held.node.address}, so"
                f" {node.address} cannot take the name. Give one of them another name and"
                " certificate.",
                retry_after_seconds=max(0.0, held.expires_at - now),
            )
        self._granted += 1
        # A drain asked of the old lease is not kept: the node's own status says that it drains, and
        # a restarted node must be able to serve again.
        lease_id = LeaseId(f"{node.name}/{self._granted}")
        lease = Lease(lease_id, node, now + self._lease_seconds)
        self._leases[node.name] = lease
        return lease

    def renew(self, lease_id: LeaseId, node: Node, now: float) -> Lease | None:
        """Extend a lease with what the node says now; None when it has ended or was taken over."""
        self.expire(now)
        held = self._leases.get(node.name)
        if held is None or held.id != lease_id:
            return None
        lease = replace(held, node=node, expires_at=now + self._lease_seconds)
        self._leases[node.name] = lease
        return lease

    def end(self, lease_id: LeaseId) -> bool:
        """End a lease at once; False when it had ended already or was taken over."""
        for name, lease in self._leases.items():
            if lease.id == lease_id:
                del self._leases[name]
                return True
        return False

    def expire(self, now: float) -> list[str]:
        """Drop the nodes whose lease has run out and give their names."""
        ended = sorted(name for name, held in self._leases.items() if held.expires_at <= now)
        for name in ended:
            del self._leases[name]
        return ended

    def drain(self, name: str, now: float) -> Node:
        """Ask no more of a node, also after it renews; raises UnknownNode."""
        self.expire(now)
        if name not in self._leases:
            raise UnknownNode(f"No live node is called {name!r}.{nearest(name, self._leases)}")
        self._leases[name] = replace(self._leases[name], drain=True)
        return self._leases[name].node

    def holds(self, name: str, now: float) -> bool:
        """Say whether a node of this name is alive."""
        self.expire(now)
        return name in self._leases

    def live(self, now: float) -> list[Node]:
        """List the live nodes in order of their names."""
        return [
            replace(lease.node, draining=True) if lease.drain else lease.node
            for lease in self.leases(now)
        ]

    def leases(self, now: float) -> list[Lease]:
        """List the live leases in order of the nodes' names."""
        return [
            self._leases[name]
            for name in sorted(self._leases)
            if self._leases[name].expires_at > now
        ]

    def last_heartbeat(self, lease: Lease) -> float:
        """Tell when a lease was last renewed, on the caller's clock."""
        return lease.expires_at - self._lease_seconds
