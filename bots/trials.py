"""`kinora admin trial …`: what Discord sells, for nothing, to try it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from bots.shell import Json, out, run, settings_of
from core.errors import BadPrompt, NotFound

if TYPE_CHECKING:
    from bots.discord import Discord

app = typer.Typer(help="Discord's test entitlements, for nothing.", no_args_is_help=True)


@app.command("give")
def give_(
    who: Annotated[str, typer.Argument(help="discord:81.")],
    ware: Annotated[str, typer.Argument(help="A ware with a SKU, by its name.")],
    as_json: Json = False,
) -> None:
    """Give a ware as if it was bought. A running Kinora, or the next, brings it."""
    platform, _, subject = who.partition(":")
    if platform != "discord" or not subject.isdecimal():
        raise typer.BadParameter("write it as discord:81", param_hint="WHO")

    async def work() -> int:
        from bots.discord.trials import give

        wares = settings_of().wares
        sku = wares[ware].sku if ware in wares else None
        if sku is None:
            known = [name for name, one in wares.items() if one.sku]
            raise NotFound(
                f"No ware {ware} has a SKU; those that do: {', '.join(known) or 'none'}."
            )
        return await give(_discord(), int(sku), int(subject))

    made = run(work())
    words = f"Given, as entitlement {made}; `kinora admin trial end {made}` takes it back."
    _say(json.dumps({"entitlement": made}) if as_json else words)


@app.command("end")
def end_(
    entitlement: Annotated[int, typer.Argument(help="Its id, as `give` said it.")],
    as_json: Json = False,
) -> None:
    """Take it back: what is left of its credits goes, and its plan."""

    async def work() -> None:
        from bots.discord.trials import end

        await end(_discord(), entitlement)

    run(work())
    _say(json.dumps({"ended": entitlement}) if as_json else "Ended.")


def _discord() -> Discord:
    from bots import app as kinora

    found = kinora.discord_of(settings_of())
    if found is None:
        raise BadPrompt("There is no bot on Discord: set KINORA_DISCORD__TOKEN.")
    return found


def _say(words: str) -> None:
    out.print(words, highlight=False, soft_wrap=True)
