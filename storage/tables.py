"""The tables. Rows stay inside this package: the methods of the ports give core's own values.

No `from __future__ import annotations` here: SQLModel reads the annotations as they stand.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from core.job import Asks, LotKind, State
from core.lanes import Lane
from core.purchases import PurchaseState
from core.restraints import Kind
from core.safety.level import Level
from storage.columns import Instant, Key, one_of
from storage.columns import Table as Table
from storage.review_tables import SightRow, StrikeRow

ENTRY_KINDS = ("grant", "hold", "capture", "release", "expiry", "refund", "take")
DELIVERY_STATES = ("pending", "sending", "sent", "unknown", "kept")

_SOME = text("credits > 0")
"""Of lots that were used up nobody asks any more."""


class AccountRow(Table, table=True):
    """available, held: what the account's entries add up to, and its lots, in whole credits.
    ping: as in `core.job.Account`.

    merged_into: the account that has all of this one's since; never one that was merged itself.
    parted_from, parted_at: the account that its identity left, and when.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("available >= 0", name="available"),
        CheckConstraint("held >= 0", name="held"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    weight: float = 1.0
    available: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    held: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    ping: bool = Field(default=True, sa_column=Column(Boolean, nullable=False))
    merged_into: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("account.id"), index=True)
    )
    parted_from: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("account.id"), index=True)
    )
    parted_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class ClaimRow(Table, table=True):
    """What gives an account a plan; as in `core.job.Claim`."""

    __tablename__ = "claim"
    __table_args__ = (Index(None, "source"),)

    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), primary_key=True))
    source: str = Field(sa_column=Column(Text, primary_key=True))
    plan: str = Field(sa_column=Column(Text, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Instant))


class RoleRow(Table, table=True):
    """The plan that a role of a server gives to who has it."""

    __tablename__ = "role"

    server: str = Field(sa_column=Column(Text, primary_key=True))
    role: str = Field(sa_column=Column(Text, primary_key=True))
    plan: str = Field(sa_column=Column(Text, nullable=False))


class PurchaseRow(Table, table=True):
    """One charge; as in `core.purchases.Purchase`.

    as_of: the moment of the newest that was heard of it. lot_id: what its credits lie in. receipt:
    which call brought it, or took it back. asked: why whoever paid wants it back. refund_at: when
    that was ordered.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        UniqueConstraint("provider", "charge"),
        one_of("state", tuple(PurchaseState), "state"),
        CheckConstraint("taken >= 0 AND taken <= credits", name="taken"),
        Index(None, "account_id", "id"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    provider: str = Field(sa_column=Column(Text, nullable=False))
    charge: str = Field(sa_column=Column(Text, nullable=False))
    account_id: int | None = Field(default=None, sa_column=Column(Key, ForeignKey("account.id")))
    ware: str = Field(default="", sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    as_of: datetime = Field(sa_column=Column(Instant, nullable=False))
    credits: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    taken: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    lot_id: int | None = Field(default=None, sa_column=Column(Key, ForeignKey("lot.id")))
    plan: str | None = Field(default=None, sa_column=Column(Text))
    days: int | None = None
    until: datetime | None = Field(default=None, sa_column=Column(Instant))
    place: str = Field(default="", sa_column=Column(Text, nullable=False))
    receipt: str = Field(default="", sa_column=Column(Text, nullable=False))
    asked: str | None = Field(default=None, sa_column=Column(Text))
    refund_at: datetime | None = Field(default=None, sa_column=Column(Instant, index=True))


class VoucherRow(Table, table=True):
    """A code's SHA-256, and what it brings; as in `core.vouchers.Voucher`."""

    __tablename__ = "voucher"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("digest"),
        CheckConstraint("credits >= 0", name="credits"),
        CheckConstraint("used >= 0 AND used <= uses", name="used"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    credits: int = Field(sa_column=Column(BigInteger, nullable=False))
    plan: str | None = Field(default=None, sa_column=Column(Text))
    days: int | None = None
    uses: int = 1
    used: int = 0
    until: datetime | None = Field(default=None, sa_column=Column(Instant))
    stopped: bool = False
    made_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    made_by: str = Field(sa_column=Column(Text, nullable=False))


class GiftRow(Table, table=True):
    """Credits from one person to another; as in `core.gifts.Gift`. receipt: which call gave it."""

    __tablename__ = "gift"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("credits > 0", name="credits"),
        Index(None, "sender_id", "at"),
        Index(None, "receiver_id", "at"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False))
    sender_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    receiver_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    credits: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    receipt: str = Field(sa_column=Column(Text, nullable=False))


class IdentityRow(Table, table=True):
    """Somebody's name on one platform. handle: what others call them there, in small letters."""

    __tablename__ = "identity"
    __table_args__ = (Index(None, "platform", "handle"),)

    platform: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, primary_key=True))
    account_id: int = Field(
        sa_column=Column(Key, ForeignKey("account.id"), nullable=False, index=True)
    )
    handle: str | None = Field(default=None, sa_column=Column(Text))


class JobRow(Table, table=True):
    """number: the order of submission. server: of its place. picture, last_picture: as in the
    request. All three are to be found by.

    receipt: which call passed the last arrow, so that a repeat knows its own work.
    clip: `core.job.Clip` without its expiry, paths relative to the folder of clips.
    credits: what was held for it; charged: what it costs now, without what came back. lane, price,
    purse, and all from level on: as in `core.job.Job`.
    """

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("account_id", "request_key"),
        one_of("state", tuple(State), "state"),
        CheckConstraint("credits >= 0", name="credits"),
        CheckConstraint("charged >= 0 AND charged <= credits", name="charged"),
        one_of("lane", tuple(Lane), "lane"),
        one_of("level", tuple(Level), "level"),
        one_of("asks", tuple(Asks), "asks"),
        Index(None, "account_id", "number"),
        Index(None, "state", "number"),
        Index(None, "place"),
        Index(None, "server", "number"),
        Index(None, "created_at"),
    )

    number: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    place: str = Field(sa_column=Column(Text, nullable=False))
    server: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    request: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    picture: str | None = Field(default=None, sa_column=Column(Text, index=True))
    last_picture: str | None = Field(default=None, sa_column=Column(Text, index=True))
    request_key: str | None = Field(default=None, sa_column=Column(Text))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    credits: int = Field(sa_column=Column(BigInteger, nullable=False))
    charged: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    ended_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    attempt: int = 0
    losses: int = 0
    receipt: str = Field(sa_column=Column(Text, nullable=False))
    cancel_requested: bool = False
    stage: str = Field(default="", sa_column=Column(Text, nullable=False))
    step: int = 0
    steps: int = 0
    run_seconds: float | None = None
    failure: str | None = Field(default=None, sa_column=Column(Text))
    reference: str | None = Field(default=None, sa_column=Column(Text))
    parent: str | None = Field(default=None, sa_column=Column(Text))
    clip: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    clip_expires_at: datetime | None = Field(default=None, sa_column=Column(Instant, index=True))
    deleted: bool = False
    shift: int = 0
    lane: str = Field(default=Lane.STANDARD, sa_column=Column(Text, nullable=False))
    price: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    purse: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    level: str = Field(default=Level.STANDARD, sa_column=Column(Text, nullable=False))
    clause: str | None = Field(default=None, sa_column=Column(Text))
    cleared: bool = False
    decide_by: datetime | None = Field(default=None, sa_column=Column(Instant))
    held_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    appealed: bool = False
    findings: list[Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    plea: str = Field(default="", sa_column=Column(Text, nullable=False))
    asks: str | None = Field(default=None, sa_column=Column(Text))
    subject_id: int | None = Field(
        default=None, sa_column=Column(Key, ForeignKey("account.id"), index=True)
    )
    warning: str = Field(default="", sa_column=Column(Text, nullable=False))


class LotRow(Table, table=True):
    """Credits that came together and expire together; what is left of them, and held of them.

    ends_at: when they were to expire, as granted; expires_at: when they do. None: never.
    """

    __tablename__ = "lot"
    __table_args__ = (
        one_of("kind", tuple(LotKind), "kind"),
        CheckConstraint("credits >= 0", name="credits"),
        CheckConstraint("held >= 0", name="held"),
        Index(None, "account_id", sqlite_where=_SOME, postgresql_where=_SOME),
        Index(None, "expires_at", sqlite_where=_SOME, postgresql_where=_SOME),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    credits: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    held: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    ends_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    expires_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class TreasuryRow(Table, table=True):
    """The account of a server, and what its credits are for; as in `core.treasury.Policy`."""

    __tablename__ = "treasury"

    server: str = Field(sa_column=Column(Text, primary_key=True))
    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class EntryRow(Table, table=True):
    """One line of the ledger, on one lot. Lines are added, never changed.

    key: what can happen only once; None for what leaves nothing to repeat.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("kind", ENTRY_KINDS, "kind"),
        Index(None, "account_id", "id"),
        Index(None, "job_id"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    key: str | None = Field(default=None, sa_column=Column(Text))
    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), nullable=False))
    lot_id: int = Field(sa_column=Column(Key, ForeignKey("lot.id"), nullable=False))
    job_id: str | None = Field(default=None, sa_column=Column(Text, ForeignKey("job.id")))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    available_change: int = Field(sa_column=Column(BigInteger, nullable=False))
    held_change: int = Field(sa_column=Column(BigInteger, nullable=False))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class DeliveryRow(Table, table=True):
    """An ended job whose card has to hear of it. due_at: not before; None once it is over.

    chat: takes one delivery at a time; None where many may go at once. state: pending, sending,
    then sent, or unknown where no answer came, or kept where nobody could be reached. receipt: of
    the call that leased it last, or told of it.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("job_id"),
        one_of("state", DELIVERY_STATES, "state"),
        Index(None, "chat", "state"),
    )

    id: int = Field(default=None, sa_column=Column(Key, primary_key=True))
    job_id: str = Field(sa_column=Column(Text, ForeignKey("job.id"), nullable=False))
    place: str = Field(sa_column=Column(Text, nullable=False))
    chat: str | None = Field(default=None, sa_column=Column(Text))
    state: str = Field(default="pending", sa_column=Column(Text, nullable=False))
    tries: int = 0
    due_at: datetime | None = Field(default=None, sa_column=Column(Instant, index=True))
    receipt: str | None = Field(default=None, sa_column=Column(Text, index=True))


class CredentialRow(Table, table=True):
    """A secret's SHA-256 and the account that it opens."""

    __tablename__ = "credential"

    kind: str = Field(sa_column=Column(Text, primary_key=True))
    digest: str = Field(sa_column=Column(Text, primary_key=True))
    account_id: int = Field(
        sa_column=Column(Key, ForeignKey("account.id"), nullable=False, index=True)
    )
    name: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(Instant, index=True))
    redeemed_at: datetime | None = Field(default=None, sa_column=Column(Instant))


class PostRow(Table, table=True):
    """The message at a place; as in `core.places.Post`."""

    __tablename__ = "post"

    place: str = Field(sa_column=Column(Text, primary_key=True))
    author: str = Field(sa_column=Column(Text, nullable=False))
    upload_limit: int = Field(sa_column=Column(BigInteger, nullable=False))
    member: bool
    token: str | None = Field(default=None, sa_column=Column(Text))
    token_until: datetime | None = Field(default=None, sa_column=Column(Instant, index=True))
    hidden: bool = False
    adult: bool = False
    pinged: bool = False


class UpdateRow(Table, table=True):
    """What a platform told us of. body: None once it is done, by which repeats are known still.

    tries: how often it was handled again after a start. receipt: which call wrote it down.
    """

    __tablename__ = "inbox"

    platform: str = Field(sa_column=Column(Text, primary_key=True))
    id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    body: str | None = Field(sa_column=Column(Text))
    tries: int = 0
    receipt: str = Field(sa_column=Column(Text, nullable=False))
    kept_at: datetime = Field(sa_column=Column(Instant, nullable=False, index=True))


class RulesRow(Table, table=True):
    """What a server's administrators decided; as in `core.places.Rules`."""

    __tablename__ = "rules"

    server: str = Field(sa_column=Column(Text, primary_key=True))
    rules: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class RestraintRow(Table, table=True):
    """What a moderator laid on somebody, a channel or all; as in `core.restraints.Restraint`."""

    __tablename__ = "restraint"
    __table_args__ = (
        one_of("kind", tuple(Kind), "kind"),
        CheckConstraint("credits >= 0", name="credits"),
    )

    server: str = Field(sa_column=Column(Text, primary_key=True))
    whom: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Instant))
    credits: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class RefusalRow(Table, table=True):
    """How many asks were not taken in a quarter of an hour, and why: the name of an error."""

    __tablename__ = "refusal"

    at: datetime = Field(sa_column=Column(Instant, primary_key=True))
    server: str = Field(sa_column=Column(Text, primary_key=True))
    model: str = Field(sa_column=Column(Text, primary_key=True))
    why: str = Field(sa_column=Column(Text, primary_key=True))
    count: int = 0


class LeaderRow(Table, table=True):
    """Somebody showed that they lead a server, whose name was `title`; as in `core.leaders.Led`."""

    __tablename__ = "leader"

    account_id: int = Field(sa_column=Column(Key, ForeignKey("account.id"), primary_key=True))
    server: str = Field(sa_column=Column(Text, primary_key=True))
    title: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class AuditRow(Table, table=True):
    """One line of the log of what moderators did; as in `core.audit.Row`. Lines are added, never
    changed: each seals those before it."""

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("previous"),
        Index(None, "server", "number"),
        Index(None, "whom", "number"),
    )

    number: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    who: str = Field(sa_column=Column(Text, nullable=False))
    rank: str = Field(sa_column=Column(Text, nullable=False))
    server: str = Field(sa_column=Column(Text, nullable=False))
    act: str = Field(sa_column=Column(Text, nullable=False))
    whom: str = Field(sa_column=Column(Text, nullable=False))
    details: str = Field(sa_column=Column(Text, nullable=False))
    previous: str = Field(sa_column=Column(Text, nullable=False))
    hash: str = Field(sa_column=Column(Text, nullable=False))


(
    ACCOUNT, CLAIM, DELIVERY, ENTRY, IDENTITY, JOB, LOT, POST, RESTRAINT, SIGHT, STRIKE, TREASURY,
    UPDATE,
) = (
    Table.metadata.tables[row.__tablename__]
    for row in (
        AccountRow,
        ClaimRow,
        DeliveryRow,
        EntryRow,
        IdentityRow,
        JobRow,
        LotRow,
        PostRow,
        RestraintRow,
        SightRow,
        StrikeRow,
        TreasuryRow,
        UpdateRow,
    )
)  # fmt: skip
"""The same, without objects, which take about half of the time where much is asked at once."""
