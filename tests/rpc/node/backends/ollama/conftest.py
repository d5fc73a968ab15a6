"""A server that speaks Ollama's protocol as its API reference describes it, and is strict about
what it is sent. It stands in for Ollama, which cannot be installed where these tests run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

CREATED = "2026-08-04T19:22:45.499127Z"
SENTENCE = ("The", " answer", " is", " 42", ".")
COMMON = {"model", "stream", "options", "keep_alive", "format", "logprobs", "top_logprobs",
          "truncate", "shift", "think"}  # fmt: skip
OPTIONS = {"num_keep", "seed", "num_predict", "top_k", "top_p", "min_p", "typical_p",
           "repeat_last_n", "temperature", "repeat_penalty", "presence_penalty",
           "frequency_penalty", "stop", "num_ctx"}  # fmt: skip
FIELDS = {
    "/api/chat": COMMON | {"messages", "tools"},
    "/api/generate": COMMON | {"prompt", "raw", "suffix", "system", "template", "images"},
    "/api/embed": {"model", "input", "truncate", "options", "keep_alive", "dimensions"},
    "/api/show": {"model", "verbose"},
}


class Refused(Exception):
    """A request that Ollama would refuse, or would take and not honour."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Ollama:
    """The server's models and settings, which tests change, and what happened to it."""

    url: str = ""
    version: str = "0.13.1"
    digests: dict[str, str] = field(default_factory=lambda: {"tiny:1b": "a" * 64})
    loaded: set[str] = field(default_factory=set)
    pause_seconds: float = 0.0
    thinking: str = ""
    failure: tuple[int, str] | None = None
    failure_within: str = ""
    broken: list[str] = field(default_factory=list)
    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    generated: int = 0
    abandoned: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def last(self, path: str) -> dict[str, Any]:
        """Give the newest request that was sent to a path."""
        return next(body for where, body in reversed(self.bodies) if where == path)


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    ollama: ClassVar[Ollama]

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        ollama = self.ollama
        if self.path == "/api/version":
            return self._answer({"version": ollama.version})
        if self.path == "/api/tags":
            return self._answer({"models": [self._listed(name) for name in ollama.digests]})
        if self.path == "/api/ps":
            running = [
                self._listed(name) | {"expires_at": CREATED, "size_vram": 0, "context_length": 2048}
                for name in ollama.digests
                if name in ollama.loaded
            ]
            return self._answer({"models": running})
        return self._refuse(404, "404 page not found")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.ollama.lock:
            self.ollama.bodies.append((self.path, body))
        try:
            self._check(body)
            if self.ollama.failure is not None:
                raise Refused(*self.ollama.failure)
            {
                "/api/show": self._show,
                "/api/embed": self._embed,
                "/api/chat": self._generate,
                "/api/generate": self._generate,
            }[self.path](body)
        except Refused as refused:
            self._refuse(refused.status, str(refused))

    def _check(self, body: dict[str, Any]) -> None:
        """Refuse what the reference does not have: Ollama itself would drop it without a word."""
        unknown = set(body) - FIELDS[self.path]
        unknown |= set(body.get("options", {})) - OPTIONS
        if unknown:
            self.ollama.broken.append(f"{self.path}: unknown {sorted(unknown)}")
            raise Refused(400, f"unknown fields {sorted(unknown)}")
        if body["model"] not in self.ollama.digests:
            raise Refused(404, f"model '{body['model']}' not found")
        if isinstance(body.get("keep_alive"), str) and body["keep_alive"].isdigit():
            raise Refused(400, f'time: missing unit in duration "{body["keep_alive"]}"')

    def _listed(self, name: str) -> dict[str, Any]:
        details = {"format": "gguf", "family": "llama", "families": ["llama"],
                   "parameter_size": "1.2B", "quantization_level": "Q4_K_M"}  # fmt: skip
        digest = self.ollama.digests[name]
        return {"name": name, "model": name, "modified_at": CREATED, "size": 1234567,
                "digest": digest, "details": details}  # fmt: skip

    def _show(self, body: dict[str, Any]) -> None:
        info = {"general.architecture": "llama", "general.parameter_count": 1235814432,
                "llama.context_length": 131072, "tokenizer.ggml.tokens": None}  # fmt: skip
        details = self._listed(body["model"])["details"]
        self._answer({"details": details, "model_info": info, "capabilities": ["completion"]})

    def _embed(self, body: dict[str, Any]) -> None:
        vectors = [[3.0, 4.0 * len(text), 0.0] for text in body["input"]]
        tokens = sum(len(text.split()) for text in body["input"])
        self._answer({"model": body["model"], "embeddings": vectors, "total_duration": 14143917,
                      "load_duration": 1019500, "prompt_eval_count": tokens})  # fmt: skip

    def _generate(self, body: dict[str, Any]) -> None:
        chat = self.path == "/api/chat"
        prompt = " ".join(m["content"] for m in body["messages"]) if chat else body["prompt"]
        options, prompt_tokens = body["options"], len(prompt.split())
        if prompt_tokens >= options["num_ctx"]:
            if body.get("truncate", True):
                self.ollama.broken.append("a prompt would have been cut without a word")
            raise Refused(400, "the input length exceeds the context length")
        self.ollama.loaded.add(body["model"])
        pieces = self._pieces(body)
        room = options["num_ctx"] - prompt_tokens
        limit = min(options["num_predict"], room)
        self._begin()
        try:
            if self.ollama.thinking:
                self._line(self._event(body, chat, "", thinking=self.ollama.thinking))
            for piece in pieces[:limit]:
                time.sleep(self.ollama.pause_seconds)
                self._line(self._event(body, chat, piece) | self._logprobs(body, piece))
                with self.ollama.lock:
                    self.ollama.generated += 1
                if self.ollama.failure_within:
                    self._line({"error": self.ollama.failure_within})
                    self.wfile.write(b"0\r\n\r\n")
                    return
            counts = {"total_duration": 174560334, "load_duration": 101397084,
                      "prompt_eval_count": prompt_tokens, "prompt_eval_duration": 13074791,
                      "eval_count": min(limit, len(pieces)), "eval_duration": 52479709}  # fmt: skip
            reason = "length" if len(pieces) > limit else "stop"
            self._line(self._event(body, chat, "") | {"done": True, "done_reason": reason} | counts)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            with self.ollama.lock:
                self.ollama.abandoned += 1
            self.close_connection = True

    def _pieces(self, body: dict[str, Any]) -> list[str]:
        if body.get("format"):
            return ['{"a"', ": 1}"]
        if body["options"]["temperature"] > 0:
            return [f"{body['options']['seed']}", " drawn"]
        if self.ollama.pause_seconds:
            return list(SENTENCE) * 500
        return list(SENTENCE)

    def _event(self, body: dict[str, Any], chat: bool, text: str, thinking: str = "") -> dict:
        event: dict[str, Any] = {"model": body["model"], "created_at": CREATED, "done": False}
        if chat:
            message = {"role": "assistant", "content": text}
            return event | {"message": message | ({"thinking": thinking} if thinking else {})}
        return event | {"response": text}

    def _logprobs(self, body: dict[str, Any], piece: str) -> dict[str, Any]:
        if not body.get("logprobs"):
            return {}
        top = [{"token": piece, "logprob": -0.25, "bytes": list(piece.encode())},
               {"token": " other", "logprob": -1.5, "bytes": list(b" other")}]  # fmt: skip
        return {"logprobs": [top[0] | {"top_logprobs": top[: body.get("top_logprobs", 0)]}]}

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _line(self, event: dict[str, Any]) -> None:
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")

    def _answer(self, said: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int, message: str) -> None:
        self._answer({"error": message}, status)


@contextmanager
def running_ollama() -> Iterator[Ollama]:
    """Serve until the end of the block."""
    ollama = Ollama()
    handler = type("OllamaHandler", (Handler,), {"ollama": ollama})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        ollama.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield ollama
        finally:
            server.shutdown()
            thread.join()
    assert not ollama.broken, ollama.broken


@pytest.fixture
def ollama() -> Iterator[Ollama]:
    """Give a server of its own to each test; what it was sent must have been right."""
    with running_ollama() as server:
        yield server


@pytest.fixture
def model(ollama) -> dict[str, Any]:
    """Give the settings of a model of that server."""
    return {"name": "tiny", "backend": "ollama", "url": ollama.url, "remote_model": "tiny:1b"}


@pytest.fixture
def tiny(ollama, model, start_node):
    """Give a node with that model."""
    with start_node("ollama", models=[model]) as node:
        yield node


@pytest.fixture
async def caller(peers, caller_of, tiny):
    """Call that node."""
    return caller_of(peers, tiny)
