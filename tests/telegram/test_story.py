"""The unmodified library lives through a story with the stand-in, and through its troubles."""

from __future__ import annotations

import asyncio
import io

import pytest
from aiohttp import web
from PIL import Image
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TimedOut

from tests.telegram.server import Standin
from tests.telegram.smallest import CLIP, built, polling, thumbnail
from tests.telegram.world import Message


def picture(width: int = 640, height: int = 360) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


def shows_a_clip(message: Message) -> bool:
    return message.media is not None and message.media.kind == "video"


async def test_a_clip_from_photo_to_button(telegram_standin: Standin) -> None:
    running = telegram_standin
    anna = running.scene.user("anna")
    async with polling(running):
        said = anna.photo(picture(), "the lake freezes")
        card = await anna.answer(said)
        clip = await running.until_clip(anna)
        assert (clip.message_id, clip.file.data) == (card.id, CLIP)
        assert (clip.file.width, clip.file.height, clip.file.duration) == (320, 180, 2)
        shown = running.newest(card)
        assert shown.text == "done"
        assert shown.reply_to == said.id
        assert shown.media is not None
        assert shown.media.streaming
        assert shown.media.thumbnail is not None
        assert running.world.actions[-1].action == "upload_video"
        running.clock.jump(2)
        assert (await anna.press(shown, "Again").answer())["text"] == "Once more"
        await running.world.until(lambda: running.newest(card).text == "again")
    assert len(anna.clips()) == 1
    assert [ping.id for ping in anna.pings()] == [card.id]
    assert running.unanswered() == 0


async def test_groups_topics_and_privacy(telegram_standin: Standin) -> None:
    running, scene = telegram_standin, telegram_standin.scene
    anna = scene.user("anna")
    forum = scene.forum("Cinema", anna)
    topic = scene.topic(forum, "clips", anna)
    async with polling(running):
        anna.photo(picture(), "only for people", forum, topic=topic)
        asked = anna.photo(picture(), "/animate@kinora_bot", forum, topic=topic)
        card = await anna.answer(asked, shows_a_clip)
        assert (card.topic, card.reply_to) == (topic.id, asked.id)
        running.clock.jump(2)
        follow = anna.say("but at night", forum, topic=topic, reply_to=card)
        assert (await anna.answer(follow, shows_a_clip)).reply_to == follow.id
    assert len(anna.clips()) == 2


async def test_albums_inline_and_payments(telegram_standin: Standin) -> None:
    running = telegram_standin
    anna = running.scene.user("anna", stars=7)
    running.limits.on = False
    async with polling(running):
        pair = await anna.answer(anna.say("/pair"))
        assert pair.album
        asked = anna.inline("a red ball")
        chosen = await anna.choose(asked)
        assert (chosen.text, chosen.via_bot) == ("a red ball", True)
        await running.world.until(lambda: shows_a_clip(running.newest(chosen)))
        running.clock.jump(2)
        invoice = await anna.answer(anna.say("/buy"), lambda m: "invoice" in m.special)
        await anna.pay(invoice)
        await running.world.until(lambda: all(p.refunded for p in running.world.payments.values()))
        await running.handled()
    assert anna.user.stars == 7


@pytest.mark.parametrize("status", [500, 502])
async def test_a_poll_that_breaks_is_tried_again(telegram_standin: Standin, status: int) -> None:
    running = telegram_standin
    anna = running.scene.user("anna")
    running.faults.broken("getUpdates", 2, status=status, page=status == 502)
    async with polling(running):
        anna.say("a red ball")
        await running.until_clip(anna)


async def test_a_second_poller_ends_the_first(telegram_standin: Standin) -> None:
    running = telegram_standin
    conflicts: list[Conflict] = []
    async with polling(running, conflicts), polling(running, conflicts):
        await running.world.until(lambda: conflicts)


async def test_a_wrong_token(telegram_standin: Standin) -> None:
    other = built(telegram_standin)
    other.bot._base_url = f"{telegram_standin.base_url}1:wrong"
    with pytest.raises(InvalidToken):
        await other.initialize()
    await other.bot.shutdown()


async def test_troubles_by_their_names(
    telegram_standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # without it RetryAfter warns of its own future
    running = telegram_standin
    anna, bob = running.scene.user("anna"), running.scene.user("bob")
    async with built(running) as app:
        running.faults.too_many("sendMessage", chat_id=anna.id, retry_after=30)
        with pytest.raises(RetryAfter):
            await app.bot.send_message(anna.id, "hi")
        with pytest.raises(RetryAfter):
            await app.bot.send_message(anna.id, "still")
        await app.bot.send_message(bob.id, "another chat is not stopped")
        running.faults.lose("sendMessage")
        with pytest.raises(NetworkError):
            await app.bot.send_message(bob.id, "done, but not told")
        running.clock.jump(60)
        running.faults.hang("sendVideo", 5)
        with pytest.raises(TimedOut):
            await app.bot.send_video(bob.id, CLIP, thumbnail=thumbnail(), read_timeout=0.5)
    assert len(bob.clips()) == 1
    assert len(bob.messages()) == 3


async def test_a_webhook_is_asked_again_until_it_answers(telegram_standin: Standin) -> None:
    running = telegram_standin
    heard: list[tuple[str | None, int]] = []

    async def hear(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        heard.append((secret, (await request.json())["update_id"]))
        return web.Response(status=200 if len(heard) > 2 else 500)

    hook = web.Application()
    hook.router.add_post("/hook", hear)
    runner = web.AppRunner(hook)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        port = runner.addresses[0][1]
        async with built(running) as app:
            await app.bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="s3cret")
            running.scene.user("anna").say("hi")
            async with asyncio.timeout(60):
                await running.handled()
            with pytest.raises(Conflict):
                await app.bot.get_updates()
            assert (await app.bot.get_webhook_info()).last_error_message
    finally:
        await runner.cleanup()
    assert [secret for secret, _ in heard] == ["s3cret"] * 3
    assert len({update for _, update in heard}) == 1
    assert running.updates.statuses == [500, 500, 200]
