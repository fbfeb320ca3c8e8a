"""What is blocked is in the database with a row in the log, and is found again by its likeness."""

from __future__ import annotations

import json
import random

import pytest

from core.errors import BadPrompt, Refused, WrongState
from core.moderation import BLOCKED_AT_ONCE, Actor, Block, Rank, TakeDown, Unblock
from core.permits import check, may
from core.plans import Plans
from core.safety.blocklist import ALIKE, Watched, hashes_in
from storage.store import Store
from tests.storage.samples import NOON, a_clip, a_person, do
from tests.storage.steps import queue

RANDOM = random.Random(7)


def a_hash() -> str:
    return f"{RANDOM.getrandbits(256):064x}"


def changed(written: str, bits: int) -> str:
    flips = sum(1 << bit for bit in RANDOM.sample(range(256), bits))
    return f"{int(written, 16) ^ flips:064x}"


async def test_pictures_are_blocked_and_unblocked(store: Store) -> None:
    one, other, third = a_hash(), a_hash(), a_hash()
    watched = Watched(store.blocked)
    await watched.renewed()
    assert not watched([one])
    await do(store, Block(hashes=(one, other), reason="Spam"))
    await do(store, Block(hashes=(other, third), reason="Again"))
    assert not watched([one])
    await watched.renewed()
    assert watched([a_hash(), changed(one, ALIKE)])
    assert not watched([changed(one, ALIKE + 1)])
    assert not watched([])
    kept = {each.hash: each for each in await store.blocked.newest(99)}
    assert {each.why for each in kept.values()} == {"Spam", "Again"}
    assert (kept[other].why, kept[other].by, kept[other].at) == ("Spam", "the shell", NOON)

    await do(store, Unblock(hashes=(one,)))
    await watched.renewed()
    assert not watched([one])
    assert watched([third])
    with pytest.raises(WrongState, match="None of these is blocked"):
        await do(store, Unblock(hashes=(one,)), "once more")
    rows = await store.moderation.rows(9)
    assert [(row.act, row.whom) for row in rows] == [
        ("block", "blocklist"), ("block", "blocklist"), ("unblock", "blocklist"),
    ]  # fmt: skip
    assert json.loads(rows[0].details)["hashes"] == [one, other]


async def test_what_is_taken_down_is_blocked_with_all_that_was_made_from_it(store: Store) -> None:
    ada, watched = await a_person(store, 100), Watched(store.blocked)
    clip, other = await queue(store, ada), await queue(store, ada)
    variant = await queue(store, ada, parent=clip.id)
    looks = {job.id: a_hash() for job in (clip, other, variant)}
    for job in (clip, variant, other):
        running = await store.jobs.claim(job.id, NOON)
        assert running is not None
        look = (looks[job.id],)
        await store.jobs.finish(job.id, running.attempt, a_clip(), 2.5, NOON, look)
    await do(store, TakeDown(account_id=ada.id, job_id=clip.id, reason="Somebody else's"))
    await watched.renewed()
    assert watched([looks[clip.id]])
    assert watched([looks[variant.id]])
    assert not watched([looks[other.id]])
    (act,) = await store.blocked.acts(9)
    assert (act.count, act.why, act.by, act.at) == (2, "Somebody else's", "the shell", NOON)
    assert set(await store.blocked.together(act.hash, 9)) == {looks[clip.id], looks[variant.id]}
    (row,) = await store.moderation.rows(9, whom=f"account:{ada.id}")
    assert (row.act, row.whom) == ("take down", f"job:{clip.id}")
    assert not await store.moderation.rows(9, whom="account:999")
    assert {one.why for one in await store.blocked.newest(99)} == {"Somebody else's"}


async def test_who_leads_a_server_takes_down_what_is_there_and_blocks_nothing(
    store: Store,
) -> None:
    ada = await a_person(store, 100)
    clip = await queue(store, ada, place="discord:81/1/2")
    here = await queue(store, ada, place="discord:81/1/3", parent=clip.id)
    elsewhere = await queue(store, ada, place="discord:82/1/4", parent=clip.id)
    for job in (clip, here, elsewhere):
        running = await store.jobs.claim(job.id, NOON)
        assert running is not None
        await store.jobs.finish(job.id, running.attempt, a_clip(), 2.5, NOON, (a_hash(),))
    act = TakeDown(account_id=ada.id, job_id=clip.id, reason="Spam", server="discord:81")
    mo = Actor("mo", Rank.MODERATOR, "discord:81")
    outcome = await store.moderation.perform(act, mo, "take down")
    assert set(outcome.jobs) == {clip.id, here.id}
    left = [job.id for job in await store.jobs.history(ada.id, 9)]
    assert left == [elsewhere.id]
    assert not await store.blocked.newest(99)


def test_only_operators_block_and_say_why() -> None:
    act = Block(hashes=(a_hash(),), reason="Spam", server="discord:81")
    with pytest.raises(Refused, match="Only who runs this Kinora"):
        may(Actor("Ada", Rank.MODERATOR, "discord:81"), act)
    may(Actor("Ada", Rank.OPERATOR), act)
    with pytest.raises(BadPrompt, match="Say why"):
        check(Block(hashes=(a_hash(),), reason=" "), NOON, Plans())
    with pytest.raises(BadPrompt, match="from 1 to 500"):
        check(Unblock(hashes=(a_hash(),) * (BLOCKED_AT_ONCE + 1)), NOON, Plans())


def test_a_list_is_read_line_by_line() -> None:
    one, other = a_hash(), a_hash()
    text = f"# from somewhere\n\n{one}  a note\n{other.upper()}\n{one}\n"
    assert hashes_in(text) == (one, other)
    with pytest.raises(BadPrompt, match="Line 2 is no hash"):
        hashes_in(f"{one}\n{other[:-1]}\n")
