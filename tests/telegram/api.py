"""The Bot API over HTTP: tokens, faults, limits, judgement; and the download of files.
https://core.telegram.org/bots/api#making-requests"""

from __future__ import annotations

import asyncio
import inspect
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.telegram.call import Call
from tests.telegram.faults import Fault, Faults
from tests.telegram.form import Form, read
from tests.telegram.limits import Limits
from tests.telegram.methods import METHODS
from tests.telegram.refusals import Malformed, Refused
from tests.telegram.schema import Judge
from tests.telegram.updates import Updates
from tests.telegram.world import Entry, World

Json = dict[str, Any]

BODY_BYTES = 2100 * 1024 * 1024
_NAMES = {name.lower(): name for name in METHODS}
_UNSEEN = ("getUpdates",)


@dataclass(frozen=True)
class Api:
    """judge: the description's, where it is at hand."""

    world: World
    updates: Updates
    limits: Limits
    faults: Faults
    judge: Judge | None

    def application(self) -> web.Application:
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/bot{token}/{method}", self.answer)
        application.router.add_get("/file/bot{token}/{path:.+}", self.download)
        return application

    async def answer(self, request: web.Request) -> web.Response:
        method = _NAMES.get(request.match_info["method"].lower(), request.match_info["method"])
        form = Form({})
        fault: Fault | None = None
        try:
            if request.match_info["token"] != self.world.token:
                raise Refused(code=401)
            rate = self.faults.reading(method, request.content_length or 0)
            form = await read(request, self.world.files.upload_bytes, lambda n: _rest(n, rate))
            self._judge_request(method, form)
            size = sum(len(upload.data) for upload in form.uploads.values())
            fault = self.faults.next(method, form.text("chat_id"), size)
            result = await self._performed(method, form, fault)
            if self.judge:
                self._blame(f"{method} →", self.judge.response(method, result))
            body, status = {"ok": True, "result": result}, 200
        except Refused as refused:
            body, status = refused.body(), refused.code
            if isinstance(refused, Malformed):
                self.world.violate(f"bot: {method}: {refused.description}")
        self._note(method, form, status, body.get("description", ""))
        if fault and fault.hang:
            await asyncio.sleep(fault.hang)
        if fault and fault.lost and request.transport is not None:
            request.transport.close()
        if fault and fault.page:
            return web.Response(
                status=status, text="<html>bad gateway</html>", content_type="text/html"
            )
        return web.json_response(body, status=status)

    async def _performed(self, method: str, form: Form, fault: Fault | None) -> Any:
        await self._delayed(fault)
        if fault and fault.refusal:
            if (seconds := fault.refusal.parameters.get("retry_after")) and fault.chat_id:
                self.limits.flood(fault.chat_id, seconds)
            raise fault.refusal
        if method not in METHODS:
            self.world.violate(f"stand-in: has no {method}")
            raise Refused(code=404)
        result = METHODS[method](Call(method, form, self.world, self.limits, self.updates))
        return await result if inspect.isawaitable(result) else result

    async def download(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self.world.token:
            return web.json_response(Refused(code=401).body(), status=401)
        fault = self.faults.next("file")
        await self._delayed(fault)
        file = self.world.files.download(request.match_info["path"])
        refused = (fault and fault.refusal) or (None if file else Refused(code=404))
        if refused is not None or file is None:
            assert refused is not None
            return web.json_response(refused.body(), status=refused.code)
        if fault and fault.lost and request.transport is not None:
            request.transport.close()
        return web.Response(body=file.data, content_type="application/octet-stream")

    async def _delayed(self, fault: Fault | None) -> None:
        if fault and fault.delay:
            self.world.touch()
            await asyncio.sleep(fault.delay)

    def _judge_request(self, method: str, form: Form) -> None:
        if self.judge:
            for why in self.judge.request(method, form):
                self.world.violate(f"bot: {method}: {why}")

    def _blame(self, what: str, faults: list[str]) -> None:
        for why in faults:
            self.world.violate(f"stand-in: {what} {why}")

    def _note(self, method: str, form: Form, status: int, description: str) -> None:
        if method in _UNSEEN and status == 200:
            return
        sizes = {name: len(upload.data) for name, upload in form.uploads.items()}
        fields = {name: _whole(value) for name, value in form.fields.items()}
        now = self.world.clock.now()
        self.world.requests.append(Entry(now, method, fields, sizes, status, description))
        self.world.touch()


async def _rest(size: int, bytes_per_second: float) -> None:
    if bytes_per_second:
        await asyncio.sleep(size / bytes_per_second)


def _whole(value: Any) -> Any:
    """Nested JSON as what it says; words as they are."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
