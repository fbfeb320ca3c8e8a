"""Wan checkpoints in diffusers' layout: the real classes with random weights, loaded from disk."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.request import Request
from model import video
from model.families import pocket, wan
from model.family import NOTHING_GIVEN, Cancelled, Frame, Given
from model.wan.stream import border, hold_colour, windows
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


STREAM = replace(REQUEST, width=64, height=64, num_inference_steps=1, guidance_scale=1.0)


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


def test_it_draws_what_the_library_s_own_pipelines_draw(
    tiny: Any, folder: Path, tmp_path: Path
) -> None:
    import torch
    from diffusers import WanImageToVideoPipeline, WanPipeline

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8))
    picture.save(tmp_path / "picture.png")
    asked = {
        "prompt": REQUEST.prompt, "width": 96, "height": 64, "num_frames": 9,
        "num_inference_steps": 4, "guidance_scale": 3.0, "max_sequence_length": 16,
    }  # fmt: skip
    for pipeline, inputs, path in (
        (WanPipeline, {}, None),
        (WanImageToVideoPipeline, {"image": picture}, tmp_path / "picture.png"),
    ):
        stock = pipeline.from_pretrained(folder)
        stock.set_progress_bar_config(disable=True)
        seed = torch.Generator().manual_seed(REQUEST.seed)
        theirs = stock(**asked, **inputs, generator=seed).frames[0]
        ours = render(tiny, picture=path)
        assert np.abs(theirs * 255 - ours).max() < 1.5


def test_a_stream_decodes_as_the_whole_does(folder: Path) -> None:
    import torch

    from model.wan.latents import Codec

    vae = wan.load(checkpoint(folder)).pipeline.vae  # type: ignore[attr-defined]
    latents = torch.randn(1, 8, 5, 4, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = vae.decode(latents).sample[0].permute(1, 2, 3, 0)
    decoder, other = Codec(vae).decoder(), Codec(vae).decoder()
    frames = []
    for at in range(5):
        frames += decoder.frames(latents[:, :, at : at + 1])
        other.frames(torch.zeros_like(latents[:, :, :1]))
    assert len(frames) == 17
    assert np.abs((whole.numpy() + 1) * 127.5 - np.stack(frames)).max() < 0.51


def test_given_latents_are_clean_at_every_step_and_stay_so(tiny: Any) -> None:
    import torch

    from model.wan.flow import Asked

    noise, clean = (torch.randn(1, 8, 5, 4, 6) for _ in range(2))
    free = torch.tensor([False, False, True, True, False])
    with watched(tiny) as seen:
        asked = Asked("a red ball", "blue", 4, 2.0)
        drawn = tiny._flow.draw(asked, noise, clean, free, lambda *_: None)
    assert torch.equal(drawn[:, :, ~free], clean[:, :, ~free])
    assert not torch.isclose(drawn[:, :, free], noise[:, :, free]).any()
    assert len(seen) == 4
    for latents, times in seen:
        for one, its_times in zip(latents, times, strict=True):
            assert torch.equal(one[:, ~free], clean[0, :, ~free])
            assert its_times.view(5, 6)[~free].eq(0).all()
            assert its_times.view(5, 6)[free].gt(0).all()


@given(
    wanted=st.integers(1, 70),
    known=st.integers(0, 5),
    context=st.integers(1, 2),
    ends=st.booleans(),
)
def test_windows_cover_the_stream(wanted: int, known: int, context: int, ends: bool) -> None:
    plan = windows(wanted, known, longest=5, shortest=5, context=context, ends=ends)
    assert sum(window.used for window in plan) == wanted
    for window in plan:
        assert 0 < window.used <= window.drawn
        assert window.context + window.drawn <= 5
        assert window.context <= min(known, context)
        known += window.used
    if ends:
        assert plan[-1].used == plan[-1].drawn
        if len(plan) > 1:
            assert plan[-1].context + plan[-1].drawn == 5


def test_a_border_is_held_gently() -> None:
    import torch

    latents = torch.zeros(1, 2, 3, 8, 8)
    latents[:, 0] = 1.0
    anchor = border(torch.full_like(latents, 0.5))
    held = hold_colour(latents, anchor, 0.5)
    assert torch.equal(border(held).flatten(), torch.tensor([0.75, 0.25]))
    latents[:, :, :, 2:6, :3] = 9.0
    assert torch.equal(border(latents).flatten(), torch.tensor([1.0, 0.0]))


@pytest.fixture(scope="module")
def streamed(folder: Path) -> Any:
    return wan.load(replace(checkpoint(folder), num_frames=17, shortest=17, context_latents=2))


@pytest.mark.parametrize("num_frames", [1, 9, 17, 18, 41, 100])
def test_a_stream_has_the_asked_number_of_frames(streamed: Any, num_frames: int) -> None:
    with watched(streamed) as seen:
        film = render(streamed, replace(STREAM, num_frames=num_frames))
    assert film.shape == (num_frames, 64, 64, 3)
    assert {latents.shape[2] for latents, _ in seen} == {5}
    beginning = render(streamed, replace(STREAM, num_frames=min(num_frames, 17)))
    assert np.array_equal(film[:17], beginning)


def test_a_window_begins_with_the_end_of_the_last(streamed: Any) -> None:
    import torch

    with watched(streamed) as seen:
        render(streamed, replace(STREAM, num_frames=29))
    (first, even), (second, times) = seen
    assert even.shape == (1,)
    assert times.view(5, 4)[:2].eq(0).all()
    assert times.view(5, 4)[2:].gt(0).all()
    assert not torch.equal(second[:, :, :2], first[:, :, :2])


def test_a_clip_is_continued_from_several_of_its_frames(streamed: Any, tmp_path: Path) -> None:
    import torch

    clip = tmp_path / "clip.mp4"
    video.write(clip, render(streamed, replace(STREAM, num_frames=21)), 8, 64, 64)
    with watched(streamed) as seen:
        film = np.stack(
            list(streamed.frames(replace(STREAM, num_frames=9), Given(before=clip), Steps()))
        )
    assert film.shape == (9, 64, 64, 3)
    known = streamed._codec.encode(list(video.last_frames(clip, 17)))
    ((latents, times),) = seen
    assert torch.equal(latents[:, :, :2], known[:, :, -2:])
    assert times.view(5, 4)[:2].eq(0).all()
    short = tmp_path / "short.mp4"
    video.write(short, film[:3], 8, 64, 64)
    for num_frames in (5, 30):
        asked = replace(STREAM, num_frames=num_frames)
        assert len(list(streamed.frames(asked, Given(before=short), Steps()))) == num_frames


@pytest.mark.parametrize("num_frames", [9, 17, 21, 25, 45])
def test_a_clip_ends_with_a_picture(streamed: Any, tmp_path: Path, num_frames: int) -> None:
    import torch

    Image.new("RGB", (64, 64), "blue").save(tmp_path / "blue.png")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    end = streamed._codec.held(np.asarray(Image.open(tmp_path / "blue.png")))
    for first in (None, tmp_path / "red.png"):
        given = Given(first=first, last=tmp_path / "blue.png")
        with watched(streamed) as seen:
            film = list(streamed.frames(replace(STREAM, num_frames=num_frames), given, Steps()))
        assert len(film) == num_frames
        latents, times = seen[-1]
        assert torch.equal(latents[:, :, -1:], end)
        assert times.view(-1, 4)[-1].eq(0).all()
        for latents, _ in seen[:-1]:
            assert not torch.equal(latents[:, :, -1:], end)


def test_few_frames_are_alive_however_long_the_clip(streamed: Any) -> None:
    alive: list[weakref.ref[Frame]] = []
    most = 0
    for frame in streamed.frames(replace(STREAM, num_frames=161), NOTHING_GIVEN, Steps()):
        alive = [one for one in alive if one() is not None] + [weakref.ref(frame)]
        most = max(most, len(alive))
    assert most <= 8


@pytest.mark.parametrize("stop_at", [1, 2, 4, 9])
def test_a_stream_stops_at_any_step(streamed: Any, stop_at: int) -> None:
    steps = Steps(stop_at)
    with pytest.raises(Cancelled):
        list(streamed.frames(replace(STREAM, num_frames=41), NOTHING_GIVEN, steps))
    assert len(steps.told) == stop_at


def test_held_colours_stay_where_they_were(folder: Path, streamed: Any) -> None:
    holding = wan.load(
        replace(checkpoint(folder), num_frames=17, shortest=17, context_latents=2, hold_colour=1.0)
    )
    asked = replace(STREAM, num_frames=41)
    held, free = render(holding, asked), render(streamed, asked)
    assert np.array_equal(held[:17], free[:17])
    assert not np.array_equal(held[17:], free[17:])


def test_the_shipped_weights_load_in_the_library_s_own_classes() -> None:
    from diffusers import WanImageToVideoPipeline, WanPipeline

    (model,) = pocket.MODELS
    side = model.native
    asked = {"prompt": "a red ball", "width": side, "height": side, "num_frames": 5,
             "num_inference_steps": 1, "max_sequence_length": 32}  # fmt: skip
    picture = Image.new("RGB", (side or 0, side or 0), "red")
    for pipeline, inputs in ((WanPipeline, {}), (WanImageToVideoPipeline, {"image": picture})):
        stock = pipeline.from_pretrained(pocket.WEIGHTS)
        stock.set_progress_bar_config(disable=True)
        assert stock(**asked, **inputs).frames[0].shape == (5, side, side, 3)


@contextmanager
def watched(model: Any) -> Iterator[list[tuple[Any, Any]]]:
    """What the transformer is shown meanwhile: latents and times."""
    seen: list[tuple[Any, Any]] = []

    def note(_module: object, _args: object, shown: dict[str, Any]) -> None:
        seen.append((shown["hidden_states"].clone(), shown["timestep"].clone()))

    transformer = model.pipeline.transformer
    hook = transformer.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()


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


def through_the_autoencoder(tiny: Any, picture: Frame) -> Frame:
    import torch

    vae = tiny.pipeline.vae
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None, :, None].float() / 127.5 - 1
    with torch.no_grad():
        decoded = vae.decode(vae.encode(pixels).latent_dist.mode()).sample[0, :, 0]
    return np.asarray((decoded + 1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0))
