"""What a database does where a connection breaks between a commit and its acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.engine import make_url

from core.errors import Transient
from core.gifts import Gift, Limits
from core.job import State
from core.moderation import MakeVoucher
from core.purchases import Sale
from core.wares import Ware
from storage import database
from storage.store import open_store
from tests.storage.books import faults
from tests.storage.samples import HOST, KEEP, NOON, a_clip, a_job, a_person
from tests.storage.test_database import is_sound

T = TypeVar("T")


class Proxy:
    """Passes bytes to a PostgreSQL server; can cut the line on the answer to a COMMIT. cut: to the
    how manieth from now, 0 to none."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self.port = 0
        self.cut = 0
        self.happened = 0
        self._lines: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._opened, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield
        async with asyncio.timeout(10):
            await asyncio.gather(*self._lines)

    def _opened(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._server)
        up = asyncio.create_task(self._pass(reader, upstream_writer, may_cut=False))
        down = asyncio.create_task(self._pass(upstream_reader, writer, may_cut=True))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        for one in (writer, upstream_writer):
            one.close()
            with suppress(OSError):
                await one.wait_closed()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, may_cut: bool
    ) -> None:
        while data := await reader.read(65536):
            if may_cut and self.cut and b"COMMIT\0" in data:
                self.cut -= 1
                if self.cut == 0:
                    self.happened += 1
                    return
            writer.write(data)
            await writer.drain()


async def test_a_lost_acknowledgement_is_no_second_time(postgres_url: str, tmp_path: Path) -> None:
    place = make_url(postgres_url)
    proxy = Proxy(place.host or "127.0.0.1", place.port or 5432)
    async with proxy.listening():
        through = place.set(host="127.0.0.1", port=proxy.port, query={"sslmode": "disable"})
        url = through.render_as_string(hide_password=False)
        async with open_store(url, tmp_path / "data", KEEP) as store:
            account = await a_person(store, 100)
            jobs = store.jobs

            async def cut(call: Awaitable[T]) -> T:
                proxy.cut = 1
                answer = await call
                assert proxy.cut == 0, "no commit was cut"
                return answer

            job = a_job(account, 10)
            assert await cut(jobs.submit(job, None, "print")) == job
            assert await cut(jobs.submit(a_job(account, 10), "key", "print"))
            first = await cut(jobs.claim(job.id, NOON))
            assert first
            assert await cut(jobs.requeue(job.id, 1, lost=True))
            second = await cut(jobs.claim(job.id, NOON))
            assert second
            assert await cut(jobs.finish(job.id, 2, a_clip(), 1.0, NOON))
            ended = await jobs.job(job.id)
            assert ended is not None
            assert (ended.attempt, ended.losses) == (2, 1)
            assert await is_sound(store, account)
            assert len(await jobs.history(account.id, 9)) == 2
            (delivery,) = await cut(store.outbox.lease(NOON, 600, 9))
            assert (delivery.job_id, delivery.tries) == (job.id, 1)
            await cut(store.outbox.kept(delivery, NOON))
            assert list(await cut(store.outbox.tell_kept(account.id))) == [job.id]
            assert await store.outbox.tell_kept(account.id) == ()
            assert await cut(store.inbox.keep("telegram", {7: "seven"}, NOON)) == {7}
            sale = Sale(account.id, Ware("pack", "A pack", credits=50), "stars", "c1", NOON)
            assert (await cut(store.payments.bought(sale))).new
            gift = Gift("k1", account.id, (await a_person(store, 0)).id, 20, NOON)
            assert await cut(store.gifts.give(gift, Limits(), NOON))
            back = await cut(store.payments.refunded("stars", "c1", NOON, lambda *_: ()))
            assert (back.new, back.taken + back.short) == (True, 50)
            voucher = MakeVoucher(name="v1", digest="hash", credits=5)
            assert (await cut(store.moderation.perform(voucher, HOST, "v1"))).number == 1
            assert (await cut(store.vouchers.redeem(account.id, "hash", "k"))).new
            assert not await faults(store)
        assert proxy.happened == 15


async def test_who_gave_up_on_an_answer_may_ask_again(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clip that was paid for is told of, not taken for one that came too late; and what a
    platform tells of again is new, once."""
    place = make_url(postgres_url)
    proxy = Proxy(place.host or "127.0.0.1", place.port or 5432)
    async with proxy.listening():
        through = place.set(host="127.0.0.1", port=proxy.port, query={"sslmode": "disable"})
        url = through.render_as_string(hide_password=False)
        async with open_store(url, tmp_path / "data", KEEP) as store:
            account = await a_person(store, 100)
            job = await store.jobs.submit(a_job(account, 10), None, "print")
            await store.jobs.claim(job.id, NOON)
            monkeypatch.setattr(database, "RETRY_SECONDS", 0)
            proxy.cut = 1
            with pytest.raises(Transient):
                await store.jobs.finish(job.id, 1, a_clip(), 1.0, NOON)
            assert proxy.happened == 1
            ended = await store.jobs.finish(job.id, 1, a_clip(), 1.0, NOON)
            assert ended is not None
            assert (ended.state, ended.clip) == (State.SUCCEEDED, a_clip())
            assert await is_sound(store, account)
            proxy.cut = 1
            with pytest.raises(Transient):
                await store.inbox.keep("telegram", {7: "seven"}, NOON)
            assert proxy.happened == 2
            told = {7: "seven", 8: "eight"}
            assert await store.inbox.keep("telegram", told, NOON) == {7, 8}
            assert not await store.inbox.keep("telegram", told, NOON)
