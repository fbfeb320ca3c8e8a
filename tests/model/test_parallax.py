"""parallax: real pictures, moved by a camera, judged by what their pixels do."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core import camera
from core.catalog import complete
from core.prompt import parse
from core.request import Draft, Picture, Request
from model import video
from model.families import parallax
from model.family import Cancelled, Frame, Given

WIDTH, HEIGHT = 256, 144


def request(
    moves: str = "",
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    num_frames: int = 13,
    motion: float = 5.0,
    seed: int = 1,
    loop: bool = False,
    draft: bool = False,
    continues: str | None = None,
) -> Request:
    return Request(
        model="parallax",
        prompt="",
        width=width,
        height=height,
        num_frames=num_frames,
        frame_rate=12,
        seed=seed,
        resolution="480p",
        aspect="16:9",
        camera=camera.parse(moves) if moves else (),
        motion=motion,
        loop=loop,
        draft=draft,
        continues=continues,
    )


def render(wanted: Request, picture: Path) -> list[Frame]:
    def step(done: int, of: int, preview: Callable[[], Frame] | None) -> None:
        pass

    return list(parallax.load("parallax").frames(wanted, Given(picture), step))


def texture(width: int, height: int, seed: int = 5) -> Frame:
    """Soft spots of all colours, without direction or repetition; nowhere dark."""
    rng = np.random.default_rng(seed)
    spots = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    soft = cv2.GaussianBlur(spots, (0, 0), 2.5).astype(np.float32)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    return np.asarray(100 + 155 * soft, np.uint8)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(texture(640, 360)).save(path)
    return path


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    """A red ball before a plain blue wall."""
    wall = np.full((360, 640, 3), (70, 120, 200), np.uint8)
    cv2.circle(wall, (320, 200), 80, (210, 40, 40), -1, cv2.LINE_AA)
    path = tmp_path / "ball.png"
    Image.fromarray(wall).save(path)
    return path


def shift(first: Frame, second: Frame, middle: tuple[float, float]) -> NDArray[np.float64]:
    """How far, (across, down) in pixels, a patch around a place moved between two frames.

    middle: the place as shares of the width and the height.
    """
    height, width = first.shape[:2]
    half = height // 6
    x, y = round(middle[0] * width), round(middle[1] * height)
    patches = [
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[y - half : y + half, x - half : x + half]
        for frame in (first, second)
    ]
    grey = [patch.astype(np.float64) for patch in patches]
    moved, _ = cv2.phaseCorrelate(grey[0], grey[1], cv2.createHanningWindow((2 * half,) * 2, 6))
    return np.array(moved)


def psnr(first: Frame, second: Frame) -> float:
    return cv2.PSNR(first, second)


def whole(picture: Path) -> Frame:
    """The picture scaled to the size of a frame; both are 16:9."""
    with Image.open(picture) as image:
        return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BOX))


def test_a_patch_that_moves_right_is_seen_to_move_right() -> None:
    drawn = texture(300, 200)
    moved = shift(drawn[:, 10:266], drawn[:, 7:263], (0.5, 0.5))
    assert moved == pytest.approx([3, 0], abs=0.1)


@pytest.mark.parametrize(
    ("move", "across", "down"),
    [
        ("pan right", -1, 0),
        ("pan left", 1, 0),
        ("tilt up", 0, 1),
        ("tilt down", 0, -1),
        ("crane up", 0, 1),
        ("crane down", 0, -1),
        ("static", 0, 0),
    ],
)
def test_the_content_moves_against_the_camera(
    photo: Path, move: str, across: int, down: int
) -> None:
    frames = render(request(move, num_frames=25), photo)
    moved = shift(frames[0], frames[6], (0.5, 0.5))
    wanted = np.array([across, down])
    assert (moved * wanted).sum() > 1.2 * np.abs(wanted).sum() - 0.01
    assert np.abs(moved[wanted == 0]).max(initial=0) < 0.5


@pytest.mark.parametrize("kind", ["zoom", "dolly"])
def test_inward_enlarges_and_outward_makes_smaller(photo: Path, kind: str) -> None:
    for direction, sign in (("in", 1), ("out", -1)):
        frames = render(request(f"{kind} {direction}", num_frames=25), photo)
        left, right = (shift(frames[10], frames[13], (at, 0.5)) for at in (0.25, 0.75))
        assert (right[0] - left[0]) * sign > 1.0


def test_a_roll_to_the_right_turns_the_content_to_the_left(photo: Path) -> None:
    frames = render(request("roll right", num_frames=25), photo)
    left, right = (shift(frames[6], frames[8], (at, 0.5)) for at in (0.25, 0.75))
    assert left[1] > 0.7
    assert right[1] < -0.7


@pytest.mark.parametrize(("move", "axis"), [("orbit left", 0), ("crane up", 1)])
def test_what_is_near_moves_more_than_what_is_far(photo: Path, move: str, axis: int) -> None:
    """The guess of depth takes the lower part for the near one."""
    frames = render(request(move, num_frames=25), photo)
    far, near = (shift(frames[4], frames[10], (0.5, at)) for at in (0.2, 0.8))
    assert near[axis] - far[axis] > 1.0


def test_a_dolly_passes_what_is_near_faster(photo: Path) -> None:
    frames = render(request("dolly in", num_frames=25), photo)
    spread = []
    for down in (0.2, 0.8):
        left, right = (shift(frames[10], frames[13], (at, down)) for at in (0.25, 0.75))
        spread.append(right[0] - left[0])
    assert spread[1] > 1.3 * spread[0]


def test_a_zoom_leaves_the_picture_flat(photo: Path) -> None:
    frames = render(request("zoom in", num_frames=25), photo)
    spread = []
    for down in (0.25, 0.75):
        left, right = (shift(frames[10], frames[13], (at, down)) for at in (0.25, 0.75))
        spread.append(right[0] - left[0])
    assert spread[0] == pytest.approx(spread[1], rel=0.1)


def test_moves_combine(photo: Path) -> None:
    frames = render(request("pan right + tilt up", num_frames=25), photo)
    across, down = shift(frames[0], frames[6], (0.5, 0.5))
    assert across < -1.5
    assert down > 1.5


@pytest.mark.parametrize("wanted", [request("static"), request(), request("pan left", motion=0)])
def test_what_stands_still_stands_still(photo: Path, wanted: Request) -> None:
    frames = render(wanted, photo)
    assert len(frames) == 13
    assert all(np.array_equal(frame, frames[0]) for frame in frames)


@pytest.mark.parametrize("move", ["pan right", "orbit left 8", "zoom out", "handheld 8"])
def test_a_loop_ends_where_it_began(photo: Path, move: str) -> None:
    frames = render(request(move, loop=True, num_frames=25), photo)
    assert np.array_equal(frames[-1], frames[0])
    assert psnr(frames[len(frames) // 2], frames[0]) < 30


@pytest.mark.parametrize("move", [n for n in camera.names() if not n.endswith("out")])
def test_the_clip_begins_with_the_picture(photo: Path, move: str) -> None:
    assert psnr(render(request(move, num_frames=2), photo)[0], whole(photo)) > 38


@pytest.mark.parametrize("move", ["zoom out", "dolly out"])
def test_a_move_outward_ends_with_the_picture(photo: Path, move: str) -> None:
    frames = render(request(move), photo)
    assert psnr(frames[-1], whole(photo)) > 38
    assert psnr(frames[0], whole(photo)) < 25


@pytest.mark.parametrize("move", ["zoom out", "dolly out", "pan right", "orbit left"])
def test_a_continued_clip_begins_where_the_other_stopped(photo: Path, move: str) -> None:
    frames = render(request(move, continues="0123456789ab"), photo)
    assert psnr(frames[0], whole(photo)) > 38
    assert psnr(frames[-1], frames[0]) < 35


@pytest.mark.parametrize("move", [f"{name} 10" for name in camera.names()])
def test_nothing_but_the_picture_is_ever_seen(photo: Path, move: str) -> None:
    """No border, no hole: the picture has no dark pixel, and so no frame has one."""
    for frame in render(request(move, num_frames=9, motion=10), photo):
        assert frame.min() >= 95


def test_a_panorama_is_panned_across(tmp_path: Path) -> None:
    """There is room, so the whole window shows real picture from the first frame to the last."""
    path = tmp_path / "panorama.png"
    wide = texture(1600, 360)
    Image.fromarray(wide).save(path)
    frames = render(request("pan right", num_frames=5), path)
    small = cv2.resize(wide, (640, 144), interpolation=cv2.INTER_AREA)
    found = []
    for frame in (frames[0], frames[-1]):
        match = cv2.matchTemplate(small, frame, cv2.TM_CCOEFF_NORMED)
        _, score, _, place = cv2.minMaxLoc(match)
        assert score > 0.97
        found.append(place[0])
    assert found[1] - found[0] > 15


@pytest.mark.parametrize("aspect", ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"])
def test_every_aspect_at_its_size(photo: Path, aspect: str) -> None:
    wanted = complete(
        Draft(aspect=aspect, resolution="480p", seconds=1, fps=12),
        parallax.MODELS,
        picture=Picture("p", 640, 360),
        seed=1,
    )
    frames = render(wanted, photo)
    assert len(frames) == wanted.num_frames == 13
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {
        ((wanted.height, wanted.width, 3), "uint8")
    }


@pytest.mark.parametrize("sides", [(16, 16), (16, 160), (160, 16), (37, 41)])
def test_small_and_odd_pictures(tmp_path: Path, sides: tuple[int, int]) -> None:
    path = tmp_path / "small.png"
    Image.fromarray(texture(*sides)).save(path)
    for move in ("orbit left 10", "pan right 10", "dolly in", "crane up"):
        frames = render(request(move, num_frames=3), path)
        assert len(frames) == 3
        assert min(frame.min() for frame in frames) >= 90


def test_a_long_clip_goes_as_far_as_a_short_one(photo: Path) -> None:
    short = render(request("orbit left", num_frames=7), photo)
    long = render(request("orbit left", num_frames=61), photo)
    assert np.array_equal(short[-1], long[-1])


def test_the_seed_moves_the_hand(photo: Path) -> None:
    one, again, other = (
        render(request("handheld 8", seed=seed, num_frames=25), photo)[14] for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_draft_has_the_same_size_and_the_same_move(photo: Path) -> None:
    final = render(request("orbit left 8"), photo)
    draft = render(request("orbit left 8", draft=True), photo)
    assert len(draft) == len(final)
    assert draft[-1].shape == final[-1].shape
    assert psnr(draft[-1], final[-1]) > 22


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        ("", ("Camera: zoom in, since none was named.",)),
        ("snow falls", (parallax.DRAWS_NOTHING, "Camera: zoom in, since none was named.")),
        ("slow zoom in", ("Camera: zoom in 2.5.",)),
        ('the bay --camera "pan right"', ("Camera: pan right 5.",)),
    ],
)
def test_words_that_are_no_camera_move_are_answered(line: str, notes: tuple[str, ...]) -> None:
    picture = Picture("photo", 640, 480)
    assert complete(parse(line), parallax.MODELS, picture=picture, seed=1).notes == notes


def test_a_thing_in_front_keeps_its_shape_and_leaves_no_ghost(ball: Path) -> None:
    """The ball slides before the wall, still round; behind it the wall goes on."""
    frames = render(request("orbit left 10"), ball)
    places = []
    for frame in (frames[0], frames[-1]):
        redness = frame[..., 0].astype(int) - frame[..., 2]
        red, blue = redness > 100, redness < -100
        count, _, stats, centres = cv2.connectedComponentsWithStats(red.astype(np.uint8))
        assert count == 2
        assert stats[1, cv2.CC_STAT_WIDTH] == pytest.approx(stats[1, cv2.CC_STAT_HEIGHT], abs=2)
        around = cv2.dilate(red.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        assert (blue | around).all()
        places.append(centres[1])
    assert places[1][0] - places[0][0] > 1


def test_each_frame_is_a_step_with_a_preview(photo: Path) -> None:
    heard: list[tuple[int, int]] = []
    previews: list[Frame] = []

    def step(done: int, of: int, preview: Callable[[], Frame] | None) -> None:
        heard.append((done, of))
        assert preview is not None
        previews.append(preview())

    frames = list(parallax.load("parallax").frames(request("pan left"), Given(photo), step))
    assert heard == [(done, 13) for done in range(1, 14)]
    assert all(np.array_equal(a, b) for a, b in zip(frames, previews, strict=True))


def test_a_cancelled_clip_stops_at_once(photo: Path) -> None:
    def step(done: int, of: int, preview: Callable[[], Frame] | None) -> None:
        if done == 3:
            raise Cancelled

    drawn = parallax.load("parallax").frames(request("pan left"), Given(photo), step)
    with pytest.raises(Cancelled):
        list(drawn)


def test_frames_are_drawn_one_at_a_time(photo: Path) -> None:
    def step(done: int, of: int, preview: Callable[[], Frame] | None) -> None:
        pass

    seen: list[weakref.ref[Frame]] = []
    most = 0
    for frame in parallax.load("parallax").frames(request("orbit left"), Given(photo), step):
        seen.append(weakref.ref(frame))
        gc.collect()
        most = max(most, sum(ref() is not None for ref in seen))
    assert len(seen) == 13
    assert most <= 2


def test_what_cannot_be_rendered_says_why(tmp_path: Path) -> None:
    def frames(picture: Path | None) -> Iterator[Frame]:
        return parallax.load("parallax").frames(request(), Given(picture), lambda *_: None)

    with pytest.raises(ValueError, match="needs a picture"):
        next(frames(None))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a readable picture"):
        next(frames(broken))
    with pytest.raises(ValueError, match="no model"):
        parallax.load("perspective")


def test_a_clip_from_picture_to_file(photo: Path, tmp_path: Path) -> None:
    wanted = complete(
        Draft(prompt="slow zoom in", resolution="480p", seconds=1, fps=24),
        parallax.MODELS,
        picture=Picture("p", 640, 360),
        seed=1,
    )
    clip = tmp_path / "clip.mp4"
    drawn = parallax.load("parallax").frames(wanted, Given(photo), lambda *_: None)
    assert video.write(clip, drawn, 24, wanted.width, wanted.height) == 25
    found = video.probe(clip)
    assert (found.width, found.height, found.num_frames, found.seconds) == (854, 480, 25, 1.0)
    read = list(video.read(clip))
    assert len(read) == 25
    with Image.open(photo) as image:
        assert psnr(read[0], np.asarray(image.resize((854, 480)))) > 28
    left, right = (shift(read[11], read[14], (at, 0.5)) for at in (0.25, 0.75))
    assert right[0] > left[0] + 3
