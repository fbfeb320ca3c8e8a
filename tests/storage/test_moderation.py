"""The contract of moderation, on every database: acts, what holds of them, and the log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import moderation as acts
from core.audit import Row, fault, sealed
from core.errors import Refused, UserError, WrongState
from core.job import Account, Claim, Identity, Job, Lot, LotKind, State, Wallet
from core.moderation import Outcome
from core.restraints import Allowance, Kind, Restraint
from core.treasury import Policy, Share
from storage.store import Store, open_store
from tests.storage.books import faults
from tests.storage.samples import KEEP, NOON, SetClock, a_clip, a_grant, a_job, a_person, do

SERVER, OTHER = "discord:81", "discord:82"
HERE, ELSEWHERE = "discord:81/92/103", "discord:82/93/104"


async def queue(store: Store, account: Account, place: str = HERE, credits: int = 10) -> Job:
    return await store.jobs.submit(a_job(account, credits, place=place), None, "print")


async def state(store: Store, job: Job) -> tuple[State, int]:
    found = await store.jobs.job(job.id)
    assert found is not None
    return found.state, found.charged


async def funds(store: Store, account: Account) -> Wallet:
    return await store.accounts.wallet(account.id)


async def test_credits_are_granted_and_taken_never_below_nothing(store: Store) -> None:
    ada = await a_person(store, 30)
    assert await do(store, acts.Grant(account_id=ada.id, credits=20)) == Outcome(20, 50, (), 1)
    await queue(store, ada, credits=15)
    taken = await do(store, acts.Take(account_id=ada.id, credits=40, reason="a slip"))
    assert taken == Outcome(35, 0, (), 2)
    assert await funds(store, ada) == Wallet(0, 15)
    newest = (await store.accounts.entries(ada.id, 1))[0]
    assert (newest.kind, newest.note) == ("take", "a slip")
    with pytest.raises(LookupError):
        await do(store, acts.Grant(account_id=10**9, credits=20))
    assert len(await store.moderation.rows(9)) == 2
    assert await faults(store) == []


async def test_a_server_s_grant_comes_out_of_its_treasury_and_lasts_as_long(store: Store) -> None:
    ada = await a_person(store, 0)
    grant = acts.Grant(server=SERVER, account_id=ada.id, credits=25)
    with pytest.raises(WrongState, match="no treasury"):
        await do(store, grant)
    assert (await do(store, acts.Fill(server=SERVER, credits=20))).left == 20
    with pytest.raises(UserError, match="The treasury has 20 credits"):
        await do(store, grant)
    club = await store.accounts.treasury(SERVER)
    assert club is not None
    assert club.policy == Policy()
    await store.accounts.renew(club.account_id, [a_grant(10, "month", NOON + KEEP)])
    assert await do(store, grant) == Outcome(25, 5, (), 2)
    assert await store.accounts.lots(ada.id) == [
        Lot(LotKind.GIFTED, 10, NOON + KEEP), Lot(LotKind.GIFTED, 15, None),
    ]  # fmt: skip
    policy = Policy(daily=5, hours=(18, 2))
    await do(store, acts.SetPolicy(server=SERVER, policy=policy))
    assert (await store.accounts.treasury(SERVER)) == type(club)(club.account_id, policy)
    assert await faults(store) == []


async def test_the_same_key_does_it_once_however_often_and_at_once(store: Store) -> None:
    ada = await a_person(store, 0)
    grant = acts.Grant(account_id=ada.id, credits=20)
    came = await asyncio.gather(*(do(store, grant, "telegram:1/2") for _ in range(20)))
    assert set(came) == {Outcome(20, 20, (), 1)}
    assert await funds(store, ada) == Wallet(20, 0)
    with pytest.raises(WrongState):
        await do(store, acts.Take(account_id=ada.id, credits=20), "telegram:1/2")


async def test_a_dry_run_says_what_would_be_and_leaves_all_as_it_is(store: Store) -> None:
    ada = await a_person(store, 30)
    job = await queue(store, ada)
    ban = acts.Ban(server=SERVER, account_id=ada.id, reason="spam")
    take = acts.Take(account_id=ada.id, credits=50)
    assert await do(store, ban, dry=True) == Outcome(10, 0, (job.id,))
    assert await do(store, take, dry=True) == Outcome(20, 0)
    assert await state(store, job) == (State.QUEUED, 0)
    assert await funds(store, ada) == Wallet(20, 10)
    assert await store.moderation.restraints([ada.id], NOON) == []
    assert await store.moderation.rows(9) == []
    with pytest.raises(IntegrityError):
        await do(store, acts.SetQuota(server=SERVER, account_id=ada.id, credits=-1), dry=True)


async def test_a_moderator_s_cancel_is_free_wherever_the_job_has_come_to(store: Store) -> None:
    ada = await a_person(store, 30)
    waits, runs, done = [await queue(store, ada) for _ in range(3)]
    for job in (runs, done):
        await store.jobs.claim(job.id, NOON)
    await store.jobs.progress(runs.id, 1, "rendering", 4, 5)
    await store.jobs.finish(done.id, 1, a_clip(), 1.0, NOON)
    for job in (waits, runs):
        cancel = acts.Cancel(server=SERVER, account_id=ada.id, job_id=job.id)
        assert (await do(store, cancel)).jobs == (job.id,)
        assert await state(store, job) == (State.CANCELLED, 0)
    assert await store.jobs.stopped(runs.id, 1, NOON) is None
    assert await store.jobs.finish(runs.id, 1, a_clip(), 1.0, NOON) is None
    assert not await store.jobs.progress(runs.id, 1, "rendering", 5, 5)
    with pytest.raises(WrongState, match="has already ended"):
        await do(store, acts.Cancel(account_id=ada.id, job_id=done.id))
    unfinished = acts.Delete(account_id=ada.id, job_id=(await queue(store, ada, credits=1)).id)
    with pytest.raises(WrongState, match="cancel it first"):
        await do(store, unfinished)
    gone = acts.Delete(server=SERVER, account_id=ada.id, job_id=done.id)
    for _ in range(2):
        assert (await do(store, gone, "press/1")).jobs == (done.id,)
    found = await store.jobs.job(done.id)
    assert found is not None
    assert (found.deleted, found.clip, found.request.prompt, found.charged) == (True, None, "", 10)
    for wrong in (
        gone,
        acts.Delete(server=OTHER, account_id=ada.id, job_id=runs.id),
        acts.Cancel(server=OTHER, account_id=ada.id, job_id=waits.id),
        acts.Cancel(server=SERVER, account_id=ada.id + 1, job_id=waits.id),
    ):
        with pytest.raises(UserError, match="no such clip"):
            await do(store, wrong)
    assert await funds(store, ada) == Wallet(19, 1)
    assert len(await store.outbox.lease(NOON, 60, 9)) >= 1
    assert await faults(store) == []


async def test_a_ban_ends_what_is_unfinished_where_it_holds(store: Store, clock: SetClock) -> None:
    ada, ben = await a_person(store), await a_person(store)
    here, there, bens = (
        await queue(store, ada), await queue(store, ada, ELSEWHERE), await queue(store, ben),
    )  # fmt: skip
    until = NOON + timedelta(days=2)
    await do(store, acts.Ban(server=SERVER, account_id=ada.id, reason="spam", until=until))
    assert await state(store, here) == (State.CANCELLED, 0)
    assert [await state(store, job) for job in (there, bens)] == [(State.QUEUED, 0)] * 2
    ban = Restraint(Kind.BAN, SERVER, f"account:{ada.id}", "spam", until)
    assert await store.moderation.restraints([ada.id, ben.id], NOON) == [ban]
    assert await store.moderation.restraints([ben.id], NOON) == []
    assert await store.moderation.restraints([ada.id], until) == []
    with pytest.raises(WrongState):
        await do(store, acts.Unban(server=OTHER, account_id=ada.id))
    await do(store, acts.Unban(server=SERVER, account_id=ada.id))
    assert await store.moderation.restraints([ada.id], NOON) == []
    assert await faults(store) == []


async def test_a_ban_waits_for_whoever_pays_without_keeping_one_from_another(
    postgres_url: str, tmp_path: Path
) -> None:
    waits = text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
    lock = text("SELECT id FROM account WHERE id = :id FOR NO KEY UPDATE NOWAIT")
    async with open_store(postgres_url, tmp_path, KEEP) as store:
        await do(store, acts.Fill(server=SERVER, credits=50))
        club = await store.accounts.treasury(SERVER)
        assert club is not None
        ada = await a_person(store, 50)
        await queue(store, ada)
        share = Share(club.account_id, None, NOON)
        await store.jobs.submit(a_job(ada, 10, place=HERE), None, "print", share)
        async with store.database.writing() as session:
            await session.execute(lock, {"id": club.account_id})
            ban = asyncio.create_task(do(store, acts.Ban(account_id=ada.id, reason="spam")))
            while not await session.scalar(waits):
                await asyncio.sleep(0.01)
            await session.execute(lock, {"id": ada.id})
        assert len((await ban).jobs) == 2
        assert await funds(store, ada) == Wallet(50, 0)
        assert await faults(store) == []


async def test_a_quota_holds_however_many_ask_at_once(store: Store) -> None:
    ada = await a_person(store, 100)
    await queue(store, ada, ELSEWHERE, 40)
    allowance = Allowance(SERVER, 25, NOON.replace(hour=0))

    async def ask() -> Job | str:
        try:
            job = a_job(ada, 10, place=HERE)
            return await store.jobs.submit(job, None, "print", None, allowance)
        except Refused as refused:
            return refused.sentence

    came = await asyncio.gather(*(ask() for _ in range(6)))
    made = [one for one in came if isinstance(one, Job)]
    assert len(made) == 2
    assert "Here you may spend 25 a day, in credits: 20 are spent, and this costs 10." in {
        one.partition(" A moderator")[0] for one in came if isinstance(one, str)
    }
    assert await store.moderation.spent(ada.id, SERVER, allowance.since) == 20
    await store.jobs.cancel(made[0].id, NOON)
    assert isinstance(await ask(), Job)
    assert await funds(store, ada) == Wallet(40, 60)
    assert await faults(store) == []


async def test_plans_people_and_their_names(store: Store) -> None:
    ada = await store.accounts.account(Identity("discord", "7"), "Ada")
    assert await store.moderation.person(Identity("discord", "7")) == ada
    assert await store.moderation.person(Identity("discord", "8")) is None
    assert await store.moderation.identities(ada.id) == [Identity("discord", "7")]
    await do(store, acts.SetPlan(account_id=ada.id, plan="pro", until=NOON + KEEP))
    known = await store.accounts.account_by_id(ada.id)
    assert known is not None
    assert known.claims == (Claim("moderator", "pro", NOON + KEEP),)


async def test_writers_at_once_make_one_chain(store: Store) -> None:
    people = [await a_person(store, 0) for _ in range(4)]
    each = [acts.Note(server=s, account_id=p.id, text=str(n))
            for n in range(6) for p in people for s in (SERVER, OTHER)]  # fmt: skip
    await asyncio.gather(*(do(store, act) for act in each))
    rows = await store.moderation.rows(100)
    assert [row.number for row in rows] == list(range(1, 49))
    assert broken(rows) == ""
    newest = await store.moderation.rows(3, newest=True, server=SERVER, whom=rows[0].whom)
    assert len(newest) == 3
    assert {(row.server, row.whom) for row in newest} == {(SERVER, rows[0].whom)}
    assert newest[0].number > newest[-1].number
    assert [row.number for row in await store.moderation.rows(2, after=40)] == [41, 42]


async def test_what_is_changed_behind_its_back_is_found(store: Store) -> None:
    ada = await a_person(store, 0)
    for number in range(5):
        await do(store, acts.Grant(account_id=ada.id, credits=number + 1, reason="a günstiger Tag"))
    assert broken(await store.moderation.rows(9)) == ""
    for statement, says in (
        ("UPDATE audit SET who = 'nobody' WHERE number = 3", "row 3 was changed"),
        ("UPDATE audit SET details = replace(details, '3', '9') WHERE number = 3", "row 3 was"),
        ("DELETE FROM audit WHERE number = 2", "row 2 was taken out"),
    ):
        kept = await store.moderation.rows(9)
        async with store.database.writing() as session:
            await session.execute(text(statement))
        assert broken(await store.moderation.rows(9)).startswith(says)
        async with store.database.writing() as session:
            await session.execute(text("DELETE FROM audit"))
            for row in kept:
                columns = ", ".join(f'"{name}"' for name in Row.__slots__)
                values = ", ".join(f":{name}" for name in Row.__slots__)
                await session.execute(
                    text(f"INSERT INTO audit ({columns}) VALUES ({values})"),
                    {name: getattr(row, name) for name in Row.__slots__},
                )


WORDS = st.text(max_size=8)
LOGS = st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=12)
TEXTS = ("key", "who", "rank", "server", "act", "whom", "details")


def chained(said: list[tuple[str, str, str]]) -> list[Row]:
    rows: list[Row] = []
    for number, (who, server, details) in enumerate(said):
        row = Row(0, NOON, str(number), who, "host", server, "note", "all", details)
        rows.append(sealed(row, rows[-1] if rows else None))
    return rows


def broken(rows: object) -> str:
    before = None
    for row in rows:  # type: ignore[attr-defined]
        if wrong := fault(before, row):
            return wrong
        before = row
    return ""


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LOGS, st.data())
def test_no_row_is_changed_taken_out_or_put_in_unseen(
    said: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    rows = chained(said)
    assert broken(rows) == ""
    at = data.draw(st.integers(0, len(rows) - 1))
    match data.draw(st.sampled_from(("change", "take out", "put in", "swap"))):
        case "change":
            name = data.draw(st.sampled_from(TEXTS))
            value = data.draw(WORDS.filter(lambda value: value != getattr(rows[at], name)))
            rows[at] = replace(rows[at], **{name: value})
        case "take out" if at < len(rows) - 1:
            del rows[at]
        case "put in":
            forged = sealed(replace(rows[at], who="forged"), rows[at - 1] if at else None)
            rows.insert(at, forged)
        case "swap" if at < len(rows) - 1:
            rows[at], rows[at + 1] = rows[at + 1], rows[at]
        case _:
            return  # a tail that was cut off: no chain shows that, but a head that was noted does
    assert broken(rows) != ""
