"""`quorate certs …` as somebody types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from quorate import identity
from quorate.cli.certs import app
from quorate.config import TlsSettings


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "certs"


def run(directory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--directory", str(directory)])


def succeed(directory: Path, *arguments: str) -> str:
    result = run(directory, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fail(directory: Path, *arguments: str) -> str:
    result = run(directory, *arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("quorate: ")
    assert "Traceback" not in result.stderr
    return result.stderr


def test_from_an_authority_to_settings_that_work(directory: Path) -> None:
    assert "ca.pem for the mesh lab.example" in succeed(
        directory, "init", "--trust-domain", "lab.example"
    )
    printed = succeed(directory, "issue", "node", "atlas", "--host", "10.0.0.5", "--days", "7")
    tls = TlsSettings(**yaml.safe_load(printed)["tls"])
    material = identity.load_tls(tls)
    assert str(material.identity) == "spiffe://lab.example/node/atlas"
    names = identity.describe(tls.certificate).subject_alternative_names
    assert {"10.0.0.5", "127.0.0.1", "localhost", "::1"} <= set(names)
    left = material.not_after - datetime.now(UTC)
    assert timedelta(days=6) < left < timedelta(days=8)


def test_the_home_of_the_mesh_is_where_certificates_lie_by_default(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["init", "--home", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "certs" / "ca.pem").exists()


def test_an_existing_authority_is_kept(directory: Path) -> None:
    succeed(directory, "init")
    before = (directory / "ca.pem").read_bytes()
    assert "already holds an authority" in fail(directory, "init")
    assert (directory / "ca.pem").read_bytes() == before


def test_a_missing_authority_says_how_to_make_one(directory: Path) -> None:
    message = fail(directory, "issue", "node", "atlas")
    assert f"quorate certs init --directory {directory}" in message
    assert f"quorate certs init --directory {directory}" in fail(directory, "show")
    assert f"quorate certs init --directory {directory}" in fail(directory, "renew")


def test_an_unknown_role_names_the_nearest(directory: Path) -> None:
    succeed(directory, "init")
    assert "Did you mean 'node'" in fail(directory, "issue", "nodes", "atlas")


def test_a_bad_name_is_refused_with_the_rule(directory: Path) -> None:
    succeed(directory, "init")
    message = fail(directory, "issue", "node", "Atlas!")
    assert "'Atlas!' is not a name; use 1 to 63 lower-case letters" in message


def test_a_bad_trust_domain_is_refused(directory: Path) -> None:
    assert "is not a trust domain" in fail(directory, "init", "--trust-domain", "Lab/x")


@pytest.mark.parametrize("days", ["0", "-1", "x"])
def test_days_are_a_positive_number(directory: Path, days: str) -> None:
    assert run(directory, "init", "--days", days).exit_code == 2


def test_show_tells_whose_and_until_when(directory: Path) -> None:
    succeed(directory, "init")
    succeed(directory, "issue", "node", "atlas")
    printed = succeed(directory, "show")
    assert "authority" in printed
    assert "spiffe://quorate.local/node/atlas" in printed
    assert "(89 days left)" in printed
    only = succeed(directory, "show", str(directory / "node-atlas.pem"))
    assert "authority\n" not in only


def test_show_prints_json(directory: Path) -> None:
    succeed(directory, "init")
    succeed(directory, "issue", "node", "atlas")
    authority, atlas = json.loads(succeed(directory, "show", "--json"))
    assert (authority["authority"], authority["spiffe"]) == (True, None)
    assert atlas["spiffe"] == "spiffe://quorate.local/node/atlas"
    assert atlas["path"] == str(directory / "node-atlas.pem")
    assert datetime.fromisoformat(atlas["not_after"]) > datetime.now(UTC)
    assert "node.quorate.internal" in atlas["names"]


def test_show_says_that_a_certificate_expired(directory: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=200)
    identity.create_authority(directory, now=long_ago)
    identity.issue(directory, identity.Role.NODE, "atlas", now=long_ago)
    assert "(EXPIRED)" in succeed(directory, "show")


def test_show_names_a_file_that_is_no_certificate(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    assert "x.pem holds no PEM certificate" in fail(directory, "show", str(tmp_path / "x.pem"))


def test_renew_replaces_what_ends_soon(directory: Path) -> None:
    succeed(directory, "init")
    succeed(directory, "issue", "node", "atlas", "--days", "5")
    succeed(directory, "issue", "node", "scribe", "--days", "90")
    before = {
        name: identity.describe(directory / f"node-{name}.pem").fingerprint
        for name in ("atlas", "scribe")
    }
    printed = succeed(directory, "renew", "--within", "30")
    assert f"renewed {directory / 'node-atlas.pem'} for 90 days" in printed
    assert f"{directory / 'node-scribe.pem'} lasts 89 days more" in printed
    assert "ca.pem" not in printed
    atlas = identity.describe(directory / "node-atlas.pem")
    assert atlas.fingerprint != before["atlas"]
    assert identity.describe(directory / "node-scribe.pem").fingerprint == before["scribe"]


def test_renew_takes_named_files(directory: Path) -> None:
    succeed(directory, "init")
    succeed(directory, "issue", "node", "atlas")
    path = str(directory / "node-atlas.pem")
    assert "renewed" in succeed(directory, "renew", path, "--days", "3")
    assert (
        timedelta(days=2)
        < identity.describe(Path(path)).not_after - datetime.now(UTC)
        < timedelta(days=4)
    )
    assert "not the certificate of a peer" in fail(directory, "renew", str(directory / "ca.pem"))


def test_without_a_command_help_is_shown() -> None:
    result = CliRunner().invoke(app, [])
    for command in ("init", "issue", "show", "renew"):
        assert command in result.output
