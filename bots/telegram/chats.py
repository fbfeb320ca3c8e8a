"""/settings: how Kinora is used in a chat, by its administrators, or by a person in their own.

A button carries what it sets, so that old ones work after a restart; who may press is looked up
each time. Where a chat's rules are known by its id, its topics are their channels.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ChatMemberStatus
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bots import rules as told
from bots.rules import UNSET, changed
from bots.telegram.card_view import Shown, rows_of
from bots.telegram.desk import TelegramDesk
from bots.telegram.limiter import Turn
from bots.telegram.markup import bold, plain
from bots.telegram.places import NO_TOPIC, server_of
from core.catalog import Model
from core.errors import Refused
from core.places import Rules
from core.safety.level import Level

log = logging.getLogger("kinora.telegram")

BUTTON = re.compile(r"kn-set:(?P<what>[a-z]{2,12})(?::(?P<value>[^:]{1,48}))?")
LENGTHS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 60)
"""Seconds to choose from, as far as a model goes."""

LEVELS = (Level.STRICT, Level.STANDARD)
"""Telegram does not say which chats are for adults, so none is."""

BYTES_MAX = 64
MENU, CLOSE, HERE, LEVEL = "menu", "close", "here", "level"
LEADING = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
NOT_LEADING = "Only the administrators of this chat can change how I am used here."
NOT_ALONE = "In our own chat whoever runs this Kinora says how strict I am."

_NAMES = {
    "seconds": "Length",
    "longest": "Longest",
    "resolution": "Resolution",
    "largest": "Largest",
    "model": "Model",
    LEVEL: "Safety",
}


@dataclass(frozen=True, slots=True)
class Here:
    """Where the settings stand. topic: None where the chat has none; else its id, "@" for the
    general one. private: it is somebody's own chat with the bot."""

    chat: int
    topic: str | None
    private: bool


async def leads(bot: ExtBot[Turn], chat: int, user: int) -> bool:
    """Whether somebody leads a group, now, as far as Telegram tells."""
    try:
        return (await bot.get_chat_member(chat, user)).status in LEADING
    except TelegramError as error:
        log.info("who leads chat %d is not known: %s", chat, error.message)
        return False


async def press(desk: TelegramDesk, here: Here, what: str, value: str | None) -> Shown | None:
    """Do what a button says, and show what comes next; None where the message can go.

    Raises UserError. Whoever presses may do so.
    """
    if what == CLOSE:
        return None
    if what == LEVEL and here.private:
        raise Refused(NOT_ALONE)
    server = server_of(here.chat)
    rules = desk.lobby.rules(server)
    if value is None:
        return choices(desk.studio.catalogue, rules, what) or settings(desk, here)
    new = changed(rules, _said(desk.studio.catalogue, what, value))
    if new != rules:
        await desk.lobby.set_rules(server, new)
    return settings(desk, here)


def settings(desk: TelegramDesk, here: Here) -> Shown:
    """What holds in a chat, and a button for each of it."""
    rules = desk.lobby.rules(server_of(here.chat))
    lines = [
        bold("Kinora in this chat"),
        plain(f"Length: {told.lengths(rules)}"),
        plain(f"Resolution: {told.sizes(rules)}"),
        plain(f"Model: {told.model(rules)}"),
        plain(f"Safety: {told.level(rules)}"),
        plain(f"When a clip is done: {_ping(rules)}"),
    ]
    names = ((what, name) for what, name in _NAMES.items() if what != LEVEL or not here.private)
    buttons = [_button(name, what) for what, name in names]
    wanted, label = ("off", "Don't ping") if rules.ping else ("on", "Ping when done")
    buttons.append(_button(label, "ping", wanted))
    rows = rows_of(buttons)
    if here.topic is not None:
        lines.append(plain(f"Topics: {_topics(rules)}"))
        rows.append([_button(_topic_label(rules, here.topic), HERE, here.topic)])
    rows.append([_button("Close", CLOSE)])
    return Shown("\n".join(lines), InlineKeyboardMarkup(rows))


def choices(catalogue: Sequence[Model], rules: Rules, what: str) -> Shown | None:
    """What a setting may be; None where `what` is none of them."""
    if what not in _NAMES:
        return None
    now = getattr(rules, what)
    made = [
        _button(f"• {label}" if value == now else label, what, data)
        for label, value, data in _values(catalogue, what)
        if len(_data(what, data).encode()) <= BYTES_MAX
    ]
    rows = [*rows_of(made), [_button("Back", MENU)]]
    return Shown(f"{bold(_NAMES[what])}\n{_EXPLAINED[what]}", InlineKeyboardMarkup(rows))


_EXPLAINED = {
    "seconds": "Where nobody says otherwise.",
    "longest": "The most that may be asked for.",
    "resolution": "The short side, where nobody says otherwise.",
    "largest": "The most that may be asked for.",
    "model": "Where nobody names another.",
    "level": "How strictly words and pictures are looked at.",
}


def _values(catalogue: Sequence[Model], what: str) -> Iterator[tuple[str, object, str]]:
    """Label, the rules' value, and the button's."""
    yield "Any" if what in ("longest", "largest") else "As usual", None, UNSET
    match what:
        case "seconds" | "longest":
            low = min(model.seconds.low for model in catalogue)
            high = max(model.seconds.high for model in catalogue)
            for seconds in LENGTHS:
                if low <= seconds <= high:
                    yield f"{seconds} s", float(seconds), str(seconds)
        case "resolution" | "largest":
            sizes = {size for model in catalogue for size in model.resolutions}
            for size in sorted(sizes, key=lambda size: int(size.removesuffix("p"))):
                yield size, size, size
        case "level":
            for level in LEVELS:
                yield level.value, level, level.value
        case _:
            for model in catalogue:
                yield model.name, model.name, model.name


def _said(catalogue: Sequence[Model], what: str, value: str) -> dict[str, Any]:
    """What a button sets, as `changed` takes it. Raises Refused for one of another version."""
    if what in _NAMES and value in (data for _, _, data in _values(catalogue, what)):
        lasts = what in ("seconds", "longest")
        return {what: (0.0 if value == UNSET else float(value)) if lasts else value}
    if what == "ping" and value in ("on", "off"):
        return {what: value == "on"}
    if what == HERE and (value == NO_TOPIC or value.isdecimal()):
        return {"channel": value}
    raise Refused("This button is of another version of Kinora: type /settings.")


def _ping(rules: Rules) -> str:
    return "a short message tells" if rules.ping else "its card shows it, without a sound"


def _topics(rules: Rules) -> str:
    count = len(rules.channels)
    return f"only in {count} of them" if count else "all"


def _topic_label(rules: Rules, topic: str) -> str:
    if not rules.channels:
        return "Only in this topic"
    return "No longer in this topic" if topic in rules.channels else "In this topic, too"


def _button(label: str, what: str, value: str | None = None) -> InlineKeyboardButton:
    return InlineKeyboardButton(label, callback_data=_data(what, value))


def _data(what: str, value: str | None) -> str:
    return f"kn-set:{what}" if value is None else f"kn-set:{what}:{value}"
