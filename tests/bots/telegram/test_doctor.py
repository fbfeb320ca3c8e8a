"""What `kinora doctor` finds at Telegram, and what it says to do there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
from telegram.error import NetworkError

from bots.doctor import Finding
from bots.telegram.desk import Telegram
from bots.telegram.doctor import examine
from bots.telegram.remedies import unreachable
from core.wares import Ware, Wares
from tests.program import command
from tests.telegram.server import Standin
from tests.telegram.smallest import built, polling


def settings(running: Standin, **changes: str) -> Telegram:
    urls = {"api_url": running.api_url, "file_url": f"{running.api_url}/file"}
    return Telegram(**{"token": running.token, **urls, **changes})


async def found(running: Standin, **changes: str) -> dict[str, Finding]:
    return {one.what: one for one in await examine(settings(running, **changes))}


async def test_no_token_is_no_trouble() -> None:
    (only,) = await examine(None)
    assert only.verdict == "note"
    assert "/newbot" in only.remedy


async def test_a_bot_as_it_should_be(telegram_standin: Standin) -> None:
    seen = await found(telegram_standin)
    assert seen["Telegram"] == Finding("ok", "Telegram", "@kinora_bot")
    assert "/setprivacy" in seen["Telegram privacy"].remedy
    assert "/setinlinefeedback" in seen["Telegram inline"].remedy
    assert not [one for one in seen.values() if one.verdict == "bad"]
    assert not telegram_standin.world.commands
    assert not telegram_standin.updates.webhook


async def test_what_is_sold(telegram_standin: Standin) -> None:
    off = (await found(telegram_standin))["Telegram payments"]
    assert (off.seen, "KINORA_PAYMENTS=true" in off.remedy) == ("off", True)
    by_name = {
        "pack": Ware("pack", "500 credits", credits=500, stars=100),
        "patron": Ware("patron", "Pro", plan="pro", days=30, stars=250, renews=True),
        "role": Ware("role", "On Discord", plan="pro", days=30, sku="81"),
    }
    seen = await examine(settings(telegram_standin), Wares(by_name, on=True))
    (sold,) = [one for one in seen if one.what == "Telegram payments"]
    assert (sold.verdict, sold.seen) == (
        "ok", "pack for ⭐ 100, patron for ⭐ 250 every 30 days; the bot has ⭐ 0",
    )  # fmt: skip


async def test_what_is_set_in_botfather(telegram_standin: Standin) -> None:
    telegram_standin.world.privacy = False
    telegram_standin.world.inline = False
    seen = await found(telegram_standin)
    assert seen["Telegram privacy"].seen == "it is told of all in groups"
    assert "/setinline," in seen["Telegram inline"].remedy


async def test_a_wrong_token(telegram_standin: Standin) -> None:
    seen = await found(telegram_standin, token="7000000001:no-token-of-theirs-but-as-long-as-one")
    assert seen["Telegram"].verdict == "bad"
    assert "API Token" in seen["Telegram"].remedy


async def test_a_server_of_ones_own_that_is_away() -> None:
    away = Telegram("1:a", "http://127.0.0.1:9", "http://127.0.0.1:9/file")
    (only,) = await examine(away)
    assert (only.verdict, "telegram-bot-api" in only.remedy) == ("bad", True)


async def test_what_is_no_token_is_said_without_asking() -> None:
    for token in ("7000000001", "no-token", "7000000001:short"):
        (only,) = await examine(Telegram(token))
        assert (only.verdict, "can't be one" in only.seen) == ("bad", True)
        assert "API Token" in only.remedy
        assert token not in only.seen + only.remedy


async def test_somebody_elses_answer(telegram_standin: Standin) -> None:
    for method in ("getMe", "getWebhookInfo"):
        telegram_standin.faults.broken(method, status=200, page=True)
        (only,) = await examine(settings(telegram_standin))
        assert only.verdict == "bad"
        assert "is not Telegram's Bot API" in only.seen


def test_a_network_that_is_down_is_not_telegrams_trouble() -> None:
    telegram = Telegram("1:a")
    silent = NetworkError("httpx.ConnectError: no route")
    silent.__cause__ = httpx.ConnectError("no route")
    assert "this machine's own connection" in unreachable(telegram, silent)
    assert "own trouble" in unreachable(telegram, NetworkError("Bad Gateway (502)"))


async def test_the_chat_where_clips_are_stored(telegram_standin: Standin) -> None:
    scene = telegram_standin.scene
    group = scene.group("Store", scene.user("mia"))
    for chat_id, verdict, says in ((group.id, "ok", "Store"), (-1009999, "bad", "chat not found")):
        stored = replace(settings(telegram_standin), store_chat=chat_id)
        seen = {one.what: one for one in await examine(stored)}["Telegram store"]
        assert (seen.verdict, says in seen.seen.lower() or says in seen.seen) == (verdict, True)


async def test_a_second_poller(telegram_standin: Standin) -> None:
    async with polling(telegram_standin, []):
        seen = await found(telegram_standin)
        assert "/revoke" in seen["Telegram updates"].remedy
        ours = {one.what for one in await examine(settings(telegram_standin), alone=False)}
        assert "Telegram updates" not in ours


async def test_updates_that_wait_are_left_alone(telegram_standin: Standin) -> None:
    telegram_standin.scene.user("anna").say("a red ball")
    await found(telegram_standin)
    assert len(telegram_standin.updates.pending) == 1


async def test_a_webhook_while_polling(telegram_standin: Standin) -> None:
    async with built(telegram_standin) as app:
        await app.bot.set_webhook("https://example.org/a-path-with-a-secret")
    seen = await found(telegram_standin)
    assert seen["Telegram webhook"].seen == "one is set, to example.org"
    assert "WEBHOOK_SECRET" in seen["Telegram webhook"].remedy


async def test_a_webhook_that_is_ours_or_not(telegram_standin: Standin) -> None:
    url = "https://kinora.example.org/hooks/telegram"
    ours = {"webhook_url": url, "webhook_secret": "secret"}
    assert "Telegram webhook" not in await found(telegram_standin, **ours)
    async with built(telegram_standin) as app:
        await app.bot.set_webhook("https://example.org/hook")
        seen = await found(telegram_standin, **ours)
        assert (seen["Telegram webhook"].verdict) == "bad"
        await app.bot.set_webhook(url)
        assert (await found(telegram_standin, **ours))["Telegram webhook"].verdict == "ok"
        telegram_standin.updates.error = "Connection refused"
        seen = await found(telegram_standin, **ours)
        assert seen["Telegram webhook"].seen == "Connection refused, 0 waiting"


async def doctor(running: Standin, folder: Path, **environment: str) -> tuple[int, str]:
    status, said, complained = await command(
        folder,
        "doctor",
        **{
            "KINORA_TELEGRAM__TOKEN": running.token,
            "KINORA_TELEGRAM__API_URL": running.api_url,
            **environment,
        },
    )
    assert running.token not in said + complained
    return status, " ".join((said + complained).split())


async def test_the_command_says_what_to_do_in_botfather(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    status, said = await doctor(telegram_standin, tmp_path)
    assert (status, "@kinora_bot" in said) == (0, True)
    assert "/setinlinefeedback" in said
    wrong = "7000000001:no-token-of-theirs-but-as-long-as-one"
    status, said = await doctor(telegram_standin, tmp_path, KINORA_TELEGRAM__TOKEN=wrong)
    assert (status, "API Token" in said) == (1, True)
    assert "no-token-of-theirs" not in said


async def test_a_webhook_without_a_secret_is_refused_in_a_sentence(
    telegram_standin: Standin, tmp_path: Path
) -> None:
    url = "https://kinora.example.org/tg"
    status, said = await doctor(telegram_standin, tmp_path, KINORA_TELEGRAM__WEBHOOK_URL=url)
    assert status == 2
    assert "a webhook needs KINORA_TELEGRAM__WEBHOOK_SECRET" in said
    assert "Traceback" not in said
