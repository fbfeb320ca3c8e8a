"""What a plan and a treasury let people do, through the studio."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadPrompt, NotEnoughCredits
from core.job import Account, Identity, Job, State
from core.moderation import SetPlan, SetPolicy
from core.plans import FREE, Plan
from core.prompt import parse
from core.treasury import Policy
from tests.core.home import A_DAY, Home, home
from tests.storage.books import faults
from tests.storage.samples import a_grant, do

HERE, ELSEWHERE = "discord:81/92/103", "discord:81/93/104"


async def ask(at_home: Home, account: Account, place: str) -> Job:
    return await at_home.studio.submit(account, place, parse("a red ball"))


async def test_a_plan_is_a_limit_with_a_reason(tmp_path: Path) -> None:
    async with home(tmp_path, replace(A_DAY, longest=1.0)) as at_home:
        anna = await at_home.account("anna")
        before = await at_home.funds(anna)
        with pytest.raises(BadPrompt, match="With the free plan a clip can be up to 1 seconds"):
            await at_home.ask(anna, "a red ball --seconds 2")
        assert await at_home.funds(anna) == before
        assert await at_home.store.jobs.queued() == []


async def test_a_treasury_pays_where_its_policy_lets_it(tmp_path: Path) -> None:
    async with home(tmp_path, Plan(FREE, daily=0)) as at_home:
        anna = await at_home.account("anna")
        club = await at_home.store.accounts.account(Identity("discord:server", "81"), "The club")
        await at_home.store.accounts.renew(club.id, [a_grant(50)])
        with pytest.raises(NotEnoughCredits):
            await ask(at_home, anna, HERE)
        policy = Policy(daily=10, channels=("92",))
        await do(at_home.store, SetPolicy(server="discord:81", policy=policy))
        with pytest.raises(NotEnoughCredits):
            await ask(at_home, anna, ELSEWHERE)
        job = await ask(at_home, anna, HERE)
        assert (await at_home.store.accounts.wallet(club.id)).held == job.credits
        attempt = await at_home.engine.next()
        at_home.engine.render(*attempt)
        await at_home.until(job, State.SUCCEEDED)
        assert (await at_home.store.accounts.wallet(club.id)).available == 50 - job.credits
        for _ in range(10 // job.credits - 1):
            await ask(at_home, anna, HERE)
        with pytest.raises(NotEnoughCredits):
            await at_home.studio.variants(anna, HERE, job.id, 4)
        assert await at_home.funds(anna) == (0, 0)
        assert await faults(at_home.store) == []


async def test_a_heavier_plan_has_more_turns(tmp_path: Path) -> None:
    """Four times the weight: four turns for one."""
    async with home(tmp_path, A_DAY) as at_home:
        anna, ben = await at_home.account("anna"), await at_home.account("ben")
        await do(at_home.store, SetPlan(account_id=ben.id, plan="heavy", until=None))
        await at_home.ask(await at_home.account("cleo"))
        await at_home.engine.next()
        jobs = [await at_home.ask(account) for account in (anna, anna, ben, ben, ben, ben)]
        async with asyncio.timeout(20):
            while [position(at_home, job) for job in jobs] != [2, 7, 3, 4, 5, 6]:
                await asyncio.sleep(0)


def position(at_home: Home, job: Job) -> int:
    outlook = at_home.studio.viewed(job).outlook
    assert outlook is not None
    return outlook.position
