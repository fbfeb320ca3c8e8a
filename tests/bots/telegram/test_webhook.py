"""Updates by a webhook: at a path of the page's own site, proven by a secret, confirmed when they
are written down."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from bots.settings import Telegram
from bots.telegram.webhook import BODY_MAX_BYTES, HEADER, hook, path_of
from bots.web.server import PathTaken
from core.errors import Transient
from tests.bots.telegram.cinema import PICTURE, opened, settings, settled
from tests.telegram.server import Standin

SECRET = "a-secret_of-theirs"
TOKEN = SecretStr("7000000001:a-token-of-ours")


class Hook:
    """One on a socket. got: the updates; away: whether nothing can be written down."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.away = False

    async def receive(self, body: dict[str, Any]) -> None:
        if self.away:
            raise Transient("not now", 5)
        self.got.append(body)

    async def post(self, body: bytes, secret: str | None = SECRET) -> int:
        headers = {} if secret is None else {HEADER: secret}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=io.BytesIO(body), headers=headers) as answer,
        ):
            return answer.status


@pytest.fixture
async def hooked() -> AsyncIterator[Hook]:
    made = Hook()
    app = web.Application()
    app.router.add_post("/tg", hook(SECRET, made.receive))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/tg"
    try:
        yield made
    finally:
        await runner.cleanup()


async def test_telegram_alone_is_heard(hooked: Hook) -> None:
    assert await hooked.post(b'{"update_id": 1}') == 200
    for secret in (None, "", "another", SECRET + "x", "ä"):
        assert await hooked.post(b'{"update_id": 2}', secret) == 403
    assert hooked.got == [{"update_id": 1}]


async def test_what_is_no_update_is_refused(hooked: Hook) -> None:
    assert await hooked.post(b"no JSON") == 400
    assert await hooked.post(b"[]") == 400
    assert await hooked.post(b" " * (BODY_MAX_BYTES + 1)) == 413
    large = b'{"update_id": 3, "a": "%s"}' % (b"a" * (BODY_MAX_BYTES // 2))
    assert await hooked.post(large) == 200
    assert [update["update_id"] for update in hooked.got] == [3]


async def test_what_cannot_be_written_down_is_not_confirmed(hooked: Hook) -> None:
    hooked.away = True
    assert await hooked.post(b'{"update_id": 1}') == 503
    hooked.away = False
    assert await hooked.post(b'{"update_id": 1}') == 200


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"webhook_url": "https://a.org/tg"}, "WEBHOOK_SECRET"),
        ({"webhook_url": "https://a.org/tg", "webhook_secret": "a b"}, "A-Z a-z"),
        ({"webhook_url": "https://a.org", "webhook_secret": "s"}, "a path of its own"),
        ({"webhook_url": "https://a.org/{x}", "webhook_secret": "s"}, "a path of its own"),
        ({"webhook_url": f"https://a.org/{TOKEN.get_secret_value()}", "webhook_secret": "s"},
         "leave the token out"),
        ({"mode": "webhook"}, "WEBHOOK_URL"),
    ],
)  # fmt: skip
def test_a_webhook_that_anybody_could_use_is_refused(said: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Telegram.model_validate({"token": TOKEN, **said})
    assert "a-token-of-ours" not in str(refused.value)


def by_webhook(running: Standin, url: str) -> Telegram:
    return settings(running, webhook_url=url, webhook_secret=SecretStr(SECRET))


async def test_a_path_of_the_pages_is_refused(telegram_standin: Standin, tmp_path: Path) -> None:
    for path in ("/healthz", "/api/v1/clips", "/open/tg", "/static/tg"):
        taken = by_webhook(telegram_standin, f"https://kinora.example.org{path}")
        with pytest.raises(PathTaken, match="another path for the webhook"):
            async with settled(telegram_standin, tmp_path, taken):
                pass


def test_a_path_is_the_addresss_own() -> None:
    assert path_of("https://kinora.example.org:8443/tg") == "/tg"


class Proxy:
    """url: as Telegram knows it; behind: where it leads, "" for nowhere."""

    def __init__(self) -> None:
        self.url = self.behind = ""

    async def pass_on(self, request: web.Request) -> web.Response:
        if not self.behind:
            return web.Response(status=502)
        headers = {HEADER: request.headers.get(HEADER, ""), "Host": "kinora.example.org"}
        body = io.BytesIO(await request.read())
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.behind + request.path, data=body, headers=headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())


@asynccontextmanager
async def proxied() -> AsyncIterator[Proxy]:
    """What stands before the page and has the address that Telegram knows."""
    proxy = Proxy()
    app = web.Application(client_max_size=2 * BODY_MAX_BYTES)
    app.router.add_route("*", "/{path:.*}", proxy.pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield proxy
    finally:
        await runner.cleanup()


async def test_the_whole_story_by_webhook(telegram_standin: Standin, tmp_path: Path) -> None:
    """Updates that came while Kinora was away are heard; when it polls again the webhook goes."""
    running = telegram_standin
    anna = running.scene.user("anna")
    async with proxied() as proxy:
        told = by_webhook(running, f"{proxy.url}/tg")
        async with settled(running, tmp_path, told) as home:
            proxy.behind = home.url
            await running.world.until(lambda: running.updates.webhook, "a webhook")
            anna.photo(PICTURE, "pan left --seconds 1")
            await running.until_clip(anna)
            await running.handled()
            async with home.client(None) as stranger, stranger.post("/tg", data=b"{}") as answer:
                assert answer.status == 403
        proxy.behind = ""
        anna.say("a red ball --seconds 1")
        async with settled(running, tmp_path, told) as home:
            proxy.behind = home.url
            await running.until_clip(anna, 2)
            await running.handled()
        async with opened(running, tmp_path):
            assert running.updates.webhook is None
            anna.say("a blue ball --seconds 1")
            await running.until_clip(anna, 3)
    assert len(anna.clips()) == 3


async def test_a_token_that_is_revoked_is_explained(
    telegram_standin: Standin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody asks for updates here: the first word that Telegram refuses tells."""
    running = telegram_standin
    anna = running.scene.user("anna")
    async with proxied() as proxy:
        told = by_webhook(running, f"{proxy.url}/tg")
        async with settled(running, tmp_path, told) as home:
            proxy.behind = home.url
            await running.world.until(lambda: running.updates.webhook, "a webhook")
            running.world.token = "7000000001:another-token-that-is-good-from-now"
            anna.say("/help")
            await running.world.until(
                lambda: any(e.status == 401 for e in running.world.requests), "a refusal"
            )
            async with asyncio.timeout(60):
                while "BotFather" not in caplog.text:
                    await asyncio.sleep(0.05)
