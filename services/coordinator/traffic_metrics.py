"""Shows circuits, hedges and retries as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.coordinator.breaker import Place, State
from services.coordinator.traffic import Watch

if TYPE_CHECKING:
    from quorate.metrics import Metrics


def watch(metrics: Metrics) -> Watch:
    """Count what happens to calls."""

    def circuit(place: Place, state: State) -> None:
        metrics.circuit_state.labels(*place).set(state.value)
        if state is State.OPEN:
            metrics.circuits_opened.labels(*place).inc()

    return Watch(
        circuit,
        hedge=lambda outcome: metrics.hedges.labels(outcome).inc(),
        retry=lambda outcome: metrics.retries.labels(outcome).inc(),
    )
