"""The contract of places, on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.places import Post, Rules
from storage.store import Store
from tests.storage.samples import NOON, a_person
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
    rules = Rules(("5", "6"), 2.0, 4.0, "480p", "720p", "parallax", True)
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
