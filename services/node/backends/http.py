"""Speaks HTTP with one server: JSON there and back, lines as they come, errors of the catalogue."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar

import httpx
import msgspec

from quorate.errors import ConfigurationError, ModelCrashed, PeerUnreachable, UnusableReply
from services.node.backends import failures
from services.node.backends.lines import LineSplitter

T = TypeVar("T")
CONNECT_SECONDS: Final = 5.0
KEPT_CONNECTIONS: Final = 0
"""Servers drop connections that were kept, and llama-server does after many a streamed answer: the
next request fails, and whether it was begun is unknown. A new connection costs one round trip."""
LARGEST_BODY_BYTES: Final = 64 * 2**20
LARGEST_REFUSAL_BYTES: Final = 64 * 2**10


class Endpoint:
    """One server. `silence_seconds` is how long it may send nothing while it answers.

    Proxies and keys of the environment are not used: a node speaks to the server that it was told.
    """

    def __init__(self, url: str, key: str, silence_seconds: float) -> None:
        self.url = url
        self._key = key
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_CONNECTIONS),
            trust_env=False,
        )

    async def get(self, path: str, kind: type[T]) -> T:
        """Read a resource as `kind`."""
        return _decode(await self._whole("GET", path, None), kind, self._who(path))

    async def post(self, path: str, body: Mapping[str, Any], kind: type[T]) -> T:
        """Send a request and read the answer as `kind`."""
        return _decode(await self._whole("POST", path, body), kind, self._who(path))

    async def check(self, path: str) -> None:
        """Ask for a resource of which only the status matters."""
        await self._whole("GET", path, None)

    async def lines(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        """Send a request and give the lines of the answer; closing it closes the connection."""
        splitter = LineSplitter()
        async with self._answer("POST", path, body) as response:
            with self._translated():
                async for chunk in response.aiter_bytes():
                    for line in splitter.feed(chunk):
                        yield line
                for line in splitter.finish():
                    yield line

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _whole(self, method: str, path: str, body: Mapping[str, Any] | None) -> bytes:
        async with self._answer(method, path, body) as response:
            with self._translated():
                return await self._read(response, LARGEST_BODY_BYTES)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; raises what a status other than 200 means."""
        request = self._client.build_request(method, path, json=body)
        with self._translated():
            response = await self._client.send(request, stream=True)
        try:
            if response.status_code != httpx.codes.OK:
                await self._refuse(response, path)
            yield response
        finally:
            await response.aclose()

    async def _refuse(self, response: httpx.Response, path: str) -> None:
        with self._translated():
            body = await self._read(response, LARGEST_REFUSAL_BYTES)
        refusal = failures.read(response.status_code, body)
        if self._key:  # a server may repeat the key that it does not like
            refusal = msgspec.structs.replace(
                refusal, message=refusal.message.replace(self._key, "***")
            )
        raise failures.error_of(refusal, self._who(path), response.headers)

    async def _read(self, response: httpx.Response, most_bytes: int) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > most_bytes:
                raise UnusableReply(f"{self.url} sent more than {most_bytes} bytes")
        return bytes(body)

    def _who(self, path: str) -> str:
        return f"{self.url}{path}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the HTTP client raises into errors of the catalogue."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PeerUnreachable(
                f"nothing answers at {self.url} ({str(error) or 'no connection in time'}). "
                "Start the server there, or correct the model's `url`.",
                retry_after_seconds=failures.DEFAULT_RETRY_SECONDS,
            ) from error
        except httpx.TimeoutException as error:
            raise PeerUnreachable(
                f"{self.url} has gone silent; its answer is given up. "
                "Look at the server, or raise the model's `silence_seconds`.",
                retry_after_seconds=failures.DEFAULT_RETRY_SECONDS,
            ) from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ConfigurationError(f"{self.url} cannot be called: {error}") from error
        except httpx.TransportError as error:
            raise ModelCrashed(
                f"the connection to {self.url} broke while it was answering ({error})",
                retry_after_seconds=failures.DEFAULT_RETRY_SECONDS,
            ) from error
        except httpx.HTTPError as error:
            raise UnusableReply(f"{self.url} sent what is not HTTP: {error}") from error


def _decode(body: bytes, kind: type[T], who: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnusableReply(f"{who} did not answer as expected: {error}") from error
