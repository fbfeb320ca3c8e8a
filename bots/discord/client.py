"""The client: logged in, told of everything, and brought down without losing anything.

discord.py, unmodified. Its three addresses are the operator's to set, for those who reach Discord
through a proxy.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp
import discord
import yarl

from bots.answers import SOON_SECONDS, reason, understood
from bots.cards import Cards
from bots.discord import appealing, consenting, forms, reasons, reviewing
from bots.discord.amends import make_amends
from bots.discord.asking import Room
from bots.discord.attachments import Cdn
from bots.discord.buttons import JobButton, PingButton
from bots.discord.card_view import ACCENT, note_view, plain
from bots.discord.commands import command_tree, register
from bots.discord.confirming import ConfirmButton, StopButton
from bots.discord.consenting import ConsentButton
from bots.discord.delivery import Delivery
from bots.discord.desk import GATEWAY, NAME, Discord, DiscordDesk
from bots.discord.gateway_log import in_a_line
from bots.discord.gifts import GiftButton
from bots.discord.hearing import guarded
from bots.discord.linking import JoinButton, PartButton
from bots.discord.messages import Messages
from bots.discord.painter import DiscordPainter
from bots.discord.permissions import INVITED, lacking
from bots.discord.personal import ForgetButton
from bots.discord.ranks import rank_in
from bots.discord.remedies import (
    NO_CONNECTION,
    NO_INTENT,
    NO_TOKEN,
    OWN_GATEWAY,
    ROLE,
    invitation,
    servers,
    unreachable,
)
from bots.discord.reviewing import ReviewButton
from bots.discord.sync import keep_in_step
from bots.discord.till import Till
from bots.discord.words import Words
from bots.standing import Standing
from core.errors import Transient
from core.job import Identity, Job, new_id
from core.moderation import Rank

log = logging.getLogger("kinora.discord")

_REASONS = {reasons.APPEAL: appealing.appeal, reasons.DENY: reviewing.deny}

LONGEST_PAUSE_SECONDS = 300.0
CLOSE_SECONDS = 10.0
DRAIN_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 60.0
"""For a rate limit; beyond that the library gives up, and we try later."""


class Client(discord.AutoShardedClient):
    """One connection to Discord, on as many shards as it asks for."""

    def __init__(self, desk: DiscordDesk, began: datetime, standing: Standing) -> None:
        """began: when this program did; what was asked before is nobody's. standing: is kept."""
        super().__init__(
            intents=discord.Intents(guilds=True),
            max_ratelimit_timeout=LONGEST_WAIT_SECONDS,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        messages = Messages(self, desk.clock)
        painter = DiscordPainter(desk, messages)
        cards = Cards(desk.studio, desk.lobby, desk.bulletin, painter, time.monotonic)
        self.room = Room(
            desk=desk,
            client=self,
            messages=messages,
            cards=cards,
            delivery=Delivery(desk, messages, painter, cards),
            cdn=Cdn(desk.settings.cdn_url),
        )
        self.tree = command_tree(self)
        register(self.tree, self.room)
        self.add_dynamic_items(
            *(JobButton, PingButton, ConfirmButton, StopButton, GiftButton, JoinButton, PartButton),
            *(ReviewButton, ConsentButton, ForgetButton),
        )
        self.till = Till(desk, self, messages)
        self.under_way: set[asyncio.Task[object]] = set()
        self._began = began
        self._standing = standing
        self._loops: list[asyncio.Task[None]] = []

    async def setup_hook(self) -> None:
        """After the login: what needs no gateway begins."""
        await self.tree.set_translator(Words())
        room = self.room
        loops = (
            partial(keep_in_step, self.tree),
            room.cards.run,
            self.till.run,
            partial(make_amends, room.desk.lobby, room.messages, self._began),
            partial(consenting.catch_up, room.desk, room.messages, self._began),
        )
        self._loops = [asyncio.create_task(_logged(loop)) for loop in loops]

    async def launch_shards(self) -> None:
        """On the operator's gateway, whichever one Discord names."""
        with understood(NAME, self.room.desk.settings.api_url):
            self.shard_count, _, _ = await self.http.get_bot_gateway()
        await super().launch_shards()

    async def on_shard_connect(self, shard_id: int) -> None:
        """The operator's own gateway is also where a session is resumed, whatever READY said."""
        if self.room.desk.settings.gateway_url != GATEWAY:
            own = discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
            self._get_websocket(shard_id=shard_id).gateway = own

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Forms; commands and buttons are heard by the library."""
        form = forms.sent(interaction)
        if form is not None:
            await guarded(interaction, lambda: forms.submit_form(self.room, interaction, form))
        reason = reasons.given(interaction)
        if reason is not None:
            heard = _REASONS[reason.what]
            await guarded(interaction, lambda: heard(self.room, interaction, reason))

    async def on_entitlement_create(self, entitlement: discord.Entitlement) -> None:
        self.till.hear(entitlement)

    async def on_entitlement_update(self, entitlement: discord.Entitlement) -> None:
        self.till.hear(entitlement)

    async def on_entitlement_delete(self, entitlement: discord.Entitlement) -> None:
        self.till.hear(entitlement, deleted=True)

    async def on_subscription_create(self, subscription: discord.Subscription) -> None:
        self.till.hear_of(subscription)

    async def on_subscription_update(self, subscription: discord.Subscription) -> None:
        self.till.hear_of(subscription)

    async def on_subscription_delete(self, subscription: discord.Subscription) -> None:
        self.till.hear_of(subscription)

    async def on_ready(self) -> None:
        log.info("on Discord as %s, on %s", self.user, servers(len(self.guilds)))
        self._stand()

    async def on_shard_resumed(self, shard_id: int) -> None:
        self._stand()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        self._standing.down("the connection is gone; trying again")

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self._look_at(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self._look_at(guild)

    def _stand(self) -> None:
        if not any(shard.is_closed() for shard in self.shards.values()):
            self._standing.up(f"{self.user} on {servers(len(self.guilds))}")

    def _look_at(self, guild: discord.Guild) -> None:
        """Tell the operator what the bot may not do on a server."""
        missing = lacking(guild.me.guild_permissions)
        if not missing:
            return
        invite = invitation(self.application_id or 0, INVITED.value)
        remedy = ROLE.format(invite=invite)
        log.warning("on %s the bot may not %s. %s", guild.name, ", ".join(missing), remedy)

    async def close(self) -> None:
        loops, self._loops = self._loops, []
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await super().close()


class Bot:
    """Run it as one task; `carry` is its carrier. Where Discord can't be reached it tries again."""

    def __init__(self, desk: DiscordDesk) -> None:
        self._desk = desk
        self._began = desk.clock()
        self._client: Client | None = None
        self._stopping = False
        self.standing = Standing()

    @property
    def client(self) -> Client | None:
        """The client of now; None while there is none."""
        return self._client

    async def carry(self, job: Job) -> None:
        """`core.delivery.Carry`."""
        client = self._client
        if client is None or client.application_id is None or client.is_closed():
            raise Transient("not on Discord now", SOON_SECONDS)
        await client.room.delivery(job)

    def servers(self) -> tuple[str, Mapping[int, str]]:
        """`bots.discord.oauth.Servers`."""
        client = self._client
        if client is None or client.application_id is None:
            raise Transient("not on Discord now", SOON_SECONDS)
        return str(client.application_id), {guild.id: guild.name for guild in client.guilds}

    async def rank(self, server: str, identity: Identity) -> Rank:
        """`core.leaders.RankOn`. Those lead who may manage the server."""
        client = self._client
        guild = client.get_guild(int(server.partition(":")[2])) if client else None
        if guild is not None:
            return await rank_in(guild, identity)
        if client is None or not client.is_ready():
            raise Transient("not on Discord now", SOON_SECONDS)
        return Rank.MEMBER

    async def tell(self, subject: str, words: str) -> None:
        """Say something to somebody in their direct messages. Raises Unreachable, Transient or
        TimeoutError."""
        client = self._client
        if client is None or client.is_closed():
            raise Transient("not on Discord now", SOON_SECONDS)
        messages = client.room.messages
        channel = await messages.direct(int(subject))
        await messages.send(channel, note_view(plain(words), ACCENT), (), new_id())

    async def run(self) -> None:
        """Work until cancelled, or until the operator has to do something, which the log says."""
        point_to(self._desk.settings)
        pause = SOON_SECONDS
        while not self._stopping:
            began = time.monotonic()
            try:
                await self._connected()
                return
            except discord.LoginFailure:
                log.error(NO_TOKEN)
                self.standing.down("the token is refused")
                return
            except discord.PrivilegedIntentsRequired:
                log.error(NO_INTENT)
                self.standing.down("the gateway intents are refused")
                return
            except (
                discord.HTTPException,
                discord.GatewayNotFound,
                discord.ConnectionClosed,
                aiohttp.ClientError,
                OSError,
                Transient,
            ) as error:
                pause = SOON_SECONDS if time.monotonic() - began > pause * 2 else pause
                self._say_unreached(error, pause)
            except Exception:
                log.exception("the bot broke; again in %.0f s", pause)
                self.standing.down("it broke, as the log says")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def drain(self) -> None:
        """Take nothing more from people. What is being brought to them goes on."""
        self._stopping = True
        client = self._client
        if client is not None:
            for number in tuple(client.shards):
                with suppress(Exception):
                    await client.shards[number].disconnect()
            if client.under_way:
                await asyncio.wait(client.under_way, timeout=DRAIN_SECONDS)

    def _say_unreached(self, error: Exception, pause: float) -> None:
        why = reason(error)
        self.standing.down(f"Discord can't be reached ({why})")
        remedy = unreachable(self._desk.settings, error)
        log.warning(
            "Discord can't be reached (%s); again in %.0f s. %s",
            why,
            pause,
            remedy,
            exc_info=error if log.isEnabledFor(logging.DEBUG) else None,
        )

    async def _connected(self) -> None:
        settings = self._desk.settings
        client = Client(self._desk, self._began, self.standing)
        self._client = client
        remedy = NO_CONNECTION if settings.gateway_url == GATEWAY else OWN_GATEWAY
        try:
            with understood(NAME, settings.api_url):
                await client.login(settings.token)
            with in_a_line(remedy, self.standing.down):
                await client.connect()
        finally:
            self._client = None
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()


async def _logged(loop: Callable[[], Awaitable[None]]) -> None:
    """Where a part of the bot breaks, the log says so at once: the rest goes on."""
    try:
        await loop()
    except Exception:
        log.exception("a part of the bot broke: start Kinora again")


def point_to(settings: Discord) -> None:
    """Lead the library to the operator's addresses, and keep it from missing the parts for voice,
    which isn't used. Both are the whole process's."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    discord.http.Route.BASE = settings.api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    discord.Asset.BASE = settings.cdn_url
