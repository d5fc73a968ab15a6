"""A hub on loopback: the paths and headers that huggingface_hub uses, and faults on demand."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_letmein"


@dataclass
class Repository:
    files: dict[str, bytes]
    gated: bool = False
    commits: tuple[str, ...] = (COMMIT,)


@dataclass
class FakeHub:
    """What the hub holds, how it misbehaves, and what was asked of it.

    `cut_after` bytes of an answer the connection breaks, `faults` times in all; `stall_after`
    bytes nothing more comes until it is None again. `wrong_bytes` are served in place of the
    file; `status` answers every download.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    cut_after: int | None = None
    stall_after: int | None = None
    faults: int = 10**6
    wrong_bytes: bytes | None = None
    status: int | None = None
    ranges: bool = True
    tell_checksum: bool = True
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    endpoint: str = ""

    def downloads(self) -> list[str]:
        """Give the Range of each download, "" where the whole file was asked for."""
        return [wanted for method, _, wanted in self.asked if method == "GET"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_arguments: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        path = unquote(self.path.split("?")[0])
        wanted = self.headers.get("Range", "")
        self.hub.asked.append((self.command, path, wanted))
        owner, name, kind, revision, *rest = [*path.strip("/").split("/"), "", "", "", ""]
        repository = self.hub.repositories.get(f"{owner}/{name}")
        if kind != "resolve" or repository is None:
            return self._refuse(404, "RepoNotFound")
        if repository.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._refuse(401, "GatedRepo")
        if revision not in ("main", *repository.commits):
            return self._refuse(404, "RevisionNotFound")
        content = repository.files.get("/".join(rest).rstrip("/"))
        if content is None:
            return self._refuse(404, "EntryNotFound")
        if body and self.hub.status is not None:
            return self._refuse(self.hub.status, "")
        return self._give(content, repository, wanted, body=body)

    def _give(self, content: bytes, repository: Repository, wanted: str, *, body: bool) -> None:
        served = self.hub.wrong_bytes if self.hub.wrong_bytes is not None and body else content
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.hub.ranges else 0
        if start >= len(served) and start:
            return self._refuse(416, "")
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", repository.commits[-1])
        digest = hashlib.sha256(content).hexdigest()
        self.send_header("ETag", f'"{digest}"' if self.hub.tell_checksum else '"0123abc"')
        self.send_header("Content-Length", str(len(served) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(served) - 1}/{len(served)}")
        self.end_headers()
        if body:
            self._send(served[start:])
        return None

    def _send(self, content: bytes) -> None:
        if (stall := self.hub.stall_after) is not None:
            self.wfile.write(content[:stall])
            self.wfile.flush()
            while self.hub.stall_after is not None:
                time.sleep(0.02)
            self.close_connection = True
            return
        cut = self.hub.cut_after
        if cut is None or self.hub.faults <= 0 or cut >= len(content):
            self.wfile.write(content)
            return
        self.hub.faults -= 1
        self.wfile.write(content[:cut])
        self.wfile.flush()
        self.close_connection = True

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving() as served:
        yield served


@pytest.fixture
def new_repository() -> Any:
    return Repository


@contextmanager
def serving() -> Iterator[FakeHub]:
    """Run a hub for the block."""
    hub = FakeHub()
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
