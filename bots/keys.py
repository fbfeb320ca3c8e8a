"""`kinora admin key` and `revoke`: API keys."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bots.shell import Json, run, settings_of
from core.errors import BadPrompt
from core.job import Identity

NAME_CHARS = 40
JOINERS = "\u200c\u200d"
"""Inside a word of Persian or Hindi, and of an emoji."""


def make(
    name: Annotated[str, typer.Argument(help="Whose; a new name is a new account.")] = "owner",
    as_json: Json = False,
) -> None:
    """Make an API key. It is shown once and kept only as a hash."""
    from bots import app as kinora

    async def made() -> tuple[str, str]:
        called = named(name)
        async with kinora.store_of(settings_of()) as store:
            return (await kinora.new_key(store, Identity("web", called), called))[1], called

    key, called = run(made())
    print(json.dumps({"key": key, "account": called}) if as_json else key)


def revoke(
    name: Annotated[str, typer.Argument(help="Whose keys.")],
    as_json: Json = False,
) -> None:
    """End every API key of a name. KINORA_WEB__ADMIN_KEY is a setting: change it there."""
    from bots import app as kinora

    async def end() -> int:
        async with kinora.store_of(settings_of()) as store:
            return await store.credentials.revoke_all("key", name)

    count = run(end())
    print(json.dumps({"account": name, "revoked": count}) if as_json else f"Keys ended: {count}.")


def named(said: str) -> str:
    """A name of the page, without spaces around it. Raises BadPrompt."""
    name = said.strip()
    seen = name.translate(dict.fromkeys(map(ord, JOINERS)))
    if not seen or not seen.isprintable() or len(name) > NAME_CHARS:
        raise BadPrompt(f"A name has 1 to {NAME_CHARS} printable characters, all in one line.")
    return name
