"""kill -9 between a command's acknowledgement and its clip, and what must be so in the end.

kills = Kills(here, random.Random(1))
for point in kills.points():
    await kills.kill_at(point)
ended = await kills.end()
assert not ended.faults
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tests.bots import kills
from tests.bots.discord.cinema import labels, text, videos
from tests.bots.discord.playhouse import Playhouse
from tests.bots.kills import AT_ONCE, UNFINISHED
from tests.bots.pictures import photo
from tests.discord.asked import Asked
from tests.discord.cdn import Upload
from tests.discord.server import Standin
from tests.discord.users import Person
from tests.discord.world import Channel, Message

A_CLIP_BYTES = 60_000
"""Clips are larger, previews and thumbnails smaller."""

SLOWLY = 150_000
"""Bytes a second."""

PRIVATE = "private"
PICTURE = Upload("photo.jpg", photo(640, 360))


@dataclass(frozen=True)
class Request:
    """A command, by whom and where, and what came of it in the stand-in."""

    discord: Standin
    who: Person
    where: Channel
    asked: Asked

    @property
    def key(self) -> str:
        return f"discord:{self.asked.id}"

    @property
    def card(self) -> Message | None:
        """The message that answers it, as it is now."""
        return self.discord.world.messages.get(self.asked.now.original_id or 0)

    @property
    def shown(self) -> bool:
        """Whether it shows something instead of "thinking…"."""
        return self.card is not None and not self.card.loading

    @property
    def delivered(self) -> bool:
        """Whether its clip was ever seen in its card."""
        original = self.asked.now.original_id
        return any(v.message.id == original and videos(v.message)
                   for v in self.discord.world.history)  # fmt: skip

    @property
    def pinged(self) -> bool:
        return any(ping.reply_to == self.asked.now.original_id for ping in self.who.pings())

    def stage(self) -> str:
        """How far it is, as people see it."""
        if self.pinged:
            return "pinged"
        if self.delivered:
            return "clip seen"
        if self.card is None:
            return "card gone"
        if not self.shown:
            return "acknowledged"
        words = text(self.card)
        return next((state.lower() for state in UNFINISHED if state in words), "ended")


Point = kills.Point[Request]


class Kills(kills.Kills[Playhouse, Request]):
    """With Discord's own points."""

    def points(self) -> Sequence[Point]:
        faults = self.here.discord.faults

        def slow() -> object:
            return faults.slow("PATCH *", SLOWLY, least=A_CLIP_BYTES)

        def lose_upload() -> object:
            return faults.lose("PATCH *", least=A_CLIP_BYTES)

        def lose_ping() -> object:
            return faults.lose("POST /channels/*/messages")

        return (
            Point("acknowledged", _acknowledged),
            Point("card posted", lambda r: r.shown),
            Point("progress seen", _running, seconds=12),
            Point("upload begun", _uploading, slow),
            Point("upload done", lambda r: r.delivered, slack=AT_ONCE),
            Point("upload done, its answer lost", lambda r: r.delivered, lose_upload,
                  slack=AT_ONCE),
            Point("private upload done, its answer lost", lambda r: r.delivered, lose_upload,
                  slack=AT_ONCE, manner=PRIVATE),
            Point("pinged", lambda r: r.pinged, slack=AT_ONCE),
            Point("pinged, its answer lost", lambda r: r.pinged, lose_ping, slack=AT_ONCE),
            Point("sent directly, its answer lost", _direct, lose_ping, slack=AT_ONCE,
                  act=self.delete_card),
        )  # fmt: skip

    def anywhere(self) -> Point:
        manner = PRIVATE if self.chance.random() < 0.3 else ""
        return Point("acknowledged", _acknowledged, seconds=12.0, slack=8.0, manner=manner)

    def ask(self, seconds: float, manner: str = "") -> Request:
        who = self.chance.choice(self.here.people)
        where = self.chance.choice(self.here.rooms)
        options: dict[str, object] = {"private": True} if manner == PRIVATE else {}
        asked = who.slash(
            "create", where, prompt="pan right", image=PICTURE, length=seconds,
            resolution="480p", **options,
        )  # fmt: skip
        return Request(self.here.discord, who, where, asked)

    def delete_card(self, request: Request) -> None:
        self.here.discord.scene.delete_message(cast(Message, request.card))

    def seen(self, jobs: Mapping[str, Sequence[str]]) -> Counter[str]:
        clips = {person.id: _clips(person) for person in self.here.people}
        return Counter({
            job_id: clips[request.who.id][job_id]
            for request in self.requests
            for job_id in jobs[request.key]
        })  # fmt: skip

    def settled(self) -> bool:
        return all(request.shown or request.card is None for request in self.requests)

    def faults(self, forgotten: Sequence[Request]) -> Iterator[str]:
        for request in self.requests:
            pings = [p for p in request.who.pings() if p.reply_to == request.asked.now.original_id]
            if len(pings) > 1:
                yield f"{request.asked} was pinged {len(pings)} times"
        for message in self.here.discord.world.messages.values():
            waits = message.loading or "Cancel" in labels(message)
            if waits or any(state in text(message) for state in UNFINISHED):
                yield f"a card was left as {text(message)[:60]!r}"


def _acknowledged(request: Request) -> bool:
    return request.asked.latency is not None


def _uploading(request: Request) -> bool:
    """The slow upload has begun, which uses the fault up."""
    return request.shown and not request.discord.faults.waiting


def _direct(request: Request) -> bool:
    """The clip came to direct messages."""
    return any(sight.channel_id != request.where.id for sight in request.who.clips())


def _running(request: Request) -> bool:
    return request.stage() in ("rendering", "almost there", "clip seen", "pinged")


def _clips(person: Person) -> Counter[str]:
    """How often they saw the clip of each job."""
    names = (sight.attachment.filename for sight in person.clips())
    return Counter(re.sub(r"kinora-|\.mp4", "", name) for name in names)
