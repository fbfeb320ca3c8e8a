"""An invisible mark of 48 bits in every frame, which survives another encoding, a scaling, a crop.

Spread spectrum: a tile of smooth noise, its phases and signs fixed once and for all, is repeated
over a frame of SHORT_SIDE pixels and enlarged onto the whole one. A part of its frequencies says
where the tile begins, the others are shared out among the bits. Who marks knows the frame, so each
bit is only pushed as far as the frame itself leaves it short. Who reads averages all tiles of all
frames; frames of one colour and drawings are read as well as photographs.

Cox et al., "Secure spread spectrum watermarking for multimedia", 1997; tiles and their search after
Kalker et al., "A video watermarking system for broadcast monitoring", 1999. Knows no model, no job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.family import Frame

BITS: Final = 48

SHORT_SIDE: Final = 160
TILE: Final = 64
BAND: Final = (1 / 18, 1 / 4.5)
"""Cycles in a pixel of the small frame: finer is lost in encoding, coarser is seen."""

PLACE_SHARE: Final = 0.35
"""Of the frequencies, those that say where the tile begins."""

STRENGTH: Final = 0.6
"""Of the noise, in steps of 255, where a frame is even."""

FULL_SIDE: Final = 480
SMALL_MOST: Final = 1.5
"""Frames with a shorter short side have that much more of it, up to so many times: an encoder
leaves less of what is fine."""

LOUDEST: Final = 2.0
"""Where it is most, in the same measure."""

BUSY_SHARE: Final = 0.5
BUSY_MOST: Final = 6.0
AROUND: Final = 17
"""Where a frame is busy, and all around is, more can be hidden: by that share of its deviation, up
to so many times as much."""

CERTAIN: Final = 7.0
"""How far the tile's place stands out where no other scale needs to be tried. Over all scales and
places, frames without a mark reached 5.2."""

SCALES: Final = tuple(np.arange(0.75, 1.051, 0.005))
"""Of the short side that is there, to the one that was: what is left of it after a crop."""

SEARCHED_FRAMES: Final = 16
GUESSES: Final = 4
"""Places and scales that are read where none is certain, beside the place where nothing was cut
off."""

LONGEST: Final = 6.0
"""Sides of a frame that is looked into, the long one to the short one: what is left of a crop."""

WEAKEST: Final = 5
"""Bits that are tried both ways."""

Array = NDArray[np.float32]


def marked(frames: Iterable[Frame], word: int) -> Iterator[Frame]:
    """The frames with a word of BITS bits in each of them."""
    if not 0 <= word < 1 << BITS:
        raise ValueError(f"a word has {BITS} bits")
    signs = np.array([1.0 if word >> bit & 1 else -1.0 for bit in range(BITS)])
    for frame in frames:
        yield _marked(frame, signs)


def read(frames: Iterable[Frame]) -> tuple[int, ...]:
    """Words that the frames may hold, the likeliest first; of frames without a mark, at random.

    Who knows the words that were given away knows which. Of a million of them one is hit by chance
    in about two million files: 5 × 2^`WEAKEST` of 2^`BITS` words are tried.
    """
    kept = [one for one in frames if max(one.shape[:2]) <= LONGEST * min(one.shape[:2])]
    if not kept:
        return ()
    whole = _folded(kept, 1.0)
    found = _placed(whole)[:1]
    if found[0].clear < CERTAIN:
        step = -(-len(kept) // SEARCHED_FRAMES)
        tried = [one for s in SCALES for one in _placed(_folded(kept[::step], float(s)))]
        found = sorted([*found, *tried], key=lambda one: -one.clear)[:GUESSES]
        found.append(_Reading(0, _tables().carriers @ whole.ravel()))
    return tuple(dict.fromkeys(word for one in found for word in one.words()))


@dataclass(frozen=True, slots=True)
class _Tables:
    """place, its spectrum; carriers: a row for each bit. All tiles are of length 1."""

    place: NDArray[np.float64]
    spectrum: NDArray[np.complex128]
    carriers: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to lay the tile. clear: how far its place stands out; levels: of each bit."""

    clear: float
    levels: NDArray[np.float64]

    def words(self) -> Iterator[int]:
        weakest = np.argsort(np.abs(self.levels))[:WEAKEST]
        word = sum(1 << bit for bit in range(BITS) if self.levels[bit] > 0)
        for count in range(WEAKEST + 1):
            for flipped in combinations(weakest, count):
                yield word ^ sum(1 << int(bit) for bit in flipped)


@cache
def _tables() -> _Tables:
    down, across = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]
    radius = np.hypot(down, across)
    inside = (radius >= BAND[0]) & (radius <= BAND[1]) & (across > 0) & (across < 0.5)
    places = np.argwhere(inside)
    drawn = hashlib.shake_256(b"kinora watermark 1").digest(8 * len(places))
    numbers = np.frombuffer(drawn, "<u4").reshape(2, len(places))
    places = places[np.argsort(numbers[0], kind="stable")]
    phases = np.exp(2j * np.pi * numbers[1] / 2**32)
    split = int(len(places) * PLACE_SHARE)

    def tile(rows: NDArray[Any], turns: NDArray[Any]) -> NDArray[np.float64]:
        spectrum = np.zeros((TILE, TILE // 2 + 1), complex)
        spectrum[rows[:, 0], rows[:, 1]] = turns
        made = np.fft.irfft2(spectrum, (TILE, TILE))
        return np.asarray(made / np.linalg.norm(made))

    place = tile(places[:split], phases[:split])
    shares = np.array_split(np.arange(split, len(places)), BITS)
    carriers = np.stack([tile(places[share], phases[share]).ravel() for share in shares])
    return _Tables(place, np.fft.rfft2(place), carriers)


def _marked(frame: Frame, signs: NDArray[np.float64]) -> Frame:
    tables = _tables()
    height, width = frame.shape[:2]
    detail, evenness = _evened(_small(frame, 1.0))
    busy = cv2.erode(1 / evenness - 1, np.ones((AROUND, AROUND), np.uint8))
    hiding = cv2.GaussianBlur(np.minimum(1 + BUSY_SHARE * busy, BUSY_MOST), (0, 0), 2)
    gain = float((evenness * hiding).mean())
    tile = _fold(detail * evenness)
    strength = STRENGTH * min(max(1.0, FULL_SIDE / min(height, width)), SMALL_MOST)
    wanted = strength * gain * TILE * 0.8 / np.sqrt(BITS)
    short = np.clip(wanted - signs * (tables.carriers @ tile.ravel()), 0, 2 * wanted)
    placed = strength * gain * TILE * 0.6
    shift = float(np.clip(placed - (tables.place * tile).sum(), 0.3 * placed, 1.5 * placed))
    noise = ((signs * short) @ tables.carriers).reshape(TILE, TILE) + shift * tables.place
    rows, columns = detail.shape
    even = np.clip(noise / gain, -LOUDEST * strength, LOUDEST * strength).astype(np.float32)
    whole = np.tile(even, (-(-rows // TILE), -(-columns // TILE)))[:rows, :columns]
    change = cv2.resize(whole * hiding, (width, height), interpolation=cv2.INTER_CUBIC)
    steps = np.rint(change, out=change).astype(np.int16)
    return np.asarray(cv2.add(frame, cv2.merge([steps] * 3), dtype=cv2.CV_8U), np.uint8)


def _small(frame: Frame, scale: float) -> Array:
    """The frame's luma (BT.709) with a short side of SHORT_SIDE × scale."""
    height, width = frame.shape[:2]
    shrink = SHORT_SIDE * scale / min(height, width)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    how = cv2.INTER_AREA if shrink < 1 else cv2.INTER_CUBIC
    small = cv2.resize(frame, size, interpolation=how).astype(np.float32)
    return np.asarray(cv2.transform(small, _LUMA), np.float32)


def _evened(small: Array) -> tuple[Array, Array]:
    """What stands out from its surroundings, and what makes that alike everywhere."""
    detail = np.asarray(small - cv2.GaussianBlur(small, (0, 0), 3), np.float32)
    deviation = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 4))
    return detail, np.asarray(1 / (deviation + 1), np.float32)


def _fold(evened: Array) -> NDArray[np.float64]:
    """The mean of all tiles."""
    rows, columns = evened.shape
    more = ((0, -rows % TILE), (0, -columns % TILE))

    def laid(values: Array) -> NDArray[np.float64]:
        padded = np.pad(values, more)
        tiles = padded.reshape(padded.shape[0] // TILE, TILE, -1, TILE)
        return np.asarray(tiles.sum((0, 2), dtype=np.float64))

    return np.asarray(laid(evened) / np.maximum(laid(np.ones_like(evened)), 1))


def _folded(frames: list[Frame], scale: float) -> NDArray[np.float64]:
    total = np.zeros((TILE, TILE))
    for frame in frames:
        detail, evenness = _evened(_small(frame, scale))
        total += _fold(detail * evenness)
    return total


def _placed(tile: NDArray[np.float64]) -> list[_Reading]:
    """The likeliest place of the tile, as it is and mirrored; the likelier first."""
    tables = _tables()
    found = []
    for seen in (tile, tile[:, ::-1]):
        match = np.fft.irfft2(np.fft.rfft2(seen) * np.conj(tables.spectrum), (TILE, TILE))
        usual = float(np.median(np.abs(match))) / 0.6745 + 1e-9
        down, across = np.unravel_index(int(np.argmax(match)), match.shape)
        laid = np.roll(seen, (-int(down), -int(across)), (0, 1))
        found.append(_Reading(float(match[down, across]) / usual, tables.carriers @ laid.ravel()))
    return sorted(found, key=lambda one: -one.clear)


_LUMA: Final = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
