"""An operator blocks pictures from the shell: by file, by clip, by list, by hash."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from bots.cli import app
from core.safety.blocklist import Blocklist
from model import video
from tests.bots.pictures import landscape, png


async def test_an_operator_blocks_pictures(tmp_path: Path) -> None:
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str, status: int = 0) -> str:
        result = await asyncio.to_thread(shell.invoke, app, ["admin", "block", *words])
        assert result.exit_code == status, result.stderr
        return (result.stderr if status else result.stdout).strip()

    bay = landscape(320, 180)
    picture, clip, words, plain = (
        tmp_path / name for name in ("bay.png", "bay.mp4", "list.txt", "plain.png")
    )
    picture.write_bytes(png(bay))
    video.write(clip, (np.asarray(bay.rotate(9 * n)) for n in range(3)), 24, 320, 180)
    words.write_text(f"{'ab' * 32}  from a partner\n")
    plain.write_bytes(png(Image.new("RGB", (99, 99))))

    both = json.loads(await do("add", str(picture), str(clip), "--reason", "Taken down", "--json"))
    assert both["words"] == f"{len(both['hashes'])} pictures are blocked everywhere: Taken down."
    assert Blocklist(both["hashes"][:2]).match(both["hashes"][2:]) is not None
    await do("add", str(words), "12" * 32, "--reason", "A partner's list")
    listed = await do("list", "--last", "999")
    assert f"{'ab' * 32} · A partner's list · the shell · " in listed
    assert listed.count("Taken down") == len(both["hashes"]) > 2
    assert await do("remove", "12" * 32) == "1 picture is not blocked any more."
    assert "12" * 32 not in await do("list")

    assert "Line 1 is no hash" in await do("add", "nonsense", "--reason", "x", status=1)
    assert "next to nothing" in await do("add", str(plain), "--reason", "x", status=1)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0 ftypisom" + b"\xff" * 100)
    assert "can't be looked at" in await do("add", str(broken), "--reason", "x", status=1)
    out = io.StringIO(await do("add", "34" * 32, "--reason", "Only a try", "--dry-run"))
    assert out.read().startswith("1 picture is")
    assert "34" * 32 not in await do("list")
