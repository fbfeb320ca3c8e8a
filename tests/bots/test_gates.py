"""The whole program with what really looks: faces, what stays down, a process that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from bots import cli
from core.job import Identity
from core.moderation import Approve, Block, TakeDown
from core.safety.gate import Seen
from core.safety.verdict import POLICY, Clause
from model.inspect.inspector import LocalInspector
from model.inspect.process import Process
from tests.bots.caller import ask, events, finished, get, show
from tests.bots.pictures import jpeg, landscape
from tests.house import house
from tests.sight import Blind
from tests.storage.samples import do

LOOKER = "tests.model.inspect.looker"
PORTRAIT = Path(__file__).parents[1] / "model" / "inspect" / "portrait.jpg"
MOVE = {"prompt": "pan left --seconds 0.5", "model": "slide"}


async def test_what_is_seen_decides(tmp_path: Path) -> None:
    inspector = LocalInspector()
    async with (
        house(tmp_path, inspector=inspector) as home,
        home.client(await home.key("anna")) as anna,
    ):
        ball = await finished(anna, (await ask(anna, "a ball --seconds 0.5"))["id"])
        assert ball["state"] == "succeeded"

        status, asked = await show(anna, PORTRAIT.read_bytes(), **MOVE)
        asked = await get(anna, f"/api/v1/clips/{asked['id']}")
        assert (status, asked["state"], asked["clause"]) == (202, "quoted", "consent")

        bay = landscape(320, 180)
        status, asked = await show(anna, jpeg(bay), **MOVE)
        assert status == 202
        assert (await finished(anna, asked["id"]))["state"] == "succeeded"
        account = await home.store.accounts.account(Identity("web", "anna"), "anna")
        await do(home.store, TakeDown(account_id=account.id, job_id=asked["id"], reason="Theirs"))
        before = (await get(anna, "/api/v1/me"))["balance"]
        small = bay.resize((240, 135)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        status, asked = await show(anna, jpeg(small, 60), **MOVE)
        assert status == 202, "the clip is blocked, not the picture that it was made from"
        ended = await finished(anna, asked["id"])
        assert (ended["state"], ended["clause"], ended["charged"]) == ("refused", "blocked", 0)
        assert POLICY[Clause.BLOCKED] in ended["line_two"]
        seen = await inspector.picture(jpeg(bay))
        await do(home.store, Block(hashes=seen.hashes, reason="Theirs"))
        status, told = await show(anna, jpeg(small, 60), **MOVE)
        assert (status, told["clause"]) == (403, "blocked")
        assert POLICY[Clause.BLOCKED] in told["detail"]
        assert (await get(anna, "/api/v1/me"))["balance"] == before
        assert not await home.store.reviews.strikes(account.id, datetime.min.replace(tzinfo=UTC))


async def test_a_clip_whose_look_is_killed_is_refused_and_paid_back(tmp_path: Path) -> None:
    inspector = LocalInspector()
    async with (
        house(tmp_path, inspector=inspector) as home,
        home.client(await home.key("anna")) as anna,
    ):
        before = (await get(anna, "/api/v1/me"))["balance"]
        status, asked = await show(anna, jpeg(landscape(320, 180)), **MOVE)
        assert status == 202
        _, sight = inspector.pids
        assert sight is not None
        os.kill(sight, signal.SIGSTOP)
        async for name, clip in events(anna, f"/api/v1/clips/{asked['id']}/events"):
            if name == "card" and clip["stage"] == "checking":
                break
        os.kill(sight, signal.SIGKILL)
        ended = await finished(anna, asked["id"])
        assert (ended["state"], ended["clause"], ended["charged"]) == ("refused", "unchecked", 0)
        assert "video" not in ended["links"]
        assert not list((home.data / "clips").rglob("*.mp4"))
        assert (await get(anna, "/api/v1/me"))["balance"] == before
        again = await show(anna, jpeg(landscape(320, 180)), **MOVE)
        assert (await finished(anna, again[1]["id"]))["state"] == "succeeded"


@pytest.mark.parametrize("fate", ["hang", "eat"])
async def test_a_clip_whose_look_hangs_or_eats_memory_is_refused_and_paid_back(
    tmp_path: Path, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the clip is a child that does as it is told, which ends it."""
    looker = Process(LOOKER, memory_bytes=1 << 30, answer_seconds=1.0)
    inspector = Blind()

    async def clip(video: Path) -> Seen:
        await looker.ask({"do": fate})
        return Seen()

    monkeypatch.setattr(inspector, "clip", clip)
    async with (
        looker,
        house(tmp_path, inspector=inspector) as home,
        home.client(await home.key("anna")) as anna,
    ):
        before = (await get(anna, "/api/v1/me"))["balance"]
        job = await ask(anna, "a ball --seconds 0.5")
        ended = await finished(anna, job["id"])
        assert (ended["state"], ended["clause"], ended["charged"]) == ("refused", "unchecked", 0)
        assert not list((home.data / "clips").rglob("*.mp4"))
        assert (await get(anna, "/api/v1/me"))["balance"] == before


async def test_what_was_overturned_is_told_with_the_rule_that_was_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = 'a "wound" that heals'
    inspector = Blind()
    inspector.texts = {"wound": {Clause.GORE: 0.9}}
    async with (
        house(tmp_path, inspector=inspector) as home,
        home.client(await home.key("anna")) as anna,
    ):
        job = await ask(anna, words)
        assert (await get(anna, f"/api/v1/clips/{job['id']}"))["state"] == "held"
        account = await home.store.accounts.account(Identity("web", "anna"), "anna")
        await do(home.store, Approve(account_id=account.id, job_id=job["id"]))
    monkeypatch.setenv("KINORA_DATA_DIR", str(home.data))
    said = await asyncio.to_thread(CliRunner().invoke, cli.app, ["admin", "overturned", "--json"])
    assert [json.loads(line) for line in said.stdout.splitlines()] == [
        {"text": words, "clause": "gore", "rule": "head", "level": "standard"}
    ]
