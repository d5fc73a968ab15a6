"""Who a peer is: SPIFFE ids, the development authority, certificates and their renewal.

Every peer holds one certificate whose URI name says what it is and which one:
`spiffe://<trust domain>/<role>/<name>`.
"""

from quorate.identity.authority import (
    AUTHORITY_CERTIFICATE,
    AUTHORITY_KEY,
    LOCAL_HOSTS,
    create_authority,
    issue,
    renew,
)
from quorate.identity.certificate import CertificateInfo, describe
from quorate.identity.material import TlsMaterial, TlsWatcher, load_tls
from quorate.identity.spiffe import DEFAULT_TRUST_DOMAIN, Role, SpiffeId, server_name

__all__ = [
    "AUTHORITY_CERTIFICATE",
    "AUTHORITY_KEY",
    "DEFAULT_TRUST_DOMAIN",
    "LOCAL_HOSTS",
    "CertificateInfo",
    "Role",
    "SpiffeId",
    "TlsMaterial",
    "TlsWatcher",
    "create_authority",
    "describe",
    "issue",
    "load_tls",
    "renew",
    "server_name",
]
