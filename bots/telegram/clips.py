"""A clip as Telegram wants it: with its measures, and a still that stands for it until it plays.

https://core.telegram.org/bots/api#inputmediavideo
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import av

from bots.desk import Fitted
from bots.telegram.messages import Video
from bots.thumb import thumbnail
from core.job import Clip


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


def _sides(path: Path) -> tuple[int, int]:
    """Of a file of ours: what was encoded again to fit has fewer pixels."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height
