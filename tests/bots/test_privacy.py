"""Somebody's data, handed out and deleted from the shell, beside a Kinora that runs."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path

from typer.testing import CliRunner

from bots.cli import app
from tests.bots.caller import finished, get, show
from tests.bots.pictures import jpeg, landscape
from tests.house import house

SECRET = "a lighthouse that nobody knows of"


async def test_all_that_is_kept_of_somebody_is_handed_out_then_deleted(tmp_path: Path) -> None:
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str) -> str:
        result = await asyncio.to_thread(shell.invoke, app, ["admin", *words])
        assert result.exit_code == 0, result.stderr
        return result.stdout

    archive = tmp_path / "anna.zip"
    async with house(tmp_path) as home:
        key = await home.key("anna")
        async with home.client(key) as anna, home.client(await home.key("ben")) as ben:
            before = home.files()
            _, theirs = await show(ben, jpeg(landscape()), "a lake")
            await finished(ben, theirs["id"])
            kept = home.files()
            _, asked = await show(anna, jpeg(landscape()), SECRET)
            assert (await finished(anna, asked["id"]))["state"] == "succeeded"
            await do("export", "anna", str(archive))
            with zipfile.ZipFile(archive) as opened:
                names = sorted(opened.namelist())
                assert [Path(name).suffix for name in names] == [".mp4", ".json", ".jpg"]
                data = json.loads(opened.read("data.json"))
            assert [row["request"]["prompt"] for row in data["tables"]["job"]] == [SECRET]
            assert len(data["tables"]["account"]) == 1

            receipt = json.loads(await do("forget", "anna", "--yes", "--json"))
            assert (receipt["clips"], receipt["stopping"], receipt["keys"]) == (1, 0, 1)
            await get(anna, f"/api/v1/clips/{asked['id']}", status=401)
            assert home.files() == kept != before
            assert (await get(ben, f"/api/v1/clips/{theirs['id']}"))["state"] == "succeeded"
    whole = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("kinora.db*"))
    assert b'"a lake"' in whole
    assert SECRET.encode() not in whole
