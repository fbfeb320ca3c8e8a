"""The contract of places, on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.moderation import Ban, Fill, SetQuota
from core.places import Post, Rules
from core.safety.level import Level
from storage.store import Store
from tests.storage.books import faults
from tests.storage.samples import NOON, a_person, do
from tests.storage.steps import finish, queue


async def test_a_card_moves_and_its_delivery_with_it(store: Store) -> None:
    account = await a_person(store, 100)
    job = await queue(store, account, 1, place="discord:1/2/3")
    beside = await queue(store, account, 1, place="discord:1/2/3")
    assert [one.id for one in await store.jobs.at("discord:1/2/3")] == [job.id, beside.id]
    await store.places.move(job.id, Post("discord:@/7/8", "81", 10_000, False))
    assert await store.places.post("discord:@/7/8") is not None
    assert [one.id for one in await store.jobs.at("discord:1/2/3")] == [beside.id]
    claimed = await store.jobs.claim(job.id, NOON)
    assert claimed is not None
    await finish(store, claimed)
    await store.places.move(job.id, Post("discord:@/7/9", "81", 10_000, False))
    (delivery,) = await store.outbox.lease(NOON, 60, 9)
    assert delivery.place == "discord:@/7/9"


async def test_posts_and_rules_come_back_as_they_were_given(store: Store) -> None:
    until = NOON + timedelta(minutes=15)
    post = Post("discord:1/2/3", "81", 10_000, False, "a token", until, hidden=True, adult=True)
    await store.places.keep(post)
    assert await store.places.post(post.place) == post
    await store.places.keep(replace(post, pinged=True))
    assert await store.places.post(post.place) == replace(post, pinged=True)
    assert "a token" not in repr(post)
    await queue(store, await a_person(store), place=post.place)
    await store.places.sweep(until - timedelta(seconds=1))
    assert (await store.places.post(post.place)) == replace(post, pinged=True)
    await store.places.sweep(until)
    swept = await store.places.post(post.place)
    assert swept is not None
    assert (swept.token, swept.token_until) == (None, None)
    await store.places.drop(post.place)
    assert await store.places.post(post.place) is None

    assert await store.places.all_rules() == {}
    rules = Rules(("5", "6"), 2.0, 4.0, "480p", "720p", "parallax", True, level=Level.STRICT)
    for given in (Rules(), rules):
        await store.places.set_rules("discord:1", given)
        assert await store.places.all_rules() == {"discord:1": given}


async def test_a_post_that_comes_to_nothing_is_known_while_it_can_be_answered(
    store: Store,
) -> None:
    account = await a_person(store)
    until = NOON + timedelta(minutes=15)
    asked = Post("discord:1/2/@9", "81", 10_000, False, "a token", until)
    await store.places.keep(asked)
    assert list(await store.places.unanswered(NOON)) == [asked]
    card = replace(asked, place="discord:1/2/3")
    for _ in range(2):
        await store.places.keep(card, instead_of=asked.place)
    assert list(await store.places.unanswered(NOON)) == [card]
    other = replace(asked, place="discord:1/2/4", token="another")
    await store.places.keep(other)
    await queue(store, account, place=card.place)
    assert list(await store.places.unanswered(NOON)) == [other]
    assert list(await store.places.unanswered(until)) == []
    await store.places.sweep(until)
    assert await store.places.post(other.place) is None
    assert await store.places.post(card.place) == replace(card, token=None, token_until=None)
    unsent = replace(other, place="telegram:1/@/re-5", token=None)
    await store.places.keep(unsent)
    assert list(await store.places.unanswered(NOON)) == []
    await store.places.sweep(NOON)
    assert await store.places.post(unsent.place) == unsent
    await store.places.sweep(until)
    assert await store.places.post(unsent.place) is None
    await store.places.keep(replace(other, token=None, token_until=None))
    await store.places.sweep(until)
    assert await store.places.post(other.place) is not None


async def test_a_clip_is_reported_once_by_each(store: Store) -> None:
    anna, ben = await a_person(store), await a_person(store)
    job = await queue(store, anna)
    reports = [await store.places.report(job.id, who.id, job.place, NOON) for who in (ben, ben)]
    assert reports == [True, False]
    assert await store.places.report(job.id, anna.id, job.place, NOON)


async def test_what_is_known_of_a_server_follows_it(store: Store) -> None:
    old, new = "telegram:-5", "telegram:-1005"
    ada, ben = await a_person(store, 100), await a_person(store, 100)
    await store.places.set_rules(old, Rules(longest=5.0))
    await do(store, Fill(server=old, credits=50))
    for account in (ada, ben):
        await do(store, Ban(server=old, account_id=account.id, reason="spam"))
        await do(store, SetQuota(server=old, account_id=account.id, credits=7))
    await do(store, Ban(server=new, account_id=ben.id, reason="known there, too"))
    await do(store, Ban(server="telegram:-50", account_id=ada.id, reason="of another one"))
    job = await queue(store, ada, 1, place=f"{old}/@/12")
    beside = await queue(store, ada, 1, place="telegram:-50/@/12")
    await store.places.keep(Post(job.place, "81", 10_000, True))
    treasury = await store.accounts.treasury(old)
    for _ in range(2):
        await store.places.follow(f"{old}/@", f"{new}/@")
        assert await store.places.all_rules() == {new: Rules(longest=5.0)}
        assert await store.accounts.treasury(new) == treasury
        held = await store.moderation.restraints([ada.id, ben.id], NOON)
        assert sorted((one.server, one.whom, one.kind, one.reason) for one in held) == sorted([
            (new, f"account:{ada.id}", "ban", "spam"),
            (new, f"account:{ada.id}", "quota", ""),
            (old, f"account:{ben.id}", "ban", "spam"),
            (new, f"account:{ben.id}", "ban", "known there, too"),
            (new, f"account:{ben.id}", "quota", ""),
            ("telegram:-50", f"account:{ada.id}", "ban", "of another one"),
        ])  # fmt: skip
        assert [one.id for one in await store.jobs.at(f"{new}/@/was-12")] == [job.id]
        assert [one.id for one in await store.jobs.at(beside.place)] == [beside.id]
        assert await store.places.post(f"{new}/@/was-12") is not None
    await do(store, Fill(server=new, credits=1))
    assert treasury is not None
    assert (await store.accounts.wallet(treasury.account_id)).available == 51
    claimed = await store.jobs.claim(job.id, NOON)
    assert claimed is not None
    await finish(store, claimed)
    (delivery,) = await store.outbox.lease(NOON, 60, 9)
    assert delivery.place == f"{new}/@/was-12"
    assert await faults(store) == []


async def test_copies_of_a_clip_are_known_until_they_are_gone(store: Store) -> None:
    job = await queue(store, await a_person(store))
    for at in ("discord:1/2/3", "discord:1/4/5", "discord:1/2/3"):
        await store.places.copied(job.id, at)
    assert await store.places.copies(job.id) == ["discord:1/2/3", "discord:1/4/5"]
    await store.places.gone("discord:1/2/3")
    assert await store.places.copies(job.id) == ["discord:1/4/5"]
