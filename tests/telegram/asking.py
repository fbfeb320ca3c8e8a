"""Methods that ask or set up: the bot itself, its commands, chats and their members, files."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.telegram import payloads
from tests.telegram.call import Call
from tests.telegram.files import DOWNLOAD_BYTES
from tests.telegram.posts import set_member
from tests.telegram.refusals import Refused
from tests.telegram.world import LEFT, PRESENT, PRIVATE

Json = dict[str, Any]

COMMANDS, DESCRIPTION_CHARACTERS = 100, 256


def get_me(call: Call) -> Json:
    return payloads.me(call.world)


def set_commands(call: Call) -> bool:
    given = call.form.json("commands") or []
    if len(given) > COMMANDS:
        raise Refused("BOT_COMMANDS_TOO_MUCH")
    for command in given:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command.get("command", "")):
            raise Refused("BOT_COMMAND_INVALID")
        if not 1 <= len(command.get("description", "")) <= DESCRIPTION_CHARACTERS:
            raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
    call.world.commands[_scope(call)] = given
    call.world.touch()
    return True


def get_commands(call: Call) -> list[Json]:
    return call.world.commands.get(_scope(call), [])


def delete_commands(call: Call) -> bool:
    call.world.commands.pop(_scope(call), None)
    return True


def _scope(call: Call) -> tuple[str, str]:
    language = call.form.text("language_code")
    if language and not re.fullmatch("[a-z]{2}", language):
        raise Refused("LANG_CODE_INVALID")
    return scope_key(call.form.json("scope") or {"type": "default"}), language


def scope_key(scope: Json) -> str:
    return json.dumps({k: str(v) for k, v in scope.items()}, sort_keys=True)


def get_chat(call: Call) -> Json:
    return payloads.whole_chat(call.world, call.chat())


def get_member(call: Call) -> Json:
    chat, user_id = call.chat(), call.form.number("user_id")
    if user_id not in call.world.users:
        raise Refused("user not found")
    return payloads.member(call.world, chat, user_id)


def get_administrators(call: Call) -> list[Json]:
    chat = call.chat()
    if chat.kind == PRIVATE:
        raise Refused("there are no administrators in the private chat")
    return [payloads.member(call.world, chat, each) for each in chat.members if chat.led_by(each)]


def count_members(call: Call) -> int:
    return sum(status in PRESENT for status in call.chat().members.values())


def leave(call: Call) -> bool:
    set_member(call.world, call.chat().id, call.world.bot.id, LEFT, call.world.bot.id)
    return True


def get_file(call: Call) -> Json:
    files = call.world.files
    file = files.kept.get(call.form.text("file_id"))
    if file is None:
        raise Refused("invalid file_id")
    if file.id in files.gone:
        raise Refused("wrong file_id or the file is temporarily unavailable")
    if files.local is None and len(file.data) > DOWNLOAD_BYTES:
        raise Refused("file is too big")
    return payloads.file(file) | {"file_path": file.path}


def react(call: Call) -> bool:
    """The bot's own sign on a message; one at most."""
    chat = call.chat()
    key = chat.id, call.form.number("message_id")
    if key not in call.world.messages:
        raise Refused("message to react not found")
    given = call.form.json("reaction") or []
    if len(given) > 1:
        raise Refused("REACTIONS_TOO_MANY")
    call.world.reactions[key] = "".join(each.get("emoji", "") for each in given)
    call.world.touch()
    return True


def accept(call: Call) -> bool:
    """Taken and kept among the requests, without any effect here."""
    return True
