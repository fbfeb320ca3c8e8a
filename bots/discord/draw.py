"""What a post shows now: its jobs as a layout, and the files that belong to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from discord import ui

from bots.card import card
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
from core.job import Clip, Job
from core.studio import View


@dataclass(frozen=True, slots=True)
class Drawing:
    """A layout and what is attached to it. files: None where those attached before are right.

    key: equal where the files are the same; names: theirs; said: what is to be said about them.
    """

    view: ui.LayoutView
    files: tuple[Upload, ...] | None
    key: Hashable
    names: frozenset[str]
    said: str
    content: str


@asynccontextmanager
async def drawn(
    desk: DiscordDesk,
    views: Sequence[View],
    limit: int,
    notice: str = "",
    before: Drawing | None = None,
) -> AsyncIterator[Drawing]:
    """The drawing of a post's jobs, whose files last as long as the block. limit: bytes of a file.

    before: what the post shows by now. A clip over the limit is encoded again to fit; where it
    can't be, its still stands for it.
    """
    key = tuple(_key(view) for view in views)
    async with AsyncExitStack() as kept:
        files: tuple[Upload, ...] | None = None
        if before is not None and before.key == key:
            names, said = before.names, before.said
        else:
            made = [await _files(desk, view, limit, kept, len(views)) for view in views]
            files = tuple(file for some, _ in made for file in some)
            names = frozenset(file.name for file in files)
            said = " ".join(dict.fromkeys(words for _, words in made if words))
        layout = _layout(desk, views, names, " ".join(filter(None, (notice, said))))
        components: list[object] = layout.to_components()  # type: ignore[no-untyped-call]
        yield Drawing(layout, files, key, names, said, repr(components))


def _layout(
    desk: DiscordDesk, views: Sequence[View], names: frozenset[str], notice: str
) -> ui.LayoutView:
    cards = [card(view, desk.studio.catalogue) for view in views]
    if len(cards) > 1:
        return sheet_view(cards, names, notice)
    larger = desk.studio.larger(views[0].job)
    return card_view(cards[0], names, Extra(notice, larger, desk.page_link is not None))


def _key(view: View) -> Hashable:
    """What the files of a job's card are known by."""
    preview = view.outlook.preview_number if view.outlook else 0
    return view.job.id, view.job.clip is not None, preview, view.job.state.ended


async def _files(
    desk: DiscordDesk, view: View, limit: int, kept: AsyncExitStack, shown: int
) -> tuple[list[Upload], str]:
    """What belongs to one of the `shown` jobs of a post; where there are several, clips alone."""
    job = view.job
    if job.clip is not None:
        return await _clip(desk, job, job.clip, limit, kept)
    if job.state.ended or shown > 1:
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
