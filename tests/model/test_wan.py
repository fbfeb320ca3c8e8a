"""Wan checkpoints in diffusers' layout: the real classes with random weights, loaded from disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core import prompt
from core.catalog import complete
from core.request import Request
from model.families import pocket, wan
from model.family import NOTHING_GIVEN, Cancelled, Frame, Given
from tests.model import tiny_wan

REQUEST = Request(
    model="tiny",
    prompt="a red ball bouncing",
    width=96,
    height=64,
    num_frames=9,
    frame_rate=8,
    seed=7,
    resolution="64p",
    aspect="3:2",
    num_inference_steps=4,
    guidance_scale=3.0,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("wan")
    tiny_wan.save(folder)
    yield folder
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Any:
    return wan.load(checkpoint(folder))


def checkpoint(folder: Path) -> wan.Checkpoint:
    return wan.Checkpoint(
        str(folder), sizes=((64, 64), (96, 64)), max_sequence_length=16, draft_steps=2
    )


class Steps:
    """Notes each step; raises Cancelled at the one with the number `stop_at`."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.told: list[tuple[int, int]] = []
        self.previews: list[Frame] = []
        self._stop_at = stop_at

    def __call__(self, done: int, of: int, preview: Callable[[], Frame] | None) -> None:
        self.told.append((done, of))
        if preview is not None:
            self.previews.append(preview())
        if len(self.told) == self._stop_at:
            raise Cancelled


def render(model: Any, request: Request = REQUEST, picture: Path | None = None) -> Frame:
    """All frames, stacked."""
    frames: Iterator[Frame] = model.frames(request, Given(picture), Steps())
    return np.stack(list(frames))


@pytest.mark.parametrize("num_frames", [1, 7, 9])
def test_frames_have_the_asked_number_and_size(tiny: Any, num_frames: int) -> None:
    film = render(tiny, replace(REQUEST, num_frames=num_frames))
    assert film.shape == (num_frames, 64, 96, 3)
    assert film.dtype == np.uint8


def test_it_is_enlarged_to_what_was_asked(tiny: Any) -> None:
    film = render(tiny, replace(REQUEST, width=480, height=480, num_frames=5))
    assert film.shape == (5, 480, 480, 3)


def test_equal_requests_give_equal_clips(tiny: Any) -> None:
    film = render(tiny)
    assert np.array_equal(film, render(tiny))
    assert not np.array_equal(film, render(tiny, REQUEST.with_seed(8)))
    assert not np.array_equal(film, render(tiny, replace(REQUEST, prompt="a blue ball")))
    assert not np.array_equal(film, render(tiny, replace(REQUEST, negative_prompt="blue")))
    assert not np.array_equal(film, render(tiny, replace(REQUEST, guidance_scale=1.0)))


def test_each_step_is_told_with_a_picture(tiny: Any) -> None:
    steps = Steps()
    list(tiny.frames(REQUEST, NOTHING_GIVEN, steps))
    assert list(dict.fromkeys(steps.told)) == [(n, 4) for n in range(1, 5)]
    assert {preview.shape for preview in steps.previews} == {(64, 96, 3)}
    assert {preview.dtype for preview in steps.previews} == {np.dtype(np.uint8)}


def test_a_draft_takes_fewer_steps(tiny: Any) -> None:
    steps = Steps()
    list(tiny.frames(replace(REQUEST, draft=True), NOTHING_GIVEN, steps))
    assert set(steps.told) == {(1, 2), (2, 2)}


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_it_stops_at_any_step_and_while_decoding(tiny: Any, stop_at: int) -> None:
    steps = Steps(stop_at)
    with pytest.raises(Cancelled):
        list(tiny.frames(REQUEST, NOTHING_GIVEN, steps))
    assert len(steps.told) == stop_at
    assert render(tiny).shape == (9, 64, 96, 3)


def test_a_picture_is_the_first_frame(tiny: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = rng.integers(0, 256, (64, 96, 3), np.uint8)
    Image.fromarray(given).save(tmp_path / "given.png")
    film = render(tiny, picture=tmp_path / "given.png")
    assert np.abs(film[0].astype(int) - through_the_autoencoder(tiny, given)).max() <= 1

    Image.new("RGB", (300, 200), "blue").save(tmp_path / "blue.png")
    other = render(tiny, picture=tmp_path / "blue.png")
    assert not np.array_equal(film[-1], other[-1])


def test_a_long_clip_is_made_in_pieces(folder: Path) -> None:
    in_pieces = wan.load(replace(checkpoint(folder), num_frames=5))
    steps = Steps()
    film = np.stack(list(in_pieces.frames(replace(REQUEST, num_frames=12), NOTHING_GIVEN, steps)))
    assert film.shape == (12, 64, 96, 3)
    assert list(dict.fromkeys(steps.told)) == [(n, 12) for n in range(1, 13)]
    first = render(in_pieces, replace(REQUEST, num_frames=5))
    assert np.array_equal(film[:5], first)
    again = in_pieces.frames(replace(REQUEST, num_frames=12), NOTHING_GIVEN, Steps(stop_at=7))
    with pytest.raises(Cancelled):
        list(again)


def test_a_short_clip_is_the_beginning_of_a_whole_one(folder: Path, tiny: Any) -> None:
    whole = wan.load(replace(checkpoint(folder), num_frames=9, shortest=9))
    assert np.array_equal(render(whole, replace(REQUEST, num_frames=4)), render(tiny)[:4])


def test_a_checkpoint_of_the_older_kind_takes_no_picture(tmp_path: Path) -> None:
    tiny_wan.save(tmp_path / "old", expand_timesteps=False)
    old = wan.load(checkpoint(tmp_path / "old"))
    Image.new("RGB", (96, 64)).save(tmp_path / "black.png")
    with pytest.raises(ValueError, match="no picture"):
        list(old.frames(REQUEST, Given(tmp_path / "black.png"), Steps()))
    assert render(old).shape == (9, 64, 96, 3)


@pytest.mark.parametrize(
    ("asked", "native"),
    [
        ((854, 480), (832, 480)),
        ((1280, 720), (832, 480)),
        ((480, 854), (480, 832)),
        ((500, 480), (640, 640)),
    ],
)
def test_the_size_nearest_in_shape_is_drawn(
    asked: tuple[int, int], native: tuple[int, int]
) -> None:
    assert wan.native_size(((832, 480), (480, 832), (640, 640)), *asked, multiple=32) == native


def test_sides_are_whole_multiples() -> None:
    assert wan.native_size(((1280, 720),), 1920, 1080, multiple=32) == (1280, 704)
    assert wan.native_size(((8, 8),), 64, 64, multiple=32) == (32, 32)


@pytest.mark.parametrize("size", [(64, 64), (33, 77), (200, 50), (640, 480)])
def test_filling_keeps_the_middle_and_leaves_no_edge(size: tuple[int, int]) -> None:
    frame = np.full((100, 160, 3), 90, np.uint8)
    frame[45:55, 75:85] = 255
    filled = wan.fill(frame, *size)
    assert filled.shape == (size[1], size[0], 3)
    assert filled[size[1] // 2, size[0] // 2].min() > 200
    assert filled[0].min() == filled[:, -1].min() == 90


def test_pocket_is_offered_only_with_its_weights(folder: Path, tmp_path: Path) -> None:
    assert pocket.offered(tmp_path) == ()
    facts = {
        "sizes": [[64, 64]],
        "num_frames": 9,
        "frame_rate": 6,
        "num_inference_steps": 3,
        "guidance_scale": 2.0,
        "max_sequence_length": 16,
    }
    (folder / "kinora.json").write_text(json.dumps(facts))
    (model,) = pocket.offered(folder)
    request = complete(prompt.parse("a red ball --res 240p --seconds 2"), [model], seed=3)
    assert (request.width, request.height, request.frame_rate) == (240, 240, 6)
    film = render(wan.load(pocket.checkpoint(folder)), request)
    assert film.shape == (request.num_frames, 240, 240, 3)


def through_the_autoencoder(tiny: Any, picture: Frame) -> Frame:
    import torch

    vae = tiny._vae
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None, :, None].float() / 127.5 - 1
    with torch.no_grad():
        decoded = vae.decode(vae.encode(pixels).latent_dist.mode()).sample[0, :, 0]
    return np.asarray((decoded + 1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0))
