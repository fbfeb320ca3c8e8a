"""Clips say where they come from, to C2PA's own reader and to ours: the real program, by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from bots.sealing import verifier_of
from bots.settings import Settings
from bots.verifying import verified
from core.errors import UserError
from core.job import OWNER
from core.provenance import Proof, Verify
from model import video
from tests.bots.caller import Json, ask, finished, send
from tests.bots.pictures import jpeg, landscape
from tests.house import Home, house
from tests.provenance.clips import drawn, encoded_again
from tests.provenance.reader import actions, assertion, manifest

MADE_BY_A_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@asynccontextmanager
async def verifying(home: Home) -> AsyncIterator[Verify]:
    settings = SimpleNamespace(data_dir=home.data, provenance=Settings().provenance)
    async with verifier_of(settings, home.store) as verifier:  # type: ignore[arg-type]
        yield verifier.verify


async def downloaded(client: aiohttp.ClientSession, clip: Json) -> bytes:
    async with client.get(clip["links"]["video"]) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_a_clip_says_where_it_comes_from(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as ada, verifying(home) as verify:
        done = await finished(ada, (await ask(ada, "a red ball --seed 7", seconds=1))["id"])
        data = await downloaded(ada, done)

        # Anybody's reader finds whose it is, what made it, and no word of what was asked for.
        state, said = manifest(data)
        assert state == "Valid"
        (created,) = actions(said)
        assert created["action"] == "c2pa.created"
        assert created["digitalSourceType"] == MADE_BY_A_MODEL
        assert created["softwareAgent"]["name"] == "sketch"
        note = assertion(said, "org.kinora.clip")
        assert (note["job"], note["provider"]) == (done["id"], "Kinora")
        assert note["recipe"].startswith("kr1_")
        assert b"red ball" not in data

        # We know it as our own.
        finding = await verify(data)
        assert (finding.proof, finding.job_id, finding.model) == (
            Proof.MANIFEST, done["id"], "sketch",
        )  # fmt: skip
        assert "red ball" not in verified(finding)

        # One flipped bit in its pictures, and the note doesn't fit; the mark in the frames does.
        flipped = bytearray(data)
        flipped[len(data) - 200] ^= 1
        assert manifest(bytes(flipped))[0] == "Invalid"
        finding = await verify(bytes(flipped))
        assert (finding.proof, finding.broken) == (Proof.WATERMARK, True)

        # Encoded by somebody else the note is gone, and the mark still names the job.
        own, again = tmp_path / "own.mp4", tmp_path / "again.mp4"
        own.write_bytes(data)
        encoded_again(own, again, 28)
        assert manifest(again.read_bytes()) == (None, {})
        finding = await verify(again)
        assert (finding.proof, finding.job_id, finding.broken) == (
            Proof.WATERMARK, done["id"], False,
        )  # fmt: skip
        owner = await home.studio.account(OWNER, OWNER.subject)
        assert "red ball" in verified(finding, owner)
        assert done["id"] in verified(finding)

        # A stranger's says no, by whatever name; what is no picture is said to be none.
        video.write(own, drawn(5, 320, 240, 9), 8, 320, 240)
        for stranger in (own.read_bytes(), jpeg(landscape())):
            assert (await verify(stranger)).proof is Proof.NOTHING
        with pytest.raises(UserError, match="MP4"):
            await verify(b"ffconcat version 1.0\nfile /etc/hostname\n")
        with pytest.raises(UserError, match="empty"):
            await verify(b"")
        assert (await send(ada, "GET", "/healthz"))[0] == 200
