"""The process that opens a stranger's picture, or the first frame of a video: bytes in on stdin, a
clean JPEG out on stdout.

Run by path with `python -I`, so it imports nothing of Kinora. It limits itself before it reads a
byte, and once it has them all it can open nothing any more: no file, no socket, no module. It
answers one line of JSON and, where all went well, the JPEG, and ends:

    {"outcome": "ok", "width": 640, "height": 480}
    {"outcome": "too-many-pixels", "width": 20000, "height": 20000}

Run with the word "nurse" it opens nothing itself: it forks such a process for each picture, which
so has its libraries at once, and ends it where nobody waits for it any more.
"""

from __future__ import annotations

import copy
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import warnings
from contextlib import suppress
from types import ModuleType

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

IMPORTED = (
    copy,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""What Pillow would import only once it meets such a picture: GIF copies, MPO is a kind of JPEG,
and EXIF is written as TIFF."""

MEGABYTE = 1 << 20

LIMITS = {
    resource.RLIMIT_AS: 768 * MEGABYTE,
    resource.RLIMIT_CPU: 15,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NOFILE: 32,
    resource.RLIMIT_CORE: 0,
}
if sys.platform == "darwin":
    del LIMITS[resource.RLIMIT_AS]  # macOS refuses to set it

MOST_OPEN = 1024
"""Of files in the process that forks: `select` takes no more."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 25_000_000
MIN_SIDE = 16
MAX_RATIO = 10
LONGEST_SIDE = 4096
QUALITY = 95
PAPER = (255, 255, 255)
"""What shows through a transparent picture."""

warnings.simplefilter("ignore")  # showing one would open the file that it comes from
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Unfit(Exception):
    """The picture can't be taken. outcome: why, in a word; the sides where they are known."""

    def __init__(self, outcome: str, width: int = 0, height: int = 0) -> None:
        super().__init__(outcome)
        self.outcome, self.width, self.height = outcome, width, height


def clean(data: bytes) -> Image.Image:
    """The picture in the bytes: upright, sRGB, at most LONGEST_SIDE on its long side."""
    check_sides(*(webp_sides(data) or (MIN_SIDE, MIN_SIDE)))
    Image.MAX_IMAGE_PIXELS = None  # so that the sides are known when they are too many
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise Unfit("no-picture") from None
    check_sides(*image.size)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    image.load()
    profile = image.info.get("icc_profile")
    image = eight_bits(upright(image))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return srgb(image, profile)


EBML = b"\x1a\x45\xdf\xa3"
"""What Matroska and WebM begin with: RFC 8794, 11.2.1."""


def is_video(data: bytes) -> bool:
    """MP4 and its kin, but no HEIF or AVIF, which are pictures; or Matroska and WebM."""
    boxed = data[4:8] == b"ftyp" and data[8:11] not in (b"hei", b"hev", b"mif", b"msf", b"avi")
    return boxed or data[:4] == EBML


def opener_of_videos() -> ModuleType:
    """PyAV, with what it would import only once it meets a video."""
    for late in ("audio.stream", "subtitles.stream", "video.stream", "sidedata.sidedata"):
        importlib.import_module(f"av.{late}")
    return importlib.import_module("av")


def first_frame(av: ModuleType, data: bytes) -> Image.Image:
    """Of a video: upright, at most LONGEST_SIDE on its long side."""
    try:
        boxed = data[:4] != EBML
        with av.open(io.BytesIO(data), format="mp4" if boxed else "matroska") as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                raise Unfit("no-picture")
            check_sides(stream.width, stream.height)
            stream.thread_type, stream.thread_count = "NONE", 1
            frame = next(container.decode(stream))
    except StopIteration:
        raise Unfit("damaged") from None
    check_sides(frame.width, frame.height)
    image: Image.Image = frame.to_image()
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image


def check_sides(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Unfit("too-many-pixels", width, height)
    if min(width, height) < MIN_SIDE:
        raise Unfit("too-small", width, height)
    if max(width, height) > MAX_RATIO * min(width, height):
        raise Unfit("too-long", width, height)


def webp_sides(data: bytes) -> tuple[int, int] | None:
    """The sides in a WebP's header, or None: Pillow makes room for the pixels to learn them.

    RFC 9649, 2.5 to 2.7.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind, body = data[12:16], data[20:]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return (
            int.from_bytes(body[6:8], "little") & 0x3FFF,
            int.from_bytes(body[8:10], "little") & 0x3FFF,
        )
    return None


def upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block says nothing about the pixels
        return image


def eight_bits(image: Image.Image) -> Image.Image:
    """Mode L, RGB or CMYK, with transparent parts on paper."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, PAPER)
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, theirs, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def limit_itself() -> None:
    for limit, most in LIMITS.items():
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))


def open_nothing() -> None:
    """From here on, whoever holds this process has what is open already: stdin, stdout, stderr."""
    Image.preinit()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    limit_itself()
    data = sys.stdin.buffer.read()
    av = opener_of_videos() if is_video(data) else None
    open_nothing()
    jpeg = io.BytesIO()
    try:
        image = first_frame(av, data) if av is not None else clean(data)
        image.info.clear()
        image.save(jpeg, "JPEG", quality=QUALITY, subsampling=0)
        answer = {"outcome": "ok", "width": image.width, "height": image.height}
    except Unfit as unfit:
        answer = {"outcome": unfit.outcome, "width": unfit.width, "height": unfit.height}
    except MemoryError:
        answer = {"outcome": "too-heavy"}
    except Exception:  # whatever a decoder raises on hostile bytes
        answer = {"outcome": "damaged"}
    out = sys.stdout.buffer
    out.write(json.dumps(answer).encode() + b"\n")
    if answer["outcome"] == "ok":
        out.write(jpeg.getbuffer())
    out.flush()


def nurse(control: socket.socket) -> None:
    """Until `control` is closed. Three files come over it for each picture: the picture, where its
    child is to answer, and a lifeline, whose other end is closed once nobody needs the child."""
    Image.preinit()
    gc.freeze()
    children: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), *children], [], [])
        for lifeline in children.keys() & set(ready):
            end(children.pop(lifeline))
            os.close(lifeline)
        if control.fileno() in ready:
            _, files, _, _ = socket.recv_fds(control, 1, 3)
            if not files:
                break
            picture, answer, lifeline = files
            children[lifeline] = born(picture, answer)
            os.close(picture)
            os.close(answer)
    for pid in children.values():
        end(pid)


def born(picture: int, answer: int) -> int:
    """A child that sees to one picture, with nothing open but that and its answer, which begins
    with a line that says nothing else than that there is a child."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        os.dup2(picture, sys.stdin.fileno())
        os.dup2(answer, sys.stdout.fileno())
        os.closerange(sys.stderr.fileno() + 1, MOST_OPEN)
        os.write(sys.stdout.fileno(), b"\n")
        main()
    except Exception:
        os.write(sys.stdout.fileno(), b'{"outcome": "broken"}\n')
    finally:
        os._exit(0)


def end(pid: int) -> None:
    """The child, and whatever it began."""
    for kill in (os.kill, os.killpg):
        with suppress(ProcessLookupError, PermissionError):  # macOS: a group that has ended
            kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    os.nice(5)  # as the runner: whoever waits for an answer comes first
    if sys.argv[1:] == ["nurse"]:
        nurse(socket.socket(fileno=os.dup(sys.stdin.fileno())))
    else:
        main()
