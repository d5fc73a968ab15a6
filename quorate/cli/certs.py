"""`quorate certs …`: the development authority and the certificates that it issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quorate.cli.exits import reported
from quorate.cli.options import HomeOption, JsonOption, home_of
from quorate.cli.terminal import print_json
from quorate.errors import AlreadyExists, ConfigurationError

if TYPE_CHECKING:
    from quorate.config import TlsSettings
    from quorate.identity import CertificateInfo

app = typer.Typer(no_args_is_help=True, help="Make, show and renew certificates.")

DirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        "-d",
        help="Where the authority and its certificates lie.",
        show_default="certs/ in the mesh's home",
    ),
]
Days = Annotated[int, typer.Option(min=1, max=36500, help="How long it is valid.")]


@app.command(epilog="Example: quorate certs init --trust-domain lab.example")
def init(
    directory: DirectoryOption = None,
    home: HomeOption = None,
    trust_domain: Annotated[
        str, typer.Option(help="The mesh's name in every identity.")
    ] = "quorate.local",
    days: Days = 3650,
) -> None:
    """Make an authority: ca.pem, which every peer trusts, and ca.key, which stays here."""
    with reported():
        from quorate.identity import AUTHORITY_CERTIFICATE, create_authority

        where = _directory(directory, home)
        try:
            create_authority(where, trust_domain, now=datetime.now(UTC), days=days)
        except AlreadyExists as error:  # that exit code belongs to a mesh that runs already
            raise ConfigurationError(error.message) from error
        typer.echo(f"made {where / AUTHORITY_CERTIFICATE} for the mesh {trust_domain}")


@app.command(epilog="Example: quorate certs issue node atlas --host 10.0.0.5")
def issue(
    role: Annotated[str, typer.Argument(help="node, coordinator, synthesizer, client, admin, …")],
    name: Annotated[str, typer.Argument(help="Which one: the service's name in its settings.")],
    host: Annotated[
        list[str] | None,
        typer.Option(help="Host name or address it is reached under, besides this machine's own."),
    ] = None,
    directory: DirectoryOption = None,
    home: HomeOption = None,
    days: Days = 90,
) -> None:
    """Make the certificate and the key of one peer, as lines for its settings file."""
    with reported():
        from quorate import identity

        made = identity.issue(
            _directory(directory, home),
            identity.Role.parse(role),
            name,
            hosts=[*identity.LOCAL_HOSTS, *(host or ())],
            days=days,
            now=datetime.now(UTC),
        )
        typer.echo(_as_settings(made))


@app.command(epilog="Example: quorate certs show --json")
def show(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Certificates (PEM).", show_default="all in the directory"),
    ] = None,
    directory: DirectoryOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whose certificates are, until when, and for which names."""
    with reported(as_json=as_json):
        from quorate.identity import describe

        now = datetime.now(UTC)
        paths = files or _certificates(_directory(directory, home))
        if as_json:
            print_json([_as_data(path, describe(path)) for path in paths])
            return
        for path in paths:
            typer.echo(_as_text(path, describe(path), now))


@app.command(epilog="Example: quorate certs renew --within 30")
def renew(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Certificates (PEM).", show_default="all peers' in the directory"),
    ] = None,
    within: Annotated[
        int | None,
        typer.Option(min=0, help="Only those that end within so many days.", show_default="all"),
    ] = None,
    directory: DirectoryOption = None,
    home: HomeOption = None,
    days: Days = 90,
) -> None:
    """Replace certificates and keys by fresh ones; running services take them up by themselves."""
    with reported():
        from quorate import identity

        now = datetime.now(UTC)
        paths = files or [
            path
            for path in _certificates(_directory(directory, home))
            if not identity.describe(path).authority
        ]
        for path in paths:
            left = identity.describe(path).not_after - now
            if within is not None and left > timedelta(days=within):
                typer.echo(f"{path} lasts {left.days} days more")
                continue
            identity.renew(path, now=now, days=days)
            typer.echo(f"renewed {path} for {days} days")


def _directory(directory: Path | None, home: Path | None) -> Path:
    if directory is not None:
        return directory.expanduser().absolute()
    from quorate.client.local_mesh import Home

    return Home(home_of(home)).certificates


def _certificates(directory: Path) -> list[Path]:
    paths = sorted(directory.glob("*.pem"))
    if not paths:
        raise ConfigurationError(
            f"{directory} holds no certificates. "
            f"Make an authority: quorate certs init --directory {directory}"
        )
    return paths


def _as_settings(tls: TlsSettings) -> str:
    return (
        f"tls:\n  certificate: {tls.certificate}\n"
        f"  key: {tls.key}\n  authorities: {tls.authorities}"
    )


def _as_data(path: Path, info: CertificateInfo) -> dict[str, Any]:
    return {
        "path": str(path),
        "spiffe": str(info.spiffe) if info.spiffe else None,
        "authority": info.authority,
        "subject": info.subject,
        "issuer": info.issuer,
        "not_before": info.not_before.isoformat(),
        "not_after": info.not_after.isoformat(),
        "names": info.subject_alternative_names,
        "fingerprint": info.fingerprint,
    }


def _as_text(path: Path, info: CertificateInfo, now: datetime) -> str:
    days = (info.not_after - now).days
    state = f"{days} days left" if info.not_after > now else "EXPIRED"
    whose = "authority" if info.authority else str(info.spiffe or "no identity of a mesh")
    return (
        f"{path}\n"
        f"  whose        {whose}\n"
        f"  until        {info.not_after:%Y-%m-%d %H:%M} UTC ({state})\n"
        f"  issued by    {info.issuer}\n"
        f"  names        {', '.join(info.subject_alternative_names)}\n"
        f"  fingerprint  {info.fingerprint}"
    )
