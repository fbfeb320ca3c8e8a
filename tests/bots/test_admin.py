"""An operator's day in the shell, beside a Kinora that runs."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
from typer.testing import CliRunner
from yarl import URL

from bots.cli import app
from tests.bots.caller import ask, finished, get, send
from tests.house import house


async def test_an_operator_s_day(tmp_path: Path) -> None:
    """The shell's own loop runs in a thread, in place of a process."""
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str) -> str:
        result = await asyncio.to_thread(shell.invoke, app, ["admin", *words])
        assert result.exit_code == 0, result.stderr
        return result.stdout.strip()

    async def refused(*words: str) -> str:
        result = await asyncio.to_thread(shell.invoke, app, ["admin", *words])
        assert (result.exit_code, result.stdout) == (1, "")
        return result.stderr.strip()

    key = json.loads(await do("key", "anna", "--json"))["key"]
    assert "Nobody is known" in await refused("grant", "ben", "20")
    async with house(tmp_path) as home, home.client(key) as anna:
        before = (await get(anna, "/api/v1/me"))["balance"]
        dry = await do("grant", "anna", "20", "--dry-run")
        assert dry.startswith("Nothing is done yet.")
        assert dry.endswith(f"20 credits for anna, who then has {before + 20}.")
        dry = await do("take", "anna", str(before - 2), "--dry-run")
        assert dry.endswith(f"{before - 2} credits taken from anna, who then has 2.")
        assert (await get(anna, "/api/v1/me"))["balance"] == before
        await do("grant", "anna", "20", "--reason", "=a prize")
        assert (await get(anna, "/api/v1/me"))["balance"] == before + 20
        taken = json.loads(await do("take", "anna", "9000", "--json"))
        assert taken["words"].endswith("could not be taken: spent, or held for clips.")
        await do("grant", "anna", "20")
        link = URL(await do("console-link"))
        jar = aiohttp.CookieJar(unsafe=True)
        async with (
            aiohttp.ClientSession(home.url, cookie_jar=jar) as owner,
            owner.get(link.path_qs) as answer,
        ):
            assert (answer.status, answer.url.path) == (200, "/console/all")
        await do("pause")
        clip = await ask(anna, "a red ball")
        assert (await do("move", clip["id"], "--last")).endswith("is last in the queue.")
        assert (await get(anna, f"/api/v1/clips/{clip['id']}"))["state"] == "queued"
        assert (
            await do("cancel", clip["id"])
            == f"Clip {clip['id']} of anna is cancelled, and cost nothing."
        )
        assert (await finished(anna, clip["id"]))["charged"] == 0
        await do("resume")
        assert "there are free, supporter, pro" in await refused("plan", "anna", "gold")
        await do("plan", "anna", "pro", "--until", "30d")
        await do("ban", "anna", "spam")
        status, said = await send(anna, "POST", "/api/v1/clips", {"prompt": "a red ball"})
        assert (status, said["detail"]) == (403, "You are banned from this Kinora: spam")
        shown = await do("show", "anna")
        assert "Banned everywhere: spam" in shown
        assert "pro by moderator until" in shown
    rows = list(csv.DictReader(io.StringIO(await do("audit", "--csv"))))
    assert [row["act"] for row in rows] == [
        "grant", "take", "grant", "pause", "move", "cancel", "resume", "plan", "ban",
    ]  # fmt: skip
    assert {row["who"] for row in rows} == {"the shell"}
    verified = await do("audit", "verify")
    assert verified.startswith("9 rows, unchanged.\nHead: 9:")
    head = verified.splitlines()[1].removeprefix("Head: ")
    assert head == f"9:{rows[-1]['hash']}"
    with closing(sqlite3.connect(tmp_path / "data" / "kinora.db")) as database, database:
        database.execute("DELETE FROM audit WHERE number = 9")
    assert (await do("audit", "verify")).startswith("8 rows, unchanged.")
    assert "is not in it" in await refused("audit", "verify", head)
    with closing(sqlite3.connect(tmp_path / "data" / "kinora.db")) as database, database:
        database.execute("UPDATE audit SET whom = 'account:99' WHERE number = 2")
    assert await refused("audit", "verify") == "Row 2 was changed."


async def test_what_waits_is_decided_in_the_shell(tmp_path: Path) -> None:
    """A refusal is appealed and approved, the next denied, what was made taken down; then strikes
    are shown and lifted."""
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str, status: int = 0) -> str:
        result = await asyncio.to_thread(shell.invoke, app, ["admin", *words])
        assert result.exit_code == status, result.stderr
        return (result.stderr if status else result.stdout).strip()

    async with house(tmp_path) as home, home.client(await home.key("anna")) as anna:

        async def appealed(prompt: str) -> str:
            status, told = await send(anna, "POST", "/api/v1/clips", {"prompt": prompt})
            assert status == 403, told
            status, held = await send(anna, "POST", f"/api/v1/clips/{told['id']}/appeal")
            assert (held["position"], held["eta_seconds"]) == (None, None)
            assert (held["clause"], held["decide_by"] is not None) == ("gore", True)
            return str(told["id"])

        first = await appealed("a severed head in a pool of blood")
        second = await appealed("a severed head, and a pool of blood")
        rows = [json.loads(line) for line in (await do("queue", "--json")).splitlines()]
        assert [(row["job"], row["what"]) for row in rows] == [
            (first, "appealed"), (second, "appealed"),
        ]  # fmt: skip
        assert "Strikes that count: 0" in await do("show", "anna")
        assert (await do("approve", first, "--dry-run")).startswith("Nothing is done yet.")
        assert await do("approve", first) == f"Clip {first} of anna is approved."
        assert (await finished(anna, first))["state"] == "succeeded"
        await do("deny", second, status=2)
        await do("deny", second, "--reason", "not here")
        denied = await get(anna, f"/api/v1/clips/{second}")
        assert denied["state"] == "refused"
        assert "not here." in denied["line_two"]
        assert "waits for no moderator" in await do("approve", second, status=1)
        assert await do("queue") == "Nothing waits for a moderator.\nNothing is reported."
        assert "is taken down" in await do("takedown", first, "--reason", "on second thoughts")
        status, _ = await send(anna, "GET", f"/api/v1/clips/{first}")
        assert status == 404
        assert "Strikes that count: 1" in await do("show", "anna")
        await do("lift", "anna")
        shown = json.loads(await do("show", "anna", "--json"))
        assert (shown["strikes"], shown["until"]) == (0, None)


async def test_a_treasury_is_looked_at_without_a_change(tmp_path: Path) -> None:
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def policy(*words: str, status: int = 0) -> str:
        line = ["admin", "treasury", "policy", "discord:99", *words]
        result = await asyncio.to_thread(shell.invoke, app, line)
        assert result.exit_code == status, result.stderr
        return (result.stderr if status else result.stdout).strip()

    assert "has no treasury" in await policy(status=1)
    await asyncio.to_thread(shell.invoke, app, ["admin", "treasury", "fill", "discord:99", "50"])
    await policy("--daily", "20", "--hours", "18-2")
    held = "50 credits in the treasury of discord:99: "
    limited = held + "20 credits a day for each member, from 18:00 to 02:00."
    assert await policy() == limited
    await policy("--clear", "--daily", "5", status=2)
    shown = json.loads(await policy("--json"))
    assert (shown["credits"], shown["policy"]["daily"]) == (50, 20)
    await policy("--clear", "--dry-run")
    assert await policy() == limited
    await policy("--clear")
    assert await policy() == held + "for anybody, for anything."


async def test_names_and_reasons_stay_in_their_line(tmp_path: Path) -> None:
    shell = CliRunner(env={"KINORA_DATA_DIR": str(tmp_path / "data")})

    async def do(*words: str, status: int = 0) -> str:
        result = await asyncio.to_thread(shell.invoke, app, words)
        assert result.exit_code == status, result.stderr
        return result.stdout if status == 0 else result.stderr

    for wrong in ("", "   ", "an\nna", "a" * 41, "an\u202ena", "\u200d"):
        for command in (("link",), ("admin", "key")):
            assert "1 to 40 printable characters" in await do(*command, wrong, status=1)
    for name in ("é" * 40, "👩\u200d🚀", "Anna Ö"):
        said = json.loads(await do("admin", "key", f" {name} ", "--json"))
        assert said["account"] == name
    assert json.loads(await do("link", " Anna Ö\t", "--json"))["account"] == "Anna Ö"
    await do("admin", "ban", "Anna Ö", "spam \u202e\nRow 9")
    for told in (await do("admin", "audit"), await do("admin", "show", "Anna Ö")):
        assert "spam \\u202e\\u000aRow 9" in told
    with closing(sqlite3.connect(tmp_path / "data" / "kinora.db")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM account")]
    assert sorted(names) == sorted(["é" * 40, "👩\u200d🚀", "Anna Ö"])
