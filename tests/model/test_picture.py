"""Strangers' pictures: every file here is a real one, made on the spot and really decoded."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import struct
import sys
import zipfile
import zlib
from asyncio.subprocess import PIPE
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from core.errors import BadPicture, Transient
from core.ports import DecodedPicture
from model import picture


def drawn(width: int = 160, height: int = 120) -> Image.Image:
    """Red, green, blue and white quarters."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = 220, 20, 20
    pixels[: height // 2, width // 2 :] = 20, 200, 20
    pixels[height // 2 :, : width // 2] = 20, 20, 220
    pixels[height // 2 :, width // 2 :] = 255, 255, 255
    return Image.fromarray(pixels)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A black PNG of one bit a pixel, with more chunks before its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    body = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), *chunks]
    body += [(b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in body)


def zipped(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("picture.png", bytes(size))
    return file.getvalue()


async def decoded(data: bytes) -> Image.Image:
    result = await picture.decode(data)
    image = Image.open(io.BytesIO(result.data), formats=["JPEG"])
    image.load()
    assert image.size == (result.width, result.height)
    assert image.mode == "RGB"
    return image


def colour_at(image: Image.Image, across: float, down: float) -> tuple[int, ...]:
    pixel = image.getpixel((int(image.width * across), int(image.height * down)))
    assert isinstance(pixel, tuple)
    return pixel


def close(one: tuple[int, ...], other: tuple[int, ...], within: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= within


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_pictures_are_known_by_their_content(kind: str) -> None:
    image = await decoded(saved(drawn(), kind))
    assert image.size == (160, 120)
    assert close(colour_at(image, 0.25, 0.25), (220, 20, 20))
    assert close(colour_at(image, 0.75, 0.25), (20, 200, 20))
    assert close(colour_at(image, 0.25, 0.75), (20, 20, 220))
    assert close(colour_at(image, 0.75, 0.75), (255, 255, 255))


async def test_little_is_lost() -> None:
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    photo = small.resize((640, 480), Image.Resampling.BICUBIC)
    image = await decoded(saved(photo, "PNG"))
    error = np.asarray(image, np.float64) - np.asarray(photo, np.float64)
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 40


@pytest.mark.parametrize("profiled", [True, False])
async def test_the_picture_is_turned_upright_and_its_metadata_is_gone(profiled: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera of somebody"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(
        drawn(),
        "JPEG",
        quality=95,
        exif=exif,
        icc_profile=profile if profiled else None,
        comment=b"somewhere",
        xmp=b"<x:xmpmeta/>",
    )
    result = await picture.decode(data)
    assert (b"ICC_PROFILE" in data) == profiled
    for trace in (b"Exif", b"camera", b"ICC_PROFILE", b"somewhere", b"xmp"):
        assert trace in data or trace == b"ICC_PROFILE"
        assert trace not in result.data
    image = await decoded(data)
    assert image.size == (120, 160)
    assert close(colour_at(image, 0.25, 0.25), (20, 20, 220))
    assert close(colour_at(image, 0.75, 0.25), (220, 20, 20))


async def test_colours_are_brought_to_srgb() -> None:
    """A profile in which red and blue have changed places turns the red quarter blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"____").replace(b"bXYZ", b"rXYZ").replace(b"____", b"bXYZ")
    image = await decoded(saved(drawn(), "PNG", icc_profile=swapped))
    assert close(colour_at(image, 0.25, 0.25), (20, 20, 220))


@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200])
async def test_a_broken_profile_is_passed_over(profile: bytes) -> None:
    image = await decoded(saved(drawn(), "PNG", icc_profile=profile))
    assert close(colour_at(image, 0.25, 0.25), (220, 20, 20))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "I;16", "CMYK"])
async def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        grey = Image.fromarray(np.full((120, 160), 40_000, np.uint16))
        image = await decoded(saved(grey, "PNG"))
        assert close(colour_at(image, 0.5, 0.5), (156, 156, 156), 3)
        return
    kind = {"CMYK": "JPEG", "PA": "WEBP"}.get(mode, "PNG")
    source = drawn().convert(mode if mode != "PA" else "RGBA")
    image = await decoded(saved(source, kind))
    assert close(colour_at(image, 0.75, 0.75), (255, 255, 255))


async def test_what_is_transparent_becomes_white() -> None:
    see_through = drawn().convert("RGBA")
    see_through.putalpha(Image.new("L", see_through.size, 0))
    image = await decoded(saved(see_through, "PNG"))
    assert close(colour_at(image, 0.25, 0.25), (255, 255, 255))


async def test_only_the_first_frame_of_a_gif_counts() -> None:
    others = [Image.new("RGB", (160, 120), (shade, 0, 0)) for shade in range(20, 200)]
    data = saved(drawn(), "GIF", save_all=True, append_images=others)
    image = await decoded(data)
    assert close(colour_at(image, 0.75, 0.25), (20, 200, 20))


def filmed(kind: str, codec: str, voice: str) -> bytes:
    """A video, with sound, that begins as `drawn` and goes on white."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as film:
        pictures = film.add_stream(codec, rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 160, 120, "yuv420p"
        sounds = film.add_stream(voice, rate=48000)
        for image in (drawn(), Image.new("RGB", (160, 120), "white")):
            film.mux(pictures.encode(av.VideoFrame.from_image(image)))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 960), np.int16), "s16", "stereo")
        silence.rate = 48000
        film.mux(sounds.encode(silence))
        for stream in (pictures, sounds):
            film.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "codec", "voice"), [("mp4", "libx264", "aac"), ("webm", "libvpx-vp9", "libopus")]
)
async def test_only_the_first_frame_of_a_video_counts(kind: str, codec: str, voice: str) -> None:
    image = await decoded(filmed(kind, codec, voice))
    assert image.size == (160, 120)
    assert close(colour_at(image, 0.25, 0.25), (220, 20, 20), within=40)
    assert close(colour_at(image, 0.25, 0.75), (20, 20, 220), within=40)


@pytest.mark.parametrize(
    ("matrix", "size", "red"),
    [
        ((0, 1, -1, 0), (120, 160), (0.75, 0.25)),
        ((-1, 0, 0, -1), (160, 120), (0.75, 0.75)),
        ((0, -1, 1, 0), (120, 160), (0.25, 0.75)),
    ],
)
async def test_a_video_is_turned_upright(
    matrix: tuple[int, ...], size: tuple[int, int], red: tuple[float, float]
) -> None:
    """As telephones film, held upright or on their heads: the track's header says how to turn it
    (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(filmed("mp4", "libx264", "aac"))
    a, b, c, d = (entry << 16 for entry in matrix)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    image = await decoded(bytes(data))
    assert image.size == size
    assert close(colour_at(image, *red), (220, 20, 20), within=40)


async def test_a_video_that_is_cut_short_is_refused() -> None:
    with pytest.raises(BadPicture, match="damaged or cut short"):
        await picture.decode(filmed("mp4", "libx264", "aac")[:200])


async def test_only_the_first_of_many_in_one_jpeg_counts() -> None:
    """As telephones send them."""
    data = saved(drawn(), "MPO", save_all=True, append_images=[Image.new("RGB", (160, 120))])
    assert data.startswith(b"\xff\xd8\xff")
    image = await decoded(data)
    assert close(colour_at(image, 0.75, 0.25), (20, 200, 20))


async def test_a_large_picture_is_made_smaller() -> None:
    image = await decoded(saved(Image.new("RGB", (5000, 2500), (10, 200, 100)), "PNG"))
    assert image.size == (4096, 2048)


async def test_the_smallest_picture() -> None:
    image = await decoded(saved(drawn(16, 16), "PNG"))
    assert image.size == (16, 16)


REFUSED = {
    "empty": (b"", "The file is empty"),
    "text": (b"Dear sir, this is a .jpg, honestly.\n" * 20, "not a picture I can read"),
    "ffconcat": (b"ffconcat version 1.0\nfile /etc/passwd\n", "not a picture I can read"),
    "svg": (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">'
        b'<image href="file:///etc/passwd"/></svg>',
        "not a picture I can read",
    ),
    "zip bomb": (zipped(100_000_000), "not a picture I can read"),
    "bmp": (saved(drawn(), "BMP"), "not a picture I can read"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture I can"),
    "twenty-one megabytes": (bytes(21_000_000), "up to 20 MB; this one has 21"),
    "truncated jpeg": (saved(drawn(), "JPEG")[:-400], "damaged or cut short"),
    "truncated png": (saved(drawn(), "PNG")[:-60], "damaged or cut short"),
    "jpeg of nothing but a head": (saved(drawn(), "JPEG")[:12], "damaged or cut short"),
    "400 megapixels": (png(20_000, 20_000), "up to 25 megapixels; this one has 400."),
    "26 megapixels": (png(5_200, 5_000), "up to 25 megapixels; this one has 26."),
    "gif of a huge screen": (
        b"GIF89a"
        + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
        + b"\x02\x02\x44\x01\x00\x3b",
        "up to 25 megapixels; this one has 4.29e+03.",
    ),
    "webp of a huge canvas": (
        b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8X"
        + struct.pack("<I", 10)
        + b"\x02\0\0\0"
        + (16_382).to_bytes(3, "little") * 2
        + bytes(20),
        "up to 25 megapixels; this one has 268.",
    ),
    "bomb of text in a png": (
        png(64, 64, (b"zTXt", b"comment\0\0" + zlib.compress(bytes(200_000_000)))),
        "damaged or cut short",
    ),
    "one pixel": (saved(drawn(1, 1), "PNG"), "at least 16 pixels; this one is 1 by 1."),
    "a thread": (saved(Image.new("L", (4000, 20)), "PNG"), "10 times its short side"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_fit_picture_is_refused_in_words(name: str) -> None:
    data, sentence = REFUSED[name]
    with pytest.raises(BadPicture) as refused:
        await picture.decode(data)
    assert sentence in refused.value.sentence
    assert refused.value.sentence.endswith(".")


async def test_bytes_turned_at_random_do_no_harm() -> None:
    rng = np.random.default_rng(7)
    attempts = []
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        sound = np.frombuffer(saved(drawn(), kind), np.uint8)
        for _ in range(4):
            broken = sound.copy()
            places = rng.integers(8, len(broken), 12)
            broken[places] = rng.integers(0, 256, len(places))
            attempts.append(picture.decode(broken.tobytes()))
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        assert isinstance(result, DecodedPicture | BadPicture)


def children(of: Path) -> list[str]:
    """Ids of the processes that a process began. of: its folder in /proc."""
    found = []
    for thread in (of / "task").iterdir():
        with suppress(OSError):
            found += (thread / "children").read_text().split()
    return found


def decoders() -> dict[str, bytes]:
    """The processes that decode for us just now: their environments by their ids."""
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        pytest.skip("this kernel does not list a process's children")
    found = {}
    for nurse in children(Path("/proc/self")):
        with suppress(OSError):
            if picture.CHILD.name.encode() in Path(f"/proc/{nurse}/cmdline").read_bytes():
                for pid in children(Path(f"/proc/{nurse}")):
                    with suppress(OSError):
                        if any(Path(f"/proc/{pid}/fd").iterdir()):  # else it has ended
                            found[pid] = Path(f"/proc/{pid}/environ").read_bytes().strip(b"\0")
    return found


async def test_two_at_a_time_and_nothing_of_ours_in_their_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KINORA_DISCORD__TOKEN", "secret")
    data = saved(drawn(2000, 1500), "PNG")
    decoding = [asyncio.create_task(picture.decode(data)) for _ in range(6)]
    most = 0
    while not all(task.done() for task in decoding):
        running = decoders()
        assert not any(running.values())
        assert len(running) <= picture.AT_ONCE
        most = max(most, len(running))
        for pid in running:  # until there are two, nobody gets done
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGCONT if most == picture.AT_ONCE else signal.SIGSTOP)
        await asyncio.sleep(0)
    assert len({(await task).data for task in decoding}) == 1
    assert most == picture.AT_ONCE


HIJACKED = """
import os, runpy, socket, subprocess, sys
from PIL import Image

child, ours, loot = sys.argv[1:]

def tried(*_, **__):
    for name, attempt in {
        "memory": lambda: bytearray(1 << 30),
        "read": lambda: open(ours, "rb"),
        "write": lambda: os.open(loot, os.O_CREAT | os.O_WRONLY),
        "list": lambda: os.listdir("/"),
        "socket": lambda: socket.socket(),
        "run": lambda: subprocess.run(["/bin/true"]),
    }.items():
        try:
            attempt()
        except (OSError, ValueError, MemoryError) as error:
            os.write(2, f"{name}: {type(error).__name__}\\n".encode())
        else:
            os.write(2, f"{name}: done\\n".encode())

Image.open = tried
runpy.run_path(child, run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS sets no limit on memory")
async def test_a_decoder_in_a_strangers_hands_gets_nowhere(tmp_path: Path) -> None:
    """What it would try first."""
    ours, loot = tmp_path / "ours", tmp_path / "loot"
    ours.write_text("secret")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", HIJACKED, str(picture.CHILD), str(ours), str(loot),
        stdin=PIPE, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(child.communicate(saved(drawn(), "PNG")), 30)
    attempts = ("read", "write", "list", "socket", "run")
    assert said.decode().splitlines() == [
        "memory: MemoryError",
        *(f"{attempt}: OSError" for attempt in attempts),
    ]
    assert not loot.exists()


async def test_a_child_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "DECODE_SECONDS", 0.001)
    with pytest.raises(BadPicture, match="too much work"):
        await picture.decode(saved(drawn(), "PNG"))


async def test_a_queue_that_is_too_long_says_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(picture, "AT_ONCE", 0)
    monkeypatch.setattr(picture, "WAIT_SECONDS", 0.001)
    with pytest.raises(Transient) as busy:
        await picture.decode(saved(drawn(), "PNG"))
    assert busy.value.retry_after > 0


async def test_a_cancelled_decode_leaves_no_child_behind() -> None:
    """Whatever it was doing when it was cancelled."""
    data = saved(drawn(), "PNG")
    for turns in (0, 1, 2, 3, 5, 8, 13, 21, 34, 1000):
        decoding = [asyncio.create_task(picture.decode(data)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        cut = [task for task in decoding if task.cancel()]  # the others are done already
        _, pending = await asyncio.wait(decoding, timeout=30)
        assert not pending
        assert all(task.cancelled() for task in cut)
    async with asyncio.timeout(30):
        while decoders():  # a kernel has no events for this
            await asyncio.sleep(0)
