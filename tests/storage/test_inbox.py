"""The contract of the inbox, on every database."""

from __future__ import annotations

from datetime import timedelta

from storage.store import Store
from tests.storage.samples import NOON


async def test_an_update_is_written_down_once_and_known_when_it_comes_again(store: Store) -> None:
    assert await store.inbox.keep("telegram", {7: "seven"}, NOON) == {7}
    assert await store.inbox.keep("telegram", {6: "six", 7: "seven", 8: "eight"}, NOON) == {6, 8}
    assert await store.inbox.keep("elsewhere", {7: "another's"}, NOON) == {7}

    await store.inbox.done("telegram", [6, 7, 8])

    assert not await store.inbox.keep("telegram", {7: "seven"}, NOON)
    assert await store.inbox.pending("telegram") == []


async def test_what_was_not_done_is_given_out_again_in_order_and_given_up_in_the_end(
    store: Store,
) -> None:
    for number in (9, 8):
        await store.inbox.keep("telegram", {number: str(number)}, NOON)

    for _ in range(10):
        assert await store.inbox.pending("telegram") == ["8", "9"]

    assert await store.inbox.pending("telegram") == []


async def test_updates_are_forgotten_when_nobody_repeats_them_any_more(store: Store) -> None:
    for number in (1, 2):
        await store.inbox.keep("telegram", {number: str(number)}, NOON)
    await store.inbox.done("telegram", [1])

    await store.inbox.sweep(NOON + timedelta(hours=25))
    assert not await store.inbox.keep("telegram", {1: "one"}, NOON)

    await store.inbox.sweep(NOON + timedelta(hours=27))
    assert await store.inbox.keep("telegram", {1: "one"}, NOON)
    assert not await store.inbox.keep("telegram", {2: "two"}, NOON)
