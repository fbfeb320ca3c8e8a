"""What is kept of somebody, on the page: told, handed out, and forgotten."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import aiohttp
from yarl import URL

from bots import app
from core.job import Identity
from tests.bots.caller import finished
from tests.bots.pictures import jpeg, landscape
from tests.bots.test_page import form, page, token
from tests.house import house


async def test_all_of_it_is_handed_out_and_forgotten(tmp_path: Path) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        house(tmp_path) as home,
        aiohttp.ClientSession(home.url, cookie_jar=jar) as ada,
        aiohttp.ClientSession(home.url) as stranger,
    ):
        link = await app.new_link(home.store, home.url, Identity("web", "ada"), "ada")
        async with ada.get(URL(link).path):
            pass
        fields = {"token": await token(ada), "prompt": "pan <left>", "seconds": "0.5"}
        sent = form(fields, jpeg(landscape(320, 180)), "a.jpg")
        async with ada.post("/clips", data=sent, allow_redirects=False) as answer:
            job_id = answer.headers["Location"].removeprefix("/#clip-")
        await finished(ada, job_id)
        assert 'href="/privacy"' in await page(ada)
        told = await page(ada, "/privacy")
        assert "until you delete them" in told
        assert "/privacy export" not in told
        assert (
            "Your 999 credits go 3 days later: who asks for a clip before has them still." in told
        )

        async with ada.get("/privacy/data.zip") as answer:
            assert (answer.status, answer.content_type) == (200, "application/zip")
            whole = zipfile.ZipFile(io.BytesIO(await answer.read()))
        assert whole.testzip() is None
        data = json.loads(whole.read("data.json"))
        assert sorted(whole.namelist()) == sorted(["data.json", *data["files"]])
        assert f"clips/{job_id}.mp4" in whole.namelist()
        assert any(name.startswith("pictures/") for name in whole.namelist())
        assert any("pan <left>" in json.dumps(row) for row in data["tables"]["job"])

        for path in ("/privacy", "/privacy/data.zip"):
            await page(stranger, path, 401)
        async with ada.post("/privacy/forget", data={"token": "0" * 64}) as answer:
            assert answer.status == 403
        mine = {"token": await token(ada)}
        async with ada.post("/privacy/forget", data=mine) as answer:
            told = await answer.text()
            assert answer.status == 200, told
        assert re.search(r"Receipt <code>[0-9a-z]{12}</code>", told)
        assert "1 clip deleted with prompts and pictures" in told
        await page(ada, "/", 401)
        assert not [path for path in home.files() if path.endswith((".mp4", ".jpg"))]
