"""A clip as Telegram wants it: with its measures, and a still that stands for it until it plays; or
taken off again.

https://core.telegram.org/bots/api#inputmediavideo
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import av

from bots.desk import Fitted
from bots.telegram.card_view import Shown
from bots.telegram.messages import Messages, Video
from bots.telegram.places import Spot
from bots.telegram.refusals import HasMedia
from bots.thumb import blank, thumbnail
from core.errors import Unreachable
from core.job import Clip

GONE = Shown("Deleted.", None)


async def video_of(job_id: str, clip: Clip, file: Fitted) -> Video:
    """Raises FileNotFoundError where its still is gone."""
    width, height = clip.width, clip.height
    if file.path != clip.video:
        width, height = await asyncio.to_thread(_sides, file.path)
    return Video(
        path=file.path,
        name=f"kinora-{job_id}.mp4",
        width=width,
        height=height,
        seconds=max(1, round(clip.num_frames / clip.frame_rate)),
        thumbnail=await asyncio.to_thread(thumbnail, clip.poster),
    )


async def take_off(messages: Messages, at: Spot) -> None:
    """Delete a message of ours; one that is too old for that shows its clip no more. Raises as
    `Messages`.

    https://core.telegram.org/bots/api#deletemessage
    """
    try:
        await messages.delete(at)
    except Unreachable:
        try:
            await messages.edit_text(at, GONE, last=True)
        except HasMedia:
            await messages.edit_photo(at, GONE, blank(), last=True)


def _sides(path: Path) -> tuple[int, int]:
    """Of a file of ours: what was encoded again to fit has fewer pixels."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height
