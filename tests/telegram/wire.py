"""Methods called by hand, for what no library would send."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.telegram.server import Standin


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer. result: None where refused."""

    status: int
    result: Any
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Wire:
    running: Standin
    session: aiohttp.ClientSession

    async def call(self, method: str, /, token: str = "", **fields: Any) -> Heard:
        """fields: bytes are parts of their own, anything nested is sent as JSON."""
        form = aiohttp.FormData(quote_fields=False)
        for name, value in fields.items():
            if isinstance(value, bytes):
                form.add_field(name, io.BytesIO(value), filename=name)
            else:
                form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        url = f"{self.running.api_url}/bot{token or self.running.token}/{method}"
        async with self.session.post(url, data=form if fields else None) as answer:
            told = await answer.json()
        return Heard(
            answer.status, told.get("result"), told.get("description", ""),
            told.get("parameters", {}),
        )  # fmt: skip

    def noticed(self, words: str) -> bool:
        """Whether a violation says so; they are taken off."""
        found = [why for why in self.running.violations if words in why]
        self.running.violations.clear()
        return bool(found)


@asynccontextmanager
async def wired(running: Standin) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield Wire(running, session)
