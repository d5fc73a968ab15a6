"""The development authority: a directory with a CA, and the certificates it issues.

Kubernetes has cert-manager for this; one machine or a few of one's own have this directory.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from quorate.config import TlsSettings, check_name
from quorate.errors import AlreadyExists, ConfigurationError
from quorate.identity.certificate import alternative_names, read, read_certificates, summarize
from quorate.identity.spiffe import (
    DEFAULT_TRUST_DOMAIN,
    SCHEME,
    Role,
    SpiffeId,
    check_trust_domain,
    server_name,
)

AUTHORITY_CERTIFICATE: Final = "ca.pem"
AUTHORITY_KEY: Final = "ca.key"
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
CLOCK_SKEW: Final = timedelta(minutes=5)  # machines of one mesh may disagree by this much


@dataclass(frozen=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    trust_domain: str


def create_authority(
    directory: Path,
    trust_domain: str = DEFAULT_TRUST_DOMAIN,
    *,
    now: datetime,
    days: int = 3650,
) -> None:
    """Make a certificate authority in a directory: `ca.pem`, `ca.key` (0600); directory 0700.

    Raises AlreadyExists rather than replace one, ConfigurationError for a bad trust domain.
    """
    if (directory / AUTHORITY_KEY).exists() or (directory / AUTHORITY_CERTIFICATE).exists():
        raise AlreadyExists(
            f"{directory} already holds an authority; every certificate of its mesh depends on it. "
            "Use it with `quorate certs issue`, or choose another directory."
        )
    try:
        identity = SCHEME + check_trust_domain(trust_domain)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    _make_private_directory(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(f"Quorate authority of {trust_domain}")
    builder = (
        _builder(name, name, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(_names([identity]), critical=False)
    )
    _write_pair(directory, "ca", builder.sign(key, hashes.SHA256()), key)


def issue(
    directory: Path,
    role: Role,
    name: str,
    *,
    hosts: Sequence[str] = LOCAL_HOSTS,
    days: int = 90,
    now: datetime,
) -> TlsSettings:
    """Make a peer's certificate and key in the authority's directory, and say where they are.

    Writes `<role>-<name>.pem` and `.key` (0600), replacing older ones. `hosts` are the host names
    and addresses under which the peer is reached. Raises ConfigurationError when the directory
    holds no authority, or the name or a host cannot stand in a certificate.
    """
    authority = _load_authority(directory)
    try:
        identity = SpiffeId(authority.trust_domain, role, check_name(name))
        names = _names(
            [str(identity), server_name(role, name), server_name(role), *dict.fromkeys(hosts)]
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    return _write_leaf(directory, authority, identity, names, now, days)


def renew(certificate: Path, *, now: datetime, days: int = 90) -> TlsSettings:
    """Replace a peer's certificate and key by fresh ones of the same names.

    The authority must lie in the certificate's directory. Servers and clients that use the files
    take the new ones up by themselves. Raises ConfigurationError.
    """
    old = read_certificates(certificate)[0]
    identity = summarize(old).spiffe
    if identity is None:
        raise ConfigurationError(f"{certificate} is not the certificate of a peer of a mesh")
    authority = _load_authority(certificate.parent)
    return _write_leaf(
        certificate.parent, authority, identity, _names(alternative_names(old)), now, days
    )


def _load_authority(directory: Path) -> _Authority:
    path = directory / AUTHORITY_CERTIFICATE
    if not path.exists():
        raise ConfigurationError(
            f"{directory} holds no authority. Make one: quorate certs init --directory {directory}"
        )
    certificate = read_certificates(path)[0]
    identity = next(iter(alternative_names(certificate)), "")
    key_path = directory / AUTHORITY_KEY
    try:
        key = serialization.load_pem_private_key(read(key_path), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{key_path} holds no usable private key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not identity.startswith(SCHEME):
        raise ConfigurationError(f"{path} was not made by `quorate certs init`")
    return _Authority(certificate, key, identity.removeprefix(SCHEME))


def _write_leaf(
    directory: Path,
    authority: _Authority,
    identity: SpiffeId,
    names: x509.SubjectAlternativeName,
    now: datetime,
    days: int,
) -> TlsSettings:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(
            _subject(f"{identity.role} {identity.name}"),
            authority.certificate.subject,
            key.public_key(),
            now,
            days,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(issuer_key, critical=False)
        .add_extension(names, critical=False)
    )
    stem = f"{identity.role}-{identity.name}"
    certificate = builder.sign(authority.key, hashes.SHA256())
    certificate_path, key_path = _write_pair(directory, stem, certificate, key)
    return TlsSettings(
        certificate=certificate_path, key=key_path, authorities=directory / AUTHORITY_CERTIFICATE
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Quorate"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),  # RFC 5280: at most 64
        ]
    )


def _names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def _general_name(name: str) -> x509.GeneralName:
    if name.startswith(SCHEME):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    for label in name.split("."):
        check_name(label)
    return x509.DNSName(name)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _make_private_directory(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)


def _write_pair(
    directory: Path, stem: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[Path, Path]:
    certificate_path, key_path = directory / f"{stem}.pem", directory / f"{stem}.key"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Both are replaced by renaming, so that a reader sees a whole file. In the instant between the
    # two the pair does not match; readers keep their last good one then.
    _replace(key_path, private, 0o600)
    _replace(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate_path, key_path


def _replace(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.replace(path)
