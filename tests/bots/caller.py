"""What tests say to the API, in few words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

Json = dict[str, Any]


async def ask(client: aiohttp.ClientSession, prompt: str, **fields: object) -> Json:
    """Ask for a clip from words."""
    async with client.post("/api/v1/clips", json={"prompt": prompt, **fields}) as answer:
        assert answer.status == 202, await answer.text()
        return await said(answer)


async def show(
    client: aiohttp.ClientSession,
    image: bytes | None,
    prompt: str,
    *,
    last_image: bytes | None = None,
    **fields: str,
) -> tuple[int, Json]:
    """Ask for a clip from a picture, or to one, or from one to another."""
    form = aiohttp.FormData({"prompt": prompt, **fields}, default_to_multipart=True)
    for name, data in (("image", image), ("last_image", last_image)):
        if data is not None:
            form.add_field(name, data, filename="photo.jpg", content_type="image/jpeg")
    async with client.post("/api/v1/clips", data=form) as answer:
        return answer.status, await said(answer)


async def get(client: aiohttp.ClientSession, path: str, status: int = 200) -> Json:
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await said(answer)


async def send(
    client: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Mapping[str, object] | None = None,
    **headers: str,
) -> tuple[int, Json]:
    async with client.request(method, path, json=body, headers=headers) as answer:
        return answer.status, await said(answer)


async def said(answer: aiohttp.ClientResponse) -> Json:
    text = await answer.text()
    found: Json = json.loads(text) if text else {}
    return found


async def events(client: aiohttp.ClientSession, path: str) -> AsyncIterator[tuple[str, Any]]:
    """The events of a stream by name, until it ends."""
    name = ""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        async for line in answer.content:
            kind, _, text = line.decode().strip().partition(": ")
            if kind == "event":
                name = text
            elif kind == "data":
                yield name, json.loads(text)


async def until(client: aiohttp.ClientSession, job_id: str, *states: str) -> Json:
    """Follow a clip until it is in one of the states."""
    async for name, clip in events(client, f"/api/v1/clips/{job_id}/events"):
        if name == "card" and clip["state"] in states:
            found: Json = clip
            return found
    raise AssertionError(f"the stream of {job_id} ended before {states}")


async def finished(client: aiohttp.ClientSession, job_id: str) -> Json:
    return await until(client, job_id, "succeeded", "failed", "cancelled", "refused")
