"""The mathematics of camera moves: where they lead, and that they stay inside the picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import camera
from core.camera import CameraMove
from model import motion
from model.motion import FAR, MARGIN_SPANS, PIVOT, Pose, Shot, extent, frame, view

WINDOW = (320, 180)
SPAN = math.sqrt(320 * 180)


def shot(text: str, **options: object) -> Shot:
    return Shot(camera.parse(text), 5.0, **options)  # type: ignore[arg-type]


def on_screen(pose: Pose, x: float, y: float, nearness: float) -> tuple[float, float]:
    """Where a picture point is seen, by solving `view` for it."""
    a, b, along, across = (float(value) for value in view(pose, nearness, SPAN))
    u, v = np.linalg.solve([[a, -b], [b, a]], [x - along, y - across])
    return float(u), float(v)


@pytest.mark.parametrize(
    ("move", "across", "down"),
    [
        ("pan right", -1, 0),
        ("pan left", 1, 0),
        ("tilt up", 0, 1),
        ("tilt down", 0, -1),
        ("crane up", 0, 1),
        ("crane down", 0, -1),
    ],
)
def test_what_is_ahead_moves_against_the_camera(move: str, across: int, down: int) -> None:
    u, v = on_screen(shot(move).pose(1), 0, 0, 0.7)
    assert (np.sign(round(u, 6)), np.sign(round(v, 6))) == (across, down)


def test_a_pan_turns_by_its_angle() -> None:
    pose = shot("pan right 20°").pose(1)
    assert pose.turn_x == pytest.approx(motion.FOCAL_SPANS * math.tan(math.radians(20)))
    assert shot("pan left 20°").pose(1).turn_x == pytest.approx(-pose.turn_x)


def test_a_roll_to_the_right_turns_what_is_seen_to_the_left() -> None:
    u, v = on_screen(shot("roll right 15°").pose(1), 100, 0, 0.7)
    assert math.degrees(math.atan2(v, u)) == pytest.approx(-15)


@pytest.mark.parametrize("kind", ["zoom", "dolly"])
def test_inward_enlarges_and_outward_makes_smaller(kind: str) -> None:
    inward, outward = shot(f"{kind} in"), shot(f"{kind} out")
    assert on_screen(inward.pose(0), 50, 30, 0.7) == pytest.approx((50, 30))
    u, v = on_screen(inward.pose(1), 50, 30, 0.7)
    assert u > 52
    assert v > 31
    assert on_screen(outward.pose(0), 50, 30, 0.7) == pytest.approx((u, v))
    assert on_screen(outward.pose(1), 50, 30, 0.7) == pytest.approx((50, 30))
    u, _ = on_screen(shot(f"{kind} out", grows=True).pose(1), 50, 30, 0.7)
    assert u < 48


def test_a_zoom_treats_near_and_far_alike_and_a_dolly_does_not() -> None:
    zoomed, dollied = shot("zoom in 8").pose(1), shot("dolly in 8").pose(1)
    assert on_screen(zoomed, 50, 0, FAR) == pytest.approx(on_screen(zoomed, 50, 0, 1))
    assert on_screen(dollied, 50, 0, 1)[0] > on_screen(dollied, 50, 0, FAR)[0] + 5
    assert zoomed.flat
    assert not dollied.flat


def test_an_orbit_turns_around_the_pivot() -> None:
    pose = shot("orbit left").pose(1)
    assert on_screen(pose, 0, 0, PIVOT) == pytest.approx((0, 0))
    assert on_screen(pose, 0, 0, 1)[0] > 2
    assert on_screen(pose, 0, 0, FAR)[0] < -2


def test_moves_add_up() -> None:
    both = shot("pan right 4 + zoom in 6").pose(0.7)
    assert both == shot("pan right 4").pose(0.7) + shot("zoom in 6").pose(0.7)


@pytest.mark.parametrize("text", [name for name in camera.names() if name != "static"])
def test_every_move_starts_and_ends_at_rest(text: str) -> None:
    move = shot(f"{text} 8")
    edge = _step(move, 0.0)
    middle = max(_step(move, time) for time in (0.3, 0.45, 0.6))
    assert edge < middle / 5
    if text != "handheld":
        assert _step(move, 0.999) < middle / 5


def _step(move: Shot, time: float) -> float:
    first, second = move.pose(time), move.pose(time + 0.001)
    return float(np.abs(np.array(_values(second)) - np.array(_values(first))).sum())


def _values(pose: Pose) -> list[float]:
    return [getattr(pose, name) for name in Pose.__slots__]


@pytest.mark.parametrize("text", camera.names())
def test_a_loop_comes_back(text: str) -> None:
    looped = shot(f"{text} 8", loop=True, seed=3)
    assert _values(looped.pose(1)) == pytest.approx(_values(looped.pose(0)), abs=1e-9)


def test_motion_scales_every_move() -> None:
    assert shot("pan right 4", motion=10).pose(1) == shot("pan right 8").pose(1)
    assert shot("orbit left 9", motion=0).pose(1) == Pose()


def test_a_held_camera_trembles_as_its_seed_says() -> None:
    times = np.linspace(0, 1, 60)
    one = [_values(shot("handheld", seed=1).pose(time)) for time in times]
    again = [_values(shot("handheld", seed=1).pose(time)) for time in times]
    other = [_values(shot("handheld", seed=2).pose(time)) for time in times]
    assert one == again
    assert one != other
    assert np.ptp(one, axis=0)[-2] > 0.002
    assert _values(shot("handheld", seed=1).pose(0)) == _values(Pose())


def test_a_wide_picture_gives_a_pan_its_room() -> None:
    """The window starts to the left of the middle, and nothing has to close in."""
    found = frame(shot("pan right 6"), (640, 180), WINDOW, (320, 90))
    assert found.closing == 0
    assert found.amount == 1
    travelled = shot("pan right 6").pose(1).turn_x * SPAN
    assert found.x + 160 + travelled <= 640 + MARGIN_SPANS * SPAN
    tight = frame(shot("pan right 10"), (400, 180), WINDOW, (200, 90))
    assert tight.x == 160


def test_a_picture_without_room_is_closed_in_upon() -> None:
    found = frame(shot("pan right"), WINDOW, WINDOW, (160, 90))
    assert found.closing > 0
    assert found.amount == 1
    assert found.pose(shot("pan right"), 0) == Pose()


def _named(name: str, strength: float) -> CameraMove:
    kind, _, direction = name.partition(" ")
    return CameraMove(kind, direction, strength)


moves = st.lists(st.builds(_named, st.sampled_from(camera.names()), st.floats(0, 10)), max_size=4)


@settings(max_examples=30, deadline=None)
@given(
    moves=moves,
    amount=st.floats(0, 10),
    wide=st.floats(1, 3),
    tall=st.floats(1, 3),
    upright=st.booleans(),
    loop=st.booleans(),
    grows=st.booleans(),
)
def test_the_window_never_leaves_the_picture(
    moves: list[CameraMove],
    amount: float,
    wide: float,
    tall: float,
    upright: bool,
    loop: bool,
    grows: bool,
) -> None:
    window = WINDOW[::-1] if upright else WINDOW
    sides = window[0] * wide, window[1] * tall
    one = Shot(tuple(moves), 5.0, motion=amount, seed=4, loop=loop, grows=grows)
    found = frame(one, sides, window, (sides[0] / 2, sides[1] / 2))
    margin = MARGIN_SPANS * SPAN + 1
    for time in np.linspace(0, 1, 23):
        left, top, right, bottom = extent(found.pose(one, float(time)), window)
        assert found.x + left >= -margin
        assert found.y + top >= -margin
        assert found.x + right <= sides[0] + margin
        assert found.y + bottom <= sides[1] + margin
