"""What `kinora doctor` finds at Telegram, changing nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from telegram import Bot, User, WebhookInfo
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, TelegramError

from bots.answers import reason
from bots.doctor import Finding
from bots.telegram.desk import API, Telegram
from bots.telegram.line import Line
from bots.telegram.remedies import (
    FEEDBACK,
    INLINE_OFF,
    NEW_BOT,
    NO_GROUPS,
    NO_TOKEN,
    PAYMENTS,
    PRIVACY_OFF,
    PRIVACY_ON,
    SECOND,
    STORE,
    TOKEN,
    WEBHOOK,
    WEBHOOK_ELSEWHERE,
    WEBHOOK_FAILS,
    unreachable,
)
from bots.wares import price
from core.wares import Wares

ASKED_SECONDS = 20.0
NO_WARES = Wares()
LISTEN = timedelta(seconds=4)
"""Another program that polls is back within this time, and is noticed."""

TOKEN_FORM = re.compile(r"\d{5,}:[\w-]{30,}")
"""https://core.telegram.org/bots/api#authorizing-your-bot"""


async def examine(
    settings: Telegram | None, wares: Wares = NO_WARES, *, alone: bool = True
) -> Sequence[Finding]:
    """Whether the token works, what is set in BotFather, and what is sold. alone: no Kinora of ours
    polls now, so that one that does is somebody else's."""
    if settings is None:
        return [Finding("note", "Telegram", "no token, so no bot", NEW_BOT)]
    if settings.api_url == API and not TOKEN_FORM.fullmatch(settings.token):
        seen = "the token can't be one: it is digits, a colon, then about 35 letters and digits"
        return [Finding("bad", "Telegram", seen, TOKEN)]
    bot = Bot(
        settings.token,
        f"{settings.api_url}/bot",
        f"{settings.file_url}/bot",
        request=_patient(),
        get_updates_request=_patient(),
    )
    try:
        async with asyncio.timeout(ASKED_SECONDS + LISTEN.total_seconds()), bot:
            found = [*_seen(bot.bot), await _payments(bot, wares)]
            webhook = await bot.get_webhook_info()
            found += _webhook(settings, webhook)
            if settings.store_chat is not None:
                found.append(await _store(bot, settings.store_chat))
            if alone and not webhook.url and not settings.webhook_url and await _second(bot):
                found.append(Finding("bad", "Telegram updates", "somebody else asks, too", SECOND))
            return found
    except InvalidToken:
        return [Finding("bad", "Telegram", "the token is refused", NO_TOKEN)]
    except (TelegramError, OSError) as error:
        seen = f"{settings.api_url} can't be reached ({reason(error)})"
        return [Finding("bad", "Telegram", seen, unreachable(settings, error))]


def _patient() -> Line:
    return Line(read=ASKED_SECONDS, connect=ASKED_SECONDS)


def _seen(me: User) -> Iterator[Finding]:
    yield Finding("ok", "Telegram", f"@{me.username}")
    if not me.can_join_groups:
        yield Finding("note", "Telegram groups", "it may not be added to any", NO_GROUPS)
    elif me.can_read_all_group_messages:
        yield Finding("note", "Telegram privacy", "it is told of all in groups", PRIVACY_OFF)
    else:
        yield Finding("note", "Telegram privacy", "in groups it hears what is for it", PRIVACY_ON)
    if me.supports_inline_queries:
        yield Finding("note", "Telegram inline", "on", FEEDBACK)
    else:
        yield Finding("note", "Telegram inline", "off", INLINE_OFF)


def _webhook(settings: Telegram, seen: WebhookInfo) -> Iterator[Finding]:
    """Of another's address the host alone is told: a path may hold a token."""
    host = urlsplit(seen.url).hostname or seen.url
    if settings.webhook_url is None:
        if seen.url:
            yield Finding("note", "Telegram webhook", f"one is set, to {host}", WEBHOOK)
        return
    if seen.url and seen.url != settings.webhook_url:
        yield Finding("bad", "Telegram webhook", f"it leads to {host}", WEBHOOK_ELSEWHERE)
    elif seen.last_error_message:
        waiting = f"{seen.pending_update_count} waiting"
        said = f"{seen.last_error_message}, {waiting}"
        yield Finding("bad", "Telegram webhook", said, WEBHOOK_FAILS)
    elif seen.url:
        yield Finding("ok", "Telegram webhook", host)


async def _payments(bot: Bot, wares: Wares) -> Finding:
    offered = wares.for_stars()
    if not offered:
        seen = "off" if not wares.on else "on, but no ware has a price in Stars"
        return Finding("note", "Telegram payments", seen, PAYMENTS)
    sold = ", ".join(f"{ware.name} for {price(ware)}" for ware in offered)
    stars = (await bot.get_my_star_balance()).amount
    return Finding("ok", "Telegram payments", f"{sold}; the bot has ⭐ {stars}")


async def _store(bot: Bot, chat_id: int) -> Finding:
    try:
        chat = await bot.get_chat(chat_id)
    except (BadRequest, Forbidden) as error:
        seen = f"{chat_id}, where clips are to be uploaded: {error.message}"
        return Finding("bad", "Telegram store", seen, STORE)
    return Finding("ok", "Telegram store", f"{chat.effective_name or chat_id}")


async def _second(bot: Bot) -> bool:
    """Whether somebody else polls. Nothing is confirmed: who hears it next hears it all."""
    try:
        await bot.get_updates(limit=1, timeout=LISTEN)
    except Conflict:
        return True
    return False
