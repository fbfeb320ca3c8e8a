"""A bot with no library: it says on the wire what the stand-in's tests want said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.discord.asked import Asked
from tests.discord.server import Standin

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer. body: its JSON, or its text where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int:
        code: int = self.body["code"]
        return code


class Wire:
    """REST with the app's token, and an interaction's callback and webhook without."""

    def __init__(self, running: Standin, session: aiohttp.ClientSession) -> None:
        self._running = running
        self._session = session

    async def call(
        self,
        method: str,
        path: str,
        said: Any = None,
        files: Mapping[str, bytes] | None = None,
        *,
        token: str | None = "",
    ) -> Heard:
        """token: the app's own by default; None for none. files: by name."""
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bot {token or self._running.token}"
        form = None
        if files is not None:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(said))
            for index, (name, data) in enumerate(files.items()):
                form.add_field(f"files[{index}]", data, filename=name)
            said = None
        async with self._session.request(
            method, self._running.api_url + path, json=said, data=form, headers=headers
        ) as answer:
            text = await answer.text()
            is_json = answer.headers.get("Content-Type") == "application/json"
            return Heard(answer.status, json.loads(text) if is_json else text, answer.headers)

    async def register(self, *commands: Json) -> Heard:
        path = f"/applications/{self._running.world.app.id}/commands"
        return await self.call("PUT", path, list(commands))

    async def say(
        self, channel_id: int, files: Mapping[str, bytes] | None = None, **said: Any
    ) -> Heard:
        return await self.call("POST", f"/channels/{channel_id}/messages", said, files)

    async def answer(
        self,
        asked: Asked,
        kind: int,
        data: Json | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Heard:
        """Call an interaction back."""
        path = f"/interactions/{asked.id}/{asked.now.token}/callback?with_response=1"
        said = {"type": kind} | ({"data": data} if data is not None else {})
        return await self.call("POST", path, said, files, token=None)

    def webhook(self, asked: Asked, rest: str = "") -> str:
        return f"/webhooks/{self._running.world.app.id}/{asked.now.token}{rest}"

    async def edit(
        self, asked: Asked, files: Mapping[str, bytes] | None = None, **said: Any
    ) -> Heard:
        path = self.webhook(asked, "/messages/@original")
        return await self.call("PATCH", path, said, files, token=None)

    async def follow_up(self, asked: Asked, **said: Any) -> Heard:
        return await self.call("POST", self.webhook(asked), said, token=None)


@asynccontextmanager
async def wired(running: Standin) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield Wire(running, session)


CREATE: Json = {
    "name": "create",
    "description": "Make a clip",
    "type": 1,
    "contexts": [0, 1, 2],
    "integration_types": [0, 1],
    "options": [
        {"name": "prompt", "description": "What to draw", "type": 3, "required": True},
        {"name": "image", "description": "To begin with", "type": 11},
        {"name": "length", "description": "Seconds", "type": 4, "min_value": 1, "max_value": 60},
        {
            "name": "aspect",
            "description": "Its shape",
            "type": 3,
            "choices": [{"name": "wide", "value": "16:9"}, {"name": "square", "value": "1:1"}],
        },
    ],
}
ANIMATE: Json = {"name": "Animate this", "type": 3}


def button(label: str = "Again", custom_id: str = "again", **more: Any) -> Json:
    return {"type": 2, "style": 2, "label": label, "custom_id": custom_id} | more


def row(*inside: Json) -> Json:
    return {"type": 1, "components": list(inside)}


def text(content: str) -> Json:
    return {"type": 10, "content": content}


def container(*inside: Json) -> Json:
    return {"type": 17, "components": list(inside)}


def gallery(*names: str) -> Json:
    return {"type": 12, "items": [{"media": {"url": f"attachment://{name}"}} for name in names]}
