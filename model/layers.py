"""A picture taken apart into layers by a guess of depth, so that a camera can move before it.

The guess is a guess: what is low in the picture, rich in detail or unlike its border is taken to be
nearer, and all of it moves like one smooth sheet. Only a thing that stands out clearly from a plain
ground is cut out and stands before it, because there the cut can be trusted and what lies behind
can be painted. Knows nothing of time or cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from model.motion import FAR

Image = NDArray[np.uint8]
"""(height, width, channels), RGB or RGBA."""

Plane = NDArray[np.float32]
"""(height, width), or (height, width, channels) of colours."""

Mask = NDArray[np.uint8]
"""(height, width), 0 or 1."""

LOOK_SIDE: Final = 224
"""Long side, in pixels, of the small copy in which things are looked for."""

MATTE_SIDE: Final = 960
MAX_THINGS: Final = 3
MAX_CROWD: Final = 8
"""More things than this are texture or writing, not things."""

LEAST_SHARE: Final = 0.006
MOST_SHARE: Final = 0.55
LEAST_DISTANCE: Final = 3.0
LEAST_DISTINCT: Final = 0.8
MOST_SPREAD: Final = 20.0
"""For a thing to be cut out, so much of it must lie LEAST_DISTANCE standard deviations from the
three colours around it, and those must not spread further than this (in 8-bit CIELAB)."""

MOST_BORDER_SPREAD: Final = 10.0
"""Beyond it from the five colours along the border, nothing is even looked for."""

STEP: Final = 0.07
"""How much nearer a thing is than the sheet around it: little, so that a wrong cut tears little."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in front: RGBA with the colours already multiplied by alpha, and where its left
    upper corner lies in the picture. nearness: FAR to 1."""

    image: Image
    left: int
    top: int
    nearness: float


@dataclass(frozen=True, slots=True)
class Layers:
    """back: the picture as RGBA with the things painted over. nearness: a small plane over all of
    it, smooth. things: from back to front."""

    back: Image
    nearness: Plane
    things: tuple[Thing, ...]


def apart(picture: Image, *, cut: bool = True) -> Layers:
    """Take an RGB picture apart. cut: whether things are cut out at all."""
    small = _within(picture, LOOK_SIDE)
    nearness = ground(small)
    masks = things(small) if cut else []
    stances = [_stance(mask, nearness) for mask in masks]
    found = [
        _cut(picture, matte(picture, mask), stance)
        for mask, stance in zip(masks, stances, strict=True)
    ]
    for mask, stance in zip(masks, stances, strict=True):
        nearness = _lifted(nearness, mask, stance - STEP)
    back = filled(picture, _image(np.maximum.reduce(masks))) if masks else picture
    return Layers(
        back=_image(cv2.cvtColor(back, cv2.COLOR_RGB2RGBA)),
        nearness=nearness,
        things=tuple(sorted(found, key=lambda thing: thing.nearness)),
    )


def ground(small: Image) -> Plane:
    """The nearness of a scene without things: a floor that comes towards us below, swollen where
    there is much detail or something unlike the border."""
    height, width = small.shape[:2]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    floor = np.clip((down - 0.2) / 0.8, 0, 1) ** 1.3
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    swollen = sum(_blurred_to_one(plane, width / 14) for plane in (detail, _salience(_lab(small))))
    near = np.clip(0.7 * floor + 0.15 * swollen, 0, 1)
    return _plane(FAR + (1 - FAR) * cv2.GaussianBlur(near, (0, 0), width / 24))


def things(small: Image) -> list[Mask]:
    """Masks, 0 or 1, of what stands out from a plain ground; [] where nothing does."""
    height, width = small.shape[:2]
    lab = _lab(small)
    border = _border(lab)
    if np.sqrt((_distance(border, _clusters(border, 5)) ** 2).mean()) > MOST_BORDER_SPREAD:
        return []
    salience = _salience(lab)
    level, _ = cv2.threshold(
        (255 * salience).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    seeds = np.where(255 * salience > level, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    edge = max(2, width // 60)
    seeds[:edge] = seeds[:, :edge] = seeds[:, -edge:] = cv2.GC_BGD
    if not (seeds == cv2.GC_PR_FGD).any():
        return []
    models = np.zeros((2, 1, 65))
    cv2.setRNGSeed(1)
    cv2.grabCut(small, seeds, (0, 0, 0, 0), models[0], models[1], 2, cv2.GC_INIT_WITH_MASK)
    mask = (seeds == cv2.GC_PR_FGD).astype(np.uint8)
    round_brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = _image(cv2.morphologyEx(mask, cv2.MORPH_OPEN, round_brush))
    mask = _image(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, round_brush))
    mask = _without_holes(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[:, cv2.CC_STAT_AREA] / (width * height)
    large = [one for one in range(1, count) if areas[one] >= LEAST_SHARE]
    if len(large) > MAX_CROWD or areas[large].sum() > MOST_SHARE:
        return []
    large.sort(key=lambda one: -areas[one])
    masks = [(labels == one).astype(np.uint8) for one in large[:MAX_THINGS]]
    return [mask for mask in masks if _distinct(lab, mask) >= LEAST_DISTINCT]


def matte(picture: Image, mask: Mask) -> Plane:
    """How much of each pixel belongs to the thing, 0 to 1: the mask drawn to the picture's edges
    by a guided filter (He, Sun and Tang, 2010)."""
    small = _within(picture, MATTE_SIDE)
    guide = _plane(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255)
    rough = _plane(_sized(mask.astype(np.float32), small))
    radius = max(2, round(max(guide.shape) / LOOK_SIDE * 1.5))

    def mean(plane: Any) -> Any:
        return cv2.blur(plane, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_rough = mean(guide), mean(rough)
    slope = (mean(guide * rough) - mean_guide * mean_rough) / (
        mean(guide * guide) - mean_guide**2 + 1e-4
    )
    offset = mean_rough - slope * mean_guide
    alpha = mean(slope) * guide + mean(offset)
    alpha = np.clip((alpha - 0.2) / 0.6, 0, 1)
    return _plane(_sized(alpha.astype(np.float32), picture))


def filled(picture: Image, mask: Mask) -> Image:
    """The picture with the masked parts painted over from around them.

    What lies beside the hole is mirrored into it, row by row, so that its grain, its horizon and
    its shades go on; where there is nothing beside it, a smooth colour has to do.
    """
    small = _within(picture, MATTE_SIDE)
    hole = _sized(mask, small)
    reach = max(2, round(max(hole.shape) / 160))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    hole = _image(cv2.dilate(hole, brush))
    smooth = _smoothly_filled(small, hole)
    mirrored, share = _mirrored(small, hole)
    paint = (mirrored * share[..., None] + smooth * (1 - share[..., None])).astype(np.uint8)
    painted = picture.copy()
    cv2.copyTo(_sized(paint, picture), _sized(hole, picture), painted)
    return painted


def _image(array: object) -> Image:
    return cast(Image, array)


def _plane(array: object) -> Plane:
    return cast(Plane, array)


def _lab(small: Image) -> Plane:
    return cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)


def _blurred_to_one(plane: Plane, sigma: float) -> Plane:
    blurred = _plane(cv2.GaussianBlur(plane, (0, 0), sigma))
    return blurred / max(float(blurred.max()), 1e-3)


def _sized(array: Any, like: Image) -> Any:
    """Scaled to the sides of another."""
    return cv2.resize(array, (like.shape[1], like.shape[0]), interpolation=cv2.INTER_LINEAR)


def _within(picture: Image, side: int) -> Image:
    """A copy whose long side is at most `side`."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _image(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _salience(lab: Plane) -> Plane:
    """0 to 1: how far each colour lies from those along the border, more in the middle."""
    height, width = lab.shape[:2]
    border = _border(lab)
    far = _distance(lab, _clusters(border, 5))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    middle = np.exp(-(x**2 + (y - 0.1) ** 2) / 0.9)
    salience = cv2.GaussianBlur((far * middle).astype(np.float32), (0, 0), 2)
    return _plane(salience / max(float(salience.max()), 1e-3))


def _border(lab: Plane) -> Plane:
    """The colours, (n, 3), along the upper edge and the sides."""
    edge = max(2, lab.shape[1] // 30)
    strips = lab[:edge], lab[:, :edge], lab[:, -edge:]
    return np.concatenate([strip.reshape(-1, 3) for strip in strips])


def _without_holes(mask: Mask) -> Mask:
    """The mask with what it encloses, where that is small."""
    inside, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    out = mask.copy()
    for one in range(1, inside):
        if stats[one, cv2.CC_STAT_AREA] < mask.size * LEAST_SHARE:
            out[labels == one] = 1
    return out


def _distinct(lab: Plane, mask: Mask) -> float:
    """The share of the thing whose colour does not occur around it; 0 where that is not plain."""
    width = mask.shape[1]
    near, far = (np.ones((size, size), np.uint8) for size in (3, max(7, width // 14)))
    around = lab[(cv2.dilate(mask, far) - cv2.dilate(mask, near)) > 0]
    if len(around) < 50:
        return 0.0
    colours = _clusters(around, 3)
    spread = float(np.sqrt((_distance(around, colours) ** 2).mean()))
    far_off = float((_distance(lab[mask > 0], colours) > LEAST_DISTANCE * max(spread, 4.0)).mean())
    return far_off if spread <= MOST_SPREAD else 0.0


def _clusters(colours: Plane, count: int) -> Plane:
    """The middles of so many clusters of (n, 3) colours."""
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    guess = np.zeros((len(colours), 1), np.int32)
    _, _, middles = cv2.kmeans(colours, count, guess, stop, 2, cv2.KMEANS_PP_CENTERS)
    return _plane(middles)


def _distance(lab: Plane, colours: Plane) -> Plane:
    """From each colour to the nearest of `colours`."""
    return _plane(np.min([np.linalg.norm(lab - one, axis=-1) for one in colours], axis=0))


def _stance(mask: Mask, nearness: Plane) -> float:
    """The nearness of a thing: halfway from its own height to that of the ground at its foot."""
    foot = np.flatnonzero(mask.any(axis=1))[-1]
    ground_there = nearness[foot, np.flatnonzero(mask[foot])].mean()
    return float(min(1.0, (nearness[mask > 0].mean() + ground_there) / 2 + STEP))


def _lifted(nearness: Plane, mask: Mask, level: float) -> Plane:
    """The sheet brought to a level under a thing, falling off smoothly around it."""
    width = mask.shape[1]
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width // 20 | 1, width // 20 | 1))
    under = cv2.dilate(mask, brush).astype(np.float32)
    share = cv2.GaussianBlur(under, (0, 0), width / 24)
    return _plane(nearness + share * (level - nearness))


def _cut(picture: Image, alpha: Plane, nearness: float) -> Thing:
    """The thing under a matte, its edges cleared of the colours behind it."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    top, left = max(0, int(rows[0]) - 2), max(0, int(columns[0]) - 2)
    bottom, right = int(rows[-1]) + 3, int(columns[-1]) + 3
    part, alpha = picture[top:bottom, left:right], alpha[top:bottom, left:right]
    small = _within(part, MATTE_SIDE)
    solid = (_sized(alpha, small) > 0.95).astype(np.float32)
    spread = max(2.0, MATTE_SIDE / 300)
    weight = cv2.GaussianBlur(solid, (0, 0), spread)[..., None]
    own = cv2.GaussianBlur(small * solid[..., None], (0, 0), spread) / np.maximum(weight, 1e-3)
    edge = _sized(np.where(weight < 1e-3, small, own).astype(np.uint8), part)
    colour = np.where(alpha[..., None] > 0.95, part, edge)
    opacity = _image((alpha * 255).round().astype(np.uint8))
    coloured = cv2.multiply(colour, cv2.merge([opacity] * 3), scale=1 / 255)
    return Thing(_image(np.dstack([coloured, opacity])), left, top, nearness)


def _smoothly_filled(small: Image, hole: Mask) -> Image:
    """Push and pull: the hole takes the colours of ever coarser copies of what is around it."""
    levels: list[tuple[Any, Any]] = [
        (small.astype(np.float32) * (1 - hole[..., None]), 1 - hole.astype(np.float32))
    ]
    while min(levels[-1][1].shape) > 2:
        colour, weight = levels[-1]
        levels.append((cv2.pyrDown(colour), cv2.pyrDown(weight)))
    colour, weight = levels[-1]
    result: Any = colour / np.maximum(weight, 1e-4)[..., None]
    for colour, weight in reversed(levels[:-1]):
        coarse = cv2.resize(result, (weight.shape[1], weight.shape[0]))
        known = np.clip(weight, 0, 1)[..., None]
        result = coarse * (1 - known) + colour
    return _image(np.clip(result, 0, 255).astype(np.uint8))


def _mirrored(picture: Image, hole: Mask) -> tuple[Plane, Plane]:
    """The hole painted with what lies as far outside it, to the left and to the right, the nearer
    side more; and how much of each pixel could be painted so, 0 to 1."""
    height, width = hole.shape
    x = np.broadcast_to(np.arange(width), hole.shape)
    y = np.broadcast_to(np.arange(height)[:, None], hole.shape)
    left = np.maximum.accumulate(np.where(hole > 0, -1, x), axis=1)
    right = np.minimum.accumulate(np.where(hole > 0, 2 * width, x)[:, ::-1], axis=1)[:, ::-1]
    colour = np.zeros((height, width, 3), np.float32)
    total = np.zeros(hole.shape, np.float32)
    for edge in (left, right):
        source = 2 * edge - x
        sound = (edge >= 0) & (edge < width) & (source >= 0) & (source < width)
        source = np.clip(source, 0, width - 1)
        sound &= hole[y, source] == 0
        weight = np.where(sound, 1 / (1 + np.abs(edge - x)) ** 2, 0).astype(np.float32)
        colour += picture[y, source] * weight[..., None]
        total += weight
    share = cv2.GaussianBlur((total > 0).astype(np.float32), (0, 0), 1.5) * (total > 0)
    return _plane(colour / np.maximum(total, 1e-9)[..., None]), _plane(share)
