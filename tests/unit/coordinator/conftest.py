"""Databases for the coordinator's memory: an SQLite file, and a real PostgreSQL where one lies."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 20.0


def programs() -> Path | None:
    """Give the directory of initdb and postgres, the newest of Debian's first."""
    if DEBIAN.is_dir():
        for version in sorted(DEBIAN.iterdir(), key=lambda path: path.name, reverse=True):
            if (version / "bin" / "initdb").exists():
                return version / "bin"
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def another_user() -> dict[str, int]:
    """Choose whom PostgreSQL runs as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = entries.get("postgres") or entries["nobody"]
    return {"user": chosen.pw_uid, "group": chosen.pw_gid}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a PostgreSQL of our own, on a Unix socket; skips where none is installed."""
    directory = programs()
    if directory is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    place = Path(tmp_path_factory.mktemp("pg", numbered=True)).absolute()
    owner = another_user()
    home = Path("/tmp") / f"quorate-pg-{os.getpid()}" if owner else place  # reachable by the other
    home.mkdir(mode=0o755, exist_ok=True)
    if owner:
        os.chown(home, owner["user"], owner["group"])
    data = home / "data"
    making = [directory / "initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync"]
    subprocess.run(making, check=True, capture_output=True, cwd=home, **owner)
    running = [directory / "postgres", "-D", data, "-k", home, "-c", "listen_addresses="]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(running, stdout=log, stderr=log, cwd=home, **owner)
    try:
        wait_for(directory / "pg_isready", home)
        yield f"postgresql+psycopg://tester@/postgres?host={home}"
    finally:
        server.send_signal(signal.SIGINT)  # do not wait for clients
        server.wait(START_SECONDS)
        shutil.rmtree(home, ignore_errors=True)


def wait_for(ready: Path, socket: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while subprocess.run([ready, "-q", "-h", socket, "-U", "tester"], check=False).returncode:
        assert time.monotonic() < end, (socket / "log").read_text()
        time.sleep(0.05)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """Give the URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'state' / 'c1.sqlite'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database, of each kind in turn."""
    url = request.getfixturevalue(request.param)
    if request.param == "postgres":
        import psycopg

        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    return str(url)
