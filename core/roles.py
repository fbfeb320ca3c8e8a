"""Roles of a server that give their holders a plan.

Which roles somebody has is told by their platform whenever they ask for something there, and no
other time. So what a role gives holds everywhere for a while after they were last seen with it, and
ends as soon as they are seen without it. Knows no platform.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from core.job import Account, Claim
from core.plans import ROLE_KEPT
from core.ports import Accounts, Clock, Moderation

SLACK = timedelta(days=1)
"""By how much less it may count: so who asks all day is written down once."""


class Roles:
    def __init__(self, accounts: Accounts, moderation: Moderation, clock: Clock) -> None:
        self._accounts = accounts
        self._moderation = moderation
        self._clock = clock

    async def heard(self, account: Account, server: str, roles: Collection[str]) -> Account:
        """The account, with the plans that its roles on the server give. roles: all of their ids.
        Written down where that changes something."""
        plans = await self._moderation.role_plans(server)
        prefix, until = source_of(server, ""), self._clock() + ROLE_KEPT
        held = [one for one in account.claims if one.source.startswith(prefix)]
        given = [Claim(source_of(server, one), plans[one], until) for one in roles if one in plans]
        if _named(held) == _named(given) and all(_lasts(one, until - SLACK) for one in held):
            return account
        await self._accounts.set_claims(account.id, prefix, given)
        others = [one for one in account.claims if one not in held]
        claims = sorted([*others, *given], key=lambda claim: claim.source)
        return replace(account, claims=tuple(claims))


def source_of(server: str, role: str) -> str:
    """Of a claim: "role:discord:81/55"."""
    return f"role:{server}/{role}"


def _named(claims: Iterable[Claim]) -> set[tuple[str, str]]:
    return {(one.source, one.plan) for one in claims}


def _lasts(claim: Claim, until: datetime) -> bool:
    return claim.until is None or claim.until >= until
