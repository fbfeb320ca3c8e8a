"""`kinora admin key` and `revoke`: API keys."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bots.shell import Json, run, settings_of
from core.job import Identity


def make(
    name: Annotated[str, typer.Argument(help="Whose; a new name is a new account.")] = "owner",
    as_json: Json = False,
) -> None:
    """Make an API key. It is shown once and kept only as a hash."""
    from bots import app as kinora

    async def made() -> str:
        async with kinora.store_of(settings_of()) as store:
            _, key = await kinora.new_key(store, Identity("web", name), name)
            return key

    key = run(made())
    print(json.dumps({"key": key, "account": name}) if as_json else key)


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
