"""Codes and gifts on Discord: who sees what, and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.moderation import Actor, MakeVoucher, Rank
from core.vouchers import digest, new_code
from tests.bots.discord.cinema import Cinema, cinema, labels, opened, text
from tests.discord.server import Standin
from tests.storage.books import faults

pytestmark = pytest.mark.timeout(300)
HOST = Actor("the shell", Rank.HOST)


async def test_a_code_and_a_gift(discord_standin: Standin, tmp_path: Path) -> None:
    """The gift is asked for before a restart and done behind it; its button gives once."""
    scene, code = discord_standin.scene, new_code()
    async with cinema(discord_standin, tmp_path) as here:
        anna, ben, room, store = here.anna, here.ben, here.room, here.home.store
        before = (await here.funds(anna))[0]
        act = MakeVoucher(name="v1", digest=digest(code), credits=100, uses=2)
        await store.moderation.perform(act, HOST, "v1")
        wrong = anna.slash("redeem", room, code=new_code())
        assert (await here.answer(wrong, "There is no such code")).audience == anna.id
        asked = anna.slash("redeem", room, code=code.lower())
        came = await here.answer(asked, f"100 credits are yours. You have {before + 100} credits")
        assert came.audience == anna.id
        await here.answer(anna.slash("redeem", room, code=code), "You used this code already")

        await here.answer(anna.slash("gift", room, member=ben, credits=5), "no account here yet")
        await here.answer(ben.slash("me", room), "credits")
        theirs = (await here.funds(ben))[0]
        for member, credits, says in (
            (anna, 5, "That is you"),
            (ben, 101, "You can give 100, and this would be 101"),
            (ben, 501, "You can give 500 credits a day"),
        ):
            await here.answer(anna.slash("gift", room, member=member, credits=credits), says)
        offer = anna.slash("gift", room, member=ben, credits=30)
        assert (await here.answer(offer, "30 credits for Ben?")).audience == anna.id
        assert await here.funds(ben) == (theirs, 0)

    async with opened(discord_standin, tmp_path) as home:
        here = Cinema(discord_standin, home, here.guild, room, anna, ben, here.mia)
        presses = [anna.press(await offer.message(), "Give them") for _ in range(2)]
        done = await offer.message(lambda message: not labels(message))
        assert f"Ben has 30 credits from you. You have {before + 70} left." in text(done)
        for press in presses:
            await press.acknowledged()
        told = await here.said(room, f"<@{anna.id}> gave <@{ben.id}> 30 credits.")
        assert told.audience is None
        assert (await here.funds(anna), await here.funds(ben)) == (
            (before + 70, 0), (theirs + 30, 0)
        )  # fmt: skip
        alone = scene.dm(anna)
        offer = anna.slash("gift", alone, member=ben, credits=20)
        anna.press(await here.answer(offer, "20 credits for Ben?"), "Give them")
        await offer.message(lambda message: "Ben has 20 credits from you" in text(message))
        await here.said(scene.dm(ben), f"anna gave you 20 credits. You have {theirs + 50}")
        assert await faults(home.store) == []
