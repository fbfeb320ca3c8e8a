"""What moderators did, and what holds of it: each act and its row of the log in one transaction.

Who appends to the log has it to themselves until the transaction ends, so that it never forks: on
SQLite whoever writes is alone anyway, on PostgreSQL a lock of its own sees to it. It is taken
first, before anybody's row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core import moderation as acts
from core.audit import Row, sealed
from core.errors import NotFound, UserError, WrongState
from core.job import NO_CLIP, Account, Claim, Grant, Identity, LotKind, State
from core.moderation import EVERYWHERE, Act, Actor, Outcome
from core.plans import FREE
from core.ports import Clock
from core.restraints import OWN, Kind, Means, Restraint
from core.roles import source_of
from core.treasury import Policy
from storage import blocklist, ledger, links, reviews, vouchers
from storage.accounts import BEHIND, account_of, behind, claim, subject
from storage.arrows import spent
from storage.database import Database, retried
from storage.jobs import SqlJobs, blot_out, call_off
from storage.lineage import names
from storage.purchases import ordered
from storage.tables import (
    RESTRAINT,
    AccountRow,
    AuditRow,
    ClaimRow,
    IdentityRow,
    JobRow,
    PurchaseRow,
    RestraintRow,
    RoleRow,
    TreasuryRow,
)

_LOG_LOCK = 0x6B696E6F7261 + 2
NO_PAYMENT = "There is no such payment."
NOT_BACK = "That can't go back: it did already, or was paid where only the seller there gives back."
NO_TREASURY = "This server has no treasury: whoever runs this Kinora can fill one."

_RESTRAINTS = select(RESTRAINT).where(
    or_(
        RESTRAINT.c.whom.in_(bindparam("people", expanding=True)),
        RESTRAINT.c.whom == acts.ALL,
        RESTRAINT.c.whom.startswith("channel:"),
    ),
    or_(RESTRAINT.c.until.is_(None), RESTRAINT.c.until > bindparam("now")),
)


class _Undone(Exception):
    """Leaves the transaction of a dry run."""


class SqlModeration:
    """`core.ports.Moderation` in SQL."""

    def __init__(self, database: Database, jobs: SqlJobs, clock: Clock) -> None:
        self.database = database
        self._jobs = jobs
        self._clock = clock

    @retried
    async def perform(
        self, act: Act, actor: Actor, key: str, *, dry: bool = False, means: Means = OWN
    ) -> Outcome:
        outcome = Outcome()
        try:
            async with self.database.writing() as session:
                await _lock(session)
                known = await session.scalar(select(AuditRow).where(col(AuditRow.key) == key))
                if known is not None:
                    return _repeated(known, act)
                now = self._clock()
                followed = await _followed(session, act)
                if isinstance(followed, acts.REVIEWS):
                    outcome = await reviews.done(
                        session, self._jobs, followed, actor, key, means, now
                    )
                else:
                    outcome = await _done(session, followed, actor, key, now)
                if dry:
                    await session.flush()
                    await session.scalar(select(true()))  # what waits goes with it, and may fail
                    raise _Undone
                number = await _append(session, act, actor, key, now, outcome)
        except _Undone:
            return outcome
        return replace(outcome, number=number)

    @retried
    async def restraints(self, account_ids: Collection[int], now: datetime) -> Sequence[Restraint]:
        people = [acts.person(account_id) for account_id in account_ids]
        rows = await self.database.ask(_RESTRAINTS, {"people": people, "now": now})
        return [_restraint_of(row) for row in rows]

    @retried
    async def spent(self, account_id: int, server: str, since: datetime) -> int:
        async with self.database.reading() as session:
            return await spent(session, account_id, server, since)

    @retried
    async def person(self, identity: Identity) -> Account | None:
        return account_of(await self.database.ask(BEHIND, subject(identity)))

    @retried
    async def identities(self, account_id: int) -> Sequence[Identity]:
        mine = select(IdentityRow).where(col(IdentityRow.account_id) == account_id)
        order = (col(IdentityRow.platform), col(IdentityRow.subject))
        async with self.database.reading() as session:
            rows = await session.scalars(mine.order_by(*order))
            return [Identity(row.platform, row.subject) for row in rows]

    @retried
    async def rows(
        self,
        limit: int,
        *,
        after: int = 0,
        newest: bool = False,
        server: str | None = None,
        whom: str | None = None,
    ) -> Sequence[Row]:
        number = col(AuditRow.number)
        query = select(AuditRow).where(number > after)
        if server is not None:
            query = query.where(col(AuditRow.server) == server)
        query = query.order_by(number.desc() if newest else number).limit(limit)
        async with self.database.reading() as session:
            if whom is not None:
                about = col(AuditRow.whom)
                called = about.in_(await names(session, whom))
                query = query.where(or_(called, about.in_(_jobs_of(whom))))
            return [row_of(row) for row in await session.scalars(query)]

    @retried
    async def role_plans(self, server: str) -> Mapping[str, str]:
        async with self.database.reading() as session:
            rows = await session.scalars(select(RoleRow).where(col(RoleRow.server) == server))
            return {row.role: row.plan for row in rows}

    @retried
    async def begun(self) -> Sequence[Row]:
        end = aliased(AuditRow)
        ended = exists().where(col(end.key) == col(AuditRow.key) + "/end")
        query = select(AuditRow).where(col(AuditRow.act) == acts.ToRole.verb, ~ended)
        async with self.database.reading() as session:
            rows = await session.scalars(query.order_by(col(AuditRow.number)))
            return [row_of(row) for row in rows]

    @retried
    async def known(self, platform: str, limit: int) -> Mapping[str, int]:
        query = (
            select(col(IdentityRow.subject), col(IdentityRow.account_id))
            .where(col(IdentityRow.platform) == platform)
            .order_by(col(IdentityRow.account_id))
            .limit(limit)
        )
        async with self.database.reading() as session:
            rows = await session.execute(query)
            return {row.subject: row.account_id for row in rows}


async def _lock(session: AsyncSession) -> None:
    if session.get_bind().dialect.name != "sqlite":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOG_LOCK})


async def _append(
    session: AsyncSession, act: Act, actor: Actor, key: str, now: datetime, outcome: Outcome
) -> int:
    newest = select(AuditRow).order_by(col(AuditRow.number).desc()).limit(1)
    head = await session.scalar(newest)
    row = Row(
        number=0,
        at=now,
        key=key,
        who=actor.name,
        rank=actor.rank.name.lower(),
        server=act.server,
        act=act.verb,
        whom=acts.whom(act),
        details=acts.details(act, outcome),
    )
    row = sealed(row, row_of(head) if head else None)
    session.add(AuditRow(**{name: getattr(row, name) for name in Row.__slots__}))
    return row.number


def _repeated(known: AuditRow, act: Act) -> Outcome:
    if (known.act, known.whom) != (act.verb, acts.whom(act)):
        raise WrongState("That was asked for before, as something else.")
    return acts.outcome_of(known.details, known.number)


async def _followed(session: AsyncSession, act: Act) -> Act:
    """The act, on the account that theirs was joined into since somebody meant it. Nobody joins
    accounts meanwhile: that is an act, too."""
    account_id = getattr(act, "account_id", None)
    if account_id is None or isinstance(act, acts.Merge):
        return act
    row = await session.get(AccountRow, account_id)
    return act if row is None or row.merged_into is None else _on(act, row.merged_into)


def _on(act: Act, account_id: int) -> Act:
    assert isinstance(act, acts.OnPerson | acts.Pause | acts.Resume)
    return replace(act, account_id=account_id)


async def _done(session: AsyncSession, act: Act, actor: Actor, key: str, now: datetime) -> Outcome:
    """Raises UserError, or LookupError for an unknown account."""
    match act:
        case acts.Grant(server=acts.EVERYWHERE):
            return await _given(session, act.account_id, act.credits, key, act.reason, now)
        case acts.Grant():
            return await _passed_on(session, act, key, now)
        case acts.Take():
            taken = await ledger.take(session, act.account_id, act.credits, key, now, act.reason)
            left = await _available(session, act.account_id)
            return Outcome(sum(credits for credits, _ in taken), left)
        case acts.Fill():
            account_id = await _treasury(session, act.server, now)
            return await _given(session, account_id, act.credits, key, act.reason, now)
        case acts.SetPolicy():
            account_id = await _treasury(session, act.server, now)
            policy = act.policy.as_dict()
            await session.merge(
                TreasuryRow(server=act.server, account_id=account_id, policy=policy)
            )
        case acts.SetPlan():
            given = [] if act.plan == FREE else [Claim(acts.BY_HAND, act.plan, act.until)]
            await claim(session, act.account_id, acts.BY_HAND, given)
            await claim(session, act.account_id, f"{acts.BY_HAND}/", ())  # of joined accounts
        case acts.MakeVoucher():
            await vouchers.make(session, act, actor.name, now)
        case acts.StopVoucher():
            await vouchers.stop(session, act)
        case acts.Block():
            await blocklist.block(session, act.hashes, act.reason, actor.name, now)
            await blocklist.has_room(session)
        case acts.Unblock():
            await blocklist.unblock(session, act.hashes)
        case acts.SetRole():
            await _set_role(session, act)
        case acts.SetQuota(credits=None):
            await _lift(session, act, Kind.QUOTA, "There is no quota to take back.")
        case acts.SetQuota():
            await _restrain(session, act, Kind.QUOTA, credits=act.credits or 0)
        case acts.Ban():
            await _restrain(session, act, Kind.BAN, act.reason, act.until)
            theirs = col(JobRow.account_id) == act.account_id
            return await _called_off(session, and_(theirs, _posted(act.server)), now)
        case acts.Unban():
            await _lift(session, act, Kind.BAN, "They are not banned.")
        case acts.LiftStrikes():
            if not await reviews.lift(session, reviews.strikes_of(act.account_id)):
                raise WrongState("They have no strikes.")
        case acts.Pause():
            await _restrain(session, act, Kind.PAUSE, act.reason, act.until)
        case acts.Resume():
            await _lift(session, act, Kind.PAUSE, "That is not paused.")
        case acts.Delete():
            shown = and_(_job(act), col(JobRow.deleted) == false())
            if not await blot_out(session, shown, now):
                raise NotFound(NO_CLIP)
            return Outcome(jobs=(act.job_id,))
        case acts.Refund():
            paid = await session.get(PurchaseRow, act.purchase_id)
            if paid is None or paid.account_id != act.account_id:
                raise NotFound(NO_PAYMENT)
            if not await ordered(session, act.purchase_id, now):
                raise WrongState(NOT_BACK)
        case acts.Cancel():
            this = _job(act)
            if await session.scalar(select(col(JobRow.number)).where(this)) is None:
                raise NotFound(NO_CLIP)
            outcome = await _called_off(session, this, now)
            if not outcome.jobs:
                raise WrongState("This clip has already ended.")
            return outcome
        case acts.Merge():
            return await links.join(session, act, now)
        case acts.Unlink():
            return await links.part(session, act, now)
        case acts.Move():
            await _moved(session, act)
    return Outcome()


async def _moved(session: AsyncSession, act: acts.Move) -> None:
    """Raises NotFound, or WrongState where it waits no more."""
    shift = col(JobRow.shift)
    ends = select(func.min(shift), func.max(shift)).where(col(JobRow.state) == State.QUEUED)
    least, most = (await session.execute(ends)).one()
    this = and_(
        col(JobRow.id) == act.job_id,
        col(JobRow.account_id) == act.account_id,
        _posted(act.server),
    )
    if await session.scalar(select(col(JobRow.number)).where(this)) is None:
        raise NotFound(NO_CLIP)
    moved = await session.scalar(
        update(JobRow)
        .where(this, col(JobRow.state) == State.QUEUED)
        .values(shift=min(least or 0, 0) - 1 if act.first else max(most or 0, 0) + 1)
        .returning(col(JobRow.number))
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise WrongState("This clip waits no more.")


async def _given(
    session: AsyncSession, account_id: int, credits: int, key: str, reason: str, now: datetime
) -> Outcome:
    grant = Grant(LotKind.ADJUSTED, credits, f"mod:{key}", None, reason)
    wallet = await ledger.renew(session, account_id, [grant], now)
    return Outcome(credits, wallet.available)


async def _passed_on(session: AsyncSession, act: acts.Grant, key: str, now: datetime) -> Outcome:
    """Out of the treasury, and as long as it would have lasted there."""
    row = await session.get(TreasuryRow, act.server)
    if row is None:
        raise WrongState(NO_TREASURY)
    for account_id in sorted({row.account_id, act.account_id}):
        await ledger.renew(session, account_id, (), now)
    parts = await ledger.take(session, row.account_id, act.credits, key, now, act.reason)
    left = await _available(session, row.account_id)
    if (moved := sum(credits for credits, _ in parts)) < act.credits:
        raise UserError(f"The treasury has {moved} credits; you wanted to give {act.credits}.")
    grants = [
        Grant(LotKind.GIFTED, credits, f"mod:{key}/{number}", expires_at, act.reason)
        for number, (credits, expires_at) in enumerate(parts)
    ]
    await ledger.renew(session, act.account_id, grants, now)
    return Outcome(moved, left)


async def _available(session: AsyncSession, account_id: int) -> int:
    return (await ledger.wallet(session, account_id)).available


async def _treasury(session: AsyncSession, server: str, now: datetime) -> int:
    """The account of a server's treasury, made where there is none."""
    row = await session.get(TreasuryRow, server)
    if row is not None:
        return row.account_id
    platform, _, subject = server.partition(":")
    identity = Identity(f"{platform}:server", subject)
    known = await behind(session, identity)
    if known is None:
        account = AccountRow(name=f"Treasury of {server}", created_at=now)
        session.add(account)
        await session.flush()
        session.add(
            IdentityRow(platform=identity.platform, subject=identity.subject, account_id=account.id)
        )
        known = Account(account.id, account.name)
    session.add(TreasuryRow(server=server, account_id=known.id, policy=Policy().as_dict()))
    await session.flush()
    return known.id


async def _set_role(session: AsyncSession, act: acts.SetRole) -> None:
    """Those who have a claim by it already have the new plan at once, or none."""
    theirs = col(ClaimRow.source) == source_of(act.server, act.role)
    if act.plan == FREE:
        this = and_(col(RoleRow.server) == act.server, col(RoleRow.role) == act.role)
        await session.execute(delete(RoleRow).where(this))
        await session.execute(delete(ClaimRow).where(theirs))
        return
    await session.merge(RoleRow(server=act.server, role=act.role, plan=act.plan))
    await session.execute(
        update(ClaimRow)
        .where(theirs)
        .values(plan=act.plan)
        .execution_options(synchronize_session=False)
    )


async def _restrain(
    session: AsyncSession,
    act: Act,
    kind: Kind,
    reason: str = "",
    until: datetime | None = None,
    credits: int = 0,
) -> None:
    row = RestraintRow(
        server=act.server, whom=acts.whom(act), kind=kind, reason=reason, until=until,
        credits=credits,
    )  # fmt: skip
    await session.merge(row)


async def _lift(session: AsyncSession, act: Act, kind: Kind, none: str) -> None:
    """Raises WrongState with the sentence where nothing is to be lifted."""
    lifted = await session.scalar(
        delete(RestraintRow)
        .where(
            col(RestraintRow.server) == act.server,
            col(RestraintRow.whom) == acts.whom(act),
            col(RestraintRow.kind) == kind,
        )
        .returning(col(RestraintRow.server))
    )
    if lifted is None:
        raise WrongState(none)


async def _called_off(session: AsyncSession, meant: ColumnElement[bool], now: datetime) -> Outcome:
    rows = await call_off(session, meant, now)
    return Outcome(sum(row.credits for row in rows), 0, tuple(row.id for row in rows))


def _job(act: acts.Cancel | acts.Delete) -> ColumnElement[bool]:
    return and_(
        col(JobRow.id) == act.job_id,
        col(JobRow.account_id) == act.account_id,
        _posted(act.server),
    )


def _jobs_of(whom: str) -> Select[str]:
    """Of a person, as the log calls them; of whatever else none."""
    kind, _, number = whom.partition(":")
    account_id = int(number) if kind == "account" and number.isdecimal() else 0
    theirs = col(JobRow.account_id) == account_id
    return select(literal("job:") + col(JobRow.id)).where(theirs)


def _posted(server: str) -> ColumnElement[bool]:
    """Jobs of a server."""
    if server == EVERYWHERE:
        return true()
    return col(JobRow.server) == server


def _restraint_of(row: Any) -> Restraint:
    return Restraint(Kind(row.kind), row.server, row.whom, row.reason, row.until, row.credits)


def row_of(row: AuditRow) -> Row:
    return Row(**{name: getattr(row, name) for name in Row.__slots__})
