"""The contract of credentials, on every database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from core.job import new_id
from storage.store import Store, open_store
from tests.storage.samples import KEEP, NOON, SetClock, a_person


async def test_a_secret_opens_its_account_and_no_other_kind(store: Store) -> None:
    account = await a_person(store)
    await store.credentials.add("key", "s3cret", account.id, "laptop", None)
    assert await store.credentials.account_for("key", "s3cret", NOON) == account
    assert await store.credentials.account_for("key", "s3cret", NOON) == account
    assert await store.credentials.account_for("session", "s3cret", NOON) is None
    assert await store.credentials.account_for("key", "S3cret", NOON) is None
    await store.credentials.revoke("key", "s3cret")
    assert await store.credentials.account_for("key", "s3cret", NOON) is None


async def test_all_of_a_name_are_revoked_at_once(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    await store.credentials.add("key", "one", account.id, "laptop", None)
    await store.credentials.add("key", "two", other.id, "laptop", NOON + KEEP)
    await store.credentials.add("key", "three", account.id, "phone", None)
    await store.credentials.add("session", "four", account.id, "laptop", None)
    assert await store.credentials.revoke_all("key", "laptop") == 2
    for secret in ("one", "two"):
        assert await store.credentials.account_for("key", secret, NOON) is None
    assert await store.credentials.account_for("key", "three", NOON) == account
    assert await store.credentials.account_for("session", "four", NOON) == account
    assert await store.credentials.revoke_all("key", "laptop") == 0


async def test_a_secret_expires(store: Store, clock: SetClock) -> None:
    account = await a_person(store)
    soon = NOON + timedelta(minutes=5)
    await store.credentials.add("link", "s3cret", account.id, "link", soon)
    almost = soon - timedelta(microseconds=1)
    assert await store.credentials.account_for("link", "s3cret", almost) == account
    assert await store.credentials.account_for("link", "s3cret", soon) is None
    assert await store.credentials.redeem("link", "s3cret", soon) is None
    clock.now = soon
    await store.credentials.add("link", "another", account.id, "link", None)
    assert await store.credentials.account_for("link", "s3cret", almost) is None


async def test_a_link_is_redeemed_by_one_of_twenty(store: Store) -> None:
    account = await a_person(store)
    await store.credentials.add("link", "s3cret", account.id, "link", NOON + KEEP)
    came = await asyncio.gather(
        *(store.credentials.redeem("link", "s3cret", NOON) for _ in range(20))
    )
    assert [one for one in came if one is not None] == [account]
    assert await store.credentials.account_for("link", "s3cret", NOON) is None
    await store.credentials.add("link", "s3cret", account.id, "link", NOON + KEEP)
    assert await store.credentials.redeem("link", "s3cret", NOON) is None


async def test_adding_a_key_again_changes_whose_it_is(store: Store) -> None:
    account, other = await a_person(store), await a_person(store)
    await store.credentials.add("key", "s3cret", account.id, "operator", None)
    await store.credentials.add("key", "s3cret", other.id, "operator", None)
    assert await store.credentials.account_for("key", "s3cret", NOON) == other


def on_disk(folder: Path, words: str) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return any(words.encode() in path.read_bytes() for path in files)


async def test_the_disk_never_holds_a_secret(
    sqlite_url: str, tmp_path: Path, clock: SetClock
) -> None:
    secret = new_id()
    async with open_store(sqlite_url, tmp_path / "data", KEEP, clock) as store:
        account = await a_person(store)
        await store.credentials.add("key", secret, account.id, "laptop", None)
        assert await store.credentials.account_for("key", secret, NOON) == account
        assert on_disk(tmp_path, "laptop")
        assert not on_disk(tmp_path, secret)
