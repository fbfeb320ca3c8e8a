"""What Discord sells for the operator: brought once whatever happens on the way, and taken back."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.discord import till
from bots.settings import Ware
from core import moderation as acts
from core.job import Identity
from core.purchases import Purchase, PurchaseState
from tests.bots.discord.cinema import Cinema, cinema, opened, text
from tests.bots.discord.playhouse import playhouse
from tests.discord.given import Impossible
from tests.discord.server import Standin
from tests.discord.shop import CONSUMABLE, MONTH_SECONDS, Json
from tests.discord.users import Person
from tests.discord.world import Message
from tests.house import Home
from tests.program import command
from tests.storage.books import faults
from tests.storage.samples import do

pytestmark = pytest.mark.timeout(300)

A_DAY = 24 * 3600.0


class Shelf:
    """What there is to buy. open: settings of a Kinora that sells it; shut: of one that does no
    more."""

    def __init__(self, discord: Standin) -> None:
        self.discord = discord
        self.pack = discord.shop.sku("500 credits", CONSUMABLE)
        self.pro = discord.shop.sku("Pro")
        pack = Ware(title="500 credits", credits=500, sku=self.pack["id"])
        pro = Ware(title="Pro", credits=50, plan="pro", sku=self.pro["id"], renews=True)
        wares = {"pack": pack, "pro": pro}
        self.open: dict[str, Any] = {"payments": True, "wares": wares}
        self.shut: dict[str, Any] = {"wares": wares}

    async def offers(self, here: Cinema, person: Person) -> Message:
        message = await here.answer(person.slash("buy", here.room), "500 credits")
        assert message.audience == person.id
        return message

    def told(self, person: Person, words: str) -> list[Message]:
        """What the bot said to them with these words."""
        here = self.discord.messages(self.discord.scene.dm(person))
        return [message for message in here if words in text(message)]

    async def until_told(self, person: Person, words: str, times: int = 1) -> str:
        """Wait until the bot has said so, so often; the last of it."""

        def said() -> bool:
            return len(self.told(person, words)) >= times

        await self.discord.world.until(said, f"{words!r} to {person.user.name}, {times} times")
        assert len(self.told(person, words)) == times
        return text(self.told(person, words)[-1])

    async def until_used_up(self, held: Json) -> None:
        known = self.discord.world.entitlements
        await self.discord.world.until(lambda: known[int(held["id"])]["consumed"], "it consumed")


async def bought(home: Home, person: Person) -> list[Purchase]:
    account = await home.studio.account(Identity("discord", str(person.id)), person.user.name)
    return list(await home.purchases.of(account.id))


async def parted(home: Home, person: Person) -> int:
    """They leave what they bought with the page, and begin anew; whose it is then."""
    name = Identity("discord", str(person.id))
    theirs = await home.studio.account(name, person.user.name)
    page = await home.studio.account(Identity("web", person.user.name), person.user.name)
    into, gone = sorted((theirs.id, page.id))
    await do(home.store, acts.Merge(account_id=gone, into=into))
    left = acts.Unlink(account_id=into, platform=name.platform, subject=name.subject)
    await do(home.store, left)
    return into


async def until_state(home: Home, person: Person, state: PurchaseState) -> None:
    """Of the newest; nobody is told of an end."""
    async with asyncio.timeout(60):
        while not (known := await bought(home, person)) or known[0].state is not state:
            await asyncio.sleep(0.02)


async def test_a_pack_is_brought_once_and_refunded_once(
    discord_standin: Standin, tmp_path: Path
) -> None:
    """Each event comes again, in any order; buying once more shows that all of it was heard."""
    shop, shelf = discord_standin.shop, Shelf(discord_standin)
    async with cinema(discord_standin, tmp_path, **shelf.open) as here:
        anna, ben = here.anna, here.ben
        before = (await here.funds(anna))[0]
        offers = await shelf.offers(here, anna)
        first = shop.buy(anna, offers, shelf.pack)
        said = await shelf.until_told(anna, "500 credits are yours")
        assert f"You have {before + 500} credits now" in said
        await shelf.until_used_up(first)
        shop.again(*shop.told, *reversed(shop.told), *shop.told)
        shop.buy(anna, offers, shelf.pack)
        await shelf.until_told(anna, "500 credits are yours", 2)
        assert (await here.funds(anna))[0] == before + 1000

        shop.refund(first)
        shop.again(*reversed(shop.told))
        said = await shelf.until_told(anna, "Your payment was given back")
        assert "500 credits went back with it" in said
        theirs = await shelf.offers(here, ben)
        poor = (await here.funds(ben))[0]
        shop.deaf = True
        shop.refund(shop.buy(ben, theirs, shelf.pack))
        shop.deaf = False
        shop.again(*reversed(shop.told[-2:]))
        shop.buy(anna, offers, shelf.pack)
        await shelf.until_told(anna, "500 credits are yours", 3)
        assert (await here.funds(anna))[0] == before + 1000
        assert (await here.funds(ben))[0] == poor
        assert len(shelf.told(anna, "Your payment was given back")) == 1
        assert shelf.told(ben, "credits") == []
        states = [one.state for one in await bought(here.home, anna)]
        assert states == [PurchaseState.PAID, PurchaseState.PAID, PurchaseState.REFUNDED]
        assert await faults(here.home.store) == []


async def test_a_look_that_breaks_is_explained_and_done_again(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy answers in Discord's place."""
    monkeypatch.setattr(till, "BROKEN_SECONDS", 0.05)
    shelf, zoe = Shelf(discord_standin), discord_standin.scene.user("zoe")
    discord_standin.shop.entitle(zoe, shelf.pack)
    discord_standin.faults.stray("GET /applications/*/skus")
    async with opened(discord_standin, tmp_path, **shelf.open) as home:
        await until_state(home, zoe, PurchaseState.PAID)


async def test_what_happened_while_nobody_listened_is_found(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, and each hour after it; also by a Kinora that sells nothing any more."""
    shop, shelf = discord_standin.shop, Shelf(discord_standin)
    zoe = discord_standin.scene.user("zoe")
    async with cinema(discord_standin, tmp_path, **shelf.open) as here:
        await shelf.offers(here, here.anna)
    held = shop.entitle(here.anna, shelf.pack)
    async with opened(discord_standin, tmp_path, **shelf.open) as home:
        await shelf.until_told(here.anna, "500 credits are yours")
        await shelf.until_used_up(held)
        assert len(await bought(home, here.anna)) == 1
    shop.refund(held)
    unseen = shop.entitle(zoe, shelf.pack)
    async with opened(discord_standin, tmp_path, **shelf.shut) as home:
        await shelf.until_told(here.anna, "500 credits went back with it")
        await shelf.until_used_up(unseen)
        with pytest.raises(Impossible, match="no command 'buy'"):
            here.anna.slash("buy", here.room)
        assert await faults(home.store) == []
    monkeypatch.setattr(till, "LOOK_SECONDS", 0.5)
    async with opened(discord_standin, tmp_path, **shelf.open) as home:
        shop.deaf = True
        late = shop.entitle(zoe, shelf.pack)
        await shelf.until_used_up(late)
        assert len(shelf.told(here.anna, "credits")) == 2
        assert len(await bought(home, zoe)) == 2


async def test_a_subscription_is_renewed_and_ends(discord_standin: Standin, tmp_path: Path) -> None:
    shop, shelf, clock = discord_standin.shop, Shelf(discord_standin), discord_standin.clock
    options = shelf.open | {"clock": clock.date}
    async with cinema(discord_standin, tmp_path, **options) as here:
        anna = here.anna
        held = shop.buy(anna, await shelf.offers(here, anna), shelf.pro)
        said = await shelf.until_told(anna, "50 credits are yours. You have the plan pro until")
        await here.answer(anna.slash("me", here.room), "Plan: pro")
        clock.jump(MONTH_SECONDS)
        shop.bill(held)
        again = await shelf.until_told(anna, "You have the plan pro until", 2)
        assert again != said
        shop.again(*shop.told, *reversed(shop.told))
    clock.jump(MONTH_SECONDS)
    shop.bill(held)
    async with opened(discord_standin, tmp_path, **options) as home:
        here = Cinema(discord_standin, home, here.guild, here.room, anna, here.ben, here.mia)
        await shelf.until_told(anna, "You have the plan pro until", 3)
        assert [one.credits for one in await bought(home, anna)] == [50, 50, 50]
        clock.jump(MONTH_SECONDS + A_DAY / 2)
        await here.answer(anna.slash("me", here.room), "Plan: pro")
        shop.lapse(held)
        await until_state(home, anna, PurchaseState.ENDED)
        await here.answer(anna.slash("me", here.room), "Plan: free")
        assert await faults(home.store) == []


async def test_a_refund_ends_the_newest_month_and_what_was_for_tests_goes_as_it_came(
    discord_standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(till, "BILLED_WITHIN", timedelta())
    shop, shelf, clock = discord_standin.shop, Shelf(discord_standin), discord_standin.clock
    async with cinema(discord_standin, tmp_path, **shelf.open, clock=clock.date) as here:
        anna, ben, home = here.anna, here.ben, here.home
        held = shop.buy(anna, await shelf.offers(here, anna), shelf.pro)
        await shelf.until_told(anna, "the plan pro until")
        clock.jump(MONTH_SECONDS)
        shop.bill(held)
        await shelf.until_told(anna, "the plan pro until", 2)
        stays = await parted(home, anna)
        shop.refund(held)
        await shelf.until_told(anna, "50 credits went back with it")
        shop.again(*shop.told)
        said = await trial(shelf, tmp_path, "give", f"discord:{ben.id}", "pro")
        given = re.search(r"as entitlement (\d+)", said)
        assert given is not None
        await shelf.until_told(ben, "50 credits are yours. You have the plan pro")
        assert await bought(home, anna) == []
        assert [one.state for one in await home.purchases.of(stays)] == [
            PurchaseState.REFUNDED, PurchaseState.PAID,
        ]  # fmt: skip
        await here.answer(ben.slash("me", here.room), "Plan: pro")
        (one,) = await bought(home, ben)
        assert one.place == "for tests"
        assert "Ended" in await trial(shelf, tmp_path, "end", given[1])
        assert "no such entitlement" in await trial(shelf, tmp_path, "end", given[1])
        assert "those that do: pro" in await trial(shelf, tmp_path, "give", "discord:1", "gold")
        await shelf.until_told(ben, "50 credits went back with it")
        await here.answer(ben.slash("me", here.room), "Plan: free")
        missed = shop.grant(int(shelf.pro["id"]), ben.id)
        await shelf.until_told(ben, "50 credits are yours", 2)
        assert await faults(home.store) == []
    shop.remove(int(missed["id"]))
    async with opened(discord_standin, tmp_path, **shelf.open, clock=clock.date) as home:
        await until_state(home, ben, PurchaseState.REFUNDED)
        assert await faults(home.store) == []


async def trial(shelf: Shelf, folder: Path, *words: str) -> str:
    """What an operator is told in the shell."""
    discord = shelf.discord
    _, said, complained = await command(
        folder, "admin", "trial", *words,
        KINORA_DISCORD__TOKEN=discord.token,
        KINORA_DISCORD__API_URL=discord.api_url,
        KINORA_WARES__PRO__PLAN="pro",
        KINORA_WARES__PRO__SKU=shelf.pro["id"],
    )  # fmt: skip
    assert "Traceback" not in complained
    return said + complained


async def test_a_kill_between_credits_and_consuming_brings_them_once(tmp_path: Path) -> None:
    async with playhouse(tmp_path, people=1) as here:
        discord, (anna,) = here.discord, here.people
        shelf = Shelf(discord)
        sells = {
            "KINORA_PAYMENTS": "true",
            "KINORA_WARES__PACK__CREDITS": "500",
            "KINORA_WARES__PACK__SKU": shelf.pack["id"],
        }
        async with here.open(**sells) as program:
            discord.faults.hold("POST /applications/*/entitlements/*/consume")
            held = discord.shop.entitle(anna, shelf.pack)
            await here.until(lambda: not discord.faults.waiting, "it about to be consumed", 60)
            assert [row["credits"] for row in here.rows("SELECT credits FROM purchase")] == [500]
            await here.kill(program)
        here.mend()
        assert not discord.world.entitlements[int(held["id"])]["consumed"]
        async with here.open(**sells):
            await shelf.until_used_up(held)
            discord.shop.again(*discord.shop.told)
            second = discord.shop.entitle(anna, shelf.pack)
            await shelf.until_used_up(second)
        lots = here.rows("SELECT credits FROM lot WHERE kind = 'bought'")
        assert [row["credits"] for row in lots] == [500, 500]
        assert not here.violations()
