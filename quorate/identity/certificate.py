"""What a certificate says, in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from quorate.errors import ConfigurationError, NotAuthenticated
from quorate.identity.spiffe import SCHEME, SpiffeId


@dataclass(frozen=True)
class CertificateInfo:
    """A certificate: whose, from when to when (UTC), by whom, and its names.

    `spiffe` is None for authorities and for strangers' certificates. `fingerprint` is the SHA-256
    of the DER form in hexadecimal.
    """

    subject: str
    spiffe: SpiffeId | None
    not_before: datetime
    not_after: datetime
    issuer: str
    fingerprint: str
    subject_alternative_names: tuple[str, ...]
    authority: bool


def describe(path: Path) -> CertificateInfo:
    """Say what the first certificate of a PEM file holds; raises ConfigurationError."""
    return summarize(read_certificates(path)[0])


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read the certificates of a PEM file, at least one; raises ConfigurationError."""
    try:
        return x509.load_pem_x509_certificates(read(path))
    except ValueError as error:
        raise ConfigurationError(f"{path} holds no PEM certificate: {error}") from error


def read(path: Path) -> bytes:
    """Read a file; raises ConfigurationError that says what to do when it is not there."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}. "
            "Make certificates with `quorate certs init` and `quorate certs issue`."
        ) from error


def summarize(certificate: x509.Certificate) -> CertificateInfo:
    """Say what a certificate holds."""
    names = alternative_names(certificate)
    return CertificateInfo(
        subject=certificate.subject.rfc4514_string(),
        spiffe=_identity(names),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        subject_alternative_names=tuple(names),
        authority=_is_authority(certificate),
    )


def alternative_names(certificate: x509.Certificate) -> list[str]:
    """Give the host names, addresses and URIs of a certificate, in its order."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in extension.value]


def _identity(names: list[str]) -> SpiffeId | None:
    identities = [name for name in names if name.startswith(SCHEME)]
    if len(identities) != 1:  # the SPIFFE standard: exactly one
        return None
    try:
        return SpiffeId.parse(identities[0])
    except NotAuthenticated:
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
