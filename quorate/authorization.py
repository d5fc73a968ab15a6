"""Who may call what: one table from RPC to roles, and the check of a caller against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from quorate.errors import ConfigurationError, NotAuthenticated, NotPermitted
from quorate.identity import Role, SpiffeId

if TYPE_CHECKING:
    from quorate.calls import Context

NODE: Final = "quorate.v1.NodeService"
COORDINATOR: Final = "quorate.v1.CoordinatorService"
SYNTHESIZER: Final = "quorate.v1.SynthesizerService"
REGISTRY: Final = "quorate.v1.RegistryService"
HEALTH: Final = "grpc.health.v1.Health"
REFLECTION: Final = "grpc.reflection.v1alpha.ServerReflection"
INSECURE: Final = b"insecure"  # how gRPC names a connection without TLS

_ANY_ROLE: Final = frozenset(Role)
_WORK: Final = frozenset({Role.COORDINATOR, Role.SYNTHESIZER, Role.GATEWAY, Role.BENCH, Role.ADMIN})
_STEERING: Final = frozenset({Role.COORDINATOR, Role.ADMIN})
_ASKING: Final = frozenset({Role.CLIENT, Role.GATEWAY, Role.BENCH, Role.ADMIN})
_MERGING: Final = frozenset({Role.COORDINATOR, Role.BENCH, Role.ADMIN})

CALLERS: Final[Mapping[str, frozenset[Role]]] = {
    f"/{NODE}/Generate": _WORK,
    f"/{NODE}/Deliberate": _WORK,
    f"/{NODE}/Score": _WORK,
    f"/{NODE}/Embed": _WORK,
    f"/{NODE}/Tokenize": _WORK,
    f"/{NODE}/LoadModel": _STEERING,
    f"/{NODE}/UnloadModel": _STEERING,
    f"/{NODE}/ListModels": _WORK,
    f"/{NODE}/GetStatus": _WORK,
    f"/{NODE}/WatchStatus": _WORK,
    f"/{NODE}/Drain": _STEERING,
    f"/{COORDINATOR}/Ask": _ASKING,
    f"/{COORDINATOR}/AskStream": _ASKING,
    f"/{COORDINATOR}/Plan": _ASKING,
    f"/{COORDINATOR}/SubmitBatch": _ASKING,
    f"/{COORDINATOR}/GetBatch": _ASKING,
    f"/{COORDINATOR}/ListBatches": _ASKING,
    f"/{COORDINATOR}/CancelBatch": _ASKING,
    f"/{COORDINATOR}/StreamBatchResults": _ASKING,
    f"/{COORDINATOR}/Feedback": _ASKING,
    f"/{COORDINATOR}/GetLearned": _ASKING,
    f"/{COORDINATOR}/ResetLearned": frozenset({Role.ADMIN}),
    f"/{COORDINATOR}/ExportLearned": frozenset({Role.ADMIN, Role.BENCH}),
    f"/{COORDINATOR}/ImportLearned": frozenset({Role.ADMIN}),
    # Records hold what others asked.
    f"/{COORDINATOR}/GetRecord": frozenset({Role.ADMIN, Role.BENCH}),
    f"/{COORDINATOR}/ListNodes": _ASKING,
    f"/{COORDINATOR}/DrainNode": frozenset({Role.ADMIN}),
    f"/{COORDINATOR}/ListStrategies": _ASKING,
    f"/{SYNTHESIZER}/Synthesize": _MERGING,
    f"/{SYNTHESIZER}/Judge": _MERGING,
    f"/{REGISTRY}/Lease": frozenset({Role.NODE}),
    f"/{HEALTH}/Check": _ANY_ROLE,
    f"/{HEALTH}/Watch": _ANY_ROLE,
    f"/{HEALTH}/List": _ANY_ROLE,  # in newer versions of the health package
    f"/{REFLECTION}/ServerReflectionInfo": _ANY_ROLE,
}
"""Full method name -> the roles that may call it. A method that is not here is never served."""


def check_complete(methods: Iterable[str]) -> None:
    """Refuse to serve methods without a row in the table, with ConfigurationError."""
    missing = sorted(method for method in methods if method not in CALLERS)
    if missing:
        raise ConfigurationError(
            f"no roles are given for {', '.join(missing)}; "
            "add a row to CALLERS in quorate/authorization.py"
        )


def authorize(method: str, peer: SpiffeId) -> None:
    """Let a caller through, or raise NotPermitted that names the roles that may call."""
    allowed = CALLERS.get(method, frozenset())
    if peer.role in allowed:
        return
    names = ", ".join(sorted(allowed)) or "no role"
    raise NotPermitted(
        f"{peer} has the role {peer.role}, but {method} may be called by: {names}",
        metadata={"role": str(peer.role), "method": method, "allowed_roles": names},
    )


def peer_of(context: Context, trust_domain: str | None = None) -> SpiffeId:
    """Say who calls, from the certificate that the connection was made with.

    Raises NotAuthenticated when there is none (an insecure connection has none), when it carries
    no identity, or one of another trust domain than the one given.
    """
    identities = [value.decode() for value in context.auth_context().get("peer_spiffe_id", ())]
    if len(identities) != 1:
        raise NotAuthenticated("the caller showed no certificate with an identity of the mesh")
    peer = _parsed(identities[0])
    if trust_domain is not None and peer.trust_domain != trust_domain:
        raise NotAuthenticated(
            f"{peer} is of another trust domain than this mesh, which is {trust_domain}"
        )
    return peer


_parsed: Final = lru_cache(maxsize=1024)(SpiffeId.parse)
"""The same few peers call all the time."""


def known_peer(context: Context) -> SpiffeId | None:
    """Say who calls, or None on a connection without TLS, which only loopback may have.

    Raises NotAuthenticated as `peer_of` does when the connection is encrypted.
    """
    if INSECURE in context.auth_context().get("transport_security_type", (INSECURE,)):
        return None
    return peer_of(context)
