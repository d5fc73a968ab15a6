"""How long each model takes on each node, as one coordinator saw it; kept over restarts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert, select

from services.coordinator.state import schema
from services.coordinator.state.latency import Latency
from services.coordinator.state.learned import ModelKey

if TYPE_CHECKING:
    from services.coordinator.state.store import Store


class Place(NamedTuple):
    """A model on a node."""

    node: str
    model: ModelKey


def loaded(store: Store, coordinator: str) -> Mapping[Place, Latency]:
    """Read a coordinator's own durations; spoilt ones start anew."""
    table = schema.latencies
    own = select(table).where(table.c.coordinator == coordinator)
    with store.transaction(reading=True) as connection:
        rows = connection.execute(own).all()
    return {Place(row.node, ModelKey(row.name, row.sha256)): _read(row.markers) for row in rows}


def saved(store: Store, coordinator: str, known: Mapping[Place, Latency]) -> None:
    """Write a coordinator's own durations in the place of its older ones."""
    rows = [
        {
            "coordinator": coordinator,
            "node": place.node,
            "name": place.model.name,
            "sha256": place.model.sha256,
            "markers": json.dumps(
                [latency.count, latency.average, latency.heights, latency.places]
            ),
        }
        for place, latency in sorted(known.items())
    ]
    table = schema.latencies
    with store.transaction() as connection:
        connection.execute(delete(table).where(table.c.coordinator == coordinator))
        if rows:
            connection.execute(insert(table), rows)


def _read(text: str) -> Latency:
    try:
        count, average, heights, places = json.loads(text)
        return Latency(int(count), float(average), tuple(map(float, heights)), tuple(places))
    except (ValueError, TypeError):
        return Latency()
