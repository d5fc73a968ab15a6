"""Looks at a server again and again: what its model is, and whether it can answer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from quorate.errors import ModelLoading, PeerUnreachable, QuorateError
from services.node.backends.standing import Standing
from services.node.replica import State

if TYPE_CHECKING:
    from services.node.backends.contract import Engine, RemoteFacts
    from services.node.replica import Changes

LOOK_SECONDS: Final = 5.0
"""Time between looks at a server that is well."""
EAGER_LOOK_SECONDS: Final = 1.0
"""Time between looks at one that is not."""
LONGEST_LOOK_SECONDS: Final = 20.0
log = logging.getLogger(__name__)


class Watch:
    """Watches one model of one server. `name` is what this node calls it. One loop owns it."""

    def __init__(self, name: str, engine: Engine, changes: Changes) -> None:
        self._name = name
        self._engine = engine
        self._changes = changes
        self._standing = Standing()
        self._look_now = asyncio.Event()
        self.facts: RemoteFacts | None = None
        self.restarts = 0

    @property
    def state(self) -> State:
        """How far the model is from answering, at the last look."""
        return self._standing.state

    @property
    def problem(self) -> str:
        """Why it cannot be used; empty otherwise."""
        error = self._standing.error
        return error.message if error is not None and self.state is State.FAILED else ""

    def ready(self) -> RemoteFacts:
        """Give what is known of a model that can answer; raises what hinders another."""
        if self.facts is not None and self.state is State.READY:
            return self.facts
        error = self._standing.error
        if error is None:
            raise ModelLoading(
                f"model {self._name!r} is {self.state.value}; try again shortly",
                retry_after_seconds=EAGER_LOOK_SECONDS,
            )
        # A new one each time: an error that is raised collects the traces of all its callers.
        raise type(error)(
            f"model {self._name!r} cannot be used: {error.message}",
            retry_after_seconds=error.retry_after_seconds,
            metadata=error.metadata,
        )

    def look_again(self) -> None:
        """Look at the server at once: something went wrong."""
        self._look_now.set()

    async def run(self) -> None:
        """Look until cancelled; it never ends by itself, since a server may always come back."""
        while True:
            await self._look()
            seconds = LOOK_SECONDS if self.state is State.READY else EAGER_LOOK_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._look_now.wait()

    async def _look(self) -> None:
        self._look_now.clear()
        before, known = self._standing, self.facts
        error = await self._inspect()
        self._standing = before.after(error, asyncio.get_running_loop().time())
        if self._standing.state is not before.state:
            self._tell(before.state)
        elif known != self.facts:
            self._changes.tell()

    async def _inspect(self) -> QuorateError | None:
        try:
            async with asyncio.timeout(LONGEST_LOOK_SECONDS):
                self.facts = await self._engine.inspect()
        except TimeoutError:
            return PeerUnreachable(
                f"its server did not say within {LONGEST_LOOK_SECONDS:g} s how it is. "
                "Look at the server, or correct the model's `url`.",
                retry_after_seconds=EAGER_LOOK_SECONDS,
            )
        except QuorateError as error:
            return error
        return None

    def _tell(self, before: State) -> None:
        error = self._standing.error
        level = logging.INFO if error is None else logging.WARNING
        log.log(level, "model %s is %s: %s", self._name, self.state.value, error or "well")
        self.restarts += before is State.RESTARTING and self.state is State.READY
        self._changes.tell()
