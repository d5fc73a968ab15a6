"""Names, the development authority and the certificates it makes."""

from __future__ import annotations

import logging
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from quorate import identity
from quorate.config import TlsSettings
from quorate.errors import AlreadyExists, ConfigurationError, NotAuthenticated
from quorate.identity import Role, SpiffeId, TlsWatcher, server_name

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    identity.create_authority(tmp_path / "certs", now=NOW)
    return tmp_path / "certs"


@pytest.fixture
def atlas(directory: Path) -> TlsSettings:
    return identity.issue(directory, Role.NODE, "atlas", now=NOW)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def leaf(tls: TlsSettings) -> x509.Certificate:
    return x509.load_pem_x509_certificate(tls.certificate.read_bytes())


@pytest.mark.parametrize("role", list(Role))
def test_an_identity_reads_back_as_it_was_written(role: Role) -> None:
    spiffe = SpiffeId("quorate.local", role, "atlas-2")
    assert str(spiffe) == f"spiffe://quorate.local/{role.value}/atlas-2"
    assert SpiffeId.parse(str(spiffe)) == spiffe


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://quorate.local/node/atlas",
        "spiffe://quorate.local/node",
        "spiffe://quorate.local/node/atlas/extra",
        "spiffe://quorate.local/oracle/atlas",
        "spiffe://quorate.local/node/Atlas",
        "spiffe://quorate.local/node/",
        "spiffe:///node/atlas",
        "spiffe://quorate local/node/atlas",
    ],
)
def test_what_is_no_identity_is_not_authenticated(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        SpiffeId.parse(text)


def test_an_unknown_role_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'coordinator'"):
        Role.parse("cordinator")


def test_server_names_tell_peers_and_roles_apart() -> None:
    assert server_name(Role.NODE, "atlas") == "atlas.node.quorate.internal"
    assert server_name(Role.NODE) == "node.quorate.internal"


def test_an_authority_and_its_key_are_private(directory: Path) -> None:
    assert mode(directory) == 0o700
    assert mode(directory / "ca.key") == 0o600
    info = identity.describe(directory / "ca.pem")
    assert info.authority
    assert info.subject_alternative_names == ("spiffe://quorate.local",)
    assert info.spiffe is None
    assert info.not_after == NOW + timedelta(days=3650)


def test_an_authority_is_never_replaced(directory: Path) -> None:
    before = (directory / "ca.key").read_bytes()
    with pytest.raises(AlreadyExists, match="already holds an authority"):
        identity.create_authority(directory, now=NOW)
    (directory / "ca.key").unlink()
    with pytest.raises(AlreadyExists):
        identity.create_authority(directory, now=NOW)
    assert before


@pytest.mark.parametrize("domain", ["", "Quorate", "a/b", "spiffe://a", "a b"])
def test_a_bad_trust_domain_makes_no_authority(tmp_path: Path, domain: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a trust domain"):
        identity.create_authority(tmp_path / "certs", domain, now=NOW)
    assert not (tmp_path / "certs").exists()


def test_a_certificate_says_who_its_peer_is(directory: Path, atlas: TlsSettings) -> None:
    assert atlas.certificate == directory / "node-atlas.pem"
    assert mode(atlas.key) == 0o600
    info = identity.describe(atlas.certificate)
    assert info.spiffe == SpiffeId("quorate.local", Role.NODE, "atlas")
    assert info.subject_alternative_names == (
        "spiffe://quorate.local/node/atlas",
        "atlas.node.quorate.internal",
        "node.quorate.internal",
        "localhost",
        "127.0.0.1",
        "::1",
    )
    assert (info.not_before, info.not_after) == (
        NOW - timedelta(minutes=5),
        NOW + timedelta(days=90),
    )
    assert info.issuer == identity.describe(atlas.authorities).subject
    assert not info.authority
    assert len(info.fingerprint) == 64


def test_a_certificate_is_for_both_ends_of_a_connection(atlas: TlsSettings) -> None:
    certificate = leaf(atlas)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    key = load_pem_private_key(atlas.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert key.public_key() == certificate.public_key()


def test_hosts_are_names_and_addresses(directory: Path) -> None:
    hosts = ["node-1.lab.example", "10.0.0.5", "fe80::1", "10.0.0.5"]
    tls = identity.issue(directory, Role.NODE, "atlas", hosts=hosts, now=NOW)
    assert identity.describe(tls.certificate).subject_alternative_names[3:] == tuple(hosts[:3])


@pytest.mark.parametrize("name", ["", "Atlas", "a.b", "a/b", "-a", "x" * 64])
def test_a_bad_name_gets_no_certificate(directory: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a name"):
        identity.issue(directory, Role.NODE, name, now=NOW)


@pytest.mark.parametrize("host", ["", "a b", "http://a", "*.example", "ä.example"])
def test_a_bad_host_gets_no_certificate(directory: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a name"):
        identity.issue(directory, Role.NODE, "atlas", hosts=[host], now=NOW)


def test_the_longest_name_fits(directory: Path) -> None:
    tls = identity.issue(directory, Role.SYNTHESIZER, "x" * 63, now=NOW)
    assert identity.load_tls(tls, lambda: NOW).identity.name == "x" * 63


def test_a_missing_authority_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"quorate certs init --directory"):
        identity.issue(tmp_path, Role.NODE, "atlas", now=NOW)


def test_a_missing_or_damaged_authority_key_is_told(directory: Path) -> None:
    (directory / "ca.key").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"ca\.key holds no usable private key"):
        identity.issue(directory, Role.NODE, "atlas", now=NOW)
    (directory / "ca.key").unlink()
    with pytest.raises(ConfigurationError, match=r"ca\.key cannot be read"):
        identity.issue(directory, Role.NODE, "atlas", now=NOW)


def test_a_strangers_authority_issues_nothing(tmp_path: Path) -> None:
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(tmp_path / "ca.pem")
    stranger.private_key_pem.write_to_path(tmp_path / "ca.key")
    with pytest.raises(ConfigurationError, match="was not made by `quorate certs init`"):
        identity.issue(tmp_path, Role.NODE, "atlas", now=NOW)


def test_renewing_keeps_the_names_and_changes_the_key(directory: Path) -> None:
    old = identity.issue(directory, Role.NODE, "atlas", hosts=["a.example", "10.0.0.5"], now=NOW)
    before, key = identity.describe(old.certificate), old.key.read_bytes()
    later = NOW + timedelta(days=200)  # also after it expired
    assert identity.renew(old.certificate, now=later, days=10) == old
    after = identity.describe(old.certificate)
    assert after.subject_alternative_names == before.subject_alternative_names
    assert after.not_after == later + timedelta(days=10)
    assert after.fingerprint != before.fingerprint
    assert old.key.read_bytes() != key
    assert mode(old.key) == 0o600


def test_only_peers_are_renewed(directory: Path) -> None:
    with pytest.raises(ConfigurationError, match="not the certificate of a peer"):
        identity.renew(directory / "ca.pem", now=NOW)


def test_describing_a_strangers_certificate_works(tmp_path: Path) -> None:
    trustme.CA().issue_cert("host.example").cert_chain_pems[0].write_to_path(tmp_path / "x.pem")
    info = identity.describe(tmp_path / "x.pem")
    assert (info.spiffe, info.authority) == (None, False)
    assert info.subject_alternative_names == ("host.example",)


def bare_certificate(names: list[str]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    if names:
        uris = [x509.UniformResourceIdentifier(text) for text in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["spiffe://a/node/x", "spiffe://a/node/y"],
        ["spiffe://a/oracle/x"],
        ["https://a/node/x"],
    ],
)
def test_a_certificate_without_exactly_one_identity_has_none(
    tmp_path: Path, names: list[str]
) -> None:
    (tmp_path / "x.pem").write_bytes(bare_certificate(names))
    info = identity.describe(tmp_path / "x.pem")
    assert info.spiffe is None
    assert info.subject_alternative_names == tuple(names)
    assert not info.authority


def test_good_material_loads(atlas: TlsSettings) -> None:
    material = identity.load_tls(atlas, lambda: NOW)
    assert material.identity == SpiffeId("quorate.local", Role.NODE, "atlas")
    assert material.key == atlas.key.read_bytes()
    assert "PRIVATE" not in repr(material)
    assert "spiffe://quorate.local/node/atlas" in repr(material)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        (NOW + timedelta(days=91), "expired at 2026-05-30 .*quorate certs renew"),
        (NOW - timedelta(days=1), "valid only from 2026-03-01 .*clock"),
    ],
)
def test_a_certificate_out_of_its_time_does_not_load(
    atlas: TlsSettings, when: datetime, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        identity.load_tls(atlas, lambda: when)


@pytest.mark.parametrize("part", ["certificate", "key", "authorities"])
def test_a_missing_file_is_named(atlas: TlsSettings, part: str) -> None:
    path: Path = getattr(atlas, part)
    path.unlink()
    with pytest.raises(ConfigurationError, match=f"{path.name} cannot be read: No such file"):
        identity.load_tls(atlas, lambda: NOW)


@pytest.mark.parametrize("part", ["certificate", "key", "authorities"])
def test_a_file_that_is_no_pem_is_named(atlas: TlsSettings, part: str) -> None:
    path: Path = getattr(atlas, part)
    path.write_bytes(b"\xff\x00 nothing")
    with pytest.raises(ConfigurationError, match=f"{path.name} holds no"):
        identity.load_tls(atlas, lambda: NOW)


def test_another_certificates_key_does_not_load(directory: Path, atlas: TlsSettings) -> None:
    scribe = identity.issue(directory, Role.NODE, "scribe", now=NOW)
    mixed = atlas.model_copy(update={"key": scribe.key})
    with pytest.raises(ConfigurationError, match="is not the key of"):
        identity.load_tls(mixed, lambda: NOW)


def test_a_key_with_a_password_does_not_load(atlas: TlsSettings) -> None:
    from cryptography.hazmat.primitives import serialization

    key = load_pem_private_key(atlas.key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    atlas.key.write_bytes(locked)
    with pytest.raises(ConfigurationError, match="holds no usable private key"):
        identity.load_tls(atlas, lambda: NOW)


def test_a_certificate_of_another_authority_does_not_load(
    atlas: TlsSettings, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    strange = atlas.model_copy(update={"authorities": tmp_path / "other.pem"})
    with pytest.raises(ConfigurationError, match="was not issued by an authority in"):
        identity.load_tls(strange, lambda: NOW)


def test_a_certificate_without_identity_does_not_load(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    tls = TlsSettings(
        certificate=tmp_path / "x.pem", key=tmp_path / "x.key", authorities=tmp_path / "ca.pem"
    )
    issued.cert_chain_pems[0].write_to_path(tls.certificate)
    issued.private_key_pem.write_to_path(tls.key)
    authority.cert_pem.write_to_path(tls.authorities)
    with pytest.raises(ConfigurationError, match="carries no single identity"):
        identity.load_tls(tls)


def test_a_watcher_takes_up_changes_once(atlas: TlsSettings) -> None:
    watcher = TlsWatcher(atlas, lambda: NOW)
    first = watcher.material
    assert not watcher.refresh()
    identity.renew(atlas.certificate, now=NOW)
    assert watcher.refresh()
    assert watcher.material != first
    assert not watcher.refresh()


def test_a_watcher_does_not_call_the_same_content_new(atlas: TlsSettings) -> None:
    watcher = TlsWatcher(atlas, lambda: NOW)
    atlas.certificate.write_bytes(atlas.certificate.read_bytes())
    atlas.key.touch()
    assert not watcher.refresh()


def test_a_watcher_outlives_the_expiry_of_what_it_has(atlas: TlsSettings) -> None:
    # Nothing better is there; peers will refuse it, and renewing it mends all.
    times = [NOW]
    watcher = TlsWatcher(atlas, lambda: times[0])
    times[0] = NOW + timedelta(days=100)
    assert not watcher.refresh()
    identity.renew(atlas.certificate, now=times[0])
    assert watcher.refresh()


def test_a_watcher_tells_a_missing_file_once_and_recovers(
    atlas: TlsSettings, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = TlsWatcher(atlas, lambda: NOW)
    content = atlas.key.read_bytes()
    atlas.key.unlink()
    with caplog.at_level(logging.ERROR):
        assert not watcher.refresh()
        assert not watcher.refresh()
    assert len(caplog.records) == 1
    atlas.key.write_bytes(content)
    assert not watcher.refresh()  # the same content again: nothing is new
    identity.renew(atlas.certificate, now=NOW)
    assert watcher.refresh()
