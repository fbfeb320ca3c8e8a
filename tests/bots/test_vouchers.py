"""Vouchers in the shell: shown once, listed without their codes, stopped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

from bots.cli import app
from tests.storage.test_credentials import on_disk


async def test_an_operator_makes_and_stops_codes(tmp_path: Path) -> None:
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str, status: int = 0) -> str:
        result = await asyncio.to_thread(shell.invoke, app, ["admin", *words])
        assert result.exit_code == status, result.stderr
        return (result.stderr if status else result.stdout).strip()

    asked = ("voucher", "make", "--credits", "100", "--uses", "5", "--until", "30d")
    assert (await do(*asked, "--dry-run")).startswith("Nothing is done yet.")
    assert await do("voucher", "list") == ""
    made = [json.loads(line) for line in
            (await do(*asked, "--count", "2", "--json")).splitlines()]  # fmt: skip
    assert len({one["code"] for one in made}) == 2
    assert "100 credits for 5 people until" in made[0]["words"]
    plan = await do("voucher", "make", "--plan", "pro", "--days", "30")
    assert "the plan pro for 30 days for one person" in plan
    listed = (await do("voucher", "list")).splitlines()
    assert [one.split(" · ")[1:3] for one in listed] == [
        ["plan pro, 30 days", "used 0 of 1"],
        ["100 credits", "used 0 of 5"],
        ["100 credits", "used 0 of 5"],
    ]
    for one in made:
        assert not on_disk(tmp_path, one["code"])
        assert one["code"] not in "".join(listed)
    assert "is good no more" in await do("voucher", "stop", made[0]["name"])
    assert "stopped before" in await do("voucher", "stop", made[0]["name"], status=1)
    assert "credits, or a plan" in await do("voucher", "make", "--plan", "pro", status=1)
    assert "there are free" in await do(
        "voucher", "make", "--plan", "gold", "--days", "3", status=1
    )
    log = await do("audit")
    assert log.count(" · voucher · ") == 3
    assert log.count(" · stop · ") == 1
