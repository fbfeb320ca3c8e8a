"""Plans: what an account is given and what it may, as data.

An operator adds plans, or changes those that are here. Knows nothing of how one comes by a plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from core.days import beginning, day_of, next_month
from core.errors import BadPrompt
from core.job import Account, Claim, Grant, LotKind
from core.places import lines
from core.request import Request

DAYS_KEPT = 3
"""How many local days a day's credits stay, with the one that brought them."""

FREE = "free"
ROLE_KEPT = timedelta(days=14)
"""How long a role gives its plan after somebody was last seen with it."""


class Label(StrEnum):
    """Whether clips say in the picture that they were made by a machine."""

    ALWAYS = "always"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Plan:
    """daily, monthly: credits given on each local day, and in each month, of use. waiting: the most
    jobs in the queue at once. weight: of the queue's turns. longest (seconds) and largest
    (resolution) of a clip; None: as the model can. label: as in `Label`."""

    name: str
    daily: int = 100
    monthly: int = 0
    waiting: int = 100
    weight: float = 1.0
    longest: float | None = None
    largest: str | None = None
    label: Label = Label.ALWAYS


BUILT_IN = (
    Plan(FREE),
    Plan("supporter", monthly=1000, weight=2.0),
    Plan("pro", monthly=5000, weight=4.0, label=Label.OPTIONAL),
)


@dataclass(frozen=True, slots=True)
class Plans:
    """Every plan that there is, by its name; FREE among them."""

    by_name: Mapping[str, Plan] = field(default_factory=lambda: {p.name: p for p in BUILT_IN})

    def of(self, account: Account, now: datetime) -> Plan:
        """The best of those that they have a claim on: by weight in the queue, then by credits. The
        free one where all are over, or are no more."""
        return max(
            (self.by_name[claim.plan] for claim in self.holding(account, now)),
            key=lambda plan: (plan.weight, plan.monthly, plan.daily),
            default=self.by_name[FREE],
        )

    def due(self, account: Account, now: datetime, zone: tzinfo) -> Sequence[Grant]:
        """What is given to an account on the local day of `now`, and in its month."""
        steps = {plan.monthly for plan in self.by_name.values()}
        return grants(self.of(account, now), now, zone, steps)

    def lapsed(self, plan: str, account: Account, now: datetime, zone: tzinfo) -> Sequence[str]:
        """The keys of what a plan that was lost gave for this month, and none of theirs gives."""
        lost = Account(account.id, account.name, claims=(Claim("", plan),))
        due = {grant.key for grant in self.due(account, now, zone)}
        given = self.due(lost, now, zone)
        return [one.key for one in given if one.kind is LotKind.MONTHLY and one.key not in due]

    def holding(self, account: Account, now: datetime) -> Sequence[Claim]:
        """The claims on plans that there are, without those that are over."""
        return [
            claim
            for claim in account.claims
            if claim.plan in self.by_name and (claim.until is None or now < claim.until)
        ]


def grants(plan: Plan, now: datetime, zone: tzinfo, steps: Collection[int] = ()) -> Sequence[Grant]:
    """What the plan gives on the local day of `now`, and in its month.

    steps: a month's credits of all plans. A month's grant comes in parts up to each of them, so who
    moves to a better plan is given the difference, once, however often they move.
    """
    today = day_of(now, zone)
    day_ends = beginning(today + timedelta(days=DAYS_KEPT), zone)
    month_ends = beginning(next_month(today), zone)
    due = [
        Grant(LotKind.DAILY, plan.daily, today.isoformat(), day_ends, f"free credits of {today}")
    ]
    before = 0
    for step in sorted({one for one in steps if 0 < one < plan.monthly} | {plan.monthly}):
        key = f"{today:%Y-%m}/{step}" if before else f"{today:%Y-%m}"
        note = f"{plan.name}, {today:%B}"
        due.append(Grant(LotKind.MONTHLY, step - before, key, month_ends, note))
        before = step
    return [grant for grant in due if grant.credits > 0]


def check(request: Request, whole_seconds: float, plan: Plan) -> None:
    """Raises BadPrompt where the plan allows less. whole_seconds: with what it goes on from."""
    if plan.longest is not None and whole_seconds > plan.longest + 1 / request.frame_rate:
        raise BadPrompt(
            f"With the {plan.name} plan a clip can be up to {plan.longest:g} seconds; this would "
            f"be {whole_seconds:.3g}.",
            flag="seconds",
        )
    if plan.largest is not None and lines(request.resolution) > lines(plan.largest):
        raise BadPrompt(
            f"With the {plan.name} plan a clip can be up to {plan.largest}; you asked for "
            f"{request.resolution}.",
            flag="res",
        )
