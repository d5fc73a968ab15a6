"""Fixtures for all tests: a development authority, certificates of it, free ports."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest

from quorate.config import TlsSettings
from quorate.identity import Role, create_authority, issue

IssueTls: TypeAlias = Callable[..., TlsSettings]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as everything else here does."""
    return "asyncio"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the directory of a development authority."""
    directory = tmp_path_factory.mktemp("authority")
    create_authority(directory, now=datetime.now(UTC))
    return directory


@pytest.fixture(scope="session")
def tls(authority: Path) -> IssueTls:
    """Issue a certificate: `tls(Role.NODE, "atlas")`; further arguments as `issue` takes them."""

    def make(role: Role | str, name: str, **options: object) -> TlsSettings:
        return issue(authority, Role(role), name, now=datetime.now(UTC), **options)

    return make


@pytest.fixture
def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
