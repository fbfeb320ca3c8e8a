"""Clips say where they come from, to C2PA's own reader and to ours: the real program, by HTTP."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import av
import c2pa
import pytest

from bots.sealing import verifier_of
from bots.settings import Settings
from bots.verifying import verified
from core.errors import UserError
from core.job import OWNER
from core.provenance import Deed, Finding, Proof, Verify
from core.recipe import DIGEST_CHARS, read
from core.request import Request
from model import video
from model.picture import decode
from model.provenance import manifest as manifests
from model.provenance.certificate import signature
from model.provenance.notary import Notary
from model.provenance.verify import Verifier
from model.shrink import shrink
from tests.bots.caller import Json, ask, finished, get, send, show
from tests.bots.pictures import jpeg, landscape
from tests.house import Home, house
from tests.model.test_picture import children
from tests.provenance.clips import drawn, encoded_again, textured
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
        assert note["recipe"] in verified(finding, leads=True)

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
        for stranger in (own.read_bytes(), jpeg(landscape()), webm()):
            finding = await verify(stranger)
            assert (finding.proof, finding.broken, finding.signer) == (Proof.NOTHING, False, "")
        with pytest.raises(UserError, match="MP4"):
            await verify(b"ffconcat version 1.0\nfile /etc/hostname\n")
        with pytest.raises(UserError, match="empty"):
            await verify(b"")
        assert (await send(ada, "GET", "/healthz"))[0] == 200


async def test_what_a_clip_was_made_from_is_in_it(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as ada:
        # A picture that came with a manifest of somebody else, which its clip keeps.
        theirs = signed_picture(tmp_path)
        _, asked = await show(ada, theirs, "slow zoom in", seconds="0.5")
        done = await finished(ada, asked["id"])
        state, said = manifest(await downloaded(ada, done))
        assert state == "Valid"
        (kept,) = said["ingredients"]
        assert kept["relationship"] == "inputTo"
        assert kept["active_manifest"]
        assert actions(said)[0]["parameters"]["ingredients"]

        # Whoever has the file can't have the picture of its recipe.
        held = read(assertion(said, "org.kinora.clip")["recipe"])
        assert held.first is not None
        assert (held.first.id, len(held.first.digest)) == ("", DIGEST_CHARS)
        async with home.client(await home.key("bo")) as bo:
            pasted = {"prompt": f"slow zoom in {held.token}"}
            status, problem = await send(bo, "POST", "/api/v1/clips", pasted)
            assert (status, "send it along" in problem["detail"]) == (404, True)

        # One without is an ingredient all the same, and a clip that goes on from another says so.
        _, asked = await show(ada, jpeg(landscape()), "pan left", seconds="0.5")
        _, said = manifest(await downloaded(ada, await finished(ada, asked["id"])))
        assert [one["relationship"] for one in said["ingredients"]] == ["inputTo"]
        ball = await finished(ada, (await ask(ada, "a ball", seconds=0.5))["id"])
        _, more = await send(ada, "POST", f"/api/v1/clips/{ball['id']}/extend", {"seconds": 0.5})
        state, said = manifest(await downloaded(ada, await finished(ada, more["id"])))
        assert state == "Valid"
        assert [one["action"] for one in actions(said)] == ["c2pa.opened", "c2pa.edited"]
        (before,) = said["ingredients"]
        assert (before["relationship"], bool(before["active_manifest"])) == ("parentOf", True)

        # A picture's marks go with it.
        for clip in (done, more, ball):
            await send(ada, "DELETE", f"/api/v1/clips/{clip['id']}?forget=true")
        assert not [one for one in home.files() if one.endswith(".c2pa")]


async def test_a_picture_does_not_wait_for_files_that_people_ask_about(tmp_path: Path) -> None:
    own, theirs = signature(tmp_path / "provenance"), signed_picture(tmp_path)
    nobody = SimpleNamespace(job=nothing)
    async with Verifier(own, nobody, nobody) as verifier:  # type: ignore[arg-type]
        await verifier.verify(theirs)
        (pid,) = readers()
        os.kill(pid, signal.SIGSTOP)
        try:
            asking = asyncio.create_task(verifier.verify(theirs))
            await asyncio.sleep(0)
            assert (await verifier.marking(decode)(theirs)).marks
            assert not asking.done()
        finally:
            os.kill(pid, signal.SIGCONT)
        assert (await asking).signer == "A camera"


def readers() -> list[int]:
    """Children of ours that look into files."""
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        pytest.skip("this kernel does not list a process's children")
    ours = children(Path("/proc/self"))
    lines = [(int(pid), Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in ours]
    return [pid for pid, line in lines if b"model.provenance.reading" in line]


async def nothing(_: object) -> None: ...


async def test_nothing_unsigned_is_shown(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as ada:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(manifests, "sign", cannot_sign)
            failed = await finished(ada, (await ask(ada, "a ball", seconds=0.5))["id"])
        assert failed["state"] == "failed"
        assert "signed" in failed["failure"]
        assert (await get(ada, "/api/v1/me"))["held"] == 0
        assert not [one for one in home.files() if one.endswith(".mp4")]
        again = await finished(ada, (await ask(ada, "a ball", seconds=0.5))["id"])
        assert again["state"] == "succeeded"


async def test_a_label_is_drawn_where_a_plan_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINORA_PROVENANCE__LABEL", "always")
    monkeypatch.setenv("KINORA_PROVENANCE__LABEL_CORNER", "top-left")
    brightest = []
    for plan in ("always", "optional"):
        monkeypatch.setenv("KINORA_PLANS__FREE__LABEL", plan)
        async with house(tmp_path / plan) as home, home.client() as ada:
            done = await finished(ada, (await ask(ada, "a ball --seed 7", seconds=0.5))["id"])
            clip = tmp_path / f"{plan}.mp4"
            clip.write_bytes(await downloaded(ada, done))
            brightest += [int(video.last_frame(clip)[:30, :100].min(-1).max())]
    assert brightest[0] > 200
    assert brightest[1] < 100


async def test_a_clip_that_has_to_fit_is_signed_again(tmp_path: Path) -> None:
    """The way into a chat that takes no more than so many bytes."""
    own = signature(tmp_path / "provenance")
    notary = Notary(own, "Kinora")
    plain, clip = tmp_path / "plain.mp4", tmp_path / "clip.mp4"
    video.write(plain, textured(1, 320, 240, 16), 8, 320, 240)
    request = Request("sketch", "a ball", 320, 240, 16, 8, 1, "240p", "4:3")
    await notary.sign(plain, clip, Deed("abc", request, datetime.now(UTC), "123"))
    most = clip.stat().st_size * 2 // 3
    smaller = await notary.shrunk(shrink)(clip, most)
    assert smaller is not None
    data = smaller.read_bytes()
    smaller.unlink()
    assert len(data) <= most
    state, said = manifest(data)
    assert (state, assertion(said, "org.kinora.clip")["job"]) == ("Valid", "abc")
    assert [one["action"] for one in actions(said)] == ["c2pa.opened", "c2pa.transcoded"]
    assert said["ingredients"][0]["active_manifest"]
    told = manifests.read(data, "video/mp4", own.anchors)
    assert told is not None
    assert told.serial in own.known

    # What somebody else made is signed by nobody here, whatever it says of itself.
    stranger = signature(tmp_path / "elsewhere")
    assert told.serial not in stranger.known
    assert (await Notary(stranger, "Eve").shrunk(shrink)(clip, most)) is None


def test_a_clip_outlives_the_certificate_of_who_signed_it() -> None:
    """outlived.mp4 was signed with one that ended seconds later."""
    data = Path(__file__).with_name("outlived.mp4").read_bytes()
    told = manifests.read(data, "video/mp4", "")
    assert told is not None
    assert (told.valid, told.serial, told.signer) == (True, "", "Kinora")
    finding = Finding(Proof.WATERMARK, "abc", signer=told.signer)
    assert "changed" not in verified(finding)
    assert "has ended" in verified(finding)
    assert not finding.as_dict()["changed"]
    flipped = data[:-60] + bytes([data[-60] ^ 1]) + data[-59:]
    told = manifests.read(flipped, "video/mp4", "")
    assert told is not None
    assert not told.valid


def webm() -> bytes:
    """Of a kind that C2PA knows no manifests in."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=8)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for frame in drawn(5, 160, 120, 4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def cannot_sign(*_: object) -> None:
    raise c2pa.C2paError("no")


def signed_picture(folder: Path) -> bytes:
    """As a camera, or another generator, sends it."""
    own = signature(folder / "camera", who="A camera")
    made = {"action": "c2pa.created", "digitalSourceType": MADE_BY_A_MODEL}
    said = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}]}
    signed = io.BytesIO()
    info = c2pa.C2paSignerInfo("es256", own.chain, own.key, None)
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(said)) as builder:
        builder.sign(signer, "image/jpeg", io.BytesIO(jpeg(landscape())), signed)
    return signed.getvalue()
