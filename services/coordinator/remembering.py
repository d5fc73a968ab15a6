"""Puts a coordinator's memory together from its settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import platformdirs

from quorate.errors import NoNodes
from quorate.identity import Role
from quorate.v1 import node_pb2, node_pb2_grpc
from services.coordinator.state.embedding import EmbeddedTopics
from services.coordinator.state.examples import EXAMPLES
from services.coordinator.state.memory import Memory
from services.coordinator.state.store import Store
from services.coordinator.state.topics import Classifier, Rules

if TYPE_CHECKING:
    from pathlib import Path

    from quorate.config import CoordinatorSettings
    from quorate.metrics import Metrics
    from services.coordinator.nodes import Channels
    from services.coordinator.question import Node

EMBED_SECONDS = 10.0
MOST_TEXTS = 256
"""Texts of one call, by the contract."""


def memory(
    settings: CoordinatorSettings,
    channels: Channels,
    nodes: Callable[[], Sequence[Node]],
    metrics: Metrics,
) -> Memory:
    """Make a memory; raises ConfigurationError for a `database` that cannot be one."""
    store = Store(database_of(settings), settings.half_life)
    classifier: Classifier = Rules()
    if settings.topic_model is not None:
        embedder = NodeEmbedder(channels, nodes, settings.topic_model)
        classifier = EmbeddedTopics(embedder, EXAMPLES, metrics.topics_by_rules.inc)
    return Memory(store, settings, classifier, metrics, time.time, settings.name)


def database_of(settings: CoordinatorSettings) -> str:
    """Give the URL of the database: as set, or of a file in the state directory."""
    if settings.database:
        return settings.database
    directory: Path = settings.state_directory or platformdirs.user_state_path("quorate") / "state"
    return f"sqlite:///{directory.absolute() / settings.name}.sqlite"


class NodeEmbedder:
    """Embeds texts on whichever live node has the model in memory."""

    def __init__(self, channels: Channels, nodes: Callable[[], Sequence[Node]], model: str) -> None:
        self._channels = channels
        self._nodes = nodes
        self._model = model

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Give a vector for each text; raises NoNodes when no node has the model ready."""
        ready = [
            node
            for node in self._nodes()
            if not node.draining
            and any(model.name == self._model and model.ready for model in node.models)
        ]
        if not ready:
            raise NoNodes(f"no live node has the model {self._model!r} ready")
        node = min(ready, key=lambda node: node.name)
        channel = self._channels.channel(node.address, (Role.NODE, node.name))
        stub: node_pb2_grpc.NodeServiceAsyncStub = node_pb2_grpc.NodeServiceStub(channel)
        vectors: list[Sequence[float]] = []
        for start in range(0, len(texts), MOST_TEXTS):
            request = node_pb2.EmbedRequest(
                model=self._model, texts=texts[start : start + MOST_TEXTS]
            )
            response = await stub.Embed(request, timeout=EMBED_SECONDS)
            vectors += [tuple(one.values) for one in response.embeddings]
        return vectors
