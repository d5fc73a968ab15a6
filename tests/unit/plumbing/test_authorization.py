"""The table of who may call what is complete, and is what the architecture says."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pool

from quorate import authorization, v1
from quorate.authorization import CALLERS, authorize, check_complete, known_peer, peer_of
from quorate.errors import ConfigurationError, NotAuthenticated, NotPermitted
from quorate.identity import Role, SpiffeId
from quorate.v1 import coordinator_pb2, node_pb2, registry_pb2, synthesizer_pb2

CONTRACT = [node_pb2, coordinator_pb2, registry_pb2, synthesizer_pb2]


def methods_of_contract() -> list[str]:
    return [
        f"/{service.full_name}/{method.name}"
        for module in CONTRACT
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def peer(role: Role) -> SpiffeId:
    return SpiffeId("quorate.local", role, "somebody")


def allowed(method: str) -> set[Role]:
    permitted = set()
    for role in Role:
        try:
            authorize(method, peer(role))
        except NotPermitted:
            continue
        permitted.add(role)
    return permitted


def test_every_method_of_the_contract_has_a_row() -> None:
    assert len(methods_of_contract()) > 20
    check_complete(methods_of_contract())


def test_every_row_belongs_to_a_method_of_the_contract_or_to_grpc_itself() -> None:
    rest = set(CALLERS) - set(methods_of_contract())
    assert all(method.startswith("/grpc.") for method in rest)


def test_only_nodes_hold_leases() -> None:
    assert allowed("/quorate.v1.RegistryService/Lease") == {Role.NODE}


def test_admins_may_call_everything_else() -> None:
    for method in set(methods_of_contract()) - {"/quorate.v1.RegistryService/Lease"}:
        assert Role.ADMIN in allowed(method), method


def test_nodes_are_steered_by_coordinators_and_admins_only() -> None:
    for name in ("Drain", "LoadModel", "UnloadModel"):
        assert allowed(f"/quorate.v1.NodeService/{name}") == {Role.COORDINATOR, Role.ADMIN}


def test_clients_ask_coordinators_and_nobody_else() -> None:
    may = {method for method in methods_of_contract() if Role.CLIENT in allowed(method)}
    coordinator = "/quorate.v1.CoordinatorService/"
    changes_or_shows_what_others_asked = {
        f"{coordinator}{name}"
        for name in ("DrainNode", "ResetLearned", "ExportLearned", "ImportLearned", "GetRecord")
    }
    of_coordinators = {m for m in methods_of_contract() if m.startswith(coordinator)}
    assert may == of_coordinators - changes_or_shows_what_others_asked


def test_nodes_call_nothing_but_their_lease() -> None:
    may = {method for method in methods_of_contract() if Role.NODE in allowed(method)}
    assert may == {"/quorate.v1.RegistryService/Lease"}


def test_a_refusal_names_caller_method_and_roles() -> None:
    with pytest.raises(NotPermitted) as refused:
        authorize("/quorate.v1.SynthesizerService/Judge", peer(Role.NODE))
    assert refused.value.message == (
        "spiffe://quorate.local/node/somebody has the role node, but "
        "/quorate.v1.SynthesizerService/Judge may be called by: admin, bench, coordinator"
    )


def test_a_method_without_a_row_is_nobodys() -> None:
    assert allowed("/quorate.v1.NodeService/Format") == set()
    with pytest.raises(NotPermitted, match="may be called by: no role"):
        authorize("/quorate.v1.NodeService/Format", peer(Role.ADMIN))
    with pytest.raises(ConfigurationError, match="NodeService/Format"):
        check_complete(["/quorate.v1.NodeService/Format", *methods_of_contract()])


class Context:
    """The one method of a gRPC context that is asked here."""

    def __init__(self, **entries: list[bytes]) -> None:
        self.entries = entries

    def auth_context(self) -> Any:
        return self.entries


ATLAS = b"spiffe://quorate.local/node/atlas"


def test_a_caller_is_who_its_certificate_says() -> None:
    context: Any = Context(peer_spiffe_id=[ATLAS], transport_security_type=[b"ssl"])
    expected = SpiffeId("quorate.local", Role.NODE, "atlas")
    assert peer_of(context) == peer_of(context, "quorate.local") == known_peer(context) == expected


def test_a_caller_of_another_mesh_is_not_authenticated() -> None:
    context: Any = Context(peer_spiffe_id=[ATLAS])
    with pytest.raises(NotAuthenticated, match=r"other\.mesh"):
        peer_of(context, "other.mesh")


@pytest.mark.parametrize("identities", [[], [ATLAS, ATLAS], [b"spiffe://x"]])
def test_a_caller_without_exactly_one_identity_is_not_authenticated(
    identities: list[bytes],
) -> None:
    context: Any = Context(peer_spiffe_id=identities, transport_security_type=[b"ssl"])
    with pytest.raises(NotAuthenticated):
        peer_of(context)
    with pytest.raises(NotAuthenticated):
        known_peer(context)


def test_without_tls_nobody_is_known() -> None:
    context: Any = Context(transport_security_type=[b"insecure"])
    assert known_peer(context) is None
    with pytest.raises(NotAuthenticated):
        peer_of(context)


def test_services_are_named_as_in_the_contract() -> None:
    assert v1
    for name in (
        authorization.NODE,
        authorization.COORDINATOR,
        authorization.SYNTHESIZER,
        authorization.REGISTRY,
    ):
        assert descriptor_pool.Default().FindServiceByName(name)
