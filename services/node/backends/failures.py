"""What a server's refusal means in the error catalogue. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from quorate.errors import (
    ConfigurationError,
    ContextOverflow,
    InternalError,
    InvalidRequest,
    ModelCrashed,
    ModelLoading,
    NotImplementedYet,
    Overloaded,
    QuorateError,
    Unavailable,
    UnknownModel,
)

LONGEST_MESSAGE: Final = 500
DEFAULT_RETRY_SECONDS: Final = 1.0
LONGEST_RETRY_SECONDS: Final = 3600.0
_TOO_LONG: Final = re.compile(
    r"exceed\w* (the )?(available |model's |maximum )?context|maximum context length|"
    r"context (size|length|window)\b.*exceeded|input length exceeds|prompt (is )?too long",
    re.IGNORECASE,
)
_BUSY: Final = re.compile(r"busy|pending requests|overloaded|too many", re.IGNORECASE)
_DIED: Final = re.compile(r"terminated|crashed|signal|no longer running", re.IGNORECASE)
_GRAMMAR: Final = re.compile(r"grammar|json[ _]?schema|response_format", re.IGNORECASE)


class Refusal(msgspec.Struct, frozen=True):
    """What a server said instead of an answer; `status` is that of HTTP."""

    status: int
    message: str
    kind: str = ""
    prompt_tokens: int = 0
    context_tokens: int = 0


class _Error(msgspec.Struct, frozen=True):
    message: str = ""
    type: str | None = None
    code: int | str | None = None
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class _Body(msgspec.Struct, frozen=True):
    error: _Error | str | None = None
    message: str = ""
    detail: msgspec.Raw = msgspec.Raw(b"")


def read(status: int, body: bytes) -> Refusal:
    """Read what a server said in the body of a refusal, in whichever of the usual forms."""
    try:
        said = msgspec.json.decode(body, type=_Body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Refusal(status, _tidy(body.decode("utf-8", "replace")))
    if isinstance(said.error, _Error):
        error = said.error
        return Refusal(
            error.code if isinstance(error.code, int) and 400 <= error.code < 600 else status,
            _tidy(error.message),
            error.type or "",
            error.n_prompt_tokens,
            error.n_ctx,
        )
    detail = bytes(said.detail).decode("utf-8", "replace")
    return Refusal(status, _tidy(said.error or said.message or detail))


def _tidy(message: str) -> str:
    """Make one line of a message, of bounded length."""
    text = " ".join(message.split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def error_of(refusal: Refusal, who: str, headers: Mapping[str, str]) -> QuorateError:
    """Give the error of the catalogue for a refusal by the server `who`."""
    said = f"{who} refused ({refusal.status}): {refusal.message or 'it gave no reason'}"
    if refusal.kind == "exceed_context_size_error" or _TOO_LONG.search(refusal.message):
        return _overflow(refusal, said)
    if refusal.status in {401, 403}:
        return ConfigurationError(
            f"{said}. Give the key that it expects in `api_key_file` or `api_key_variable`."
        )
    if refusal.status == 404:
        return _not_found(refusal, said)
    if refusal.status in {400, 413, 422}:
        return _invalid(refusal, said)
    return _later(refusal, said, retry_after_seconds(headers))


def _overflow(refusal: Refusal, said: str) -> ContextOverflow:
    metadata = {"field": "prompt"}
    if refusal.context_tokens:
        metadata["value"] = str(refusal.prompt_tokens)
        metadata["limit"] = str(refusal.context_tokens)
    return ContextOverflow(
        f"{said}. Shorten the prompt, or give the model a larger context there.", metadata=metadata
    )


def _not_found(refusal: Refusal, said: str) -> QuorateError:
    if "model" in refusal.message.lower():
        return UnknownModel(f"{said}. Correct the model's `remote_model`.")
    return ConfigurationError(f"{said}. Correct the model's `url` and `backend`.")


def _invalid(refusal: Refusal, said: str) -> InvalidRequest:
    field = "sampling" if _GRAMMAR.search(refusal.message) else "request"
    return InvalidRequest(said, metadata={"field": field, "limit": refusal.message})


def _later(refusal: Refusal, said: str, retry_after: float) -> QuorateError:
    """Give the error of what is no fault of the request."""
    if refusal.status == 429 or (refusal.status == 503 and _BUSY.search(refusal.message)):
        return Overloaded(said, retry_after_seconds=retry_after)
    if refusal.status == 503:
        return ModelLoading(said, retry_after_seconds=retry_after)
    if refusal.status == 501:
        return NotImplementedYet(said)
    if refusal.status >= 500:
        died = _DIED.search(refusal.message)
        return (ModelCrashed if died else Unavailable)(said, retry_after_seconds=retry_after)
    if 300 <= refusal.status < 400:
        return ConfigurationError(f"{said}. It sends callers elsewhere; correct `url`.")
    return InternalError(said)


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """Read when a server wants to be asked again; a date or nonsense means the default."""
    try:
        seconds = float(headers.get("retry-after", DEFAULT_RETRY_SECONDS))
    except ValueError:
        return DEFAULT_RETRY_SECONDS
    # NaN fails the comparison too.
    return seconds if 0 <= seconds <= LONGEST_RETRY_SECONDS else DEFAULT_RETRY_SECONDS
