"""HTTP as python-telegram-bot's client wants it, spoken by aiohttp.

httpcore, which it comes with, looks at all of its connections for each request: of the processor
time that a photo took the bot, half went there. Errors are httpx's own, and so are waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import aiohttp
import httpx
import yarl
from aiohttp.helpers import get_env_proxy_for_url


class Wire(httpx.AsyncBaseTransport):
    """connections: at most so many at a time. Proxies are those of the environment, looked up once
    for each host: aiohttp would ask a thread for them, and for a netrc, at every request."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._proxies: dict[str, str | None] = {}
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The whole answer. Raises httpx.TransportError."""
        session = self._opened()
        waits: dict[str, float | None] = request.extensions.get("timeout", {})
        connect, pool = waits.get("connect"), waits.get("pool")
        timeout = aiohttp.ClientTimeout(
            connect=None if connect is None or pool is None else connect + pool,
            sock_connect=connect,
            sock_read=waits.get("read"),
        )
        with _in_words_of_httpx():
            async with (
                asyncio.timeout(None) as writing,
                session.request(
                    request.method,
                    str(request.url),
                    headers=request.headers.multi_items(),
                    data=_body(request.stream, waits.get("write"), writing),
                    timeout=timeout,
                    proxy=self._proxy(request.url),
                    allow_redirects=False,
                ) as answer,
            ):
                writing.reschedule(None)
                content = await answer.read()
        return httpx.Response(answer.status, headers=answer.raw_headers, content=content)

    async def aclose(self) -> None:
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
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _proxy(self, url: httpx.URL) -> str | None:
        if url.host not in self._proxies:
            self._proxies[url.host] = _of_the_environment(url)
        return self._proxies[url.host]


def _of_the_environment(url: httpx.URL) -> str | None:
    with suppress(LookupError):  # there is none, or none for this host
        proxy, auth = get_env_proxy_for_url(yarl.URL.build(scheme=url.scheme, host=url.host))
        return str(proxy.with_user(auth.login).with_password(auth.password) if auth else proxy)
    return None


def _body(
    stream: object, seconds: float | None, writing: asyncio.Timeout
) -> bytes | AsyncIterator[bytes] | None:
    """What is sent. seconds: how long each part may take."""
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream) or None
    assert isinstance(stream, httpx.AsyncByteStream)
    return _parts(stream, seconds, writing)


async def _parts(
    stream: httpx.AsyncByteStream, seconds: float | None, writing: asyncio.Timeout
) -> AsyncIterator[bytes]:
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
