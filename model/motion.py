"""The mathematics of camera moves: moves and time become a pose, and a pose becomes a transform
for things at each distance.

Pure: knows nothing of pictures or files. Screen and picture are measured in pixels from the middle
of the window, x to the right and y down. Lengths of a pose are in spans: a span is the geometric
mean of the window's sides. Nearness is 1 for the nearest things and FAR for the farthest; a
thing's shift on the screen grows in proportion to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.camera import FULL_DEGREES, CameraMove
from core.request import DEFAULT_MOTION

FAR: Final = 0.35
PIVOT: Final = 0.62
"""The nearness of what an orbit turns around."""

FOCAL_SPANS: Final = 0.7
FULL_ORBIT_SPANS: Final = 0.2
FULL_CRANE_SPANS: Final = 0.2
FULL_ZOOM: Final = math.log(1.9)
FULL_DOLLY: Final = 0.45
FULL_SHAKE_SPANS: Final = 0.03
FULL_SHAKE_ROLL: Final = math.radians(1.2)
SETTLE_SECONDS: Final = 0.6
"""How long a held camera takes to start trembling."""


MARGIN_SPANS: Final = 0.05
MAX_CLOSING: Final = math.log(1.6)
SAMPLES: Final = 41


Grid = NDArray[np.float64]
"""One number for each of some points."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera has come to from its start, in the order in which it takes effect.

    travel_x, travel_y: moved right and down, in the spans that a thing of nearness 1 shifts.
    orbit: moved right while looking at the pivot, likewise.
    advance: moved forward, as a share of the way to a thing of nearness 1.
    zoom: logarithm of the magnification. roll: radians, clockwise as the camera sees it.
    turn_x, turn_y: turned right and down, in spans on the screen.
    """

    travel_x: float = 0.0
    travel_y: float = 0.0
    orbit: float = 0.0
    advance: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0
    turn_x: float = 0.0
    turn_y: float = 0.0

    def __add__(self, other: Pose) -> Pose:
        return Pose(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Pose)))

    def __mul__(self, factor: float) -> Pose:
        return Pose(*(getattr(self, f.name) * factor for f in fields(Pose)))

    @property
    def flat(self) -> bool:
        """Whether everything moves alike, however far it is."""
        return not (self.travel_x or self.travel_y or self.orbit or self.advance)


@dataclass(frozen=True, slots=True)
class Shot:
    """Camera moves over a stretch of time.

    motion: 0 to 10, scales every move; 5 leaves them as they are.
    loop: go and come back, so that the end is the start.
    grows: moves outward (zoom out, dolly out) start at the whole picture and leave it; else they
    start within the picture and end with the whole of it.
    """

    moves: tuple[CameraMove, ...]
    seconds: float
    motion: float = DEFAULT_MOTION
    seed: int = 0
    loop: bool = False
    grows: bool = False

    def pose(self, time: float) -> Pose:
        """The pose at `time`, from 0 to 1."""
        done = progress(time, loop=self.loop)
        whole = Pose()
        for move in self.moves:
            strength = move.strength * self.motion / DEFAULT_MOTION
            if move.kind == "handheld":
                whole += self._shake(time) * (strength / 10)
            elif move.direction == "out" and not self.grows:
                whole += reach(CameraMove(move.kind, "in", strength)) * (1 - done)
            else:
                whole += reach(CameraMove(move.kind, move.direction, strength)) * done
        return whole

    def _shake(self, time: float) -> Pose:
        """A hand's tremble at full strength: a few slow waves whose phases come from the seed."""
        rng = np.random.default_rng(self.seed)
        hertz = np.array([0.23, 0.47, 0.83, 1.45])
        share = np.array([0.45, 0.3, 0.17, 0.08])
        hertz = hertz * rng.uniform(0.85, 1.15, (5, 4))
        phases = rng.uniform(0, 2 * np.pi, (5, 4))
        at = time * self.seconds
        x, y, roll, along, across = (np.sin(2 * np.pi * hertz * at + phases) * share).sum(1)
        settled = smoothstep(at / SETTLE_SECONDS)
        if self.loop:
            settled *= smoothstep((self.seconds - at) / SETTLE_SECONDS)
        return (
            Pose(
                turn_x=x * FULL_SHAKE_SPANS,
                turn_y=y * FULL_SHAKE_SPANS,
                roll=roll * FULL_SHAKE_ROLL,
                travel_x=across * FULL_SHAKE_SPANS,
                zoom=along * FULL_SHAKE_SPANS / 2,
            )
            * settled
        )


def smoothstep(time: float) -> float:
    """0 to 1, at rest at both ends."""
    time = min(max(time, 0.0), 1.0)
    return time * time * (3 - 2 * time)


def progress(time: float, *, loop: bool) -> float:
    """How far the moves have come at `time`: 0 to 1, or 0 to 1 and back to 0."""
    return (1 - math.cos(2 * math.pi * time)) / 2 if loop else smoothstep(time)


def reach(move: CameraMove) -> Pose:
    """The pose at which a move ends; strengths above 10 go further in proportion."""
    sign = -1.0 if move.direction in ("left", "up", "out") else 1.0
    share = sign * move.strength / 10
    match move.kind:
        case "pan":
            return Pose(turn_x=_turn(move.kind, share))
        case "tilt":
            return Pose(turn_y=_turn(move.kind, share))
        case "roll":
            return Pose(roll=math.radians(FULL_DEGREES["roll"]) * share)
        case "orbit":
            degrees = FULL_DEGREES["orbit"]
            angle = math.radians(degrees * min(max(share, -1.5), 1.5))
            return Pose(orbit=FULL_ORBIT_SPANS * math.sin(angle) / math.sin(math.radians(degrees)))
        case "crane":
            return Pose(travel_y=FULL_CRANE_SPANS * share)
        case "zoom":
            return Pose(zoom=FULL_ZOOM * share)
        case "dolly":
            return Pose(advance=FULL_DOLLY * min(share, 1.5))
        case _:
            return Pose()


def _turn(kind: str, share: float) -> float:
    """The shift on the screen of something straight ahead when the camera turns."""
    degrees = FULL_DEGREES[kind] * min(max(share, -2.0), 2.0)
    return FOCAL_SPANS * math.tan(math.radians(degrees))


def view(pose: Pose, nearness: float | Grid, span: float) -> tuple[Grid, Grid, Grid, Grid]:
    """(a, b, x, y): at that nearness the screen point (u, v) shows the picture point
    (a·u - b·v + x, b·u + a·v + y). Each has the shape of `nearness`. span in pixels.
    """
    nearness = np.asarray(nearness, np.float64)
    shrink = (1 - pose.advance * nearness) * math.exp(-pose.zoom)
    a, b = shrink * math.cos(pose.roll), shrink * math.sin(pose.roll)
    turn_x, turn_y = pose.turn_x * span, pose.turn_y * span
    travel_x = (pose.travel_x * nearness + pose.orbit * (nearness - PIVOT)) * span
    travel_y = pose.travel_y * nearness * span
    return a, b, a * turn_x - b * turn_y + travel_x, b * turn_x + a * turn_y + travel_y


@dataclass(frozen=True, slots=True)
class Framing:
    """How a shot is laid over a picture so that its window never leaves it.

    x, y: the picture point in the middle of the starting window, in pixels of the picture scaled
    to cover the window. closing: logarithm of how far the view closes in by the end, to stay
    inside. amount: the share of the moves that there is room for.
    """

    x: float
    y: float
    closing: float
    amount: float

    def pose(self, shot: Shot, time: float) -> Pose:
        closing = Pose(zoom=self.closing * progress(time, loop=shot.loop))
        return shot.pose(time) * self.amount + closing


def frame(
    shot: Shot,
    picture: tuple[float, float],
    window: tuple[int, int],
    middle: tuple[float, float],
) -> Framing:
    """Fit a shot into a picture. Sides in pixels; the picture covers the window.

    The window starts near `middle`, moved aside where the shot needs the room. Where there still
    is too little of it, the view closes in as it goes, up to MAX_CLOSING (not where it is to grow),
    and beyond that the moves shrink. It may look MARGIN_SPANS past the edge, into a mirror image.
    """
    times = np.linspace(0, 1, SAMPLES)
    poses = [shot.pose(float(time)) for time in times]
    done = [progress(float(time), loop=shot.loop) for time in times]
    span = math.sqrt(window[0] * window[1])
    margin = MARGIN_SPANS * span

    def sides(amount: float, closing: float) -> NDArray[np.float64]:
        """(left, top, right, bottom) of all that is seen, from the middle of the window."""
        seen = [
            extent(pose * amount + Pose(zoom=closing * share), window)
            for pose, share in zip(poses, done, strict=True)
        ]
        return np.concatenate([np.min(seen, 0)[:2], np.max(seen, 0)[2:]])

    whole = sides(1, 0)
    x = _placed(picture[0], window[0], whole[0], whole[2], middle[0])
    y = _placed(picture[1], window[1], whole[1], whole[3], middle[1])
    spare = margin + 1e-6
    limits = (-x - spare, -y - spare, picture[0] - x + spare, picture[1] - y + spare)

    def fits(amount: float, closing: float) -> bool:
        seen = sides(amount, closing)
        return bool((seen[:2] >= limits[:2]).all() and (seen[2:] <= limits[2:]).all())

    outward = any(move.direction == "out" for move in shot.moves)
    most = 0.0 if shot.grows and outward else MAX_CLOSING
    if fits(1, most):
        return Framing(x, y, most - _largest(most, lambda less: fits(1, most - less)), 1.0)
    return Framing(x, y, most, _largest(1.0, lambda amount: fits(amount, most)))


def extent(pose: Pose, window: tuple[int, int]) -> NDArray[np.float64]:
    """(left, top, right, bottom) of the picture that is seen, from the window's middle, px."""
    width, height = window
    span = math.sqrt(width * height)
    u = np.array([-1, 1, 1, -1]) * width / 2
    v = np.array([-1, -1, 1, 1]) * height / 2
    x, y = [], []
    for nearness in (FAR, 1.0):
        a, b, along, across = view(pose, nearness, span)
        x.append(a * u - b * v + along)
        y.append(b * u + a * v + across)
    return np.array([np.min(x), np.min(y), np.max(x), np.max(y)])


def _placed(side: float, window: float, low: float, high: float, middle: float) -> float:
    """Where the starting window's middle goes so that low..high around it stays in the picture;
    halfway where that can't be. Always with the window itself inside."""
    first, last = -low, side - high
    wanted = min(max(middle, first), last) if first <= last else (first + last) / 2
    return float(min(max(wanted, window / 2), side - window / 2))


def _largest(most: float, fits: Callable[[float], bool]) -> float:
    """The largest number up to `most` that fits; 0 fits."""
    if fits(most):
        return most
    low, high = 0.0, most
    for _ in range(10):
        half = (low + high) / 2
        low, high = (half, high) if fits(half) else (low, half)
    return low
