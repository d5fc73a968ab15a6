"""How much memory the models of a node may use together. Pure."""

from __future__ import annotations

from quorate.errors import OutOfMemory

_MIB = 2**20


class Budget:
    """Hands out a node's memory to its models, in bytes. `limit` None hands out anything."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._reserved = 0

    def reserve(self, model: str, needed: int) -> None:
        """Take memory for a model; raises OutOfMemory when less is left."""
        if self._limit is not None and self._reserved + needed > self._limit:
            raise OutOfMemory(
                f"{model} needs {needed // _MIB} MiB, but {(self._limit - self._reserved) // _MIB} "
                f"of {self._limit // _MIB} MiB are left. Raise `memory`, or give the models fewer "
                "slots or a smaller context_tokens.",
                metadata={"subject": "memory"},
            )
        self._reserved += needed
