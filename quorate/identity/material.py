"""The certificates of a running peer: loaded, checked, and taken up again when they change."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from quorate.errors import ConfigurationError
from quorate.identity.certificate import read, read_certificates, summarize

if TYPE_CHECKING:
    from cryptography import x509

    from quorate.config import TlsSettings
    from quorate.identity.spiffe import SpiffeId

logger = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], datetime]
FileStates: TypeAlias = tuple[tuple[int, int, int], ...]


def utc_now() -> datetime:
    """Give the time of day, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class TlsMaterial:
    """What a TLS stack needs (PEM), and whose it is."""

    authorities: bytes
    certificate: bytes
    key: bytes
    identity: SpiffeId
    not_after: datetime

    def __repr__(self) -> str:
        return f"TlsMaterial({self.identity}, until {self.not_after:%F})"


def load_tls(settings: TlsSettings, clock: Clock = utc_now) -> TlsMaterial:
    """Load a peer's certificate, key and authorities, and check that they fit together.

    Raises ConfigurationError, which says how to mend it, when a file is missing or no PEM, the key
    is another certificate's, the certificate is out of date, or no authority given signed it.
    """
    chain = read_certificates(settings.certificate)
    authorities = read_certificates(settings.authorities)
    _check_dates(settings, chain[0], clock())
    _check_key(settings, chain[0])
    _check_issuer(settings, chain[0], [*chain[1:], *authorities])
    identity = summarize(chain[0]).spiffe
    if identity is None:
        raise ConfigurationError(
            f"{settings.certificate} carries no single identity "
            "spiffe://<trust domain>/<role>/<name>. Issue one: quorate certs issue <role> <name>"
        )
    return TlsMaterial(
        authorities=read(settings.authorities),
        certificate=read(settings.certificate),
        key=read(settings.key),
        identity=identity,
        not_after=chain[0].not_valid_after_utc,
    )


def _check_dates(settings: TlsSettings, leaf: x509.Certificate, now: datetime) -> None:
    if now > leaf.not_valid_after_utc:
        raise ConfigurationError(
            f"{settings.certificate} expired at {leaf.not_valid_after_utc:%F %T} UTC. "
            f"Renew it: quorate certs renew {settings.certificate}"
        )
    if now < leaf.not_valid_before_utc:
        raise ConfigurationError(
            f"{settings.certificate} is valid only from {leaf.not_valid_before_utc:%F %T} UTC on. "
            "Set this machine's clock."
        )


def _check_key(settings: TlsSettings, leaf: x509.Certificate) -> None:
    try:
        key = serialization.load_pem_private_key(read(settings.key), password=None)
    except (ValueError, TypeError) as error:  # TypeError: it has a password
        raise ConfigurationError(f"{settings.key} holds no usable private key: {error}") from error
    if key.public_key() != leaf.public_key():
        raise ConfigurationError(
            f"{settings.key} is not the key of {settings.certificate}. "
            f"Make a new pair: quorate certs renew {settings.certificate}"
        )


def _check_issuer(
    settings: TlsSettings, leaf: x509.Certificate, issuers: Sequence[x509.Certificate]
) -> None:
    if not any(_signed_by(leaf, issuer) for issuer in issuers):
        raise ConfigurationError(
            f"{settings.certificate} was not issued by an authority in {settings.authorities}. "
            "Peers trust only that one: issue the certificate with it."
        )


def _signed_by(leaf: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


class TlsWatcher:
    """The last good certificates of a peer; changed files are taken up, bad ones are not.

    Looks at modification time, size and inode when asked, and runs nothing by itself. gRPC asks
    from its own threads: what is shared is one reference that is replaced whole.
    """

    def __init__(self, settings: TlsSettings, clock: Clock = utc_now) -> None:
        """Load the files; raises ConfigurationError as `load_tls` does."""
        self._settings = settings
        self._clock = clock
        self._seen = self._look()
        self.material = load_tls(settings, clock)

    def refresh(self) -> bool:
        """Take up files that changed since the last look; true when there is new material."""
        found = self._look()
        if found == self._seen:
            return False
        self._seen = found
        try:
            fresh = load_tls(self._settings, self._clock)
            self._check_same_peer(fresh)
        except ConfigurationError as error:
            logger.error("the certificates changed, but stay as they were: %s", error.message)
            return False
        changed = fresh != self.material
        self.material = fresh
        if changed:
            logger.info("new certificates for %s until %s", fresh.identity, fresh.not_after)
        return changed

    def _check_same_peer(self, fresh: TlsMaterial) -> None:
        if fresh.identity != self.material.identity:
            raise ConfigurationError(
                f"{self._settings.certificate} now belongs to {fresh.identity}, "
                f"but this peer is {self.material.identity}"
            )

    def _look(self) -> FileStates:
        settings = self._settings
        states = []
        for path in (settings.certificate, settings.key, settings.authorities):
            try:
                status = os.stat(path)  # follows links: Kubernetes swaps a link to renew
            except OSError:
                states.append((0, 0, 0))
            else:
                states.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(states)
