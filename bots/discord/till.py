"""The till: what was bought on Discord is delivered once, and what was refunded goes back.

What the gateway tells is a hint: it may be lost, or come twice, late, or in another order. Discord
is then asked what is so, and that counts; at the start and each hour it is asked about all that was
bought of late. Credits are in the ledger before an entitlement is consumed: where the program dies
in between, it is found unconsumed, and the ledger knows it.

https://docs.discord.com/developers/monetization/managing-your-premium-offerings
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import discord
from discord import SKUType

from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.desk import PLATFORM, DiscordDesk
from bots.discord.messages import Messages
from bots.discord.refusals import answered
from bots.wares import delivered, given_back
from core.errors import NotFound, Transient, Unreachable
from core.job import Account, Identity
from core.purchases import Purchase, PurchaseState
from core.wares import Ware

log = logging.getLogger("kinora.discord")

DISCORD = "discord"
"""The provider of what was paid here."""

LOOK_SECONDS = 3600.0
AGAIN_SECONDS, BROKEN_SECONDS = 30.0, 300.0
"""After a look that Discord did not answer, and after one that broke."""

LOOKED_BACK = timedelta(days=100)
"""What was bought before, and is no subscription that runs, was settled long ago."""

GRACE = timedelta(days=1)
"""How long a plan outlives its period: the renewal may be told late."""

BILLED_WITHIN = timedelta(minutes=1)
"""How long a subscription may be told after what it entitles to."""

PAGE = 100
FOR_TESTS = "for tests"
"""In place of where it was paid: nobody did."""


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody bought, as Discord has it. ends_at: None until it is known."""

    id: int
    sku_id: int
    user_id: int
    deleted: bool
    consumed: bool
    ends_at: datetime | None

    @property
    def at(self) -> datetime:
        """When it was made."""
        return discord.utils.snowflake_time(self.id)

    @property
    def identity(self) -> Identity:
        return Identity(PLATFORM, str(self.user_id))


class Till:
    """Run it as one task: what is heard of is settled in turn."""

    def __init__(self, desk: DiscordDesk, client: discord.Client, messages: Messages) -> None:
        self._desk = desk
        self._client = client
        self._messages = messages
        self._purchases = desk.purchases
        self._skus: Mapping[int, discord.SKU] = {}
        self._heard: asyncio.Queue[int | Held] = asyncio.Queue()
        self._look_at = time.monotonic()

    def hear(self, entitlement: discord.Entitlement, *, deleted: bool = False) -> None:
        """Something became of one. deleted: it was, as far as was told."""
        if entitlement.user_id is not None:
            held = _held(entitlement, entitlement.user_id)
            self._heard.put_nowait(replace(held, deleted=held.deleted or deleted))

    def hear_of(self, subscription: discord.Subscription) -> None:
        """Something became of a subscription, and so of what it entitles to."""
        for entitlement_id in subscription.entitlement_ids:
            self._heard.put_nowait(entitlement_id)

    async def run(self) -> None:
        """Settle until cancelled."""
        while True:
            try:
                left = self._look_at - time.monotonic()
                if left <= 0:
                    self._look_at = time.monotonic() + LOOK_SECONDS
                    await self._look()
                elif (heard := await self._next(left)) is not None:
                    await self._settle_heard(heard)
            except (Transient, Unreachable, TimeoutError) as error:
                log.warning("what was bought is not all settled; again soon: %s", error)
                self._look_within(AGAIN_SECONDS)
            except Exception:
                log.exception("what was bought is not all settled; again in a while")
                self._look_within(BROKEN_SECONDS)

    def _look_within(self, seconds: float) -> None:
        self._look_at = min(self._look_at, time.monotonic() + seconds)

    async def _next(self, seconds: float) -> int | Held | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._heard.get()
        except TimeoutError:
            return None

    # What is so

    async def _look(self) -> None:
        """Settle all that was bought of late, and every subscription that runs. Raises Transient,
        Unreachable or TimeoutError where Discord can't be asked."""
        wares = self._purchases.wares.by_name.values()
        ours = [int(ware.sku) for ware in wares if ware.sku is not None]
        if not ours:
            return
        await self._learn()
        for sku in set(ours) - set(self._skus):
            log.warning("Discord knows no SKU %d of this app: see KINORA_WARES__…__SKU", sku)
        since = discord.utils.time_snowflake(self._desk.clock() - LOOKED_BACK)
        async for held in self._all(ours, since, ended=True):
            await self._settle_seen(held)
        renewing = [sku for sku in ours if self._renews(sku)]
        if renewing:
            async for held in self._all(renewing, 0, ended=False):
                await self._settle_seen(held)
        await self._look_at_tests()

    async def _look_at_tests(self) -> None:
        """What was made for tests is gone, and in no list, once it was removed."""
        for one in await self._purchases.newest(PAGE, DISCORD):
            given = one.place == FOR_TESTS and one.state is PurchaseState.PAID
            if given and await self._fetched(int(one.charge)) is None:
                await self._purchases.refunded(DISCORD, one.charge, self._desk.clock())

    async def _settle_heard(self, heard: int | Held) -> None:
        known = heard if isinstance(heard, Held) else None
        held = await self._fetched(known.id if known else int(str(heard)))
        if held is None and known is not None and known.deleted:
            held = known
        if held is not None:
            await self._settle_apart(held)

    async def _settle_seen(self, held: Held) -> None:
        """As `_settle_apart`, unless it is within a month that is known to be paid."""
        known = [] if held.deleted else await self._charges(held)
        within = self._desk.clock() + GRACE
        if known and known[0].until is not None and within < known[0].until:
            return
        await self._settle_apart(held)

    async def _settle_apart(self, held: Held) -> None:
        """One that can't be settled keeps no other from it. Raises Transient or TimeoutError."""
        try:
            await self._settle(held)
        except (Transient, TimeoutError):
            raise
        except Unreachable as error:
            log.warning("entitlement %d can't be settled: %s", held.id, error)
        except Exception:
            log.exception("entitlement %d can't be settled", held.id)

    async def _settle(self, held: Held) -> None:
        """Let the ledger say what Discord says."""
        ware = self._purchases.wares.by_sku(str(held.sku_id))
        if ware is None:
            log.warning("entitlement %d is for SKU %d, which no ware has", held.id, held.sku_id)
            return
        if held.sku_id not in self._skus:
            await self._learn()
        if held.deleted:
            await self._give_back(held)
        elif self._renews(held.sku_id):
            await self._deliver_periods(held, ware)
        else:
            await self._deliver(held, ware)

    # What comes of it

    async def _deliver(self, held: Held, ware: Ware) -> None:
        """What is bought once."""
        await self._bring(held, ware, str(held.id), held.at, held.ends_at, PLATFORM)
        sku = self._skus.get(held.sku_id)
        if sku is not None and sku.type is SKUType.consumable and not held.consumed:
            async with answered():
                await self._client.http.consume_entitlement(sku.application_id, held.id)

    async def _deliver_periods(self, held: Held, ware: Ware) -> None:
        """Each that was paid for; and its end, where it was called off, or is over. What has none
        was made for tests."""
        periods = await self._periods(held)
        if not periods and self._desk.clock() - held.at < BILLED_WITHIN:
            self._look_within(BILLED_WITHIN.total_seconds())
        elif not periods:
            await self._bring(held, ware, str(held.id), held.at, held.ends_at, FOR_TESTS)
        for period in periods:
            start, end = period.current_period_start, period.current_period_end
            charge = f"{held.id}/{int(start.timestamp())}"
            await self._bring(held, ware, charge, start, end + GRACE, PLATFORM)
            over = held.ends_at or (end if period.canceled_at else None)
            known = await self._purchases.by_charge(DISCORD, charge)
            if known is None or known.state is PurchaseState.REFUNDED:
                continue
            if over is not None and known.until != over:
                heard_at = max(self._desk.clock(), start)
                await self._purchases.ended(DISCORD, charge, heard_at, over)

    async def _bring(
        self,
        held: Held,
        ware: Ware,
        charge: str,
        at: datetime,
        until: datetime | None,
        place: str,
    ) -> None:
        known = await self._purchases.by_charge(DISCORD, charge)
        if known is not None and known.account_id is not None:
            return
        account = await self._account(held)
        bought = await self._purchases.bought(account.id, ware, DISCORD, charge, at, until, place)
        if bought.new and bought.purchase.state is not PurchaseState.REFUNDED:
            number = bought.purchase.id
            log.info("purchase %d: %s, for account %d", number, ware.name, account.id)
            await self._tell(held, f"paid-{number}", delivered(bought, self._purchases.wares))

    async def _give_back(self, held: Held) -> None:
        """Of a subscription the newest period: it is the last payment that Discord refunds."""
        charges = await self._charges(held)
        charge = charges[0].charge if charges else str(held.id)
        known = await self._purchases.by_charge(DISCORD, charge)
        if known is not None and known.state is PurchaseState.REFUNDED:
            return
        refunded = await self._purchases.refunded(DISCORD, charge, self._desk.clock())
        if refunded.new and known is not None:
            number = refunded.purchase.id
            log.info("purchase %d was given back", number)
            await self._tell(held, f"back-{number}", given_back(refunded))

    async def _charges(self, held: Held) -> Sequence[Purchase]:
        """What is known of one, the newest first; also what stayed when they left an account."""
        known = await self._purchases.periods(DISCORD, str(held.id))
        return sorted(known, key=lambda one: one.at, reverse=True)

    async def _account(self, held: Held) -> Account:
        """Whose it is; they may have bought it before they asked us for anything."""
        try:
            return await self._desk.moderators.person(held.identity)
        except NotFound:
            async with answered():
                user = await self._client.fetch_user(held.user_id)
            return await self._desk.studio.account(held.identity, user.display_name[:80])

    async def _tell(self, held: Held, nonce: str, words: str) -> None:
        """Whoever paid, in direct messages, where those are open."""
        try:
            channel_id = await self._messages.direct(held.user_id)
            await self._messages.send(channel_id, note_view(plain(words), ACCENT), (), nonce=nonce)
        except (Unreachable, Transient, TimeoutError) as error:
            log.info("who paid was not told so: %s", error)

    # What Discord says

    async def _learn(self) -> None:
        async with answered():
            self._skus = {sku.id: sku for sku in await self._client.fetch_skus()}

    def _renews(self, sku_id: int) -> bool:
        sku = self._skus.get(sku_id)
        return sku is not None and sku.type is SKUType.subscription

    async def _fetched(self, entitlement_id: int) -> Held | None:
        """None for one that is no more."""
        try:
            async with answered():
                found = await self._client.fetch_entitlement(entitlement_id)
        except Unreachable:
            return None
        return _held(found, found.user_id) if found.user_id is not None else None

    async def _periods(self, held: Held) -> Sequence[discord.Subscription]:
        """The subscriptions that brought it, each in its newest period."""
        whose = discord.Object(held.user_id)
        async with answered():
            of_sku = self._skus[held.sku_id].subscriptions(user=whose, limit=PAGE)
            return [one async for one in of_sku if held.id in one.entitlement_ids]

    async def _all(self, skus: list[int], after: int, *, ended: bool) -> AsyncIterator[Held]:
        """Those behind a snowflake. ended: also those that are over, or were deleted, which the
        library's own iterator does not ask for."""
        while True:
            async with answered():
                rows = await self._client.http.get_entitlements(
                    self._client.application_id or 0,
                    sku_ids=[*skus],
                    after=after,
                    limit=PAGE,
                    exclude_ended=not ended,
                    exclude_deleted=not ended,
                )
            for row in rows:
                if row.get("user_id"):
                    yield _of_row(row)
            if len(rows) < PAGE:
                return
            after = max(int(row["id"]) for row in rows)


def _held(said: discord.Entitlement, user_id: int) -> Held:
    return Held(said.id, said.sku_id, user_id, said.deleted, said.consumed, said.ends_at)


def _of_row(row: Mapping[str, Any]) -> Held:
    return Held(
        int(row["id"]),
        int(row["sku_id"]),
        int(row["user_id"]),
        row["deleted"],
        row.get("consumed", False),
        discord.utils.parse_time(row.get("ends_at")),
    )
