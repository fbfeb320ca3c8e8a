"""What goes on beside the queue, wired to a store: what moderators do, what is reviewed, what is
kept of people. A running Kinora has them, and so has each command of the shell.
"""

from __future__ import annotations

from bots.gates import thresholds_of
from bots.settings import Settings
from bots.terms import patience_of, retention_of, terms_of
from core.conduct import Conduct
from core.inspection import Inspection
from core.job import OWNER, Account, Job
from core.lobby import Lobby
from core.moderators import Moderators, unheard
from core.ports import Clock
from core.privacy import Privacy
from core.restraints import OWN, Means
from core.reviews import Reviews
from core.safety.blocklist import Watched
from core.safety.gate import Gate, Inspector
from core.safety.policy import current
from core.safety.rulebook import Rulebook
from core.sources import dropped
from core.studio import Studio
from storage.store import Store, utc_now


def gate_of(settings: Settings, store: Store, rulebook: Rulebook, inspector: Inspector) -> Gate:
    blocked = Watched(store.blocked)
    return Gate(inspector, current(rulebook, thresholds_of(settings), blocked), blocked.renewed)


def lobby_of(settings: Settings, store: Store, clock: Clock) -> Lobby:
    said = settings.safety
    return Lobby(
        store.accounts, store.jobs, store.outbox, store.places, clock, said.level, said.adult
    )


def conduct_of(settings: Settings, store: Store, clock: Clock) -> Conduct:
    operators = settings.operator_identities | {OWNER}

    async def decides(account_id: int) -> bool:
        return not operators.isdisjoint(await store.moderation.identities(account_id))

    return Conduct(store.reviews, patience_of(settings), clock, decides)


def inspection_of(
    settings: Settings, store: Store, gate: Gate, lobby: Lobby, clock: Clock
) -> Inspection:
    conduct = conduct_of(settings, store, clock)
    within = settings.safety.appeal
    return Inspection(gate, lobby.level, conduct, store.reviews, store.files, clock, within)


def moderators_of(
    settings: Settings,
    store: Store,
    clock: Clock = utc_now,
    studio: Studio | None = None,
) -> Moderators:
    """studio: hears of each job that a moderator cancelled or deleted, where a queue is at work."""
    terms = terms_of(settings)
    return Moderators(
        store.moderation,
        store.accounts,
        store.jobs,
        terms.plans,
        terms.zone,
        clock,
        settings.operator_identities,
        studio.cancelled if studio else unheard,
        studio.deleted if studio else unheard,
        studio.means if studio else None,
    )


def privacy_of(
    settings: Settings, store: Store, clock: Clock = utc_now, studio: Studio | None = None
) -> Privacy:
    """studio: hears of each job that is cancelled or deleted, where a queue is at work."""

    async def cancel(account: Account, job_id: str) -> None:
        await store.jobs.cancel(job_id, clock())

    async def delete(account: Account, job_id: str) -> None:
        job = await store.jobs.job(job_id)
        await store.jobs.delete(job_id)
        if job is not None:
            await dropped(job, store.jobs, store.files)

    async def left(account: Account) -> int:
        return (await store.accounts.wallet(account.id)).available

    return Privacy(
        store.people,
        store.files,
        clock,
        retention_of(settings),
        studio.cancel if studio else cancel,
        studio.delete if studio else delete,
        left,
        store.accounts.account_by_id,
        patience_of(settings).fade,
    )


def reviews_of(
    settings: Settings, store: Store, clock: Clock = utc_now, studio: Studio | None = None
) -> Reviews:
    """studio: knows what a job may be paid with, and hears of each that changed."""

    async def own(job: Job) -> Means:
        return OWN

    return Reviews(
        store.reviews,
        store.jobs,
        store.accounts,
        store.moderation,
        studio.means if studio else own,
        studio.changed if studio else lambda job: None,
        conduct_of(settings, store, clock),
        clock,
        settings.safety.appeal,
    )
