"""The stand-in for Discord: REST, gateway and CDN on ports of their own, on the loopback.

async with standin() as discord:
    alice = discord.scene.user("alice")
    room = discord.scene.channel(discord.scene.guild("Cinema", alice), "general")
    ...  # start the bot with discord.api_url, discord.gateway_url, discord.cdn_url, discord.token
    await discord.gateway.ready()
    asked = alice.slash("create", room, prompt="a red ball")
    message = await asked.message()
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from tests.discord import rest, schema
from tests.discord.cdn import Cdn
from tests.discord.consent import Consent
from tests.discord.door import PREFIX
from tests.discord.faults import Faults
from tests.discord.gateway import Gateway
from tests.discord.limits import Limits
from tests.discord.scene import Scene
from tests.discord.shop import Shop
from tests.discord.world import Channel, Message, User, World
from tests.standin.clock import Clock

TOKEN = "the-stand-ins.own.token"


@dataclass(frozen=True, slots=True, repr=False)
class Standin:
    """A running stand-in. world: what is so; scene, shop, consent: to change it; gateway, limits,
    faults: its doors; judged: whether Discord's description was there to judge by."""

    api_url: str
    gateway_url: str
    cdn_url: str
    token: str
    world: World
    scene: Scene
    shop: Shop
    consent: Consent
    gateway: Gateway
    limits: Limits
    faults: Faults
    clock: Clock
    judged: bool

    @property
    def violations(self) -> list[str]:
        """What the bot sent and Discord's rules forbid; and what the stand-in itself got wrong."""
        return self.world.violations

    def messages(self, channel: Channel) -> list[Message]:
        """What stands in a channel now, oldest first, ephemeral ones too."""
        here = [m for m in self.world.messages.values() if m.channel_id == channel.id]
        return sorted(here, key=lambda m: m.id)

    def newest(self, message: Message) -> Message:
        """A message as it is now.

        Raises:
            KeyError: it was deleted.
        """
        return self.world.messages[message.id]

    def edits(self, message: Message) -> list[float]:
        """When a message was edited."""
        return [
            v.at for v in self.world.history if v.message.id == message.id and v.what == "edited"
        ]

    def latencies(self) -> list[float]:
        """Seconds from sending to acknowledgement, of all interactions that were acknowledged."""
        found = [i.latency for i in self.world.interactions.values()]
        return [seconds for seconds in found if seconds is not None]

    def unacknowledged(self) -> int:
        """How many interactions the app left unanswered so far."""
        return sum(i.acknowledged is None for i in self.world.interactions.values())


@asynccontextmanager
async def standin(
    token: str = TOKEN, app_name: str = "Kinora", *, judged: bool = True
) -> AsyncIterator[Standin]:
    """Run a Discord of one's own, in this event loop. judged: by Discord's description as well,
    where that is at hand."""
    clock = Clock()
    faults = Faults()
    cdn = Cdn(clock, faults)
    world = World(clock, cdn, User(0, app_name, bot=True), token)
    world.app = User(world.new_id(), app_name, bot=True)
    world.users[world.app.id] = world.app
    gateway, limits, shop = Gateway(world), Limits(clock), Shop(world)
    consent = Consent()
    path = schema.description()
    judge = schema.judge(path) if path and judged else None
    async with AsyncExitStack() as stack:
        api = await _serve(
            stack, rest.application(world, gateway, limits, faults, shop, consent, judge)
        )
        gateway.url = f"ws://{await _serve(stack, gateway.application())}/"
        cdn.url = f"http://{await _serve(stack, cdn.application())}"
        yield Standin(
            api_url=f"http://{api}{PREFIX}",
            gateway_url=gateway.url,
            cdn_url=cdn.url,
            token=token,
            world=world,
            scene=Scene(world),
            shop=shop,
            consent=consent,
            gateway=gateway,
            limits=limits,
            faults=faults,
            clock=clock,
            judged=judge is not None,
        )


async def _serve(stack: AsyncExitStack, application: web.Application) -> str:
    """Serve on a free port of the loopback; host and port."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"
