"""How the bot is told: by long polling, or by a webhook.

Updates wait until a higher offset, or the webhook's 200, confirms them; so one may come twice.
https://core.telegram.org/bots/api#getting-updates"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.telegram.form import Form
from tests.telegram.refusals import Refused
from tests.telegram.world import Update, World

Json = dict[str, Any]

MOST_UPDATES = 100
NOT_BY_DEFAULT = ("chat_member", "message_reaction", "message_reaction_count")
PORTS = (443, 80, 88, 8443)
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, repr=False)
class Webhook:
    url: str
    secret: str = ""
    connections: int = 40


@dataclass
class Updates:
    """judge: told of every update before it is kept; retry_seconds: how long a webhook that failed
    is left alone; polls: how many polls wait now; asked: how many there ever were; delivered: ids,
    as often as each was handed over; status: of each of the webhook's answers."""

    world: World
    judge: Callable[[Update], None]
    retry_seconds: float = 0.05
    pending: dict[int, Update] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    webhook: Webhook | None = None
    delivered: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    error: str = ""
    polls: int = 0
    asked: int = 0
    _again: list[Update] = field(default_factory=list)
    _poll: object = None
    _sending: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.listeners.append(self.add)

    def add(self, kind: str, body: Json) -> Update | None:
        """Keep an update for the bot, unless it asked not to be told of such."""
        if self.allowed and kind not in self.allowed:
            return None
        if not self.allowed and kind in NOT_BY_DEFAULT:
            return None
        update = Update(self.world.count("update", 100_000), kind, body)
        self.judge(update)
        self.pending[update.id] = update
        self._push()
        return update

    def repeat(self, update: Update, times: int = 1) -> None:
        """Hand an update over so often again, though it was confirmed: to polls, whatever their
        offset; to a webhook once."""
        if self.webhook:
            self.pending[update.id] = update
        else:
            self._again += [update] * times
        self._push()
        self.world.touch()

    async def get(self, form: Form) -> list[Json]:
        """getUpdates. Raises: Refused: 409, a webhook is set, or another poll began meanwhile."""
        if self.webhook:
            raise Refused(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first", 409,
            )  # fmt: skip
        self._allow(form)
        offset, limit = form.number("offset"), form.number("limit", MOST_UPDATES)
        if not 1 <= limit <= MOST_UPDATES:
            raise Refused("limit must be between 1 and 100")
        if offset < 0:
            offset = sorted(self.pending)[offset:][0] if self.pending else 0
        self.pending = {n: u for n, u in self.pending.items() if n >= offset}
        mine = self._poll = object()
        self.polls += 1
        self.asked += 1
        self.world.touch()
        try:
            await self._wait(form.number("timeout"), mine)
        finally:
            self.polls -= 1
        if self._poll is not mine:
            raise Refused(
                "terminated by other getUpdates request; "
                "make sure that only one bot instance is running", 409,
            )  # fmt: skip
        given = [*self._again, *self.pending.values()][:limit]
        self._again = self._again[limit:]
        self.delivered += [update.id for update in given]
        return [update.json() for update in given]

    async def _wait(self, seconds: int, mine: object) -> None:
        end = asyncio.get_running_loop().time() + min(seconds, 50)
        while not (self.pending or self._again) and self._poll is mine:
            left = end - asyncio.get_running_loop().time()
            if left <= 0 or not await self.world.change(left):
                return

    def set_webhook(self, form: Form) -> bool:
        """Raises: Refused: an address or a secret that Telegram does not take."""
        url, secret = form.text("url"), form.text("secret_token")
        self._allow(form)
        if form.flag("drop_pending_updates"):
            self.pending.clear()
        if not url:
            self.webhook = None
            return True
        parts = urlsplit(url)
        # Tests listen on the loopback, without TLS; anything else must be as Telegram wants it.
        if parts.hostname != "127.0.0.1":
            if parts.scheme != "https":
                raise Refused("bad webhook: An HTTPS URL must be provided for webhook")
            if (parts.port or 443) not in PORTS:
                raise Refused(
                    "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"
                )
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise Refused("secret token contains unallowed characters")
        self.webhook = Webhook(url, secret, form.number("max_connections", 40))
        self._poll = None
        self.world.touch()
        self._push()
        return True

    def delete_webhook(self, form: Form) -> bool:
        self.webhook = None
        if form.flag("drop_pending_updates"):
            self.pending.clear()
        return True

    def info(self) -> Json:
        told: Json = {
            "url": self.webhook.url if self.webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if self.allowed:
            told["allowed_updates"] = list(self.allowed)
        if self.webhook:
            told["max_connections"] = self.webhook.connections
        if self.error:
            told |= {
                "last_error_message": self.error,
                "last_error_date": int(self.world.clock.now()),
            }
        return told

    def _allow(self, form: Form) -> None:
        allowed = form.json("allowed_updates")
        if allowed is not None:
            self.allowed = tuple(allowed)

    def _push(self) -> None:
        """Send what waits to the webhook, up to its number of connections at once."""
        if self.webhook is None:
            return
        for update in list(self.pending.values()):
            if len(self._sending) >= self.webhook.connections:
                return
            if update.id not in self._sending:
                task = asyncio.get_running_loop().create_task(self._send(update))
                self._sending[update.id] = task

    async def _send(self, update: Update) -> None:
        try:
            async with aiohttp.ClientSession() as session:
                while (hook := self.webhook) and update.id in self.pending:
                    if await self._sent(session, hook, update):
                        self.pending.pop(update.id, None)
                        break
                    await asyncio.sleep(self.retry_seconds)
        finally:
            self._sending.pop(update.id, None)
        self.world.touch()
        self._push()

    async def _sent(self, session: aiohttp.ClientSession, hook: Webhook, update: Update) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        try:
            async with session.post(
                hook.url, json=update.json(), headers=headers, timeout=patience
            ) as answer:
                said = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.error = f"Connection failed: {type(error).__name__}"
            return False
        self.delivered.append(update.id)
        self.statuses.append(answer.status)
        self.world.touch()
        if answer.status // 100 != 2:
            self.error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
            return False
        if '"method"' in said:
            self.world.violate("webhook: the stand-in performs no method of a webhook's answer")
        return True

    async def close(self) -> None:
        """Stop sending."""
        self.webhook = None
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
