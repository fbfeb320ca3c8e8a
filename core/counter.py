"""What a clip costs, who may have it, and what they can pay with: all that is asked before a job is
written down.

Knows nothing of pictures on disk and of what becomes of a job.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from functools import partial
from weakref import WeakValueDictionary

from core import places, plans, prompt, restraints, treasury
from core.catalog import Model, complete, named
from core.days import beginning, day_of, next_month
from core.dispatch import Dispatch
from core.errors import NotEnoughCredits, Refused, TooMany
from core.eta import Estimator, Range, span
from core.job import Account, Job, Price, Purse, State, Wallet, new_id
from core.lanes import RELAXED_WAITING, Lane, lane_of
from core.places import NO_RULES, Rules, server, with_defaults
from core.plans import Plan, Plans
from core.ports import Accounts, Clock, Jobs, Moderation
from core.pricing import Bases, price
from core.request import Draft, Picture, Request
from core.restraints import Allowance, Means, Restraint
from core.sentences import clips
from core.treasury import Share

QUOTED_MOST = 5
"""How many clips of an account may wait for its word."""


class Consent(Enum):
    """What somebody who asks for a clip agreed to."""

    GIVEN = "whatever it costs; what they can't pay is refused"
    SEEN = "the price, which they were shown; what they can't pay is quoted"
    NEEDED = "nothing yet; what is dear, or they can't pay, is quoted"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator decides. zone: whose midnight brings the daily credits.

    dear_from, dear_share: a clip of more credits than that, and of a larger share of what somebody
    has, waits for their word. relaxed: how many jobs an account may have waiting for nothing; 0:
    there is no such lane.
    """

    plans: Plans = field(default_factory=Plans)
    zone: tzinfo = UTC
    default_model: str | None = None
    dear_from: int = 20
    dear_share: float = 0.25
    relaxed: int = RELAXED_WAITING


@dataclass(frozen=True, slots=True)
class Quote:
    """What a draft would become, cost, and take. asked: nothing more was asked for."""

    request: Request
    price: Price
    takes: Range
    lane: Lane = Lane.STANDARD
    asked: bool = False

    @property
    def credits(self) -> int:
        """What is held for it."""
        return 0 if self.lane is Lane.RELAXED else self.price.credits


@dataclass(frozen=True, slots=True)
class Promised:
    """What somebody may count on at a place. next_day, next_month: when their credits come.
    relaxed: as in `Terms`. quota: what they may spend there a day, of which `spent` is gone; None:
    all that they have. treasury: what that server's has for them today, for what its policy lets
    them; None where it has none."""

    plan: Plan
    next_day: datetime
    next_month: datetime
    relaxed: int
    quota: int | None
    spent: int
    treasury: int | None


class Counter:
    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        moderation: Moderation,
        dispatch: Dispatch,
        estimator: Estimator,
        catalogue: Sequence[Model],
        terms: Terms,
        clock: Clock,
        rules: Callable[[str], Rules] = lambda server: NO_RULES,
        bases: Bases | None = None,
    ) -> None:
        self._accounts = accounts
        self._jobs = jobs
        self._moderation = moderation
        self._dispatch = dispatch
        self._estimator = estimator
        self._catalogue = catalogue
        self._terms = terms
        self._clock = clock
        self._rules = rules
        self._bases = bases or Bases(catalogue)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turn(self, account: Account) -> asyncio.Lock:
        """One clip of an account is weighed and written down at a time: else what is asked at once
        would each find room within its limits."""
        found = self._turns.get(account.id)
        if found is None:
            self._turns[account.id] = found = asyncio.Lock()
        return found

    async def wallet(self, account: Account) -> Wallet:
        """What the account has, after what its plan gives today."""
        due = self._terms.plans.due(account, self._clock(), self._terms.zone)
        return await self._accounts.renew(account.id, due)

    def plan(self, account: Account) -> Plan:
        return self._terms.plans.of(account, self._clock())

    def quote(
        self,
        draft: Draft,
        picture: Picture | None = None,
        last_picture: Picture | None = None,
        place: str = "",
        account: Account | None = None,
    ) -> Quote:
        """Raises BadPrompt. picture, last_picture: what is known of the first frame and the last;
        needs no stored file. place: whose rules fill in what was not said. account: whose plan has
        to allow it."""
        lane = lane_of(draft)
        rules = self._rules(server(place))
        completed = partial(
            complete,
            catalogue=self._catalogue,
            picture=picture,
            last_picture=last_picture,
            default_model=rules.model or self._terms.default_model,
            seed=new_seed(),
        )
        request = completed(draft)
        if rules != NO_RULES:
            usual = with_defaults(draft, rules, named(self._catalogue, request.model))
            request = completed(usual)
        if account is not None:
            plans.check(request, request.seconds, self.plan(account))
        return self.priced(request, lane, asked=draft.quote)

    def priced(self, request: Request, lane: Lane, *, asked: bool = False) -> Quote:
        """A request that is complete already, by the bases of today."""
        base = self._bases.of(named(self._catalogue, request.model), self._clock())
        takes = self._estimator.estimate(request)
        return Quote(request, price(request, base, lane), takes, lane, asked)

    def job(self, account: Account, place: str, quote: Quote, parent: Job | None) -> Job:
        """As it is written down to be queued."""
        return Job(
            id=new_id(),
            account_id=account.id,
            place=place,
            state=State.QUEUED,
            request=quote.request,
            credits=quote.credits,
            created_at=self._clock(),
            parent=parent.id if parent else None,
            lane=quote.lane,
            price=quote.price,
        )

    async def allowed(
        self, account: Account, place: str, request: Request, parent: Job | None
    ) -> Allowance | None:
        """As `allowance`. Raises BadPrompt or Refused where the server's rules or the plan forbid
        the clip."""
        allowance = await self.allowance(account, place)
        whole_seconds = whole_seconds_of(request, parent)
        places.check(request, whole_seconds, self._rules(server(place)))
        plans.check(request, whole_seconds, self.plan(account))
        return allowance

    async def weighed(
        self, account: Account, place: str, quote: Quote, share: Share | None, consent: Consent
    ) -> Purse | None:
        """What they have, where the clip waits for their word; None where it can be queued.

        Raises NotEnoughCredits or TooMany.
        """
        available = await self.available(account, quote.credits, share)
        short = available < quote.credits
        if short and consent is Consent.GIVEN and not quote.asked:
            raise self.too_dear(account, place, quote, available)
        much = max(self._terms.dear_from, self._terms.dear_share * available)
        dear = consent is Consent.NEEDED and quote.credits > much
        if not (short or dear or quote.asked):
            self.check_waiting(account, quote.lane)
            return None
        await self.check_offers(account)
        return Purse(available, self.plan(account).daily)

    async def check_offers(self, account: Account) -> None:
        """Raises TooMany."""
        if len(await self._jobs.quoted(account.id)) >= QUOTED_MOST:
            raise TooMany(
                f"You have {QUOTED_MOST} clips that wait for your word, which is the most: render "
                "one, or cancel one."
            )

    async def available(self, account: Account, credits: int, share: Share | None) -> int:
        """What they can pay with there; the treasury is asked where their own is too little."""
        available = (await self.wallet(account)).available
        if share is not None and available < credits:
            available += await self._accounts.spendable(account.id, share)
        return available

    def too_dear(
        self, account: Account, place: str, quote: Quote, available: int
    ) -> NotEnoughCredits:
        """Says what else can be done."""
        tomorrow = self.plan(account).daily
        wait = f"wait for tomorrow's {tomorrow}" if tomorrow else "ask for a shorter clip"
        if self._dispatch.waiting(account.id, Lane.RELAXED) >= self._terms.relaxed:
            instead = f"A shorter or smaller clip costs less; or {wait}."
        else:
            job = replace(self.job(account, place, quote, None), lane=Lane.RELAXED)
            takes = span(self._dispatch.outlook(job).left)
            instead = (
                f"It can run for free in the relaxed lane (about {takes}) with `--relaxed`, or "
                f"{wait}."
            )
        return NotEnoughCredits(quote.credits, available, instead)

    def check_waiting(self, account: Account, lane: Lane) -> None:
        """Raises TooMany, or Refused where there is no relaxed lane."""
        plan, relaxed = self.plan(account), self._terms.relaxed
        if lane is Lane.RELAXED:
            if not relaxed:
                raise Refused("There is no relaxed lane here: leave `--relaxed` out.")
            if self._dispatch.waiting(account.id, lane) >= relaxed:
                raise TooMany(
                    f"You have {clips(relaxed)} waiting in the relaxed lane, which is the most: "
                    "wait for one to finish, or cancel one."
                )
        if self._dispatch.waiting(account.id) >= plan.waiting:
            raise TooMany(
                f"You have {clips(plan.waiting)} waiting, which is the most with the {plan.name} "
                "plan: wait for one to finish, or cancel one."
            )

    async def share(
        self, account: Account, place: str, request: Request, parent: Job | None
    ) -> Share | None:
        """What the server's treasury has for that clip; None where it has nothing."""
        found = await self._accounts.treasury(server(place))
        now, zone = self._clock(), self._terms.zone
        if found is None or not treasury.allows(
            found.policy, account, request, whole_seconds_of(request, parent), place, now, zone
        ):
            return None
        since = beginning(day_of(now, zone), zone)
        return Share(found.account_id, found.policy.daily, since)

    async def allowance(self, account: Account, place: str) -> Allowance | None:
        """What they may spend there today; None for all that they have. Raises Refused where
        somebody who may laid a ban or a pause on them, or on the channel."""
        now = self._clock()
        held = await self._moderation.restraints([account.id], now)
        hindered = restraints.hindrance(held, account.id, place, now)
        if hindered is not None and restraints.bars(hindered):
            raise Refused(restraints.why(hindered))
        return self._within(held, account, place)

    def _within(self, held: Sequence[Restraint], account: Account, place: str) -> Allowance | None:
        now, zone = self._clock(), self._terms.zone
        quota = restraints.quota(held, account.id, place, now)
        if quota is None:
            return None
        return Allowance(quota.server, quota.credits, beginning(day_of(now, zone), zone))

    async def means(self, job: Job) -> Means:
        """What a job of before may be paid with now, after what its author's plan gives today."""
        account = await self._accounts.account_by_id(job.account_id)
        assert account is not None, "accounts are never removed"
        await self.wallet(account)
        parent = await self._jobs.job(job.parent) if job.parent else None
        held = await self._moderation.restraints([account.id], self._clock())
        return Means(
            await self.share(account, job.place, job.request, parent),
            self._within(held, account, job.place),
        )

    async def promised(self, account: Account, place: str) -> Promised:
        """What holds for them there now."""
        now, zone = self._clock(), self._terms.zone
        today = day_of(now, zone)
        since = beginning(today, zone)
        held = await self._moderation.restraints([account.id], now)
        quota = restraints.quota(held, account.id, place, now)
        spent = await self._moderation.spent(account.id, server(place), since) if quota else 0
        found = await self._accounts.treasury(server(place))
        share = Share(found.account_id, found.policy.daily, since) if found else None
        return Promised(
            self.plan(account),
            beginning(today + timedelta(days=1), zone),
            beginning(next_month(today), zone),
            self._terms.relaxed,
            quota.credits if quota else None,
            spent,
            await self._accounts.spendable(account.id, share) if share else None,
        )


def whole_seconds_of(request: Request, parent: Job | None) -> float:
    """With what it goes on from."""
    before = parent.clip if parent and request.continues else None
    return request.seconds + (before.seconds if before else 0.0)


def new_seed() -> int:
    return secrets.randbelow(prompt.SEED_MAX + 1)
