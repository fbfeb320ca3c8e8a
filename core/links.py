"""One person, one wallet: accounts that are joined by a one-time code, and identities that leave.

Whoever types a code shows that they can read what was said to the other account alone. Only its
hash is kept; it is good for minutes, and wrong ones are counted. Knows no platform: each says who
somebody is there, and tells them what the others did.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core import codes
from core.codes import Wrong
from core.credentials import Credentials
from core.errors import BadPrompt, WrongState
from core.job import Account, Identity
from core.moderation import Actor, Merge, Outcome, Rank, Unlink
from core.ports import Accounts, Clock, Moderation

log = logging.getLogger("kinora.links")

CODE = "code"
CODE_LIFETIME = timedelta(minutes=10)
CODE_CHARS = 10
TELL_SECONDS = 20.0
OVER = "This code opens nothing: it was used, or its ten minutes are over. Ask for a new one."

NOT_LINKED = "There is nothing to part: this account has no other name. `/link` joins two."

Tell = Callable[[Identity, str], Awaitable[None]]
"""Tell somebody something where they are alone with us. Raises where that can't be done."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a code would do. other: the account that it is of, which is on `elsewhere` so far.

    name: of the account that stays, the older one. credits: that come together, after it.
    """

    code: str
    other: Account
    elsewhere: Sequence[Identity]
    name: str
    credits: int


class Links:
    def __init__(
        self,
        accounts: Accounts,
        credentials: Credentials,
        moderation: Moderation,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._moderation = moderation
        self._clock = clock
        self._tell = tell
        self._wrong = Wrong()

    async def linked(self, account: Account) -> Sequence[Identity]:
        """Everybody whom the account is."""
        return await self._moderation.identities(account.id)

    async def code(self, account: Account) -> str:
        """A code to type elsewhere, in place of an earlier one: "7K2QF-9XM4B"."""
        code = codes.random(CODE_CHARS)
        until = self._clock() + CODE_LIFETIME
        name = f"account:{account.id}"
        await self._credentials.revoke_all(CODE, name)
        await self._credentials.add(CODE, code, account.id, name, until)
        half = CODE_CHARS // 2
        return f"{code[:half]}-{code[half:]}"

    async def give_up(self, typed: str) -> None:
        """A code that others could read opens nothing any more."""
        await self._credentials.revoke(CODE, codes.read(typed))

    async def offer(self, account: Account, typed: str, who: str) -> Offer:
        """What it would do if they typed that code. Nothing is done, but a wrong one is counted.

        Raises UserError.
        """
        code, other = await self._other(account, typed)
        elsewhere = await self.linked(other)
        outcome = await self._merge(account, other, code, who, dry=True)
        older = min(account, other, key=lambda one: one.id)
        return Offer(code, other, elsewhere, older.name, outcome.left)

    async def join(
        self, account: Account, typed: str, who: str, by: Identity | None = None
    ) -> Account:
        """Join theirs with the account that the code is of; what both are then. who: in the log.

        by: under which name they typed it; all others are told. Raises UserError.
        """
        code, other = await self._other(account, typed)
        outcome = await self._merge(account, other, code, who)
        joined = await self._accounts.account_by_id(outcome.account_id)
        assert joined is not None, "accounts are never removed"
        words = (
            f"Your account was joined with that of {who}: one wallet, one queue, one history. If "
            "that was not you, tell whoever runs this Kinora."
        )
        others = [one for one in await self.linked(joined) if one != by]
        await asyncio.gather(*(self._told(one, words) for one in others))
        return joined

    async def part(self, identity: Identity, account: Account, who: str, key: str) -> None:
        """They leave the account, which keeps all that it has. key: what makes a repeat the same.

        Raises UserError.
        """
        act = Unlink(account_id=account.id, platform=identity.platform, subject=identity.subject)
        await self._moderation.perform(act, Actor(who, Rank.MEMBER), f"part:{key}")

    async def _merge(
        self, account: Account, other: Account, code: str, who: str, *, dry: bool = False
    ) -> Outcome:
        gone, into = sorted((account.id, other.id), reverse=True)
        proof = hashlib.sha256(code.encode()).hexdigest()
        act = Merge(account_id=gone, into=into, proof=proof)
        key = f"join:{proof[:16]}/{account.id}"
        return await self._moderation.perform(act, Actor(who, Rank.MEMBER), key, dry=dry)

    async def _other(self, account: Account, typed: str) -> tuple[str, Account]:
        """The code as it was made, and whose it is. Raises UserError."""
        now = self._clock()
        self._wrong.check(account, now)
        code = codes.read(typed)
        if len(code) != CODE_CHARS or not set(code) <= set(codes.ALPHABET):
            raise BadPrompt("A code has ten letters and digits, as in 7K2QF-9XM4B.")
        other = await self._credentials.account_for(CODE, code, now)
        if other is None:
            self._wrong.note(account, now)
            raise WrongState(OVER)
        if other.id == account.id:
            raise WrongState(
                "This code is your own. Type it on the other platform, where your other account is."
            )
        return code, other

    async def _told(self, identity: Identity, words: str) -> None:
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self._tell(identity, words)
        except Exception as error:
            log.info("%s was not told of being joined: %s", identity.platform, error)
