"""Says what a clip shows, by looking at its pixels alone.

The backgrounds and colours are ranges of hue, saturation and value; a thing is what isn't of its
background's colours. `outlines` names its shape and `movement` what it and the camera do. Nothing
here knows how the training scenes are drawn: only the names are shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from model.pocket import movement, outlines
from model.pocket.outlines import Mask

Frames: TypeAlias = NDArray[np.uint8]
"""(frames, height, width, 3) RGB."""
Array: TypeAlias = NDArray[np.float32]

SMALLEST: Final = 0.004
"""Share of the picture that a thing covers at least; stars in the sky cover less."""
SECOND_THING: Final = 0.12
"""Share of all that isn't background which another colour must have, to be another thing."""
APART: Final = 55
"""Summed difference of the three channels between a thing and a plain background."""

MARKED: Final = 13.0
"""Deviation of the brightness (0…255) inside a thing, its shading aside, that makes a texture."""
ONE_WAY: Final = 0.45
"""How far that brightness varies along one direction, 0…1, where it makes stripes."""

PLAIN: Final = 36
"""How far a channel varies at most along the border of a plain background."""

DRIFT_S: Final = 6
"""Seconds in which a thing that swings or circles leaves each place free most of the time."""

HUES: Final = (
    (14, "red"),
    (44, "orange"),
    (68, "yellow"),
    (160, "green"),
    (200, "cyan"),
    (252, "blue"),
    (299, "purple"),
    (346, "pink"),
    (361, "red"),
)
"""Where a hue ends, in degrees."""


@dataclass(frozen=True, slots=True)
class Thing:
    colour: str
    shape: str
    texture: str
    """"", "striped" or "spotted"."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a clip shows."""

    things: tuple[Thing, ...]
    """The largest first; none where nothing stands out."""
    background: str
    """"unclear" where it is none that the judge knows."""
    motion: str
    """Of the largest thing, or of two with each other; "" without a thing."""
    camera: str
    """"" for a camera at rest."""
    relation: str
    """Where the largest thing is, seen from the next; "" without two."""


def look(frames: Frames) -> Seen:
    """What the judge sees in a clip."""
    background = name_background(frames)
    front = _in_front(frames, background)
    silhouettes = _by_colour(frames, front, background)
    paths = [movement.track(masks) for masks in silhouettes.values()]
    camera = ""
    if background not in _COLOUR_NAMES:
        drift = movement.background_drift(frames, [~_grown(mask) for mask in front])
        camera = movement.name_camera(drift, paths[0] if paths else None)
        paths = [movement.steadied(path, drift, camera) for path in paths]
    motion = movement.name_motion(paths[0]) if paths else ""
    relation = ""
    if len(paths) == 2:
        motion = movement.together(*paths) or motion
        relation = movement.name_relation(*paths)
    things = tuple(
        Thing(
            colour,
            outlines.name_shape(_whole(masks), turning=abs(path.angle).max() > 0.3),
            _name_texture(frames, masks),
        )
        for (colour, masks), path in zip(silhouettes.items(), paths, strict=True)
    )
    return Seen(things, background, motion, camera, relation)


_COLOUR_NAMES: Final = frozenset({name for _, name in HUES} | {"white", "grey", "black"})


def _hsv(pixels: NDArray[np.uint8]) -> Array:
    """Hue in degrees, saturation and value in 0…1, of (..., 3) RGB."""
    if not pixels.size:
        return np.zeros(pixels.shape, np.float32)
    flat = (pixels.reshape(-1, 1, 3) / 255).astype(np.float32)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_RGB2HSV), np.float32).reshape(pixels.shape)


def name_colour(pixels: NDArray[np.uint8]) -> str:
    """The everyday name of the median of some pixels (n, 3), by hue, saturation and value."""
    middle = np.median(pixels.reshape(-1, 3), axis=0).round().astype(np.uint8)
    hue, saturation, value = (float(part) for part in _hsv(middle[None])[0])
    if value < 0.22:
        return "black"
    if saturation < 0.18:
        return "white" if value > 0.72 else ("grey" if value > 0.3 else "black")
    return next(name for limit, name in HUES if hue < limit)


def name_background(frames: Frames) -> str:
    """A plain colour or one of sky, sea, grass, night and sunset, from the picture's border."""
    border = _border(frames)
    hue, saturation, value = np.moveaxis(_hsv(border), -1, 0)
    bluish = (hue > 185) & (hue < 240)
    airy = (value > 0.78) & ((bluish & (saturation < 0.72)) | (saturation < 0.16))
    deep = bluish & (value <= 0.78) & (value > 0.3) & (saturation > 0.45)
    navy = (value < 0.48) & (hue > 205) & (hue < 275) & (saturation > 0.35)
    green = (hue > 70) & (hue < 165) & (saturation > 0.3) & (value > 0.3)
    dusky = ((hue > 255) | (hue < 38)) & (saturation > 0.35) & (value > 0.28)
    low, high = np.percentile(border, (12, 88), axis=0)
    if _make_up(navy):
        return "night"
    if (high - low).max() < PLAIN:
        return name_colour(border)
    for name, parts in (
        ("grass", (green, airy)),
        ("sea", (deep, airy)),
        ("sky", (airy,)),
        ("sunset", (dusky,)),
    ):
        if _make_up(*parts):
            return name
    return "unclear"


def _make_up(*parts: NDArray[np.bool_]) -> bool:
    """Whether most of a border is of these parts, and something of each."""
    shares = [float(part.mean()) for part in parts]
    return sum(shares) > 0.6 and min(shares) > 0.08


def _border(frames: Frames) -> NDArray[np.uint8]:
    """The pixels along all four edges, (n, 3)."""
    edge = max(min(frames.shape[1:3]) // 16, 2)
    strips = (
        frames[:, :edge],
        frames[:, -edge:],
        frames[:, edge:-edge, :edge],
        frames[:, edge:-edge, -edge:],
    )
    return np.concatenate([strip.reshape(-1, 3) for strip in strips])


def _in_front(frames: Frames, background: str) -> list[Mask]:
    """For every frame, what isn't background, without specks."""
    kernel = np.ones((3, 3), np.uint8)
    masks = []
    for other in _unlike_scenery(frames, background):
        opened = cv2.morphologyEx(other.astype(np.uint8), cv2.MORPH_OPEN, kernel)
        labels, areas = _pieces(np.asarray(opened, np.bool_))
        masks.append(np.asarray((areas > SMALLEST * other.size)[labels], np.bool_))
    return masks


def _unlike_scenery(frames: Frames, background: str) -> Mask:
    """(frames, height, width): pixels that the background can't have."""
    hue, saturation, value = np.moveaxis(_hsv(frames), -1, 0)
    airy = ((hue > 180) & (hue < 245) & (saturation < 0.72) & (value > 0.7)) | (
        (saturation < 0.22) & (value > 0.65)
    )
    match background:
        case "sky":
            own = airy
        case "sea":
            own = airy | ((hue > 180) & (hue < 235) & (value > 0.3))
        case "grass":
            own = airy | ((hue > 72) & (hue < 185) & (value > 0.25))
        case "night":
            own = (value < 0.22) | ((value < 0.5) & (hue > 195) & (hue < 290))
        case "sunset":
            warm = ((hue > 250) | (hue < 38)) & (value > 0.28)
            own = warm & (saturation > 0.3) & ~(((hue < 14) | (hue > 340)) & (saturation > 0.72))
        case _:
            return _unlike_plain(frames)
    return np.asarray(~own, np.bool_)


def _unlike_plain(frames: Frames) -> Mask:
    """Pixels unlike what the left and right edges have at that height."""
    edge = max(frames.shape[2] // 24, 2)
    sides = np.concatenate([frames[:, :, :edge], frames[:, :, -edge:]], axis=2)
    rows = np.median(sides.transpose(1, 0, 2, 3).reshape(frames.shape[1], -1, 3), axis=1)
    smooth = cv2.blur(rows.astype(np.float32)[:, None], (1, 9), borderType=cv2.BORDER_REPLICATE)
    difference = np.abs(frames.astype(np.float32) - smooth).sum(axis=3)
    return np.asarray(difference > APART, np.bool_)


def _pieces(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For every pixel the number of its connected piece, and their areas; 0, what is outside, has
    none."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.intp)
    areas[0] = 0
    return labels.astype(np.intp), areas


def _shrunk(mask: Mask, pixels: int = 1) -> Mask:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel, iterations=pixels), np.bool_)


def _core(mask: Mask) -> Mask:
    """A little in from the edge, which may be soft; one pixel where there is no more."""
    core = _shrunk(mask, max(round(min(mask.shape) / 42), 1))
    return core if core.any() else _shrunk(mask)


def _grown(mask: Mask) -> Mask:
    size = max(min(mask.shape) // 8, 3) | 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)), np.bool_)


_NAMES: Final = (*dict.fromkeys(name for _, name in HUES), "white", "black")


def _named(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """For pixels (n, 3) of things, the place of their colour's name in `_NAMES`."""
    hue, saturation, value = np.moveaxis(_hsv(pixels), -1, 0)
    limits = np.array([limit for limit, _ in HUES])
    places = np.array([_NAMES.index(name) for _, name in HUES])
    named = places[np.searchsorted(limits, hue, side="right")]
    pale = saturation < 0.2
    named[pale] = np.where(value[pale] > 0.5, _NAMES.index("white"), _NAMES.index("black"))
    named[value < 0.28] = _NAMES.index("black")
    return np.asarray(named, np.intp)


def _by_colour(frames: Frames, front: Sequence[Mask], background: str) -> dict[str, list[Mask]]:
    """For every thing, largest first, its colour and its silhouette in every frame."""
    cores = np.stack([_core(mask) for mask in front])
    if not cores.any():
        return {}
    pixels = frames[cores]
    names = _named(pixels)
    counts = np.bincount(names, minlength=len(_NAMES))
    if background in _NAMES:
        # A soft edge towards a plain background has that background's colour.
        counts[_NAMES.index(background)] = 0
    ranked = counts.argsort()[::-1]
    clear = ranked[counts[ranked] > SECOND_THING * len(names)]
    if not len(clear):
        return {}
    middles = np.stack([np.median(pixels[names == index], axis=0) for index in clear])
    found: dict[str, list[Mask]] = {_NAMES[index]: [] for index in clear}
    for frame, mask in zip(frames, front, strict=True):
        inside = frame[mask]
        own = _named(inside)
        away = np.abs(inside[:, None].astype(np.float32) - middles).sum(axis=2)
        belongs = np.where(np.isin(own, clear), own, clear[away.argmin(axis=1)])
        for index in clear:
            chosen = np.zeros(mask.shape, np.bool_)
            chosen[mask] = belongs == index
            found[_NAMES[index]].append(_largest_piece(chosen))
    return {name: masks for name, masks in found.items() if _often_there(masks)}


def _often_there(masks: Sequence[Mask]) -> bool:
    return sum(bool(mask.any()) for mask in masks) * 3 > len(masks)


def _largest_piece(mask: Mask) -> Mask:
    """The largest connected part; nothing where that is a speck."""
    labels, areas = _pieces(mask)
    biggest = int(areas.argmax())
    if areas[biggest] < SMALLEST * mask.size:
        return np.zeros_like(mask)
    return np.asarray(labels == biggest, np.bool_)


def _whole(masks: Sequence[Mask]) -> list[Mask]:
    """The silhouettes that are whole in sight, or all of them where none is."""
    there = [mask for mask in masks if mask.any()]
    return [mask for mask in there if not movement.touches_border(mask)] or there


def _name_texture(frames: Frames, masks: Sequence[Mask]) -> str:
    """From how the brightness inside a thing varies: along one direction, or all ways alike."""
    contrast, direction = [], []
    for frame, mask in zip(frames, masks, strict=True):
        core = _core(mask)
        if core.sum() < 30:
            continue
        marks = _marks(frame, core)
        contrast.append(float(marks[core].std()))
        direction.append(_one_way(marks, _shrunk(core)))
    if not contrast or np.median(contrast) < MARKED:
        return ""
    return "striped" if np.median(direction) > ONE_WAY else "spotted"


def _marks(frame: NDArray[np.uint8], core: Mask) -> Array:
    """The brightness in a thing less its shading, a smooth slope or bulge; 0 outside."""
    rows, columns = np.nonzero(core)
    y, x = rows - rows.mean(), columns - columns.mean()
    value = cv2.blur(frame, (2, 2))[core].max(axis=1).astype(np.float32)
    smooth = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    marks = np.zeros(core.shape, np.float32)
    marks[core] = value - smooth @ np.linalg.lstsq(smooth, value, rcond=None)[0]
    return marks


def _one_way(marks: Array, where: Mask) -> float:
    """How far the slopes lie along one direction, 0…1: the coherence of their structure tensor."""
    y, x = np.gradient(marks, axis=0)[where], np.gradient(marks, axis=1)[where]
    xx, yy, xy = (x**2).sum(), (y**2).sum(), (x * y).sum()
    return float(np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-6))


def first_frame_db(frames: Frames, picture: NDArray[np.uint8]) -> float:
    """PSNR in dB of a clip's first frame against the picture (height, width, 3) it began with.

    Raises ValueError where the two differ in size.
    """
    if frames[0].shape != picture.shape:
        raise ValueError(f"the clip is {frames[0].shape}, the picture {picture.shape}")
    error = float(np.square(frames[0].astype(np.float64) - picture).mean())
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


def border_drift(frames: Iterable[NDArray[np.uint8]], *, frame_rate: int = 8) -> float:
    """How far the border's colour moves away from that of the beginning.

    The colours along the four edges, of each pixel the median over DRIFT_S, so that what comes and
    goes is not counted, and of these the mean; the largest difference of a channel, as a share of
    255. Holds the borders of so many frames (height, width, 3) at a time; what is left over at the
    end is not looked at. Raises ValueError without frames.
    """
    left = iter(frames)
    first: NDArray[np.float64] | None = None
    drift, count = 0.0, DRIFT_S * frame_rate
    while borders := [_border(frame[None]) for frame in islice(left, count)]:
        if first is not None and len(borders) < count:
            break
        mean = np.median(np.stack(borders), axis=0).mean(axis=0)
        first = mean if first is None else first
        drift = max(drift, float(np.abs(mean - first).max()) / 255)
    if first is None:
        raise ValueError("no frames")
    return drift
