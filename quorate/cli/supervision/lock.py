"""One mesh per home directory, held by a kernel lock that no crash leaves behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from quorate.client.local_mesh import Home, find, home_option
from quorate.errors import AlreadyExists


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the home directory for the block; raises AlreadyExists when a mesh is running there."""
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise AlreadyExists(_who(home)) from busy
        yield
    finally:
        os.close(descriptor)


def _who(home: Home) -> str:
    mesh = find(home.path)
    if mesh is None:
        return f"a mesh is being started in {home.path} by another command; wait for it"
    return (
        f"a mesh is running already in {home.path} (process {mesh.supervisor.pid}, "
        f"coordinator {mesh.coordinator}). End it with: quorate down{home_option(home.path)}"
    )
