"""How a server opens its ports: mTLS that follows renewed certificates, or loopback only."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio

from quorate.errors import ConfigurationError
from quorate.identity import Role, SpiffeId, TlsMaterial, TlsWatcher

if TYPE_CHECKING:
    from quorate.config import ServiceSettings, TlsSettings

MESSAGE_BYTES: Final = 16 * 2**20

SERVER_OPTIONS: Final = (
    # On by default, it would let a second server bind the same port and take half of the calls.
    ("grpc.so_reuseport", 0),
    # Clients ping every 30 s, also during a prefill of minutes in which no data flows; by default
    # a server takes that for abuse and closes the connection after 90 s. gRPC ignores options that
    # it does not know: its macro for this one says MIN_RECV_PING_INTERVAL, the string does not.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A client whose machine vanished must not hold its engine slot for hours.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
)


def open_port(server: grpc.aio.Server, settings: ServiceSettings, role: Role) -> int:
    """Bind a server to its address as its settings say, and give the port.

    Raises ConfigurationError: no certificate (unless insecure on loopback), a certificate of
    another peer, an address that cannot be bound.
    """
    _check_security(settings, role)
    try:
        if settings.tls is None:
            return server.add_insecure_port(settings.listen)
        return server.add_secure_port(settings.listen, _credentials(settings.tls, settings, role))
    except RuntimeError as error:
        raise port_taken(settings.listen, "listen") from error


def port_taken(address: str, setting: str) -> ConfigurationError:
    """Say that an address cannot be listened on."""
    return ConfigurationError(
        f"cannot listen on {address}: the port is in use, or the address is not this machine's. "
        f"Set {setting} to a free port, or to 0 for any",
        metadata={"address": address},
    )


def address_of(settings: ServiceSettings, port: int) -> str:
    """Give the address that peers are told: `advertise`, else what was bound.

    Port 0 in `advertise` stands for the bound port; a server that listens on all addresses
    without `advertise` tells the machine's name.
    """
    host, _, wanted = (settings.advertise or settings.listen).rpartition(":")
    if settings.advertise and wanted != "0":
        return settings.advertise
    if host in {"0.0.0.0", "[::]"}:  # noqa: S104
        host = socket.gethostname()
    return f"{host}:{port}"


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches host:port."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_security(settings: ServiceSettings, role: Role) -> None:
    who = f"{role} {settings.name}"
    if settings.tls is not None and settings.insecure:
        raise ConfigurationError(f"{who} has both tls and insecure: remove one of them")
    if settings.tls is None and not settings.insecure:
        raise ConfigurationError(
            f"{who} has no certificate and refuses to serve without one. Make it with "
            f"`quorate certs issue {role} {settings.name}` and set tls; or set insecure: true, "
            "which is only possible on a loopback address"
        )
    if settings.insecure and not is_loopback(settings.listen):
        raise ConfigurationError(
            f"{who} is insecure and listens on {settings.listen}, where anybody could call it. "
            "Listen on 127.0.0.1, or give it a certificate"
        )


def _credentials(tls: TlsSettings, settings: ServiceSettings, role: Role) -> grpc.ServerCredentials:
    watcher = TlsWatcher(tls)
    expected = SpiffeId(settings.trust_domain, role, settings.name)
    if watcher.material.identity != expected:
        raise ConfigurationError(
            f"{tls.certificate} belongs to {watcher.material.identity}, "
            f"but this is {expected}, and no peer would believe it"
        )

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        # Asked by gRPC, from a thread of its own, before every handshake.
        return _configuration(watcher.material) if watcher.refresh() else None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(watcher.material),
        fetch,  # type: ignore[arg-type]  # None means no change, which the stubs leave out
        require_client_authentication=True,
    )


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.certificate)], root_certificates=material.authorities
    )
