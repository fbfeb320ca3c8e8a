"""What pocket is trained on: scenes that show what their captions say."""

from __future__ import annotations

from dataclasses import asdict

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from model.pocket import denoiser, drawing, scenes, words

SIDE = 96


def scene(
    motion: str = "still",
    camera: str = "",
    *,
    looks: tuple[tuple[str, str], ...] = (("star", "red"),),
    background: str = "blue",
) -> scenes.Scene:
    drawn = scenes.compose(np.random.default_rng(0), looks, background, motion)
    fields = asdict(drawn) | {"camera": camera}
    for thing in fields["things"]:
        thing["texture"] = ""
    return scenes.Scene.from_dict(fields)


def draw(one: scenes.Scene, frames: int = 17, offset: int = 0) -> drawing.Frames:
    return drawing.draw(one, frames=frames, height=SIDE, width=SIDE, offset=offset)


def red(clip: drawing.Frames) -> NDArray[np.bool_]:
    pixels = clip.astype(np.int16)
    return np.asarray(
        (pixels[..., 0] > 120) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90), np.bool_
    )


def places(clip: drawing.Frames) -> NDArray[np.float64]:
    """Middle of what is red, (frames, x and y), as shares of the side."""
    masks = red(clip)
    return np.array([np.flip(np.argwhere(mask).mean(axis=0)) for mask in masks]) / SIDE


def test_a_scene_draws_the_same_pixels_twice_at_any_shape() -> None:
    one = scene("left")
    first = drawing.draw(one, frames=5, height=64, width=96)
    assert first.shape == (5, 64, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, drawing.draw(one, frames=5, height=64, width=96))


def test_a_scene_goes_on_where_it_was_left() -> None:
    one = scene("orbit", background="sky")
    whole = draw(one, frames=33)
    assert np.array_equal(whole[16:], draw(one, frames=17, offset=16))


def test_what_leaves_comes_back_on_the_other_side() -> None:
    clip = draw(scene("right"), frames=120)
    seen = red(clip).any(axis=(1, 2))
    assert seen[:17].all()
    assert red(clip)[40:, :, : SIDE // 4].any()


@pytest.mark.parametrize(
    ("motion", "axis", "sign"),
    [
        ("left", 0, -1),
        ("right", 0, 1),
        ("up", 1, -1),
        ("down", 1, 1),
        ("fall", 1, 1),
        ("roll left", 0, -1),
        ("roll right", 0, 1),
    ],
)
def test_a_thing_goes_the_way_it_is_said_to(motion: str, axis: int, sign: int) -> None:
    way = places(draw(scene(motion)))
    assert (way[-1] - way[0])[axis] * sign > 0.2


def test_a_falling_thing_gets_faster_and_comes_to_rest() -> None:
    height = places(draw(scene("fall"), frames=24))[:, 1]
    steps = np.diff(height)
    assert steps[8] > 2 * steps[1]
    assert abs(height[-1] - height[-8]) < 0.01


def test_a_bounce_returns_to_its_height() -> None:
    height = places(draw(scene("bounce")))[:, 1]
    assert abs(height[0] - height[8]) < 0.02
    assert np.ptp(height) > 0.2


def test_a_circling_thing_is_on_every_side_once() -> None:
    way = places(draw(scene("orbit"), frames=25))
    middle = (way.min(axis=0) + way.max(axis=0)) / 2
    turned = np.unwrap(np.arctan2(*(way - middle).T[::-1]))
    assert turned[-1] - turned[0] == pytest.approx(2 * np.pi, abs=0.3)


@pytest.mark.parametrize(("motion", "more"), [("grow", True), ("shrink", False)])
def test_a_thing_changes_its_size(motion: str, more: bool) -> None:
    area = red(draw(scene(motion))).sum(axis=(1, 2))
    assert (area[-1] > 2 * area[0]) if more else (area[0] > 2 * area[-1])


def test_two_things_meet_and_part() -> None:
    pair = scene("collide", looks=(("ball", "red"), ("square", "yellow")))
    clip = draw(pair)
    reds = places(clip)[:, 0]
    assert reds[8] - reds[0] > 0.08
    assert reds[8] - reds[16] > 0.08
    assert reds.max() < 0.5


@pytest.mark.parametrize(
    ("camera", "shift"),
    [
        ("pan left", (1, 0)),
        ("pan right", (-1, 0)),
        ("tilt up", (0, 1)),
        ("tilt down", (0, -1)),
        ("orbit left", (-1, 0)),
        ("orbit right", (1, 0)),
    ],
)
def test_the_scenery_moves_against_the_camera(camera: str, shift: tuple[int, int]) -> None:
    clip = draw(scene(camera=camera, background="sky"), frames=5)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[:24].astype(np.float32) for frame in clip]
    if camera.startswith("tilt"):
        grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)[:, :24].astype(np.float32) for f in clip]
    moved, _ = cv2.phaseCorrelate(
        grey[0], grey[-1], cv2.createHanningWindow(grey[0].shape[::-1], 5)
    )
    axis = 0 if shift[0] else 1
    assert moved[axis] * shift[axis] > 3


def test_things_grow_as_the_camera_zooms_in() -> None:
    area = red(draw(scene(camera="zoom in", background="sky"))).sum(axis=(1, 2))
    assert area[-1] > 2 * area[0]


def test_training_never_draws_a_held_out_combination() -> None:
    rng = np.random.default_rng(2)
    for held_out in (False, True):
        for kind in ("one", "camera", "pair", "three"):
            for _ in range(30):
                drawn = scenes.sample_scene(rng, held_out=held_out, kind=kind)
                for thing in drawn.things:
                    reserved = scenes.is_held_out(thing.shape, thing.colour, drawn.background)
                    assert reserved is held_out


def test_a_caption_is_understood_as_the_scene_it_was_written_for() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        drawn = scenes.sample_scene(rng)
        said = scenes.plain_caption(drawn)
        asked = words.concepts(said)
        first = drawn.things[0]
        assert asked["colour"] == first.colour, said
        assert asked["shape"] == first.shape, said
        assert asked["motion"] == drawn.motion, said
        assert asked["background"] == drawn.background, said
        assert asked.get("camera", "") == drawn.camera, said


def test_every_caption_fits_and_has_only_known_words() -> None:
    rng = np.random.default_rng(4)
    tokenizer = denoiser.build_tokenizer()
    for _ in range(300):
        ids = tokenizer(scenes.plain_caption(scenes.sample_scene(rng))).input_ids
        assert tokenizer.unk_token_id not in ids
        assert len(ids) <= denoiser.MAX_WORDS
