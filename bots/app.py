"""The composition root: settings in, everything wired. The one file that imports all four rooms.

Settings ─> storage ─┐
            engine  ─┼─> Dispatch ─> Studio ─> web, command line, Discord, Telegram
            decode  ─┘        └─> outbox ─> Courier ─> the chats
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Protocol, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import CollectorRegistry

from bots import doctor
from bots.check import seen_at
from bots.desk import Desk, Entrance
from bots.discord import Bot as DiscordBot
from bots.discord import Discord
from bots.discord.doctor import examine as examine_discord
from bots.discord.oauth import OAuth
from bots.gates import whole_rulebook
from bots.lock import Busy, holding, is_running
from bots.offices import (
    gate_of,
    inspection_of,
    lobby_of,
    moderators_of,
    privacy_of,
    reviews_of,
)
from bots.pulse import Pulse
from bots.sealing import Seals, seals_of
from bots.settings import Settings, shown
from bots.standing import ChatBot
from bots.telegram import Bot as TelegramBot
from bots.telegram import Telegram
from bots.telegram.doctor import examine as examine_telegram
from bots.telegram.login import proven
from bots.telegram.webhook import hook, path_of
from bots.terms import notice_of, purchases_of, tariff_of, terms_of, wares_of, web_of
from bots.web import application
from bots.web.console.desk import TELEGRAM_LOGIN, Console, Setting
from core.bulk import Bulk
from core.bulletin import Bulletin
from core.catalog import Model, named
from core.checking import Checking
from core.delivery import Carry, Courier
from core.dispatch import Dispatch
from core.engine import Engine
from core.eta import REMEMBERED, Estimator
from core.gifts import Gifts, Limits
from core.job import Account, Identity, Job
from core.leaders import Leadership
from core.links import Links
from core.lobby import Lobby
from core.moderators import Moderators
from core.ports import Clock
from core.pricing import Bases
from core.privacy import Privacy
from core.reminders import Reminders
from core.reviews import Reviews
from core.roles import Roles
from core.safety.gate import Inspector
from core.studio import Studio
from core.vouchers import Vouchers
from model import families, picture, shrink
from model.engines.local import LocalEngine
from model.inspect.inspector import LocalInspector
from storage.database import at_head
from storage.store import Store, open_store, utc_now

log = logging.getLogger("kinora")

S = TypeVar("S")

CATALOGUE = families.MODELS
LINK_LIFETIME = timedelta(hours=24)
CONSOLE_LINK_LIFETIME = timedelta(minutes=10)
"""Of those that are sent in chats."""

SWEEP_SECONDS = 300


class RunningEngine(Engine, Protocol):
    """An engine whose runner may be looked after."""

    @property
    def alive(self) -> bool: ...


Opening = AbstractAsyncContextManager[RunningEngine]
Looking = AbstractAsyncContextManager[Inspector]


@dataclass(frozen=True, slots=True)
class House:
    """Everything, wired and running."""

    settings: Settings
    store: Store
    engine: RunningEngine
    studio: Studio
    bots: Mapping[str, ChatBot]
    application: web.Application


@asynccontextmanager
async def store_of(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Store]:
    """The store alone, its migrations at head."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    folder = settings.data_dir.absolute()
    async with open_store(settings.url, folder, settings.clips.keep, clock) as store:
        yield store


@asynccontextmanager
async def house(
    settings: Settings,
    *,
    engine: Opening | None = None,
    inspector: Looking | None = None,
    catalogue: Sequence[Model] = CATALOGUE,
    clock: Clock = utc_now,
) -> AsyncIterator[House]:
    """Wire everything and run it until the block is left, which then drains.

    engine, catalogue: in place of the local engine with every family. inspector: of what looks by
    models, in processes of its own. clock: of the real one.
    Raises BadPrompt for a model that there is not, BadFile for rules that can't be read, Busy where
    another Kinora has the data or the database, ExceptionGroup where a loop broke.
    """
    for name in filter(None, (settings.model, *settings.credits.bases)):
        named(catalogue, name)
    rulebook = await asyncio.to_thread(whole_rulebook, settings)
    with holding(settings.data_dir):
        async with (
            store_of(settings, clock) as store,
            _only_dispatcher(store),
            engine or LocalEngine(threads=settings.threads, warm=settings.model) as runner_engine,
            inspector or LocalInspector() as inspecting,
            seals_of(settings, store, catalogue, terms_of(settings).plans, clock) as seals,
        ):
            gate = gate_of(settings, store, rulebook, inspecting)
            terms = terms_of(settings)
            bulletin = Bulletin()
            estimator = Estimator(catalogue, await store.jobs.measured(REMEMBERED * len(catalogue)))
            dispatch = Dispatch(
                store.accounts,
                store.jobs,
                store.files,
                runner_engine,
                bulletin,
                estimator,
                clock,
                terms.plans,
                store.moderation,
                Checking(gate),
                seals.sealing,
            )
            bases = Bases(catalogue, tariff_of(settings), terms.zone)
            await bases.renew(store.jobs, clock())
            lobby = lobby_of(settings, store, clock)
            await lobby.load()
            studio = Studio(
                store.accounts,
                store.jobs,
                store.files,
                store.moderation,
                seals.verifier.marking(picture.decode),
                dispatch,
                estimator,
                catalogue,
                terms,
                clock,
                inspection_of(settings, store, gate, lobby, clock),
                lobby.rules,
                bases,
                store.usage.refused,
                replay=seals.replay,
            )

            async def show(job: Job) -> None:
                """A web card is drawn from the store: telling its watchers delivers it."""
                bulletin.publish(job.id, job.account_id)

            moderators = moderators_of(settings, store, clock, studio)
            bulk = Bulk(moderators, store.moderation)

            async def tell(identity: Identity, words: str) -> None:
                if identity.platform in chats:
                    await chats[identity.platform].tell(identity.subject, words)

            links = Links(store.accounts, store.credentials, store.moderation, clock, tell)
            privacy = privacy_of(settings, store, clock, studio)
            reviews = reviews_of(settings, store, clock, studio)
            vouchers = Vouchers(store.vouchers, store.moderation, clock)
            chats, hooks = _bots(
                settings,
                store,
                studio,
                lobby,
                moderators,
                bulk,
                links,
                vouchers,
                privacy,
                reviews,
                seals,
                bulletin,
                clock,
            )
            carriers: dict[str, Carry] = {"web": show}
            carriers |= {platform: bot.carry for platform, bot in chats.items()}
            courier = Courier(store.jobs, store.outbox, carriers, clock)
            registry = CollectorRegistry()
            site = application(
                studio=studio,
                credentials=store.credentials,
                links=links,
                vouchers=vouchers,
                privacy=privacy,
                reviews=reviews,
                notice=notice_of(settings),
                bulletin=bulletin,
                pictures=store.files.picture,
                settings=web_of(settings),
                ready=_readiness(store, runner_engine),
                bots=lambda: {name: bot.standing.connected for name, bot in chats.items()},
                clock=clock,
                console=_console(settings, store, moderators, reviews, chats, clock),
                registry=registry,
                hooks=hooks,
                verify=seals.verifier.verify,
            )
            loops = [
                rulebook.watch(),
                dispatch.run(),
                courier.run(),
                bulk.run(),
                Pulse(registry).run(),
            ]
            loops += [bot.run() for bot in chats.values()]
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(loop) for loop in loops]
                scheduler = AsyncIOScheduler(timezone=UTC)
                sweeps = (
                    studio.sweep,
                    lobby.sweep,
                    lambda: store.inbox.sweep(clock()),
                    lambda: store.accounts.sweep(clock()),
                    lambda: bases.renew(store.jobs, clock()),
                    privacy.sweep,
                    reviews.sweep,
                    Reminders(reviews, settings.operator_identities, tell, clock).sweep,
                )
                for sweep in sweeps:
                    scheduler.add_job(
                        _logged(sweep),
                        IntervalTrigger(seconds=SWEEP_SECONDS, timezone=UTC),
                        coalesce=True,
                        max_instances=1,
                        misfire_grace_time=SWEEP_SECONDS,
                    )
                scheduler.start()
                try:
                    yield House(settings, store, runner_engine, studio, chats, site)
                finally:
                    scheduler.shutdown(wait=False)
                    await asyncio.gather(*(bot.drain() for bot in chats.values()))
                    await courier.drain()
                    for task in running:
                        task.cancel()


async def examine(settings: Settings) -> list[doctor.Finding]:
    """What is configured, what is missing, what to do about it. Changes nothing."""
    findings = await doctor.examine(settings, CATALOGUE, at_head)
    findings.append(await _sight())
    findings += await examine_discord(discord_of(settings), wares_of(settings))
    alone = not is_running(settings)
    return [
        *findings,
        *await examine_telegram(_telegram_of(settings), wares_of(settings), alone=alone),
    ]


async def _sight() -> doctor.Finding:
    """Whether the gates can look."""
    async with LocalInspector() as inspector:
        faults = await inspector.faults()
    if not faults:
        return doctor.Finding("ok", "Sight", "words, pictures and clips can be looked at")
    return doctor.Finding(
        "bad", "Sight", f"{' and '.join(faults)} can't be looked at, so everything is refused",
        "install again with `make clean install`; two gigabytes of memory should be free",
    )  # fmt: skip


async def new_link(store: Store, address: str, identity: Identity, name: str) -> str:
    """A link that signs somebody in to the page, once."""
    return await link_for(store, address, await store.accounts.account(identity, name))


async def link_for(
    store: Store, address: str, account: Account, lasts: timedelta = LINK_LIFETIME
) -> str:
    """As `new_link`, for an account that there is."""
    code = secrets.token_urlsafe(24)
    await store.credentials.add("link", code, account.id, account.name, utc_now() + lasts)
    return f"{address}/open/{code}"


async def link_to_console(
    store: Store, address: str, account: Account, lasts: timedelta = LINK_LIFETIME
) -> str:
    """As `link_for`; it leads on to the console."""
    return f"{await link_for(store, address, account, lasts)}?to=console"


async def new_key(store: Store, identity: Identity, name: str) -> tuple[Account, str]:
    """An API key for an account; it can't be shown again."""
    account = await store.accounts.account(identity, name)
    key = f"kn_{secrets.token_urlsafe(32)}"
    await store.credentials.add("key", key, account.id, name, None)
    return account, key


def discord_of(settings: Settings) -> Discord | None:
    said = settings.discord
    if said.token is None:
        return None
    return Discord(said.token.get_secret_value(), said.api_url, said.gateway_url, said.cdn_url)


def _telegram_of(settings: Settings) -> Telegram | None:
    said = settings.telegram
    if said.token is None:
        return None
    secret = said.webhook_secret
    return Telegram(
        said.token.get_secret_value(),
        said.api_url,
        said.file_url or f"{said.api_url}/file",
        local=said.local_mode,
        webhook_url=said.webhook_url if said.by_webhook else None,
        webhook_secret=secret.get_secret_value() if secret else None,
        store_chat=said.store_chat,
    )


def _bots(
    settings: Settings,
    store: Store,
    studio: Studio,
    lobby: Lobby,
    moderators: Moderators,
    bulk: Bulk,
    links: Links,
    vouchers: Vouchers,
    privacy: Privacy,
    reviews: Reviews,
    seals: Seals,
    bulletin: Bulletin,
    clock: Clock,
) -> tuple[Mapping[str, ChatBot], Mapping[str, Handler]]:
    """The bots that have a token, by platform; and what hears their platforms, by path."""

    async def page_link(account: Account) -> str:
        return await link_for(store, settings.web.address, account)

    gifts = Gifts(
        store.gifts,
        store.accounts,
        store.moderation,
        Limits(settings.gifts.sent, settings.gifts.received),
        studio.terms.zone,
        clock,
    )

    async def console_link(account: Account) -> str:
        return await link_to_console(store, settings.web.address, account, CONSOLE_LINK_LIFETIME)

    entrance = None
    if settings.web.public_url:
        login = f"{settings.web.address}{TELEGRAM_LOGIN}"
        secure = login.startswith("https:")
        entrance = Entrance(store.leaders, console_link, login if secure else None)

    def desk_for(at: S) -> Desk[S]:
        return Desk(
            studio=studio,
            lobby=lobby,
            moderators=moderators,
            purchases=purchases_of(settings, store.payments, clock),
            vouchers=vouchers,
            gifts=gifts,
            links=links,
            bulk=bulk,
            roles=Roles(store.accounts, store.moderation, clock),
            privacy=privacy,
            reviews=reviews,
            notice=notice_of(settings),
            bulletin=bulletin,
            pictures=store.files.picture,
            shrink=seals.notary.shrunk(shrink.shrink),
            clock=clock,
            settings=at,
            page_link=page_link if settings.web.public_url else None,
            entrance=entrance,
            verify=seals.verifier.verify,
        )

    bots: dict[str, ChatBot] = {}
    if (discord := discord_of(settings)) is not None:
        bots["discord"] = DiscordBot(desk_for(discord))
    hooks: dict[str, Handler] = {}
    if (telegram := _telegram_of(settings)) is not None:
        bots["telegram"] = bot = TelegramBot(desk_for(telegram), store.inbox)
        if telegram.webhook_url is not None and telegram.webhook_secret is not None:
            hooks[path_of(telegram.webhook_url)] = hook(telegram.webhook_secret, bot.receive)
    return bots, hooks


def _console(
    settings: Settings,
    store: Store,
    moderators: Moderators,
    reviews: Reviews,
    chats: Mapping[str, ChatBot],
    clock: Clock,
) -> Console:
    ranks = {platform: bot.rank for platform, bot in chats.items()}
    discord, telegram = chats.get("discord"), settings.telegram.token
    secret = settings.discord.client_secret
    by_discord = None
    if isinstance(discord, DiscordBot) and secret is not None and settings.web.public_url:
        by_discord = OAuth(settings.discord.api_url, secret.get_secret_value(), discord.servers)
    return Console(
        moderators=moderators,
        reviews=reviews,
        leadership=Leadership(store.leaders, moderators, ranks),
        records=store.records,
        unfinished=store.jobs.unfinished,
        vouchers=store.vouchers,
        purchases=purchases_of(settings, store.payments, clock),
        usage=store.usage,
        blocked=store.blocked,
        seen=seen_at,
        settings=[Setting(name, value) for name, value in shown(settings)],
        address=settings.web.address,
        label=settings.provenance.label,
        by_discord=by_discord,
        by_telegram=partial(proven, telegram.get_secret_value()) if telegram else None,
    )


def _readiness(store: Store, engine: RunningEngine) -> Callable[[], Awaitable[Mapping[str, bool]]]:
    async def ready() -> Mapping[str, bool]:
        return {"database": await store.ready(), "runner": engine.alive}

    return ready


def _logged(sweep: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def swept() -> None:
        try:
            await sweep()
        except Exception:
            log.exception("the sweep failed; it comes again")

    return swept


@asynccontextmanager
async def _only_dispatcher(store: Store) -> AsyncIterator[None]:
    """Two dispatchers would each think that the other's jobs were left over."""
    async with store.database.alone() as alone:
        if not alone:
            raise Busy("Another Kinora is working on this database.")
        yield
