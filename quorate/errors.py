"""The error catalogue: every failure that a user or a peer can meet, named once.

    QuorateError
    ├── InvalidRequest            INVALID_ARGUMENT
    │   ├── UnknownStrategy
    │   └── ContextOverflow
    ├── NotFound                  NOT_FOUND
    │   ├── UnknownModel
    │   └── UnknownNode
    ├── AlreadyExists             ALREADY_EXISTS
    ├── NotAuthenticated          UNAUTHENTICATED
    ├── NotPermitted              PERMISSION_DENIED
    ├── NotReady                  FAILED_PRECONDITION
    │   ├── ConfigurationError
    │   ├── ModelUnusable
    │   ├── WrongModel
    │   ├── NoQuorum
    │   ├── NoPlan
    │   ├── UnusableReply
    │   └── NoMesh
    ├── Overloaded                RESOURCE_EXHAUSTED, retryable
    │   └── OutOfMemory
    ├── Unavailable               UNAVAILABLE, retryable
    │   ├── ModelLoading
    │   ├── ModelCrashed
    │   ├── Draining
    │   ├── NoNodes
    │   └── PeerUnreachable
    ├── DeadlineExceeded          DEADLINE_EXCEEDED
    ├── Cancelled                 CANCELLED
    ├── NotImplementedYet         UNIMPLEMENTED
    └── InternalError             INTERNAL

`quorate.rpc_status` carries them over gRPC and back. This module imports no gRPC, so that pure code
may raise them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import ClassVar

LONGEST_VALUE_SHOWN = 80


class QuorateError(Exception):
    """Base of all errors that Quorate raises on purpose.

    `kind` is the stable name that crosses the wire, `status` the name of the gRPC status code,
    `retryable` whether the same request may succeed later, `retry_after_seconds` the advice given
    (None: no advice), `metadata` facts for programs, as text.
    """

    kind: ClassVar[str] = "UNKNOWN"
    status: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        self.metadata: dict[str, str] = dict(metadata or {})


class InvalidRequest(QuorateError):
    """Raised when a field of a request is outside its limits."""

    kind = "INVALID_REQUEST"
    status = "INVALID_ARGUMENT"

    @classmethod
    def field(cls, name: str, value: object, limit: str, fix: str) -> InvalidRequest:
        """Name the field, the value it had, the limit it broke and how to mend it."""
        return cls(
            f"{name} is {shorten(value)}, but {limit}. {fix}",
            metadata={"field": name, "value": shorten(value), "limit": limit, "fix": fix},
        )


class UnknownStrategy(InvalidRequest):
    """Raised when a voting strategy has no entry in the table."""

    kind = "UNKNOWN_STRATEGY"


class ContextOverflow(InvalidRequest):
    """Raised when a prompt does not fit into the context of its model."""

    kind = "CONTEXT_OVERFLOW"


class NotFound(QuorateError):
    """Raised when a named thing does not exist."""

    kind = "NOT_FOUND"
    status = "NOT_FOUND"


class UnknownModel(NotFound):
    """Raised when no model has the given name."""

    kind = "UNKNOWN_MODEL"


class UnknownNode(NotFound):
    """Raised when no live node has the given name."""

    kind = "UNKNOWN_NODE"


class AlreadyExists(QuorateError):
    """Raised when a name is taken by another live peer."""

    kind = "ALREADY_EXISTS"
    status = "ALREADY_EXISTS"


class NotAuthenticated(QuorateError):
    """Raised when a caller shows no certificate with a SPIFFE identity of the mesh."""

    kind = "NOT_AUTHENTICATED"
    status = "UNAUTHENTICATED"


class NotPermitted(QuorateError):
    """Raised when a caller's role may not call a method, or claims a name that is not its own."""

    kind = "NOT_PERMITTED"
    status = "PERMISSION_DENIED"


class NotReady(QuorateError):
    """Raised when a request is right, but the system is not in a state to serve it."""

    kind = "NOT_READY"
    status = "FAILED_PRECONDITION"


class ConfigurationError(NotReady):
    """Raised when a settings file, an environment variable or a topology is wrong."""

    kind = "CONFIGURATION_ERROR"


class ModelUnusable(NotReady):
    """Raised when a model's file is missing, damaged, truncated or not a GGUF file."""

    kind = "MODEL_UNUSABLE"


class WrongModel(NotReady):
    """Raised when a node holds another model than the caller expects under a name."""

    kind = "WRONG_MODEL"


class NoQuorum(NotReady):
    """Raised when no ballot with a usable answer arrived."""

    kind = "NO_QUORUM"


class NoPlan(NotReady):
    """Raised when no plan keeps to the memory, time and electorate that were asked for."""

    kind = "NO_PLAN"


class UnusableReply(NotReady):
    """Raised when a model's reply does not hold what the mesh asked it for."""

    kind = "UNUSABLE_REPLY"


class NoMesh(NotReady):
    """Raised when a command or a client looks for a mesh on this machine and none is running."""

    kind = "NO_MESH"


class Overloaded(QuorateError):
    """Raised when a bounded queue is full; nothing is broken, later is fine."""

    kind = "OVERLOADED"
    status = "RESOURCE_EXHAUSTED"
    retryable = True


class OutOfMemory(Overloaded):
    """Raised when a model does not fit beside the ones in use."""

    kind = "OUT_OF_MEMORY"


class Unavailable(QuorateError):
    """Raised when a peer cannot serve at the moment."""

    kind = "UNAVAILABLE"
    status = "UNAVAILABLE"
    retryable = True


class ModelLoading(Unavailable):
    """Raised when a model is still being loaded or restarted."""

    kind = "MODEL_LOADING"


class ModelCrashed(Unavailable):
    """Raised when a model's engine process died while it was answering."""

    kind = "MODEL_CRASHED"


class Draining(Unavailable):
    """Raised when a server finishes its work and takes nothing new."""

    kind = "DRAINING"


class NoNodes(Unavailable):
    """Raised when no live node can take part."""

    kind = "NO_NODES"


class PeerUnreachable(Unavailable):
    """Raised when a peer does not answer, or the connection to it broke."""

    kind = "PEER_UNREACHABLE"


class DeadlineExceeded(QuorateError):
    """Raised when the time given by the caller ended first."""

    kind = "DEADLINE_EXCEEDED"
    status = "DEADLINE_EXCEEDED"


class Cancelled(QuorateError):
    """Raised when the caller withdrew the request."""

    kind = "CANCELLED"
    status = "CANCELLED"


class NotImplementedYet(QuorateError):
    """Raised when a method of the contract belongs to a feature that this version does not have."""

    kind = "NOT_IMPLEMENTED"
    status = "UNIMPLEMENTED"


class InternalError(QuorateError):
    """Raised when Quorate itself is at fault."""

    kind = "INTERNAL"
    status = "INTERNAL"


def _all_subclasses(base: type[QuorateError]) -> Iterable[type[QuorateError]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _all_subclasses(subclass)


_CATALOGUE: tuple[type[QuorateError], ...] = (QuorateError, *_all_subclasses(QuorateError))
BY_KIND: Mapping[str, type[QuorateError]] = {error.kind: error for error in _CATALOGUE}
"""Every class of the catalogue by its kind."""


def shorten(value: object) -> str:
    """Show a value in an error message, in at most `LONGEST_VALUE_SHOWN` characters."""
    text = repr(value)
    if len(text) <= LONGEST_VALUE_SHOWN:
        return text
    return f"{text[:LONGEST_VALUE_SHOWN]}… ({len(text)} characters)"


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names are nearest to a wrong one, as the end of an error message.

    Gives " Did you mean 'a' or 'b'?", or " Known: a, b, c." when nothing is near.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f" Did you mean {' or '.join(repr(match) for match in close)}?"
    return f" Known: {', '.join(names) or 'none'}."
