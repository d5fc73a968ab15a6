"""Tells a topic by the nearest centroid of labelled examples, in a model's embeddings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from quorate.errors import QuorateError
from services.coordinator.state.topics import topic_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOGGER = logging.getLogger(__name__)
LONGEST_TEXT = 1_000
"""Characters that are embedded: a small model's context, with room to spare."""
SHARE_OF_TIME = 0.1
"""Of what is left for a question: a topic helps the vote, but is not what was asked for."""
MOST_SECONDS = 10.0
EXAMPLES_AT_ONCE = 8
"""Examples of one call: a question that ends in mid-learning loses no more than these."""


@dataclass(frozen=True)
class Centroids:
    """The middles of topics in a space of embeddings, around the mean of all examples.

    `mean` has D numbers, `middles` one row of D for each of `topics`, of unit length.
    """

    topics: tuple[str, ...]
    mean: NDArray[np.float64]
    middles: NDArray[np.float64]

    @classmethod
    def of(cls, labelled: Mapping[str, Sequence[Sequence[float]]]) -> Centroids:
        """Make them of vectors by topic; raises ValueError for no vectors or odd lengths."""
        topics = tuple(sorted(topic for topic, vectors in labelled.items() if vectors))
        if not topics:
            raise ValueError("there are no examples to tell topics by")
        each = [np.asarray(labelled[topic], dtype=np.float64) for topic in topics]
        # Each topic counts alike, and what all texts share says nothing about any.
        mean = np.mean([vectors.mean(axis=0) for vectors in each], axis=0)
        middles = np.stack([_unit(_unit(vectors - mean).mean(axis=0)) for vectors in each])
        return cls(topics, mean, middles)

    def nearest(self, vector: Sequence[float]) -> str:
        """Give the topic whose middle lies in a vector's direction."""
        placed = _unit(np.asarray(vector, dtype=np.float64) - self.mean)
        return self.topics[int(np.argmax(self.middles @ placed))]


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float64)


class Embedder(Protocol):
    """Embeds texts by a model of the mesh; raises errors of the catalogue."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Give a vector for each text."""
        ...


class EmbeddedTopics:
    """Tells topics by embeddings; where that fails or takes too long by rules, and tells `missed`.

    One event loop owns it.
    """

    def __init__(
        self,
        embedder: Embedder,
        examples: Mapping[str, Sequence[str]],
        missed: Callable[[], None],
    ) -> None:
        self._embedder = embedder
        self._examples = [(topic, text) for topic, texts in examples.items() for text in texts]
        self._vectors: list[Sequence[float]] = []
        self._missed = missed
        self._centroids: Centroids | None = None
        self._learning = asyncio.Lock()

    async def topic(self, text: str, seconds: float) -> str:
        """Give the topic of a question; takes a small share of the seconds that are left for it."""
        allowed = min(MOST_SECONDS, SHARE_OF_TIME * max(0.0, seconds))
        try:
            async with asyncio.timeout(allowed):
                centroids = self._centroids or await self._learn()
                [vector] = await self._embedder.embed([text[-LONGEST_TEXT:]])
            return centroids.nearest(vector)
        except TimeoutError:
            return self._by_rules(text, f"embedding took more than {allowed:.3g} s")
        except QuorateError as error:
            return self._by_rules(text, str(error))
        except ValueError as error:
            # Vectors that do not fit together are of two models: what was learned is of no use.
            self._centroids, self._vectors = None, []
            return self._by_rules(text, str(error))

    def _by_rules(self, text: str, why: str) -> str:
        self._missed()
        LOGGER.warning("a topic was told by rules, not by embedding: %s", why)
        return topic_of(text)

    async def _learn(self) -> Centroids:
        """Embed the examples, once; what a question has no time for is left to the next one."""
        async with self._learning:
            while self._centroids is None:
                done = len(self._vectors)
                some = [text for _, text in self._examples[done : done + EXAMPLES_AT_ONCE]]
                if not some:
                    self._centroids = self._middles()
                    break
                vectors = await self._embedder.embed(some)
                if len(vectors) != len(some):
                    raise ValueError(f"{len(some)} texts got {len(vectors)} vectors")
                self._vectors += vectors
            return self._centroids

    def _middles(self) -> Centroids:
        labelled: dict[str, list[Sequence[float]]] = {}
        for (topic, _), vector in zip(self._examples, self._vectors, strict=True):
            labelled.setdefault(topic, []).append(vector)
        return Centroids.of(labelled)
