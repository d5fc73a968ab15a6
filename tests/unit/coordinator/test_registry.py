"""The table of live nodes, with a clock that the tests move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import AlreadyExists, UnknownNode
from services.coordinator.question import Node
from services.coordinator.registry import Lease, LeaseId, Registry


def node(name: str = "n1", address: str = "h:1", **facts: object) -> Node:
    return Node(name, address, (), **facts)  # type: ignore[arg-type]


def test_a_lease_lasts_exactly_its_seconds() -> None:
    registry = Registry(10.0)
    registry.announce(node(), now=100.0)
    assert [n.name for n in registry.live(109.999)] == ["n1"]
    assert registry.live(110.0) == []


def test_a_renewal_extends_it_and_brings_news() -> None:
    registry = Registry(10.0)
    lease = registry.announce(node(), now=0.0)
    renewed = registry.renew(lease.id, node(group="lab"), now=9.0)
    assert renewed is not None
    assert (renewed.id, renewed.expires_at) == (lease.id, 19.0)
    assert registry.last_heartbeat(renewed) == 9.0
    assert registry.live(18.0)[0].group == "lab"


def test_an_expired_lease_is_not_renewed() -> None:
    registry = Registry(10.0)
    lease = registry.announce(node(), now=0.0)
    assert registry.renew(lease.id, node(), now=10.0) is None
    assert registry.live(10.0) == []


def test_expire_names_whom_it_drops() -> None:
    registry = Registry(10.0)
    registry.announce(node("n2", "h:2"), now=0.0)
    registry.announce(node("n1"), now=0.0)
    registry.announce(node("n3", "h:3"), now=5.0)
    assert registry.expire(10.0) == ["n1", "n2"]
    assert registry.expire(10.0) == []


def test_a_name_is_taken_while_its_lease_lives() -> None:
    registry = Registry(10.0)
    registry.announce(node(), now=0.0)
    with pytest.raises(AlreadyExists, match="h:1") as refused:
        registry.announce(node(address="h:2"), now=4.0)
    assert refused.value.retry_after_seconds == 6.0
    assert registry.announce(node(address="h:2"), now=10.0).node.address == "h:2"


def test_the_same_address_takes_the_lease_over() -> None:
    registry = Registry(10.0)
    old = registry.announce(node(), now=0.0)
    new = registry.announce(node(), now=1.0)
    assert registry.renew(old.id, node(), now=2.0) is None
    assert not registry.end(old.id)
    assert registry.renew(new.id, node(), now=2.0) is not None


def test_an_ended_lease_is_gone_at_once() -> None:
    registry = Registry(10.0)
    lease = registry.announce(node(), now=0.0)
    assert registry.end(lease.id)
    assert not registry.end(lease.id)
    assert registry.live(0.0) == []


def test_a_drain_holds_over_renewals_but_not_over_a_new_lease() -> None:
    registry = Registry(10.0)
    lease = registry.announce(node(), now=0.0)
    assert registry.drain("n1", now=1.0).address == "h:1"
    renewed = registry.renew(lease.id, node(), now=2.0)
    assert renewed is not None
    assert renewed.drain
    assert registry.live(2.0)[0].draining
    registry.announce(node(), now=3.0)
    assert not registry.live(3.0)[0].draining


def test_an_unknown_node_cannot_be_drained() -> None:
    registry = Registry(10.0)
    registry.announce(node(), now=0.0)
    with pytest.raises(UnknownNode, match="Did you mean 'n1'"):
        registry.drain("n11", now=0.0)
    with pytest.raises(UnknownNode, match="Known: none"):
        registry.drain("n1", now=10.0)


ACTIONS = st.tuples(
    st.sampled_from(["announce", "renew", "end", "wait"]),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["h:1", "h:2"]),
    st.floats(0, 6),
)


@given(st.lists(ACTIONS, max_size=40))
def test_exactly_the_nodes_heard_of_in_time_are_live(
    actions: list[tuple[str, str, str, float]],
) -> None:
    """A plain model of the rules, run beside the registry."""
    registry, now = Registry(5.0), 0.0
    expected: dict[str, tuple[str, LeaseId, float]] = {}
    for action, name, address, pause in actions:
        now += pause
        expected = {key: held for key, held in expected.items() if held[2] > now}
        held = expected.get(name)
        if action == "announce" and (held is None or held[0] == address):
            lease: Lease | None = registry.announce(node(name, address), now)
            assert lease is not None
            expected[name] = (address, lease.id, now + 5.0)
        elif action == "announce":
            with pytest.raises(AlreadyExists):
                registry.announce(node(name, address), now)
        elif action == "renew" and held is not None:
            lease = registry.renew(held[1], node(name, held[0]), now)
            assert lease is not None
            expected[name] = (held[0], held[1], now + 5.0)
        elif action == "end" and held is not None:
            assert registry.end(held[1])
            del expected[name]
        assert [(n.name, n.address) for n in registry.live(now)] == [
            (key, expected[key][0]) for key in sorted(expected)
        ]
