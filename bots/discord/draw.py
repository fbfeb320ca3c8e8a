"""What a post shows now: its jobs as a layout, and the files that belong to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from discord import ui

from bots.card import VARIANTS, card
from bots.desk import fitted
from bots.discord.card_view import (
    PICTURE,
    PREVIEW,
    Extra,
    card_view,
    clip_name,
    poster_name,
    sheet_view,
)
from bots.discord.desk import DiscordDesk
from bots.discord.messages import Upload
from bots.thumb import thumbnail
from core.job import Clip, Job, State
from core.studio import View


@dataclass(frozen=True, slots=True)
class Part:
    """What is attached for one job. key: equal where that is the same; names: of its files; said:
    what is to be said about them; new: those that are not attached yet."""

    key: Hashable
    names: frozenset[str]
    said: str
    new: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A layout, and what is attached to it, job by job. content: equal where the layout is."""

    view: ui.LayoutView
    parts: tuple[Part, ...]
    content: str

    @property
    def names(self) -> frozenset[str]:
        """Of all files."""
        return _names(self.parts)

    @property
    def new(self) -> tuple[Upload, ...]:
        """The files that are not attached yet."""
        return tuple(file for part in self.parts for file in part.new)

    @property
    def kept(self) -> frozenset[str]:
        """The names of those that stay as they are."""
        return _names(part for part in self.parts if not part.new)


@asynccontextmanager
async def drawn(
    desk: DiscordDesk,
    views: Sequence[View],
    limit: int,
    notice: str = "",
    before: Iterable[Part] = (),
) -> AsyncIterator[Drawing]:
    """The drawing of a post's jobs, whose files last as long as the block. limit: bytes of a file.

    before: what the post has by now; of that nothing is read or encoded again. A clip over the
    limit is encoded again to fit; where it can't be, its still stands for it.
    """
    known = {part.key: part for part in before}
    async with AsyncExitStack() as kept:
        parts = []
        for view in views:
            key = _key(view, limit, len(views))
            if key not in known:
                files, said = await _files(desk, view, limit, kept, len(views))
                names = frozenset(file.name for file in files)
                parts.append(Part(key, names, said, tuple(files)))
            else:
                parts.append(replace(known[key], new=()))
        words = dict.fromkeys(filter(None, (notice, *(part.said for part in parts))))
        layout = _layout(desk, views, _names(parts), " ".join(words))
        components: list[object] = layout.to_components()  # type: ignore[no-untyped-call]
        yield Drawing(layout, tuple(parts), repr(components))


def _names(parts: Iterable[Part]) -> frozenset[str]:
    return frozenset(name for part in parts for name in part.names)


def _layout(
    desk: DiscordDesk, views: Sequence[View], names: frozenset[str], notice: str
) -> ui.LayoutView:
    cards = [card(view, desk.studio.catalogue) for view in views]
    if len(cards) > 1:
        return sheet_view(cards, names, notice)
    job, page = views[0].job, desk.page_link is not None
    larger, four = desk.studio.larger(job), desk.studio.varied(job, VARIANTS)
    return card_view(cards[0], names, Extra(notice, larger, four, page))


def _key(view: View, limit: int, shown: int) -> Hashable:
    """What the files of one of the `shown` jobs of a post are known by."""
    preview = view.outlook.preview_number if view.outlook and shown == 1 else 0
    state = view.job.state
    bare = state.ended or state is State.HELD
    return view.job.id, view.job.clip is not None, preview, bare, limit, shown > 1


async def _files(
    desk: DiscordDesk, view: View, limit: int, kept: AsyncExitStack, shown: int
) -> tuple[list[Upload], str]:
    """What belongs to one of the `shown` jobs of a post; where there are several, clips alone."""
    job = view.job
    if job.clip is not None:
        return await _clip(desk, job, job.clip, limit, kept)
    if job.state.ended or job.state is State.HELD or shown > 1:
        return [], ""
    files = []
    if (picture := await _thumbnail(desk, job)) is not None:
        files.append(Upload(PICTURE, picture))
    if (preview := desk.studio.preview(job)) is not None:
        files.append(Upload(PREVIEW, preview))
    return files, ""


async def _clip(
    desk: DiscordDesk, job: Job, clip: Clip, limit: int, kept: AsyncExitStack
) -> tuple[list[Upload], str]:
    """The clip within the limit, and what is to be said about it."""
    file = await kept.enter_async_context(fitted(desk, clip, limit))
    name = clip_name(job.id) if file.is_clip else poster_name(job.id)
    return [Upload(name, file.path)], file.said


async def _thumbnail(desk: DiscordDesk, job: Job) -> bytes | None:
    for picture in job.request.pictures[:1]:
        path = await desk.pictures(picture)
        if path is not None:
            return await asyncio.to_thread(_drawn_small, path)
    return None


def _drawn_small(path: Path) -> bytes | None:
    try:
        return thumbnail(path)
    except FileNotFoundError:
        return None
