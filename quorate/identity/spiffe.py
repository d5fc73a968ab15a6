"""The names of peers: roles, SPIFFE ids and the server names that certificates carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from quorate.config import check_name
from quorate.errors import ConfigurationError, NotAuthenticated, nearest, shorten

DEFAULT_TRUST_DOMAIN: Final = "quorate.local"
INTERNAL_DOMAIN: Final = "quorate.internal"
SCHEME: Final = "spiffe://"


class Role(StrEnum):
    """What a peer is; decides which RPCs it may call."""

    NODE = "node"
    COORDINATOR = "coordinator"
    SYNTHESIZER = "synthesizer"
    GATEWAY = "gateway"
    BENCH = "bench"
    CLIENT = "client"
    ADMIN = "admin"

    @classmethod
    def parse(cls, text: str) -> Role:
        """Read a role; raises ConfigurationError that names the nearest one."""
        try:
            return cls(text)
        except ValueError as error:
            raise ConfigurationError(
                f"no role is called {shorten(text)}.{nearest(text, [role.value for role in cls])}"
            ) from error


@dataclass(frozen=True)
class SpiffeId:
    """One peer of a mesh: `spiffe://<trust domain>/<role>/<name>`.

    Source: the SPIFFE-ID standard, section 2.
    """

    trust_domain: str
    role: Role
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.trust_domain}/{self.role}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> SpiffeId:
        """Read an id; raises NotAuthenticated when it is not one of a mesh."""
        domain, *path = text.removeprefix(SCHEME).split("/")
        if not text.startswith(SCHEME) or len(path) != 2:
            raise NotAuthenticated(
                f"{shorten(text)} is not an identity of a mesh; "
                f"it must read {SCHEME}<trust domain>/<role>/<name>"
            )
        try:
            return cls(check_trust_domain(domain), Role.parse(path[0]), check_name(path[1]))
        except (ValueError, ConfigurationError) as error:
            raise NotAuthenticated(f"{shorten(text)} is not an identity: {error}") from error


def check_trust_domain(text: str) -> str:
    """Refuse trust domains that the SPIFFE standard does not allow, with ValueError."""
    if not re.fullmatch(r"[a-z0-9._-]{1,255}", text):
        raise ValueError(
            f"{shorten(text)} is not a trust domain; "
            "use lower-case letters, digits, dots, hyphens and underscores"
        )
    return text


def server_name(role: Role, name: str | None = None) -> str:
    """Give the DNS name by which a client makes sure of whom it reached.

    With a name, exactly that peer: "atlas.node.quorate.internal". Without, any peer of the role:
    "coordinator.quorate.internal". Every certificate carries both.
    """
    return f"{role}.{INTERNAL_DOMAIN}" if name is None else f"{name}.{role}.{INTERNAL_DOMAIN}"
