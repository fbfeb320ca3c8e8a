"""Updates by a webhook: at a path of the page's own site, proven by a secret, confirmed when they
are written down."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from bots.settings import Telegram
from bots.telegram.webhook import BODY_MAX_BYTES, HEADER, hook, path_of
from core.errors import Transient

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
    ("settings", "why"),
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
def test_a_webhook_that_anybody_could_use_is_refused(settings: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Telegram.model_validate({"token": TOKEN, **settings})
    assert "a-token-of-ours" not in str(refused.value)


def test_a_path_is_the_addresss_own() -> None:
    assert path_of("https://kinora.example.org:8443/tg") == "/tg"
