"""What the Hugging Face hub says about a file, and what its refusals mean for a user."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import huggingface_hub
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

# The base of all errors of whichever HTTP library the hub's library uses.
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # isort: skip
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from quorate.errors import (
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NotReady,
    QuorateError,
    Unavailable,
)

if TYPE_CHECKING:
    from quorate.models.catalogue import CatalogueModel

SCHEME: Final = "hf:"
MAIN: Final = "main"
METADATA_SECONDS: Final = 20.0
HOW_TO_BE_LET_IN: Final = (
    "accept its terms on that page, make a token under Settings, Access Tokens, "
    "and set HF_TOKEN to it"
)


class Source(NamedTuple):
    """A file of a repository; `revision` None is its main branch."""

    repository: str
    file: str
    revision: str | None = None

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"{SCHEME}{self.repository}/{self.file}{at}"


class Hub(NamedTuple):
    """Which hub is asked, and as whom; None takes HF_ENDPOINT and HF_TOKEN."""

    endpoint: str | None = None
    token: str | None = None

    @property
    def address(self) -> str:
        """The address that is asked."""
        return self.endpoint or huggingface_hub.constants.ENDPOINT

    def headers(self) -> dict[str, str]:
        """Give the headers of a request, with the token if there is one."""
        return dict(build_hf_headers(token=self.token, library_name="quorate"))


class Asking(NamedTuple):
    """What is asked of which hub; `place` is where the file belongs on disk, if that is known."""

    source: Source
    hub: Hub
    place: Path | None = None

    @property
    def page(self) -> str:
        """The page of the repository."""
        return f"{self.hub.address.rstrip('/')}/{self.source.repository}"

    @property
    def revision(self) -> str:
        """The revision that is asked for."""
        return self.source.revision or MAIN


class Remote(NamedTuple):
    """A file on the hub at one commit; `sha256` None: the hub told none."""

    url: str
    revision: str
    sha256: str | None
    file_bytes: int


def source_of(model: CatalogueModel) -> Source:
    """Give where the file of a catalogue model is."""
    return Source(model.repository, model.file, model.revision)


def parse_source(text: str) -> Source:
    """Read hf:OWNER/REPOSITORY/FILE[@REVISION]; raises InvalidRequest."""
    body, _, revision = text.removeprefix(SCHEME).partition("@")
    owner, _, rest = body.partition("/")
    repository, _, file = rest.partition("/")
    words = [owner, repository]
    if not all(re.fullmatch(r"[\w.-]+", word) for word in words) or not file.endswith(".gguf"):
        raise InvalidRequest.field(
            "model", text, "a file on the hub is hf:OWNER/REPOSITORY/FILE.gguf, with @REVISION "
            "behind it if it shall not be the main branch",
            "Copy the names from the page of the repository.",
        )  # fmt: skip
    if revision and not re.fullmatch(r"[\w.-]+", revision):
        raise InvalidRequest.field(
            "revision", revision, "it must be a branch, tag or commit", "Write @main, say."
        )
    return Source(f"{owner}/{repository}", file, revision or None)


def look_up(asking: Asking) -> Remote:
    """Ask the hub for a file's commit, size and checksum.

    Raises NotFound, NotPermitted, NotAuthenticated, Unavailable or NotReady, which say what to do.
    """
    source, hub, _ = asking
    url = huggingface_hub.hf_hub_url(
        source.repository, source.file, revision=asking.revision, endpoint=hub.address
    )
    with translated(asking):
        found = huggingface_hub.get_hf_file_metadata(
            url, token=hub.token, timeout=METADATA_SECONDS, library_name="quorate"
        )
    if found.commit_hash is None or found.size is None:
        raise NotReady(
            f"{hub.address} answers, but not as a hub does: it tells no commit or no size for "
            f"{source}. Look at HF_ENDPOINT and at proxies in between."
        )
    etag = found.etag or ""
    at_commit = huggingface_hub.hf_hub_url(
        source.repository, source.file, revision=found.commit_hash, endpoint=hub.address
    )
    checksum = etag if re.fullmatch(r"[0-9a-f]{64}", etag) else None
    return Remote(at_commit, found.commit_hash, checksum, found.size)


@contextmanager
def translated(asking: Asking) -> Iterator[None]:
    """Turn the hub library's errors into ours."""
    try:
        yield
    except (HTTPError, OSError, ValueError) as error:
        for kind, explain in EXPLANATIONS.items():
            if isinstance(error, kind):
                raise explain(asking, error) from error
        raise


def _gated(asking: Asking, _error: Exception) -> QuorateError:
    return NotPermitted(
        f"{asking.source.repository} is gated: {asking.page}: {HOW_TO_BE_LET_IN}. "
        "`quorate models list` shows models that need no token."
    )


def _no_repository(asking: Asking, _error: Exception) -> QuorateError:
    # The hub says the same of a repository that does not exist and of a private one.
    return NotFound(
        f"{asking.hub.address} has no repository {asking.source.repository}, or it is private. "
        "Look at the spelling; if it is private, set HF_TOKEN to a token that may read it."
    )


def _no_revision(asking: Asking, _error: Exception) -> QuorateError:
    return NotFound(
        f"{asking.source.repository} has no revision {asking.revision!r}. "
        f"Its commits: {asking.page}/commits/{MAIN}"
    )


def _no_file(asking: Asking, _error: Exception) -> QuorateError:
    return NotFound(
        f"{asking.source.repository} has no file {asking.source.file!r}. "
        f"Its files: {asking.page}/tree/{asking.revision}"
    )


def _offline(asking: Asking, error: Exception) -> QuorateError:
    what = "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else str(error)
    file = f"{asking.page}/resolve/{asking.revision}/{asking.source.file}"
    return Unavailable(
        f"the hub at {asking.hub.address} cannot be reached: {what or type(error).__name__}. "
        "Either set HF_ENDPOINT to a mirror (and HTTPS_PROXY if there is a proxy), or fetch "
        f"{file} on another machine, copy it by hand to "
        f"{asking.place or 'this one'}, and run `quorate models verify`."
    )


def _status(asking: Asking, error: Exception) -> QuorateError:
    address, repository = asking.hub.address, asking.source.repository
    code = getattr(getattr(error, "response", None), "status_code", 0)
    if code == 401:
        return NotAuthenticated(
            f"{address} refuses the token for {repository}. Make a new one and set HF_TOKEN to it, "
            "or unset HF_TOKEN: most models need none."
        )
    if code == 403:
        return NotPermitted(
            f"{address} does not give {repository} to you: {asking.page}: {HOW_TO_BE_LET_IN}."
        )
    return Unavailable(f"{address} answers {code} for {asking.source}. Try again later.")


def _invalid(asking: Asking, error: Exception) -> QuorateError:
    return InvalidRequest.field(
        "model", str(asking.source), f"the hub's library refuses it: {error}", "Look at it again."
    )


# Most specific first: a gated repository is also one that was not found.
EXPLANATIONS: Final[Mapping[type[Exception], Callable[[Asking, Exception], QuorateError]]] = {
    GatedRepoError: _gated,
    RepositoryNotFoundError: _no_repository,
    RevisionNotFoundError: _no_revision,
    EntryNotFoundError: _no_file,
    HfHubHTTPError: _status,
    OfflineModeIsEnabled: _offline,
    HTTPError: _offline,
    ConnectionError: _offline,
    ValueError: _invalid,
}
