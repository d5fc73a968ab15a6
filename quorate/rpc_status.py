"""Carries the error catalogue over gRPC, as google.rpc.Status with rich details."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from quorate import errors
from quorate.v1 import common_pb2

DOMAIN: Final = "quorate"

# What a bare status means when the peer is not ours or the transport itself failed.
BARE_STATUS: Mapping[grpc.StatusCode, type[errors.QuorateError]] = {
    grpc.StatusCode.CANCELLED: errors.Cancelled,
    grpc.StatusCode.UNKNOWN: errors.InternalError,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: errors.NotPermitted,
    grpc.StatusCode.UNAUTHENTICATED: errors.NotAuthenticated,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.FAILED_PRECONDITION: errors.NotReady,
    grpc.StatusCode.ABORTED: errors.Unavailable,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidRequest,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotImplementedYet,
    grpc.StatusCode.INTERNAL: errors.InternalError,
    grpc.StatusCode.UNAVAILABLE: errors.PeerUnreachable,
    grpc.StatusCode.DATA_LOSS: errors.InternalError,
}

TOO_LARGE: Final = re.compile(r"message larger than max \((\d+) vs\. (\d+)\)")
"""What gRPC's core says of such a message, under the status of a full queue."""


def code_of(error: errors.QuorateError) -> grpc.StatusCode:
    """Give the gRPC status code of an error of the catalogue."""
    return grpc.StatusCode[error.status]


def _pack(
    *details: error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo
    | error_details_pb2.QuotaFailure,
) -> list[any_pb2.Any]:
    packed = []
    for detail in details:
        wrapped = any_pb2.Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    return packed


def encode(error: errors.QuorateError) -> grpc.Status:
    """Turn an error into a status with rich details, ready for `context.abort_with_status`."""
    details = _pack(
        error_details_pb2.ErrorInfo(reason=error.kind, domain=DOMAIN, metadata=error.metadata)
    )
    if "field" in error.metadata:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.metadata["field"], description=error.message
        )
        details += _pack(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(error.retry_after_seconds * 1e9))
        details += _pack(error_details_pb2.RetryInfo(retry_delay=delay))
    if isinstance(error, errors.Overloaded):
        exhausted = error_details_pb2.QuotaFailure.Violation(
            subject=error.metadata.get("subject", error.kind), description=error.message
        )
        details += _pack(error_details_pb2.QuotaFailure(violations=[exhausted]))
    number, _ = code_of(error).value
    status = status_pb2.Status(code=number, message=error.message, details=details)
    encoded: grpc.Status = rpc_status.to_status(status)
    return encoded


def decode(failed: grpc.RpcError) -> errors.QuorateError:
    """Turn a failed call into the error that the peer raised, or the nearest to a bare status."""
    if not isinstance(failed, grpc.Call | grpc.aio.AioRpcError):
        return errors.InternalError(f"the call failed without a status: {failed!r}")
    code = failed.code()
    message = failed.details() or code.name
    kind, metadata, delay = "", {}, None
    for detail in _details(failed):
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            kind, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(retry):
            delay = retry.retry_delay.ToNanoseconds() / 1e9
    if not kind and (sizes := TOO_LARGE.search(message)):
        return _too_large(*sizes.groups())
    error = errors.BY_KIND.get(kind, BARE_STATUS.get(code, errors.InternalError))
    return error(message, retry_after_seconds=delay, metadata=metadata)


def _too_large(size: str, limit: str) -> errors.InvalidRequest:
    """Say that a message will never fit: unlike for a full queue, trying again is of no use."""
    return errors.InvalidRequest.field(
        "message", f"{size} bytes", f"the limit is {limit} bytes", "Send or ask for less at once."
    )


def _details(failed: grpc.Call | grpc.aio.AioRpcError) -> list[any_pb2.Any]:
    # grpc_status.rpc_status.from_call raises when message and trailer disagree, which a proxy may
    # cause: the trailer is read directly instead.
    for key, value in failed.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            return list(status_pb2.Status.FromString(value).details)
    return []


def failure_of(error: errors.QuorateError) -> common_pb2.Failure:
    """Describe an error inside an answer, where it does not end the call."""
    return common_pb2.Failure(
        kind=error.kind,
        message=error.message,
        retryable=error.retryable,
        retry_after_seconds=error.retry_after_seconds or 0.0,
    )
