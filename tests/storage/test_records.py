"""What a console lists, and for whom."""

from __future__ import annotations

from core import moderation as acts
from core.errors import WrongState
from core.job import Account, Grant, Identity, LotKind, State
from core.leaders import Led
from core.places import Post
from core.records import JobFilter, JobOrder, LogFilter, PeopleFilter, PeopleOrder, Server
from core.restraints import Kind
from storage.store import Store
from tests.storage.samples import a_request, do
from tests.storage.steps import queue

HERE, THERE = "discord:81", "discord:82"


async def somebody(store: Store, subject: str, name: str, credits: int) -> Account:
    account = await store.accounts.account(Identity("discord", subject), name)
    await store.accounts.renew(account.id, [Grant(LotKind.BOUGHT, credits, "first", None)])
    return account


async def test_people_are_found_sorted_and_kept_apart(store: Store) -> None:
    ada = await somebody(store, "811", "Ada 100%", 50)
    ben = await somebody(store, "822", "Ben", 90)
    cleo = await somebody(store, "833", "Cleo", 70)
    await store.accounts.account(Identity("telegram", "811"), "Tim")
    for account, place in ((ada, HERE), (ada, HERE), (ben, THERE), (ada, THERE)):
        await queue(store, account, place=f"{place}/92/1")
    await do(store, acts.Fill(server=HERE, credits=5))
    await do(store, acts.Ban(server=HERE, account_id=cleo.id, reason="spam"))
    await do(store, acts.Pause(server=THERE, account_id=ada.id))

    async def names(**said: object) -> list[str]:
        found = await store.records.people(PeopleFilter(**said), 10)  # type: ignore[arg-type]
        return [one.account.name for one in found]

    assert await names() == ["Ada 100%", "Ben", "Tim", "Cleo"]
    assert await names(order=PeopleOrder.NAME) == ["Ada 100%", "Ben", "Cleo", "Tim"]
    assert (await names(order=PeopleOrder.CREDITS))[0] == "Ben"
    assert (await names(order=PeopleOrder.JOBS))[0] == "Ada 100%"
    assert await names(server=HERE) == ["Ada 100%", "Cleo"]
    assert await names(words="0%") == ["Ada 100%"]
    assert await names(words="%") == ["Ada 100%"]
    assert await names(words="811") == ["Ada 100%", "Tim"]
    assert await names(words="discord:82") == ["Ben"]
    assert await names(words=f"{ben.id}#") == ["Ben"]
    assert await names(server=HERE, words=f"{ben.id}#") == []
    assert await names(held=Kind.BAN) == ["Cleo"]
    assert await names(held=Kind.PAUSE, server=HERE) == []
    (first,) = await store.records.people(PeopleFilter(HERE), 1)
    assert (first.jobs, first.available, first.held) == (2, 20, ())
    (second,) = await store.records.people(PeopleFilter(HERE), 5, 1)
    assert (second.jobs, second.newest, second.held) == (0, None, (Kind.BAN,))
    tim = await store.accounts.account(Identity("telegram", "811"), "Tim")
    await do(store, acts.Merge(account_id=tim.id, into=ben.id))
    assert await names(words=f"{tim.id}#") == ["Ben"]
    assert await names(server=HERE, words=f"{tim.id}#") == []


async def test_jobs_and_rows_are_those_of_a_server(store: Store) -> None:
    ada = await somebody(store, "811", "Ada", 100)
    dear = await queue(store, ada, 30, place=f"{HERE}/92/1")
    cheap = await queue(store, ada, 5, place=f"{HERE}/92/2", request=a_request(model="pocket"))
    there = await queue(store, ada, 7, place=f"{THERE}/92/3")
    alone = await queue(store, ada, 7, place="discord:@/77/3")
    await store.places.keep(Post(f"{HERE}/92/2", "811", 1, True, hidden=True))

    async def ids(**said: object) -> list[str]:
        found = await store.records.jobs(JobFilter(**said), 10)  # type: ignore[arg-type]
        return [one.job.id for one in found]

    assert await ids() == [alone.id, there.id, cheap.id, dear.id]
    assert await ids(server=HERE, order=JobOrder.CREDITS) == [dear.id, cheap.id]
    assert await ids(model="pocket") == [cheap.id]
    assert await ids(words=dear.id[:11]) == [dear.id]
    assert await ids(states=(State.RUNNING,)) == []
    shown = await store.records.jobs(JobFilter(order=JobOrder.OLDEST), 4)
    assert [one.hidden for one in shown] == [False, True, False, True]
    await store.leaders.leads(ada.id, Led(HERE, "Cinema"))
    assert await store.records.servers(9) == [Server(HERE, "Cinema", 2), Server(THERE, "", 1)]
    await store.places.move(dear.id, Post(f"{THERE}/92/9", "811", 1, True))
    assert await ids(server=HERE) == [cheap.id]

    for server in (HERE, THERE):
        await do(store, acts.Note(server=server, account_id=ada.id, text="kind"))
    assert [row.server for row in await store.records.log(LogFilter(), 9)] == [THERE, HERE]
    assert [row.number for row in await store.records.log(LogFilter(HERE, act="note"), 9)] == [1]
    assert await store.records.log(LogFilter(HERE, number=2), 9) == []


async def test_a_job_is_moved_while_it_waits(store: Store) -> None:
    ada = await somebody(store, "811", "Ada", 100)
    jobs = [await queue(store, ada, 5, place=f"{HERE}/92/{number}") for number in range(3)]

    async def move(number: int, first: bool, server: str = HERE) -> None:
        job_id = jobs[number].id
        act = acts.Move(server=server, account_id=ada.id, job_id=job_id, first=first)
        await do(store, act, f"{number}{first}")

    await move(1, first=True)
    await move(2, first=True)
    await move(0, first=False)
    assert [job.shift for job in await store.jobs.queued()] == [1, -1, -2]
    await store.jobs.cancel(jobs[1].id, jobs[1].created_at)
    try:
        await move(1, first=False)
    except WrongState as refused:
        assert refused.sentence == "This clip waits no more."
    else:
        raise AssertionError
