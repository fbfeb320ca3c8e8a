"""Hostile files, by name, sent to a running Kinora as pictures over HTTP.

Polyglots (JPEG with ZIP, HTML or PDF; GIFAR; PNG with PHP), decompression bombs (PNG, its text, its
profile, ZIP, gzip), ffconcat and HLS and DASH named .mp4, external references (MP4 and MOV data
references, SVG, MVG, XML entities), huge dimensions (PNG, JPEG, GIF, WebP, MP4), a GIF of 10,000
frames, animated WebP and PNG, scripts in EXIF, XMP, IPTC and comments, files cut short.

Each gets a clear sentence, or comes out as a clean picture with nothing in it but pixels. What is
refused costs nothing and leaves nothing behind. Whatever comes: nobody opens the file that it
points at, nobody connects to the address, and the next request is answered.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import socket
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.bots.pictures import landscape
from tests.house import Inn

SCRIPT = b"<script>fetch('/forget')</script>"
PAYLOADS = (SCRIPT, b"evil.class", b"%PDF-1.7", b"<?php", b"javascript:", b"8.5000 N", b"ACME")
NO_PICTURE = "That is not a picture I can read: send a JPEG, PNG, WebP or GIF."
DAMAGED = "This picture is damaged or cut short: send it again, or another one."
PIXELS = "A picture can have up to 25 megapixels"
MOVE = {"prompt": "pan right", "model": "slide", "seconds": "0.5"}
FIRST = (200, 40, 40)
"""The colour of the first frame, where there are more."""


@dataclass(frozen=True, slots=True)
class Lure:
    """What hostile files point at. The file is a pipe: who opens it lets `bitten` go on."""

    path: Path
    address: str
    bitten: threading.Event
    listening: socket.socket

    @property
    def visited(self) -> bool:
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Hostile:
    """says: the sentence; "" where a clean picture comes of it. Made with a lure, late."""

    name: str
    make: Callable[[Lure], bytes]
    says: str = ""
    filename: str = "photo.jpg"
    sides: tuple[int, int] = field(default=(96, 64))


def drawn(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (image or landscape(96, 64)).save(file, kind, **options)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as inside:
        inside.writestr("META-INF/MANIFEST.MF", "Main-Class: evil\n")
        inside.writestr("evil.class", b"\xca\xfe\xba\xbe")
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(*chunks: tuple[bytes, bytes], after: bytes = b"") -> bytes:
    """A sound PNG with more behind its head."""
    sound = drawn("PNG")
    head = 8 + 25
    return sound[:head] + b"".join(chunk(*one) for one in chunks) + sound[head:] + after


def claiming_png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def claiming_jpeg(width: int, height: int) -> bytes:
    sound = drawn("JPEG")
    at = sound.index(b"\xff\xc0") + 5
    return sound[:at] + struct.pack(">HH", height, width) + sound[at + 4 :]


def claiming_gif(width: int, height: int) -> bytes:
    sound = drawn("GIF")
    return sound[:6] + struct.pack("<HH", width, height) + sound[10:]


def claiming_webp() -> bytes:
    head = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + (16_383).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", len(head)) + head + bytes(40)


def scripted_jpeg() -> bytes:
    """Metadata of every kind, with words in all of it."""
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x9286] = SCRIPT.decode(), "ACME", "javascript:alert(1)"
    exif.get_ifd(0x8825)[1] = "8.5000 N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(SCRIPT)) + SCRIPT
    sound = drawn(
        "JPEG", exif=exif, icc_profile=profile, comment=SCRIPT,
        xmp=b"<x:xmpmeta><rdf:li>" + SCRIPT + b"</rdf:li></x:xmpmeta>",
    )  # fmt: skip
    return sound[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + sound[2:]


def animated(kind: str, frames: int = 3, **options: object) -> bytes:
    """The first frame in its own colour."""
    rest = [Image.new("RGB", (96, 64), (20, 40 + n % 200, 200)) for n in range(frames - 1)]
    first = Image.new("RGB", (96, 64), FIRST)
    return drawn(kind, first, save_all=True, append_images=rest, **options)


def long_gif(frames: int) -> bytes:
    """As `animated`, of pieces, so that it is made in no time."""
    one = drawn("GIF", Image.new("P", (96, 64), 0))
    start = one.index(b"\x2c", 13)
    block = one[start:-1]
    palette = b"\xf7\0\0" + bytes(FIRST) + bytes(765)
    return b"GIF89a" + struct.pack("<HH", 96, 64) + palette + block * frames + b"\x3b"


def film(container: str = "mp4") -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        pixels = np.full((64, 96, 3), FIRST, np.uint8)
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return file.getvalue()


def elsewhere(container: str, where: str) -> bytes:
    """A film whose pictures are said to be in another file: ISO/IEC 14496-12, 8.7.2."""
    sound = film(container)
    name = where.encode() + b"\0"
    at = sound.index(b"url \0\0\0\1") - 4
    entry = struct.pack(">I", 12 + len(name)) + b"url \0\0\0\0" + name
    changed = bytearray(sound[:at] + entry + sound[at + 12 :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        begin = changed.index(box) - 4
        (size,) = struct.unpack_from(">I", changed, begin)
        struct.pack_into(">I", changed, begin, size + len(name))
    return bytes(changed)


def claiming_film() -> bytes:
    """The sample entry's sides: ISO/IEC 14496-12, 12.1.3."""
    sound = bytearray(film())
    struct.pack_into(">HH", sound, sound.index(b"avc1", sound.index(b"stsd")) + 28, 65_534, 65_534)
    return bytes(sound)


def playlist(lure: Lure) -> bytes:
    return (
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n"
        f"#EXTINF:9,\n{lure.address}/a.ts\n#EXTINF:9,\nfile://{lure.path}\n#EXT-X-ENDLIST\n"
    ).encode()


def dash(lure: Lure) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>'
        f"{lure.address}/</BaseURL></MPD>"
    ).encode()


def svg(lure: Lure) -> bytes:
    return (
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY canary SYSTEM "file://'
        f'{lure.path}">]><svg xmlns="http://www.w3.org/2000/svg" width="96" height="64">'
        f'<image href="{lure.address}/a.png"/><text>&canary;</text></svg>'
    ).encode()


def mvg(lure: Lure) -> bytes:
    return (
        "push graphic-context\nviewbox 0 0 96 64\n"
        f"fill 'url({lure.address}/a.png\"|cat {lure.path}\")'\npop graphic-context\n"
    ).encode()


def concat(lure: Lure) -> bytes:
    return f"ffconcat version 1.0\nfile {lure.path}\nfile {lure.address}/a.mp4\n".encode()


def commented(body: bytes) -> bytes:
    sound = drawn("JPEG")
    return sound[:2] + b"\xff\xfe" + struct.pack(">H", len(body) + 2) + body + sound[2:]


FILES = (
    Hostile("JPEG and ZIP", lambda _: drawn("JPEG") + archive()),
    Hostile("JPEG and HTML", lambda _: commented(b"<html>" + SCRIPT) + SCRIPT, filename="a.html"),
    Hostile("JPEG and PDF", lambda _: commented(b"%PDF-1.7\n1 0 obj") + b"%%EOF", filename="a.pdf"),
    Hostile("GIFAR", lambda _: drawn("GIF") + archive(), filename="a.jar"),
    Hostile("PNG and PHP", lambda _: png_with((b"tEXt", b"Comment\0<?php system($_GET[0]);"),
            after=b"<?php phpinfo();"), filename="a.php"),
    Hostile("scripts in EXIF, XMP, IPTC", lambda _: scripted_jpeg()),
    Hostile("a GIF of 10,000 frames", lambda _: long_gif(10_000), filename="a.gif"),
    Hostile("an animated WebP", lambda _: animated("WEBP", lossless=True), filename="a.webp"),
    Hostile("an animated PNG", lambda _: animated("PNG"), filename="a.png"),
    Hostile("a film", lambda _: film(), filename="a.mp4"),
    Hostile("a film of another file", lambda lure: elsewhere("mp4", f"file://{lure.path}"),
            filename="a.mp4"),
    Hostile("a MOV of an address", lambda lure: elsewhere("mov", f"{lure.address}/a.mov"),
            filename="a.mov"),
    Hostile("a GIF that is JavaScript", lambda _: b"GIF89a/*" + drawn("GIF")[8:] + b"*/=1;",
            "10 times its short side", "a.js"),
    Hostile("a film that claims 4 gigapixels", lambda _: claiming_film(), filename="a.mp4"),
    Hostile("a film cut short", lambda _: film()[:-300], DAMAGED, "a.mp4"),
    Hostile("a head of a film before ffconcat",
            lambda lure: film()[:32] + b"\n" + concat(lure), DAMAGED, "a.mp4"),
    Hostile("a Matroska of nothing", lambda _: b"\x1a\x45\xdf\xa3" + bytes(999), DAMAGED, "a.mkv"),
    Hostile("ffconcat", concat, NO_PICTURE, "a.mp4"),
    Hostile("an HLS playlist", playlist, NO_PICTURE, "a.mp4"),
    Hostile("a DASH manifest", dash, NO_PICTURE, "a.mp4"),
    Hostile("SVG with references", svg, NO_PICTURE, "a.png"),
    Hostile("packed SVG", lambda lure: gzip.compress(svg(lure)), NO_PICTURE, "a.svgz"),
    Hostile("MVG", mvg, NO_PICTURE, "a.png"),
    Hostile("PostScript", lambda lure: f"%!PS\n({lure.path}) (r) file\n".encode(), NO_PICTURE),
    Hostile("HTML", lambda _: b"<html>" + SCRIPT, NO_PICTURE),
    Hostile("a ZIP bomb", lambda _: b"PK\3\4" + gzip.compress(bytes(50_000_000)), NO_PICTURE),
    Hostile("a gzip bomb", lambda _: gzip.compress(bytes(100_000_000)), NO_PICTURE),
    Hostile("a PNG of 400 megapixels", lambda _: claiming_png(20_000, 20_000), PIXELS),
    Hostile("a PNG of 2 gigapixels a side", lambda _: claiming_png(2**31 - 1, 2**31 - 1), PIXELS),
    Hostile("a JPEG of 4 gigapixels", lambda _: claiming_jpeg(65_500, 65_500), PIXELS),
    Hostile("a GIF of 4 gigapixels", lambda _: claiming_gif(65_535, 65_535), PIXELS),
    Hostile("a WebP of 268 megapixels", lambda _: claiming_webp(), PIXELS),
    Hostile("a bomb of text in a PNG",
            lambda _: png_with((b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000)))), DAMAGED),
    Hostile("a bomb for a profile in a PNG",
            lambda _: png_with((b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000)))), DAMAGED),
    Hostile("a JPEG cut short", lambda _: drawn("JPEG")[:-300], DAMAGED),
    Hostile("a PNG cut short", lambda _: drawn("PNG")[:-300], DAMAGED),
    Hostile("a WebP cut short", lambda _: drawn("WEBP")[:-100], DAMAGED),
)  # fmt: skip


@pytest.fixture(scope="module")
def lure() -> Iterator[Lure]:
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        path = Path(folder, "canary.png")
        os.mkfifo(path)
        bitten = threading.Event()

        def wait_for_a_reader() -> None:
            os.close(os.open(path, os.O_WRONLY))
            bitten.set()

        waiting = threading.Thread(target=wait_for_a_reader)
        waiting.start()
        port = listening.getsockname()[1]
        yield Lure(path, f"http://127.0.0.1:{port}", bitten, listening)
        ours = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        waiting.join()
        os.close(ours)


@pytest.mark.parametrize("sent", FILES, ids=[one.name for one in FILES])
async def test_a_hostile_file_is_refused_in_words_or_comes_out_clean(
    sent: Hostile, home: Inn, lure: Lure
) -> None:
    data = await asyncio.to_thread(sent.make, lure)
    form = aiohttp.FormData(MOVE, default_to_multipart=True)
    form.add_field("image", io.BytesIO(data), filename=sent.filename, content_type="image/jpeg")
    async with home.client(home.key(sent.name)) as client:
        had = pictures(home)
        async with client.post("/api/v1/clips", data=form) as answer:
            said = await answer.json()
        if sent.says:
            assert (answer.status, sent.says in said["detail"]) == (422, True), said
            assert await wealth(client) == (1000, 0, 1)
            assert pictures(home) == had
        else:
            assert answer.status == 202, said
            await is_clean(client, said, sent)
            async with client.delete(f"/api/v1/clips/{said['id']}") as answer:
                assert answer.status in (200, 202, 204, 409)
        async with client.get("/api/v1/me") as answer:
            assert answer.status == 200
    assert not lure.bitten.is_set()
    assert not lure.visited


async def is_clean(client: aiohttp.ClientSession, clip: dict[str, object], sent: Hostile) -> None:
    async with client.get(f"/api/v1/clips/{clip['id']}/picture") as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        data = await answer.read()
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    assert image.size == sent.sides
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not image.getexif()
    assert data.endswith(b"\xff\xd9")
    assert data.count(b"\xff\xd9") == 1
    assert not [one for one in PAYLOADS if one in data]
    if "frames" in sent.name or "film" in sent.name or "animated" in sent.name:
        pixel = image.getpixel((48, 32))
        assert isinstance(pixel, tuple)
        assert max(abs(a - b) for a, b in zip(pixel, FIRST, strict=True)) < 16


def pictures(home: Inn) -> set[Path]:
    return set((home.data / "pictures").rglob("*"))


async def wealth(client: aiohttp.ClientSession) -> tuple[int, int, int]:
    async with client.get("/api/v1/me") as answer:
        me = await answer.json()
    return me["balance"], me["held"], len(me["entries"])
