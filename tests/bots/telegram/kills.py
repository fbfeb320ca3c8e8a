"""kill -9 between a message and its clip, and what must be so in the end.

kills = Kills(here, random.Random(1))
for point in kills.points():
    await kills.kill_at(point)
ended = await kills.end()
assert not ended.faults
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.bots import kills
from tests.bots.kills import AT_ONCE, UNFINISHED
from tests.bots.pictures import photo
from tests.bots.telegram.cinema import is_clip, labels
from tests.bots.telegram.playhouse import Playhouse
from tests.telegram.people import Person
from tests.telegram.server import Standin
from tests.telegram.world import Message

A_CLIP_BYTES = 40_000
"""Clips are larger, previews and thumbnails smaller."""

SLOWLY = 150_000
"""Bytes a second."""

MANY = 1_000_000

PICTURE = photo(640, 360)
ALONE = "alone"
KEPT = "SELECT job_id FROM delivery WHERE state = 'kept'"


@dataclass(frozen=True)
class Request:
    """A photo with words, by whom, and what came of it in the stand-in."""

    telegram: Standin
    who: Person
    asked: Message

    @property
    def key(self) -> str:
        return f"telegram:{self.asked.chat_id}/{self.asked.id}"

    @property
    def cards(self) -> list[Message]:
        """The messages that answer it, as they are now: more than one where it was not known
        whether the first was sent."""
        world = self.telegram.world
        mine = (m for m in world.messages.values() if m.author_id == world.bot.id)
        return [m for m in mine if (m.chat_id, m.reply_to) == self.asked.key]

    @property
    def shown(self) -> bool:
        return bool(self.cards)

    @property
    def blocked(self) -> bool:
        """Whether who asked shut the bot out."""
        return not self.telegram.world.chats[self.who.id].has(self.telegram.world.bot.id)

    @property
    def refused(self) -> bool:
        """Whether its clip was turned away."""
        return self.blocked and any(
            one.status == 403 and one.method == "editMessageMedia"
            and one.fields["chat_id"] == str(self.who.id)
            for one in self.telegram.world.requests
        )  # fmt: skip

    @property
    def delivered(self) -> bool:
        """Whether its clip was ever seen: in its card, or in a message that answers nothing."""
        return any(
            is_clip(v.message)
            and v.message.chat_id == self.asked.chat_id
            and v.message.id > self.asked.id
            and v.message.reply_to in (self.asked.id, None)
            for v in self.telegram.world.history
        )

    @property
    def confirmed(self) -> bool:
        """Whether Telegram will not bring its update again."""
        pending = self.telegram.updates.pending.values()
        told = (u.body for u in pending if u.kind == "message")
        return all((b["chat"]["id"], b["message_id"]) != self.asked.key for b in told)

    def stage(self) -> str:
        """How far it is, as people see it."""
        if self.delivered:
            return "clip seen"
        if not self.shown:
            return "heard" if self.confirmed else "not heard"
        words = self.cards[-1].text
        return next((state.lower() for state in UNFINISHED if state in words), "ended")


Point = kills.Point[Request]


class Kills(kills.Kills[Playhouse, Request]):
    """With Telegram's own points."""

    def points(self) -> Sequence[Point]:
        faults = self.here.telegram.faults

        def slow() -> object:
            return faults.slow("editMessageMedia", SLOWLY, least=A_CLIP_BYTES)

        def all_slow() -> object:
            return faults.slow("editMessageMedia", SLOWLY, count=MANY, least=A_CLIP_BYTES)

        def lose_upload() -> object:
            return faults.lose("editMessageMedia", least=A_CLIP_BYTES)

        def lose_card() -> object:
            return faults.lose("sendMessage")

        return (
            Point("asked", lambda r: True),
            Point("heard", lambda r: r.confirmed, slack=AT_ONCE),
            Point("card sent", lambda r: r.shown, slack=AT_ONCE),
            Point("card sent, its answer lost", lambda r: r.shown, lose_card, slack=AT_ONCE),
            Point("progress seen", _running, seconds=12),
            Point("upload begun", lambda r: r.shown and not faults.waiting, slow),
            Point("upload done", lambda r: r.delivered, slack=AT_ONCE),
            Point("upload done, its answer lost", lambda r: r.delivered, lose_upload,
                  slack=AT_ONCE),
            Point("sent anew", lambda r: r.delivered, slack=AT_ONCE, act=self.delete_card),
            Point("shut out", lambda r: r.refused or r.delivered, all_slow, seconds=12,
                  slack=AT_ONCE, manner=ALONE, act=lambda r: r.who.block(), when=_running),
        )  # fmt: skip

    def anywhere(self) -> Point:
        return Point("asked", lambda r: True, seconds=12.0, slack=8.0)

    def ask(self, seconds: float, manner: str = "") -> Request:
        who = self.chance.choice(self.here.people)
        words = f"pan right --seconds {seconds:g} --res 480p"
        group = self.chance.choice([None, *self.here.groups])
        if manner == ALONE:
            who, group = self.here.telegram.scene.user(f"guest of {len(self.requests)}"), None
        if group is None:
            asked = who.photo(PICTURE, words)
        else:
            asked = who.photo(PICTURE, f"/animate@kinora_bot {words}", group)
        return Request(self.here.telegram, who, asked)

    def come_back(self) -> None:
        jobs = self.made()
        kept = {row["job_id"] for row in self.here.rows(KEPT)}
        for request in self.requests:
            if not request.blocked:
                continue
            request.who.unblock()
            for job_id in kept.intersection(jobs[request.key]):
                request.who.say(f"/show {job_id}")

    def delete_card(self, request: Request) -> None:
        request.who.delete(request.cards[-1])

    def seen(self, jobs: Mapping[str, Sequence[str]]) -> Counter[str]:
        """Each content of each message counts."""
        looks: defaultdict[str, set[tuple[int, int, str]]] = defaultdict(set)
        for version in self.here.telegram.world.history:
            said = version.message
            if version.what != "deleted" and said.media is not None and is_clip(said):
                job_id = said.media.file.name.removeprefix("kinora-").removesuffix(".mp4")
                looks[job_id].add((*said.key, said.media.file.unique_id))
        return Counter({job_id: len(looks[job_id]) for ids in jobs.values() for job_id in ids})

    def faults(self, forgotten: Sequence[Request]) -> Iterator[str]:
        """Cards that nobody knows of are allowed where another became the clip: one for a kill, and
        one for an answer that was lost before it."""
        for request in forgotten:
            yield f"{request.asked.text!r} in {request.key} was lost"
        for request in self.requests:
            cards = request.cards
            if any(map(is_clip, cards)) and len(cards) <= 3:
                continue
            for card in cards:
                if "Cancel" in labels(card) or any(state in card.text for state in UNFINISHED):
                    yield f"{request.key}: one of {len(cards)} cards was left as {card.text[:60]!r}"


def _running(request: Request) -> bool:
    return request.stage() in ("rendering", "almost there", "clip seen")
