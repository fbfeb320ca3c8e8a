"""Fifty ways to be wrong: each gets a clear sentence, costs nothing, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import logging
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.bots.pictures import jpeg, landscape, png
from tests.house import Inn

JPEG = jpeg(landscape(320, 180))
PNG = png(landscape(320, 180))
NOBODY = "0" * 12
NO_PICTURE = "That is not a picture I can read: send a JPEG, PNG, WebP or GIF."
DAMAGED = "This picture is damaged or cut short"
MOVE = {"prompt": "pan right", "model": "slide"}


@dataclass(frozen=True)
class Case:
    """One request and what must come of it. says: a part of the sentence."""

    name: str
    status: int
    says: str
    method: str = "POST"
    path: str = "/api/v1/clips"
    json: object = None
    body: bytes | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    image: bytes | None = None
    last_image: bytes | None = None
    filename: str = "photo.jpg"
    headers: Mapping[str, str] = field(default_factory=dict)


def prompt(name: str, says: str, **fields: object) -> Case:
    return Case(name, 422, says, json=fields)


def picture(
    name: str, data: bytes, says: str, *, filename: str = "x.jpg", status: int = 422
) -> Case:
    return Case(name, status, says, form=MOVE, image=data, filename=filename)


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    )


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(20_000_000))
    return out.getvalue()


CASES = (
    prompt("nothing at all", "Write what you would like to see"),
    prompt("empty prompt", "Write what you would like to see", prompt=""),
    prompt("only spaces", "Write what you would like to see", prompt="  \n\t "),
    prompt("10,000 characters", "up to 2000 characters", prompt="x" * 10_000),
    prompt("a prompt that is a number", "prompt wants text", prompt=7),
    prompt("broken Unicode", "broken characters", prompt="a ball \ud800"),
    prompt("unknown flag", "Did you mean --camera", prompt="a ball --camra left"),
    prompt("unknown field", "Did you mean --seconds", prompt="a ball", second=3),
    prompt("flag twice", "is there twice", prompt="a ball --seed 1 --seed 2"),
    prompt("flag without value", "--seconds wants", prompt="a ball --seconds"),
    prompt("value for a switch", "takes no value", prompt="a ball --loop=yes"),
    prompt("--seconds -1", "--seconds wants", prompt="a ball --seconds -1"),
    prompt("--seconds 0", "--seconds wants", prompt="a ball --seconds 0"),
    prompt("--seconds nan", "--seconds wants", prompt="a ball --seconds nan"),
    prompt("--seconds inf", "--seconds wants", prompt="a ball", seconds="inf"),
    prompt("too long", "0.5 to 8 seconds", prompt="a ball", seconds=90),
    prompt("a list for seconds", "seconds wants", prompt="a ball", seconds=[5]),
    prompt("true for seconds", "seconds wants", prompt="a ball", seconds=True),
    prompt("unknown aspect", "--ar wants", prompt="a ball --ar 17:9"),
    prompt("unknown size", "renders at", prompt="a ball --res 999p"),
    prompt("no size", "--res wants", prompt="a ball --res large"),
    prompt("negative seed", "--seed wants", prompt="a ball", seed=-1),
    prompt("enormous seed", "--seed wants", prompt="a ball", seed=2**40),
    prompt("unknown camera move", "is not a camera move", prompt="a ball", camera="sideways"),
    prompt("unknown model", "There is no model", prompt="a ball --model sora"),
    prompt("flag the model lacks", "sketch has no --camera", prompt="a ball --model sketch",
           camera="pan left"),
    prompt("model without its picture", "add one", prompt="pan right --model slide"),
    prompt("a switch that is neither", "is true or false", prompt="a ball", loop="perhaps"),
    Case("variant of nothing", 404, "no such clip", json={"prompt": "x", "variant_of": NOBODY}),
    Case("variant of a path", 404, "no such clip", json={"prompt": "x", "variant_of": "../../etc"}),
    Case("not JSON", 400, "not JSON", body=b"{", headers={"Content-Type": "application/json"}),
    Case("JSON list", 400, "not an object", json=["a ball"]),
    Case("JSON with NaN", 400, "not JSON", body=b'{"seconds": NaN}',
         headers={"Content-Type": "application/json"}),
    Case("JSON too deep", 400, "not JSON", body=b'{"prompt":' + b"[" * 30_000,
         headers={"Content-Type": "application/json"}),
    Case("JSON in Latin-1", 400, "not JSON", body='{"prompt": "é"}'.encode("latin-1"),
         headers={"Content-Type": "application/json"}),
    Case("JSON too large", 413, "up to 64 kB", json={"prompt": "x" * 70_000}),
    Case("wrong content type", 415, "application/json", body=b"<ball/>",
         headers={"Content-Type": "text/xml"}),
    Case("compressed body", 415, "not compressed", body=zlib.compress(b"{}"),
         headers={"Content-Type": "application/json", "Content-Encoding": "deflate"}),
    Case("form without boundary", 400, "could not be read", body=b"x",
         headers={"Content-Type": "multipart/form-data"}),
    Case("form cut short", 400, "could not be read",
         body=b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na ball',
         headers={"Content-Type": "multipart/form-data; boundary=b"}),
    Case("form with an unknown field", 422, "There is no --colour", form={"colour": "red"}),
    Case("form with too much text", 413, "up to 64 kB", form={"prompt": "x" * 70_000}),
    Case("empty idempotency key", 400, "1 to 255", json={"prompt": "x"},
         headers={"Idempotency-Key": ""}),
    Case("endless idempotency key", 400, "1 to 255", json={"prompt": "x"},
         headers={"Idempotency-Key": "k" * 256}),
    Case("form with a nameless part", 400, "needs a name",
         body=b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
         headers={"Content-Type": "multipart/form-data; boundary=b"}),
    picture("empty picture", b"", "is empty"),
    picture("a text file named .jpg", b"just some words\n" * 50, NO_PICTURE),
    picture("an ffconcat named .mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", NO_PICTURE,
            filename="clip.mp4"),
    picture("an SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>', NO_PICTURE),
    picture("a truncated JPEG", JPEG[: len(JPEG) // 2], DAMAGED),
    picture("a truncated PNG", PNG[: len(PNG) // 2], DAMAGED),
    picture("a 400-megapixel PNG", huge_png(20_000, 20_000),
            "up to 25 megapixels; this one has 400."),
    picture("a picture one pixel high", huge_png(60_000, 1),
            "sides of at least 16 pixels; this one is 60000 by 1."),
    picture("a zip bomb", zip_bomb(), NO_PICTURE, filename="photo.png"),
    picture("21 MB", b"\xff\xd8\xff" + bytes(21 * 1024**2), "up to 20 MB", status=413),
    Case("a broken last picture", 422, NO_PICTURE, form=MOVE, image=JPEG, last_image=b"x" * 99),
    Case("two too large pictures", 413, "up to 20 MB", form=MOVE, image=JPEG,
         last_image=b"\xff\xd8\xff" + bytes(21 * 1024**2)),
    Case("a last picture alone", 422, "add one", form={"prompt": "pan left", "model": "slide"},
         last_image=JPEG),
    Case("a last picture for a model that takes none", 422, "can't end with a picture; slide can",
         form={"prompt": "a ball", "model": "sketch"}, last_image=JPEG),
    Case("a last picture in JSON", 422, "There is no --last_image",
         json={"prompt": "pan left", "last_image": "eA=="}),
    Case("a quote for no last sides", 422, "last_picture has a width", path="/api/v1/quote",
         json={"prompt": "pan left", "last_picture": []}),
    Case("a wrong key", 401, "opens nothing", json={"prompt": "x"},
         headers={"Authorization": "Bearer wrong"}),
    Case("a key of strange bytes", 401, "opens nothing", json={"prompt": "x"},
         headers={"Authorization": "Bearer \u00e9\u00e9"}),
    Case("another kind of key", 401, "Bearer", json={"prompt": "x"},
         headers={"Authorization": "Basic YTpi"}),
    Case("somebody's clip", 404, "no such clip", "GET", f"/api/v1/clips/{NOBODY}"),
    Case("a path for an id", 404, "nothing here", "GET", "/api/v1/clips/..%2f..%2fetc%2fpasswd"),
    Case("a path behind an id", 404, "nothing here", "GET",
         f"/api/v1/clips/{NOBODY}/video/../../../../etc/passwd"),
    Case("a path in the static files", 404, "nothing here", "GET", "/static/..%2fserver.py"),
    Case("an unknown route", 404, "nothing here", "GET", "/api/v2/clips"),
    Case("a wrong method", 405, "can't do that", "PUT", "/api/v1/clips"),
    Case("cancelling nothing", 404, "no such clip", "DELETE", f"/api/v1/clips/{NOBODY}"),
    Case("extending nothing", 404, "no such clip", path=f"/api/v1/clips/{NOBODY}/extend"),
    Case("history without end", 422, "from 1 to 100", "GET", "/api/v1/clips?limit=100000"),
    Case("history before a path", 404, "no such clip", "GET", "/api/v1/clips?before=../x"),
    Case("a quote for no sides", 422, "whole pixels", path="/api/v1/quote",
         json={"prompt": "pan left", "picture": {"width": -1, "height": 10**400}}),
)  # fmt: skip


@pytest.fixture(scope="module")
def key(home: Inn) -> str:
    return home.key("mallory")


def body_of(case: Case) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    if case.json is not None:
        return json.dumps(case.json).encode(), {"Content-Type": "application/json"}
    if case.body is not None:
        return case.body, {}
    if not case.form and case.image is None and case.last_image is None:
        return None, {}
    form = aiohttp.FormData(dict(case.form), default_to_multipart=True)
    for name, data in (("image", case.image), ("last_image", case.last_image)):
        if data is not None:
            form.add_field(
                name, io.BytesIO(data), filename=case.filename, content_type="image/jpeg"
            )
    return form, {}


async def wealth(client: aiohttp.ClientSession) -> tuple[int, int, int]:
    async with client.get("/api/v1/me") as answer:
        me = await answer.json()
        return me["balance"], me["held"], len(me["entries"])


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_is_told_what_is_wrong_and_loses_nothing(
    case: Case, home: Inn, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with home.client(key) as client:
        body, headers = body_of(case)
        async with client.request(
            case.method,
            raw(home.url, case.path),
            data=body,
            headers={**headers, **case.headers},
        ) as answer:
            text = await answer.text()
        assert answer.status == case.status, text
        assert sentence(answer, text, api=case.path.startswith("/api")).find(case.says) >= 0, text
        assert await wealth(client) == (1000, 0, 1)
        assert home.files() == set()
    complaints = [one for one in caplog.records if one.levelno >= logging.WARNING or one.exc_info]
    assert complaints == []
    assert key not in caplog.text


def test_there_are_fifty() -> None:
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)


async def test_a_link_opens_once_and_a_wrong_one_never(home: Inn, tmp_path: Path) -> None:
    link = home.link()
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as browser,
        browser.get(link, allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    for tried in (link, f"{home.url}/open/never", f"{home.url}/open/" + "x" * 600):
        async with aiohttp.ClientSession() as browser, browser.get(tried) as answer:
            text = await answer.text()
            assert answer.status == 410
            assert "<code>kinora link</code> makes a new one" in text
            assert not answer.cookies


def raw(url: str, path: str) -> URL:
    """The address as it stands, with its dots and its percent signs."""
    return URL(url + path, encoded=True)


def sentence(answer: aiohttp.ClientResponse, text: str, *, api: bool) -> str:
    """What a person reads; under /api it comes as problem+json."""
    if api:
        assert answer.content_type == "application/problem+json"
        problem = json.loads(text)
        assert set(problem) >= {"type", "title", "status", "detail"}
        assert problem["status"] == answer.status
        said = str(problem["detail"])
    else:
        found = re.search(r"<h1>(.*?)</h1>", text, re.S)
        assert found, text
        said = found[1]
    assert re.fullmatch(r"\S.*[.!?]", said, re.S), said
    return said
