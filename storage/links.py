"""Accounts joined into one, and identities that leave: acts of `core.moderation`, inside the
transaction that writes them into the log.

To join is to change whose something is, in every table that names an account. Of the ledger's lines
nothing else changes: amounts, lots, jobs, keys and times stay. A line of no credits for each grant
says under the new name that it was given, so that nothing is given twice.

Jobs and purchases are locked before accounts, as wherever both are: whoever settles one waits, and
then sees whose it is by then. Who holds credits for an account that is gone is told to ask again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core import moderation as acts
from core.errors import NotFound, Refused, WrongState
from core.job import LotKind
from core.links import CODE, NOT_LINKED
from core.moderation import Outcome, person
from core.restraints import Kind
from core.treasury import Policy
from storage import ledger
from storage.columns import Instant
from storage.lineage import JOINED
from storage.purchases import claim_bought
from storage.review_tables import AttestationRow, ReportRow
from storage.tables import (
    AccountRow,
    ClaimRow,
    CredentialRow,
    EntryRow,
    IdentityRow,
    JobRow,
    LeaderRow,
    LotRow,
    PurchaseRow,
    RestraintRow,
    Table,
    TreasuryRow,
)

AWAY = timedelta(days=7)
"""How long neither who left an account nor who was left joins one by a code: each coming and going
would bring what a server gives its members a day, and each new account its free credits."""

_TABLES = Table.metadata.tables

FOLLOWS = tuple(
    _TABLES[table].c[column]
    for table, column in (
        ("identity", "account_id"),
        ("job", "account_id"),
        ("job", "subject_id"),
        ("strike", "account_id"),
        ("attestation", "account_id"),
        ("purchase", "account_id"),
        ("claim", "account_id"),
        ("gift", "sender_id"),
        ("gift", "receiver_id"),
        ("lot", "account_id"),
        ("entry", "account_id"),
        ("credential", "account_id"),
        ("report", "account_id"),
        ("leader", "account_id"),
        ("erasure", "account_id"),
        ("account", "merged_into"),
        ("account", "parted_from"),
    )
)
"""Every column that names an account, and then names the one that it was joined into."""

STAYS = (_TABLES["treasury"].c.account_id,)
"""Those that don't: the account of a server is nobody's, and is not joined."""

_ONE_ALREADY = "These are one account already."
_CODE_OVER = "That code was used, or its time is over: ask for a new one."


async def join(session: AsyncSession, act: acts.Merge, now: datetime) -> Outcome:
    """What came along, what there is then, and the account that has it.

    Raises WrongState, or Refused where they came apart only lately, LookupError for an unknown
    account.
    """
    gone_id, into_id = act.account_id, act.into
    if gone_id == into_id:
        raise WrongState(_ONE_ALREADY)
    if act.proof:
        await _use_up(session, act)
    await _move(session, gone_id, into_id)
    await ledger.lock(session, gone_id, into_id)
    gone, into = await _account(session, gone_id), await _account(session, into_id)
    await _check(session, gone, into, act, now)
    await _move(session, gone_id, into_id)  # what came meanwhile
    await _forget_doubles(session, gone_id, into_id)
    await _copy_receipts(session, gone_id, into_id, now)
    await _join_claims(session, gone_id, into_id)
    for column in FOLLOWS:
        await session.execute(
            update(column.table).where(column == gone_id).values({column: into_id})
        )
    await _add_up_purchases(session, into_id)
    await _join_restraints(session, gone_id, into_id)
    await _rename_members(session, gone_id, into_id)
    came = gone.available
    into.available += came
    into.held += gone.held
    into.weight = max(into.weight, gone.weight)
    if into.parted_from in (gone_id, into_id):
        into.parted_from = into.parted_at = None
    gone.available = gone.held = 0
    gone.merged_into = into_id
    await session.flush()
    return Outcome(came, into.available, account_id=into_id)


async def part(session: AsyncSession, act: acts.Unlink, now: datetime) -> Outcome:
    """The account that the identity has then. What holds for a person holds on for both; browsers
    are signed out, since nobody knows whose they are.

    Raises NotFound, or WrongState where it is the only one.
    """
    await ledger.lock(session, act.account_id)
    left = await _account(session, act.account_id)
    theirs = (await session.scalars(
        select(IdentityRow).where(col(IdentityRow.account_id) == left.id)
    )).all()  # fmt: skip
    leaving = [row for row in theirs if (row.platform, row.subject) == (act.platform, act.subject)]
    if not leaving:
        raise NotFound("That name is not one of this account's.")
    if len(theirs) < 2:
        raise WrongState(NOT_LINKED)
    own = AccountRow(
        name=left.name, ping=left.ping, parted_from=left.id, parted_at=now, created_at=now
    )
    session.add(own)
    await session.flush()
    leaving[0].account_id = own.id
    lot = LotRow(account_id=own.id, kind=LotKind.ADJUSTED, created_at=now)
    session.add(lot)
    await session.flush()
    await _copy_receipts(session, left.id, own.id, now, lot.id)
    await _copy_restraints(session, left.id, own.id)
    await _take_along(session, act.platform, left.id, own.id)
    await _sign_out(session, act, left.id, own.id)
    return Outcome(0, left.available, account_id=own.id)


# Joining


async def _use_up(session: AsyncSession, act: acts.Merge) -> None:
    used = await session.scalar(
        delete(CredentialRow)
        .where(
            col(CredentialRow.kind) == CODE,
            col(CredentialRow.digest) == act.proof,
            col(CredentialRow.account_id).in_((act.account_id, act.into)),
        )
        .returning(col(CredentialRow.digest))
        .execution_options(synchronize_session=False)
    )
    if used is None:
        raise WrongState(_CODE_OVER)


async def _check(
    session: AsyncSession, gone: AccountRow, into: AccountRow, act: acts.Merge, now: datetime
) -> None:
    """Of locked accounts, for all to whom it is done, and more for who does it by a code."""
    if gone.merged_into is not None or into.merged_into is not None:
        raise WrongState(JOINED)
    both = (gone.id, into.id)
    servers = select(TreasuryRow).where(col(TreasuryRow.account_id).in_(both))
    if (await session.scalars(servers)).first() is not None:
        raise WrongState("The account of a server's treasury can't be joined.")
    if not act.proof:
        return
    rows = await session.scalars(select(IdentityRow).where(col(IdentityRow.account_id).in_(both)))
    names: dict[str, int] = {}
    for row in rows:
        if names.setdefault(row.platform, row.account_id) != row.account_id:
            place = {"web": "the page"}.get(row.platform, row.platform.title())
            raise Refused(f"Both are on {place} already, and one person has one name there.")
    left = and_(col(AccountRow.parted_from).in_(both), col(AccountRow.merged_into).is_(None))
    parted = await session.scalar(
        select(func.max(col(AccountRow.parted_at))).where(or_(col(AccountRow.id).in_(both), left))
    )
    if parted is not None and now < parted + AWAY:
        raise Refused(
            "One of them left another account lately, or was left: they can be joined from "
            f"{acts.moment(parted + AWAY)} on."
        )


async def _move(session: AsyncSession, gone: int, into: int) -> None:
    """Jobs and purchases. A key that both used names the job of `into` from now on, and who repeats
    the other one is refused."""
    theirs = aliased(JobRow)
    taken = select(col(theirs.request_key)).where(
        col(theirs.account_id) == into, col(theirs.request_key).is_not(None)
    )
    mine = col(JobRow.account_id) == gone
    await session.execute(
        update(JobRow)
        .where(mine, col(JobRow.request_key).in_(taken))
        .values(request_key=literal(f"account:{gone}/") + col(JobRow.request_key))
        .execution_options(synchronize_session=False)
    )
    for table in (JobRow, PurchaseRow):
        await session.execute(
            update(table)
            .where(col(table.account_id) == gone)
            .values(account_id=into)
            .execution_options(synchronize_session=False)
        )


async def _join_claims(session: AsyncSession, gone: int, into: int) -> None:
    """On plans, of which the best holds. What moderators assigned to both stays twice; the same
    role is one."""
    theirs = aliased(ClaimRow)
    taken = select(col(theirs.source)).where(col(theirs.account_id) == into)
    mine = and_(col(ClaimRow.account_id) == gone, col(ClaimRow.source).in_(taken))
    for statement in (
        update(ClaimRow)
        .where(mine, col(ClaimRow.source) == acts.BY_HAND)
        .values(source=f"{acts.BY_HAND}/{gone}"),
        delete(ClaimRow).where(mine),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


async def _add_up_purchases(session: AsyncSession, account_id: int) -> None:
    """Once they are one account's."""
    bought = select(col(PurchaseRow.plan)).where(col(PurchaseRow.account_id) == account_id)
    for plan in (await session.scalars(bought.distinct())).all():
        await claim_bought(session, account_id, plan)


async def _forget_doubles(session: AsyncSession, gone: int, into: int) -> None:
    """What both have and one person has once: reports of a clip, servers that are led, pictures
    that may be used, codes."""
    attested = select(col(AttestationRow.picture)).where(col(AttestationRow.account_id) == into)
    reported = select(col(ReportRow.job_id)).where(col(ReportRow.account_id) == into)
    led = select(col(LeaderRow.server)).where(col(LeaderRow.account_id) == into)
    for doubled in (
        delete(ReportRow).where(
            col(ReportRow.account_id) == gone, col(ReportRow.job_id).in_(reported)
        ),
        delete(AttestationRow).where(
            col(AttestationRow.account_id) == gone, col(AttestationRow.picture).in_(attested)
        ),
        delete(LeaderRow).where(col(LeaderRow.account_id) == gone, col(LeaderRow.server).in_(led)),
        delete(CredentialRow).where(
            col(CredentialRow.kind) == CODE, col(CredentialRow.account_id).in_((gone, into))
        ),
    ):
        await session.execute(doubled.execution_options(synchronize_session=False))


async def _join_restraints(session: AsyncSession, gone: int, into: int) -> None:
    """What lay on either lies on both; the harder, where both had one."""
    rows = await session.scalars(select(RestraintRow).where(_restrained(gone)))
    for row in rows.all():
        both = await session.get(RestraintRow, (row.server, person(into), row.kind))
        if both is None:
            session.add(RestraintRow(**{**row.model_dump(), "whom": person(into)}))
        elif _is_harder(row, both):
            both.reason, both.until, both.credits = row.reason, row.until, row.credits
        await session.delete(row)


def _is_harder(one: RestraintRow, other: RestraintRow) -> bool:
    if one.kind == Kind.QUOTA:
        return one.credits < other.credits
    return other.until is not None and (one.until is None or one.until > other.until)


async def _rename_members(session: AsyncSession, gone: int, into: int) -> None:
    """Of treasuries that are for some alone."""
    for row in (await session.scalars(select(TreasuryRow))).all():
        members = Policy.from_dict(row.policy).members
        if gone in members:
            now = sorted({into, *members} - {gone})
            row.policy = {**row.policy, "members": now}


# Parting


async def _copy_restraints(session: AsyncSession, left: int, own: int) -> None:
    rows = await session.scalars(select(RestraintRow).where(_restrained(left)))
    for row in rows.all():
        session.add(RestraintRow(**{**row.model_dump(), "whom": person(own)}))


async def _take_along(session: AsyncSession, platform: str, left: int, own: int) -> None:
    """What somebody has by their name on a platform: plans by roles, servers that they lead."""
    for table, named, begins in (
        (ClaimRow, col(ClaimRow.source), f"role:{platform}:"),
        (LeaderRow, col(LeaderRow.server), f"{platform}:"),
    ):
        await session.execute(
            update(table)
            .where(col(table.account_id) == left, named.startswith(begins, autoescape=True))
            .values(account_id=own)
            .execution_options(synchronize_session=False)
        )


async def _sign_out(session: AsyncSession, act: acts.Unlink, left: int, own: int) -> None:
    """Keys are the identity's on the page, by its name; all else that opens the account ends."""
    kind, whose = col(CredentialRow.kind), col(CredentialRow.account_id) == left
    if act.platform == "web":
        await session.execute(
            update(CredentialRow)
            .where(whose, kind == "key", col(CredentialRow.name) == act.subject)
            .values(account_id=own)
            .execution_options(synchronize_session=False)
        )
    await session.execute(
        delete(CredentialRow)
        .where(whose, kind != "key")
        .execution_options(synchronize_session=False)
    )


# Both


async def _account(session: AsyncSession, account_id: int) -> AccountRow:
    """As it is now that it is locked."""
    row = await session.get(AccountRow, account_id, populate_existing=True)
    if row is None:
        raise LookupError(f"no account {account_id}")
    return row


async def _copy_receipts(
    session: AsyncSession, giver: int, taker: int, now: datetime, lot_id: int | None = None
) -> None:
    """A line of no credits for each grant of an account that the other has not had. lot_id: where
    they lie; None: beside the grants themselves."""
    before, after = f"grant:{giver}:", f"grant:{taker}:"
    known = aliased(EntryRow)
    key = literal(after) + func.substr(col(EntryRow.key), len(before) + 1)
    given = select(
        key,
        literal(taker),
        col(EntryRow.lot_id) if lot_id is None else literal(lot_id),
        literal("grant"),
        literal(0),
        literal(0),
        col(EntryRow.note),
        literal(now, Instant),
    ).where(
        col(EntryRow.account_id) == giver,
        col(EntryRow.kind) == "grant",
        col(EntryRow.key).startswith(before, autoescape=True),
        ~select(known).where(col(known.key) == key).exists(),
    )
    columns = (
        "key", "account_id", "lot_id", "kind", "available_change", "held_change", "note",
        "created_at",
    )  # fmt: skip
    await session.execute(insert(EntryRow).from_select(columns, given))


def _restrained(account_id: int) -> ColumnElement[bool]:
    return col(RestraintRow.whom) == person(account_id)
