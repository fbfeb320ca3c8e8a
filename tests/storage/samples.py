"""A request, a job, a clip, as small as they may be, and a clock that is set by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.camera import CameraMove
from core.engine import Rendered
from core.job import Account, Clip, Grant, Identity, Job, LotKind, State, new_id
from core.moderation import Act, Actor, Outcome, Rank
from core.request import Request
from storage.store import Store

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
KEEP = timedelta(days=7)
HOST = Actor("the shell", Rank.HOST)
JPEG = b"\xff\xd8\xff\xe0 as good as a picture here"


@dataclass
class SetClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def a_request(**said: Any) -> Request:
    plain = Request(
        model="parallax",
        prompt="a red ball bouncing",
        width=854,
        height=480,
        num_frames=49,
        frame_rate=24,
        seed=7,
        resolution="480p",
        aspect="16:9",
        negative_prompt="blur",
        camera=(CameraMove("pan", "right", 7.0),),
        notes=("a note",),
    )
    return replace(plain, **said)


def a_job(account: Account, credits: int = 10, **said: Any) -> Job:
    plain = Job(
        id=new_id(),
        account_id=account.id,
        place="web:owner",
        state=State.QUEUED,
        request=a_request(),
        credits=credits,
        created_at=NOON,
    )
    return replace(plain, **said)


def a_clip(folder: Path = Path("/somewhere"), name: str = "clip") -> Clip:
    return Clip(
        video=folder / f"{name}.mp4",
        poster=folder / f"{name}.jpg",
        width=854,
        height=480,
        num_frames=49,
        frame_rate=24,
        size=1234,
        expires_at=NOON + KEEP,
    )


def a_rendering(folder: Path, job_id: str, attempt: int, content: bytes = b"mp4") -> Rendered:
    """Files of an attempt in its folder, and the event that tells of them."""
    video, poster = folder / "clip.mp4", folder / "poster.jpg"
    video.write_bytes(content)
    poster.write_bytes(JPEG)
    return Rendered(job_id, attempt, 3, video, poster, 854, 480, 49, 24, 1.5)


def a_grant(
    credits: int,
    key: str = "first",
    expires_at: datetime | None = None,
    kind: LotKind = LotKind.ADJUSTED,
) -> Grant:
    return Grant(kind, credits, key, expires_at, "a note")


async def a_person(store: Store, credits: int = 100) -> Account:
    """A new account with that many credits."""
    account = await store.accounts.account(Identity("web", new_id()), "Ada")
    if credits:
        await store.accounts.renew(account.id, [a_grant(credits)])
    return account


async def do(store: Store, act: Act, key: str = "", *, dry: bool = False) -> Outcome:
    """What only whoever has the shell may do, too."""
    return await store.moderation.perform(act, HOST, key or str(act), dry=dry)
