"""HTTP for python-telegram-bot's client, spoken by aiohttp.

The library comes with httpx, which takes three times as much of a processor for each request, and
as much again with its own connections. Errors are httpx's own all the same, and so are waits: the
library's words for them are known.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import aiohttp
import httpx
import yarl
from aiohttp.helpers import get_env_proxy_for_url


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds, None for ever. pool: for one of the connections; write: for each part of a body
    that comes in parts."""

    connect: float | None
    pool: float | None
    read: float | None
    write: float | None


class Wire:
    """connections: at most so many at a time. Proxies are those of the environment, looked up once
    for each host: aiohttp would ask a thread for them, and for a netrc, at every request."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._proxies: dict[str, str | None] = {}
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes] | None,
        waits: Waits,
    ) -> tuple[int, bytes]:
        """Status and content of the whole answer. Raises httpx.TransportError."""
        connect, pool = waits.connect, waits.pool
        timeout = aiohttp.ClientTimeout(
            connect=None if connect is None or pool is None else connect + pool,
            sock_connect=connect,
            sock_read=waits.read,
        )
        with _in_words_of_httpx():
            url = yarl.URL(address, encoded=True)
            async with asyncio.timeout(None) as writing:
                if isinstance(body, AsyncIterable):
                    body = _parts(body, waits.write, writing)
                async with self._opened().request(
                    method,
                    url,
                    headers=headers,
                    data=body,
                    timeout=timeout,
                    proxy=self._proxy(url),
                    allow_redirects=False,
                ) as answer:
                    writing.reschedule(None)
                    return answer.status, await answer.read()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            await asyncio.sleep(0)  # the loop closes their sockets in its next turn

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, ssl=httpx.create_ssl_context()
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _proxy(self, url: yarl.URL) -> str | None:
        host = url.raw_authority
        if host not in self._proxies:
            self._proxies[host] = _of_the_environment(url)
        return self._proxies[host]


def _of_the_environment(url: yarl.URL) -> str | None:
    with suppress(LookupError):  # there is none, or none for this host
        proxy, auth = get_env_proxy_for_url(url.origin())
        return str(proxy.with_user(auth.login).with_password(auth.password) if auth else proxy)
    return None


async def _parts(
    stream: AsyncIterable[bytes], seconds: float | None, writing: asyncio.Timeout
) -> AsyncIterator[bytes]:
    """seconds: how long each part may take."""
    now = asyncio.get_running_loop().time
    async for part in stream:
        writing.reschedule(None if seconds is None else now() + seconds)
        yield part
    writing.reschedule(None)


@contextmanager
def _in_words_of_httpx() -> Iterator[None]:
    """Without addresses, which hold the token."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise httpx.ConnectTimeout("no connection in time") from None
    except aiohttp.ServerTimeoutError:
        raise httpx.ReadTimeout("no answer in time") from None
    except TimeoutError:
        raise httpx.WriteTimeout("not sent in time") from None
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error)) from None
    except aiohttp.InvalidURL:
        raise httpx.ConnectError("that is no address") from None
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(type(error).__name__) from None
