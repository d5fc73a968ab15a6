"""What settings are made of: sizes, names, addresses, and the base of all settings. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from quorate.errors import shorten

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
         "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip


def parse_bytes(value: object) -> int:
    """Read a size such as 8589934592, "8GiB" or "500 MB" as bytes."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(value).lower())
    if match is None or match[2] not in UNITS:
        raise ValueError(f"{shorten(value)} is not a size; write it like 500MB or 8GiB")
    return int(float(match[1]) * UNITS[match[2]])


def check_name(value: str) -> str:
    """Refuse names that cannot stand in a SPIFFE id and a host name."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", value):
        raise ValueError(
            f"{shorten(value)} is not a name; use 1 to 63 lower-case letters, digits and hyphens"
        )
    return value


def check_address(value: str) -> str:
    """Refuse addresses that are not host:port with a port in [0, 65535]."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(
            f"{shorten(value)} is not an address; write host:port, like 127.0.0.1:7000"
        )
    return value


Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Name = Annotated[str, AfterValidator(check_name)]
Address = Annotated[str, AfterValidator(check_address)]


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys fatal."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
