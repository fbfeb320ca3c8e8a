"""A line to the Bot API that doubts who answers: a proxy's page is told of, not read."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bots.telegram.wire import Waits, Wire

FORM = "application/x-www-form-urlencoded"
SENT = ("Content-Type", "Content-Length")
"""What is to be said of a body that comes in parts."""

Wait = Any
"""Seconds, None for ever, or `BaseRequest.DEFAULT_NONE` for as usual."""


class Line(BaseRequest):
    """In place of the library's own, which takes three times as long, and logs the page and a
    traceback, or breaks on other JSON."""

    def __init__(
        self,
        connections: int = 1,
        *,
        connect: float = 5.0,
        pool: float = 1.0,
        read: float = 5.0,
        write: float = 5.0,
        upload: float = 20.0,
    ) -> None:
        """Seconds to wait, as in `Waits`; upload: in place of `write` where files are sent."""
        self._wire = Wire(connections)
        self._waits = Waits(connect, pool, read, write)
        self._upload = upload

    @property
    def read_timeout(self) -> float | None:
        return self._waits.read

    async def initialize(self) -> None:
        """It is opened by its first request."""

    async def shutdown(self) -> None:
        await self._wire.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Wait = BaseRequest.DEFAULT_NONE,
        write_timeout: Wait = BaseRequest.DEFAULT_NONE,
        connect_timeout: Wait = BaseRequest.DEFAULT_NONE,
        pool_timeout: Wait = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Raises TimedOut, or NetworkError by an httpx.HTTPError that says why."""
        headers = {"User-Agent": self.USER_AGENT}
        body: bytes | httpx.AsyncByteStream | None = None
        write = self._waits.write
        if request_data is not None and request_data.contains_files:
            fields, files = request_data.json_parameters, request_data.multipart_data
            form = httpx.Request(method, url, data=fields, files=files)
            assert isinstance(form.stream, httpx.AsyncByteStream)
            headers |= {name: form.headers[name] for name in SENT if name in form.headers}
            body, write = form.stream, self._upload
        elif request_data is not None and request_data.parameters:
            headers["Content-Type"] = FORM
            body = urlencode(request_data.json_parameters).encode()
        waits = Waits(
            _or(connect_timeout, self._waits.connect),
            _or(pool_timeout, self._waits.pool),
            _or(read_timeout, self._waits.read),
            _or(write_timeout, write),
        )
        try:
            return await self._wire.request(method, url, headers, body, waits)
        except httpx.TimeoutException as error:
            raise TimedOut from error
        except httpx.HTTPError as error:
            raise NetworkError(f"{type(error).__name__}: {error}") from error

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Raises TelegramError where it is not an answer of the Bot API.

        https://core.telegram.org/bots/api#making-requests
        """
        try:
            said = json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            said = None
        if not isinstance(said, dict) or not {"result", "description"} & said.keys():
            raise TelegramError("what answers there is not Telegram's Bot API")
        return said


def _or(given: Wait, usual: float | None) -> float | None:
    seconds: float | None = usual if given is BaseRequest.DEFAULT_NONE else given
    return seconds
