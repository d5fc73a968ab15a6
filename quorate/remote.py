"""What the settings of a model behind another engine's HTTP API must be like. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Backend = Literal["llama.cpp", "ollama", "openai"]
Dialect = Literal["openai", "llama.cpp", "vllm"]
OLLAMA_URL = "http://127.0.0.1:11434"

EXTRA_SAMPLING = (
    "top_k", "min_p", "typical_p", "repeat_penalty", "frequency_penalty", "presence_penalty",
    "mirostat_tau", "mirostat_eta", "grammar",
)  # fmt: skip
"""Fields of a request's sampling that some servers honour and others drop without a word."""


class Only(NamedTuple):
    """A key of a model that some backends have; `backends` are those."""

    key: str
    backends: tuple[Backend, ...]


ONLY = (
    Only("path", ("llama.cpp",)),
    Only("replicas", ("llama.cpp",)),
    Only("gpu_layers", ("llama.cpp",)),
    Only("kv_layout", ("llama.cpp",)),
    Only("cache_type", ("llama.cpp",)),
    Only("load", ("llama.cpp",)),
    Only("url", ("ollama", "openai")),
    Only("remote_model", ("ollama", "openai")),
    Only("api_key_file", ("ollama", "openai")),
    Only("api_key_variable", ("ollama", "openai")),
    Only("sampling", ("ollama", "openai")),
    Only("logprobs", ("ollama", "openai")),
    Only("silence_seconds", ("ollama", "openai")),
    Only("dialect", ("openai",)),
    Only("keep_alive", ("ollama",)),
)


def check_url(value: str) -> str:
    """Refuse what is no http address of a server; a trailing slash and /v1 are taken away."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{value!r} is not the address of a server; write http://host:port")
    if parts.username or parts.password:  # the value is not shown: it holds a secret
        raise ValueError("a URL must not hold a key; put it into a file and name it: api_key_file")
    if parts.query or parts.fragment:
        raise ValueError(f"{value!r} has a query or a fragment; write http://host:port")
    return re.sub(r"(/v1)?/*$", "", value)


def check_keep_alive(value: str) -> str:
    """Refuse what Ollama would not read as a time: seconds, or a number with ns to h after it."""
    if not re.fullmatch(r"-?\d+|(-?\d+(\.\d+)?(ns|us|ms|s|m|h))+", value):
        raise ValueError(f"{value!r} is not a time; write 300, 5m, or -1 for ever")
    return value


def check_combination(backend: Backend, given: Iterable[str], url: str | None) -> None:
    """Raise ValueError for keys that a backend does not have, and for ones that it lacks."""
    said = set(given)
    for only in ONLY:
        if only.key in said and backend not in only.backends:
            raise ValueError(
                f"{only.key} is for the backend {' or '.join(only.backends)}, "
                f"but the backend is {backend}; leave one of them out"
            )
    if backend == "openai" and url is None:
        raise ValueError("the backend openai needs a url, like http://127.0.0.1:8080")
    if {"api_key_file", "api_key_variable"} <= said:
        raise ValueError("api_key_file and api_key_variable are both given; keep one")
