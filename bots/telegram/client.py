"""The client: told of everything, and brought down without losing anything.

python-telegram-bot, unmodified. Updates are asked for, or come by a webhook (webhook.py); either
way they are written down before Telegram hears that we have them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, ExtBot

from bots.answers import SOON_SECONDS, reason
from bots.cards import Cards
from bots.standing import Standing
from bots.telegram import buttons, inline, intake, leaving, moving, ranks, reception, shop
from bots.telegram.albums import Albums
from bots.telegram.asking import Room
from bots.telegram.card_view import Shown
from bots.telegram.delivery import Delivery
from bots.telegram.desk import TelegramDesk
from bots.telegram.files import Files
from bots.telegram.inbox import Handling, Heard, Listening, told
from bots.telegram.inline_clips import InlineClips
from bots.telegram.limiter import Limiter, Turn
from bots.telegram.line import Line
from bots.telegram.markup import plain
from bots.telegram.menu import keep_in_step
from bots.telegram.messages import Messages
from bots.telegram.painter import TelegramPainter
from bots.telegram.places import Spot
from bots.telegram.remedies import NO_TOKEN, SECOND, unreachable
from bots.telegram.signs import Signs
from bots.telegram.started import Started
from bots.telegram.till import Till
from core.errors import Transient
from core.inbox import Inbox
from core.job import Identity, Job
from core.moderation import Rank

log = logging.getLogger("kinora.telegram")

App = Application[Any, Any, Any, Any, Any, Any]

UPDATES = (
    "message", "callback_query", "inline_query", "chosen_inline_result", "my_chat_member",
    "pre_checkout_query",
)  # fmt: skip
POLL = timedelta(seconds=30)
"""How long Telegram holds a question for updates."""

LONGEST_PAUSE_SECONDS = 300.0
DRAIN_SECONDS = 10.0
SAID_AGAIN_SECONDS = 300.0
"""Between two log lines about what goes on being wrong."""

_NO_SUCH_TOKEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


class Asking(Line):
    """Asks for updates. refused: set once Telegram refuses the token, asked twice: then the library
    asks no more, and tells nobody. answered: called when it answers as it should."""

    def __init__(self, refused: asyncio.Event, answered: Callable[[], None]) -> None:
        super().__init__(connect=10, read=10, pool=5)
        self._refused = refused
        self._answered = answered

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*args, **kwargs)
        if status in _NO_SUCH_TOKEN:
            if not await self._disowned(kwargs["url"]):
                return HTTPStatus.BAD_GATEWAY, body
            self._refused.set()
        elif status == HTTPStatus.OK:
            self._answered()
        return status, body

    async def _disowned(self, url: str) -> bool:
        """Whether it refuses us still: a proxy that is set up anew may answer so for a moment."""
        me = url.removesuffix("getUpdates") + "getMe"
        status, _ = await super().do_request(me, "POST")
        return status in _NO_SUCH_TOKEN


class Speaking(Line):
    """All the rest. refused: as in `Asking`, for those who are told by a webhook."""

    def __init__(self, refused: asyncio.Event) -> None:
        super().__init__(32, connect=10, read=30, write=30, upload=120, pool=5)
        self._refused = refused

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*args, **kwargs)
        if status == HTTPStatus.UNAUTHORIZED:
            self._refused.set()
        return status, body


def application(desk: TelegramDesk, heard: Heard, speaking: Speaking, asking: Asking) -> App:
    """The library's parts, with our limiter, our queue, and patience for uploads."""
    settings = desk.settings
    bot = Listening(
        heard,
        token=settings.token,
        base_url=f"{settings.api_url}/bot",
        base_file_url=f"{settings.file_url}/bot",
        local_mode=settings.local,
        rate_limiter=Limiter(),
        request=speaking,
        get_updates_request=asking,
    )
    builder: ApplicationBuilder[Any, Any, Any, Any, Any, Any] = ApplicationBuilder()
    return (
        builder.bot(bot)
        .update_queue(heard)
        .concurrent_updates(Handling(heard))
        .job_queue(None)
        .build()
    )


def room_of(desk: TelegramDesk, app: App, heard: Heard) -> Room:
    """The parts of the room, put together."""
    bot: ExtBot[Turn] = app.bot
    messages = Messages(bot)
    painter = TelegramPainter(desk, messages)
    cards = Cards(desk.studio, desk.lobby, desk.bulletin, painter, time.monotonic)
    return Room(
        desk=desk,
        bot=bot,
        heard=heard,
        messages=messages,
        painter=painter,
        cards=cards,
        delivery=Delivery(desk, messages, painter, cards, InlineClips(desk, messages, painter)),
        files=Files(bot),
        albums=Albums(),
        till=Till(desk, bot, messages),
        started=Started(messages),
        soon=app.create_task,
    )


class Bot:
    """Run it as one task; `carry` is its carrier. It tries again where Telegram is out of reach."""

    def __init__(self, desk: TelegramDesk, inbox: Inbox) -> None:
        self._desk = desk
        self._inbox = inbox
        self._app: App | None = None
        self._room: Room | None = None
        self._stopping = False
        self._complained = -SAID_AGAIN_SECONDS
        self._words = ""
        self.standing = Standing()

    async def carry(self, job: Job) -> None:
        """`core.delivery.Carry`."""
        if self._room is None:
            raise Transient("not on Telegram now", SOON_SECONDS)
        await self._room.delivery(job)

    async def tell(self, subject: str, words: str) -> None:
        """Say something to somebody in their own chat. Raises Unreachable, Transient or
        TimeoutError."""
        if self._room is None:
            raise Transient("not on Telegram now", SOON_SECONDS)
        await self._room.messages.send(Spot(int(subject)), Shown(plain(words), None))

    async def rank(self, server: str, identity: Identity) -> Rank:
        """`core.leaders.RankOn`. Those lead who are its administrators."""
        if self._room is None:
            raise Transient("not on Telegram now", SOON_SECONDS)
        chat = int(server.partition(":")[2])
        return await ranks.in_chat(self._room, chat, int(identity.subject))

    async def receive(self, body: dict[str, Any]) -> None:
        """An update that Telegram brought. Raises Transient where it can't be written down now:
        then it must not be confirmed."""
        app = self._app
        if app is None or self._stopping:
            raise Transient("not on Telegram now", SOON_SECONDS)
        update = told(body, app.bot)
        if update is None:
            return
        try:
            await app.update_queue.put(update)
        except TelegramError as error:
            raise Transient("it could not be written down", SOON_SECONDS) from error

    async def run(self) -> None:
        """Work until cancelled, or until the operator has to do something, which the log says."""
        pause = SOON_SECONDS
        while not self._stopping:
            began = time.monotonic()
            try:
                async with self._connected() as over:
                    await over()
            except InvalidToken:
                log.error(NO_TOKEN)
                self.standing.down("the token is refused")
                return
            except (TelegramError, OSError) as error:
                pause = SOON_SECONDS if time.monotonic() - began > pause * 2 else pause
                why, remedy = reason(error), unreachable(self._desk.settings, error)
                log.warning("Telegram can't be reached (%s); again in %.0f s. %s",
                            why, pause, remedy)  # fmt: skip
                self.standing.down(f"Telegram can't be reached ({why})")
            except Exception:
                log.exception("the bot broke; again in %.0f s", pause)
                self.standing.down("it broke, as the log says")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def drain(self) -> None:
        """Take nothing more from people, and answer whom was heard. What is being brought to them
        goes on."""
        self._stopping = True
        if self._app is not None:
            await _stop(self._app)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """What waits for the end: it raises what broke, or InvalidToken once that is refused.
        Raises TelegramError where Telegram does not answer at first."""
        heard, refused = Heard(self._inbox, self._desk.clock), asyncio.Event()
        asking = Asking(refused, self._stand)
        app = application(self._desk, heard, Speaking(refused), asking)
        async with _hung_up(app), app:
            room = room_of(self._desk, app, heard)
            selling = bool(self._desk.purchases.wares.for_stars())
            for hearers in (
                leaving,
                moving,
                reception,
                shop,
                inline,
                buttons,
                intake,
            ):  # the last hears all the rest
                hearers.register(app.add_handler, room)
            self._room = room
            signs = Signs(room)
            heard.first = lambda update: app.create_task(signs.show(update))
            keeping = [
                asyncio.create_task(room.cards.run()),
                asyncio.create_task(keep_in_step(room.bot, selling=selling)),
                asyncio.create_task(room.till.run()),
                asyncio.create_task(_refusal(refused)),
            ]

            async def over() -> None:
                done, _ = await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()

            try:
                await app.start()
                await heard.resume(app.bot)
                self._app = app  # what is brought before that would be resumed, too
                await self._listen(app)
                log.info("on Telegram as @%s", app.bot.username)
                how = "polling" if self._desk.settings.webhook_url is None else "by webhook"
                self._words = f"@{app.bot.username}, {how}"
                self._stand()
                yield over
            finally:
                self._app = self._room = None
                for task in keeping:
                    task.cancel()
                await asyncio.wait(keeping)
                await _stop(app)
                await app.update_processor.shutdown()  # while there are connections yet

    async def _listen(self, app: App) -> None:
        settings = self._desk.settings
        if settings.webhook_url is not None:
            await app.bot.set_webhook(
                settings.webhook_url,
                secret_token=settings.webhook_secret,
                allowed_updates=UPDATES,
            )
            return
        assert app.updater is not None, "the builder makes one"
        await app.updater.start_polling(
            timeout=POLL, allowed_updates=UPDATES, error_callback=self._complain
        )

    def _stand(self) -> None:
        if self._app is not None and self._words:
            self.standing.up(self._words)

    def _complain(self, error: TelegramError) -> None:
        """The library asks again by itself; it is enough to say so now and then."""
        second = isinstance(error, Conflict)
        self.standing.down("another program polls with its token" if second else reason(error))
        if time.monotonic() - self._complained < SAID_AGAIN_SECONDS:
            return
        self._complained = time.monotonic()
        if second:
            log.error(SECOND)
        else:
            log.warning("Telegram can't be asked for updates (%s); trying again", error)


async def _refusal(refused: asyncio.Event) -> None:
    """Raises InvalidToken."""
    await refused.wait()
    raise InvalidToken


async def _stop(app: App) -> None:
    """Take nothing more, and handle what was heard, as far as `DRAIN_SECONDS` go."""
    ends_at = asyncio.get_running_loop().time() + DRAIN_SECONDS
    for part in (app.updater, app):
        if part is not None and part.running:
            with suppress(TimeoutError, TelegramError):
                async with asyncio.timeout_at(ends_at):
                    await part.stop()


@asynccontextmanager
async def _hung_up(app: App) -> AsyncIterator[None]:
    """The library leaves its connections open where Telegram refuses its first word."""
    try:
        yield
    finally:
        await app.bot.shutdown()
