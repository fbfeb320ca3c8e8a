"""Who may do what to whom; and what then holds, through the studio and the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core import moderation as acts
from core.errors import BadPrompt, NotFound, Refused
from core.job import OWNER, Account, Identity, Job, State
from core.moderation import Act, Actor, Rank
from core.moderators import Done, Moderators
from core.permits import check, may
from core.plans import FREE, Plan, Plans
from core.prompt import parse
from core.treasury import Policy
from tests.core.home import Home, home
from tests.storage.books import faults

HERE, THERE = "discord:81", "discord:82"
HOST = Actor("the shell", Rank.HOST)
OPERATOR = Actor("mia (discord:7)", Rank.OPERATOR)
MODERATOR = Actor("ben (discord:8)", Rank.MODERATOR, HERE)
MEMBER = Actor("zoe (discord:9)", Rank.MEMBER, HERE)
POLICY = Policy(daily=10)


def each(server: str) -> dict[str, Act]:
    return {
        "grant": acts.Grant(server=server, account_id=1, credits=5),
        "take": acts.Take(server=server, account_id=1, credits=5),
        "quota": acts.SetQuota(server=server, account_id=1, credits=5),
        "plan": acts.SetPlan(server=server, account_id=1, plan="pro"),
        "pause": acts.Pause(server=server, account_id=1),
        "pause all": acts.Pause(server=server),
        "resume": acts.Resume(server=server, channel="92"),
        "first": acts.Move(server=server, account_id=1, job_id="abc", first=True),
        "last": acts.Move(server=server, account_id=1, job_id="abc", first=False),
        "cancel": acts.Cancel(server=server, account_id=1, job_id="abc"),
        "ban": acts.Ban(server=server, account_id=1, reason="spam"),
        "unban": acts.Unban(server=server, account_id=1),
        "note": acts.Note(server=server, account_id=1, text="kind"),
        "fill": acts.Fill(server=server, credits=5),
        "policy": acts.SetPolicy(server=server, policy=POLICY),
    }


def allowed(actor: Actor, server: str, theirs: Rank = Rank.MEMBER) -> set[str]:
    found = set()
    for name, act in each(server).items():
        try:
            may(actor, act, theirs)
        except Refused:
            continue
        found.add(name)
    return found


def test_who_may_do_what() -> None:
    everything = set(each(HERE))
    to_nobody = {"pause all", "resume", "fill", "policy"}
    for server in (HERE, THERE, acts.EVERYWHERE):
        assert allowed(MEMBER, server) == set()
        assert allowed(OPERATOR, server) == allowed(HOST, server) == everything
        assert allowed(OPERATOR, server, Rank.MODERATOR) == everything
        assert allowed(OPERATOR, server, Rank.OPERATOR) == to_nobody
        assert allowed(HOST, server, Rank.OPERATOR) == everything
    assert allowed(MODERATOR, HERE) == everything - {"take", "plan", "fill", "first"}
    assert allowed(MODERATOR, THERE) == allowed(MODERATOR, acts.EVERYWHERE) == set()
    for theirs in (Rank.MODERATOR, Rank.OPERATOR):
        assert allowed(MODERATOR, HERE, theirs) == {"pause all", "resume", "policy"}


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (acts.Grant(account_id=1, credits=0), "from 1 to"),
        (acts.SetQuota(server=HERE, account_id=1, credits=-1), "from 0 to"),
        (acts.SetQuota(account_id=1, credits=3), "on which server"),
        (acts.Fill(server="81", credits=3), '"81" is no server'),
        (acts.Ban(server="discord:", account_id=1, reason="spam"), "is no server"),
        (acts.Ban(account_id=1, reason=" "), "Say why"),
        (acts.Ban(account_id=1, reason="x" * 501), "Up to 500"),
        (acts.Ban(account_id=1, reason="sp\0am"), "type them as plain text"),
        (acts.Note(account_id=1, text="kind \ud83d"), "type them as plain text"),
        (acts.Note(account_id=1, text=""), "what is to be noted"),
        (acts.Pause(channel="92"), "on which server the channel is"),
        (acts.Pause(until=datetime(2026, 1, 1, tzinfo=UTC)), "ended already"),
        (acts.SetPlan(account_id=1, plan="gold"), "there are free, supporter, pro"),
        (acts.MakeVoucher(name="v", digest="d", credits=5, plan="pro"), "for how many days"),
    ],
)
def test_what_can_t_be_meant_is_said(act: Act, says: str) -> None:
    with pytest.raises(BadPrompt, match=says):
        check(act, datetime(2026, 11, 22, tzinfo=UTC), Plans())


class Led:
    """A home with moderators, and somebody who asks."""

    def __init__(self, home: Home, anna: Account) -> None:
        self.home = home
        self.anna = anna
        self._count = 0
        self.moderators = Moderators(
            home.store.moderation, home.store.accounts, home.store.jobs, home.studio.terms.plans,
            UTC, lambda: datetime.now(UTC), frozenset({Identity("web", "mia")}),
            home.studio.cancelled,
        )  # fmt: skip

    async def do(self, act: Act, actor: Actor = HOST, **how: bool) -> Done:
        self._count += 1
        return await self.again(act, actor, **how)

    async def again(self, act: Act, actor: Actor = HOST, **how: bool) -> Done:
        """By the key of what was done last."""
        return await self.moderators.do(actor, act, str(self._count), **how)

    async def ask(self, place: str = f"{HERE}/92/103", account: Account | None = None) -> Job:
        return await self.home.studio.submit(account or self.anna, place, parse("a red ball"))

    async def paused(self, job: Job, says: str) -> None:
        async with asyncio.timeout(20):
            while True:
                outlook = self.home.studio.viewed(job).outlook
                if outlook is not None and outlook.paused == says:
                    return
                await asyncio.sleep(0.01)


@pytest.fixture
async def led(tmp_path: Path) -> AsyncIterator[Led]:
    async with home(tmp_path, Plan(FREE, daily=100)) as at_home:
        yield Led(at_home, await at_home.account("anna"))


async def test_who_is_banned_is_told_why_and_until_when(led: Led) -> None:
    until = datetime.now(UTC) + timedelta(days=2)
    ban = acts.Ban(server=HERE, account_id=led.anna.id, reason="spam", until=until)
    mine, theirs = await led.ask(), await led.ask(f"{THERE}/1/2")
    started = await led.home.engine.next()
    dry = await led.do(ban, dry=True)
    done = await led.do(ban)
    assert (dry.words, dry.jobs, dry.number) == (done.words, done.jobs, 0)
    assert await led.again(ban, dry=True) == done
    assert done.words == (
        f"anna is banned on {HERE} until {acts.moment(until)}: spam. Clips cancelled: 1."
    )
    assert started[0] == mine.id
    assert await led.home.engine.asked_to_stop.get() == (mine.id, 1)
    led.home.engine.stop(mine.id, 1)
    assert (await led.home.until(mine, State.CANCELLED)).charged == 0
    says = f"You are banned here until {acts.moment(until)}: spam"
    with pytest.raises(Refused, match=says):
        await led.ask()
    for vary in (led.home.studio.again, led.home.studio.upscale):
        with pytest.raises(Refused, match=says):
            await vary(led.anna, f"{HERE}/92/104", mine.id)
    with pytest.raises(Refused, match=says):
        await led.home.studio.variants(led.anna, f"{HERE}/92/104", mine.id, 4)
    attempt = await led.home.engine.next()
    assert attempt[0] == theirs.id
    await led.do(acts.Unban(server=HERE, account_id=led.anna.id))
    await led.ask()
    await led.do(acts.Ban(account_id=led.anna.id, reason="spam"))
    with pytest.raises(Refused, match="You are banned from this Kinora: spam"):
        await led.ask("web:page")
    assert await faults(led.home.store) == []


async def test_what_is_paused_waits_without_losing_its_place(led: Led) -> None:
    ben = await led.home.account("ben")
    await led.do(acts.Pause())
    first, second = await led.ask(), await led.ask("web:page", ben)
    third = await led.ask("web:page", ben)
    await led.paused(first, "All is paused.")
    await led.do(acts.Pause(server=HERE, channel="92", reason="a talk"))
    await led.do(acts.Resume())
    attempt = await led.home.engine.next()
    assert attempt[0] == second.id
    await led.paused(first, "This channel is paused: a talk")
    with pytest.raises(Refused, match="This channel is paused: a talk"):
        await led.ask()
    assert led.home.dispatch.waiting(led.anna.id) == 1
    await led.do(acts.Resume(server=HERE, channel="92"))
    async with asyncio.timeout(20):
        while (outlook := led.home.studio.viewed(first).outlook) is None or outlook.paused:
            await asyncio.sleep(0.01)
    led.home.engine.render(*attempt)
    assert [(await led.home.engine.next())[0]] == [first.id]
    assert (await led.home.store.jobs.job(third.id)).state is State.QUEUED  # type: ignore[union-attr]


async def test_a_quota_is_a_limit_on_one_server(led: Led) -> None:
    price = (await led.ask()).credits
    await led.do(acts.SetQuota(server=HERE, account_id=led.anna.id, credits=2 * price), MODERATOR)
    await led.ask()
    with pytest.raises(Refused, match=f"Here you may spend {2 * price} a day"):
        await led.ask()
    await led.ask(f"{THERE}/1/2")
    shown = await led.moderators.show(MODERATOR, led.anna)
    assert (shown.spent, shown.wallet, len(shown.unfinished)) == (2 * price, None, 2)
    assert [row.act for row in shown.rows] == ["quota"]
    await led.do(acts.SetQuota(server=HERE, account_id=led.anna.id, credits=None))
    await led.ask()


async def test_ranks_hold_whatever_a_room_says(led: Led) -> None:
    """Operators are known by the settings, and the owner by the page."""
    mia = await led.home.account("mia")
    owner = await led.home.store.accounts.account(OWNER, "owner")
    for account in (mia, owner):
        for actor in (MODERATOR, OPERATOR):
            server = actor.server
            with pytest.raises(Refused, match="own rank"):
                await led.do(acts.Ban(server=server, account_id=account.id, reason="x"), actor)
    await led.do(acts.Grant(account_id=owner.id, credits=5))
    with pytest.raises(NotFound):
        await led.do(acts.Grant(account_id=10**9, credits=5))
    assert [row.act for row in await led.moderators.log(MODERATOR)] == []
    assert [row.who for row in await led.moderators.log(OPERATOR)] == ["the shell"]
    for asking in (led.moderators.log(MEMBER), led.moderators.show(MEMBER, led.anna)):
        with pytest.raises(Refused):
            await asking


async def test_a_head_that_was_noted_shows_a_tail_that_was_cut_off(led: Led) -> None:
    empty = await led.moderators.verify()
    for number in range(3):
        await led.do(acts.Grant(account_id=led.anna.id, credits=number + 1))
    whole = await led.moderators.verify()
    assert await led.moderators.verify(empty.head) == whole
    assert (whole.rows, whole.fault) == (3, "")
    assert (await led.moderators.verify(whole.head)).fault == ""
    async with led.home.store.database.writing() as session:
        await session.execute(text("DELETE FROM audit WHERE number = 3"))
    assert (await led.moderators.verify()).fault == ""
    assert "is not in it" in (await led.moderators.verify(whole.head)).fault
