"""kill -9 at the worst points between a message and its clip.

`python -m tests.bench kills --platform telegram` does it a hundred times at random.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bots.telegram.kills import Kills
from tests.bots.telegram.playhouse import playhouse

pytestmark = pytest.mark.timeout(600)

WORST = ("card sent, its answer lost", "upload done, its answer lost", "sent anew", "shut out")


async def test_a_killed_program_delivers_each_clip_once(tmp_path: Path) -> None:
    async with playhouse(tmp_path) as here:
        lives = Kills(here, random.Random(7))
        for point in lives.points():
            if point.name in WORST:
                await lives.kill_at(point)
        ended = await lives.end()
        assert not ended.faults, "\n".join(ended.faults)
        assert ended.kills == len(WORST)
        assert ended.jobs == len(lives.requests)
