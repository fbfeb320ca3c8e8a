"""kill -9 at every point between a command's acknowledgement and its clip.

`python -m tests.bench kills` does it a hundred times at random.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bots.discord.kills import Kills
from tests.bots.discord.playhouse import playhouse

pytestmark = pytest.mark.timeout(600)


async def test_a_killed_program_delivers_each_clip_once(tmp_path: Path) -> None:
    async with playhouse(tmp_path) as here:
        lives = Kills(here, random.Random(7))
        for point in lives.points():
            await lives.kill_at(point)
        ended = await lives.end()
        assert not ended.faults, "\n".join(ended.faults)
        assert ended.kills == len(lives.points())
        assert ended.jobs + ended.forgotten == len(lives.requests)
        assert ended.forgotten <= 1, ended
