"""Pocket's training code, kept alive: it overfits the tiniest models in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.pocket import autoencoder, denoiser, distil, drawing, latents, scenes, train, weights
from model.pocket.latents import Kind, Library
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress

torch.set_num_threads(1)

TINY = denoiser.Size(width=48, layers=2, heads=2, feed_forward=96, text_width=32, text_layers=1)
SMALL = (32, 32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with an untrained autoencoder and a few clips of every kind."""
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("run")
    torch.save({"vae": autoencoder.build().state_dict()}, out / "vae.pt")
    vae = train.load_vae(out).requires_grad_(False)
    for index, kind in enumerate(Kind):
        chunk = latents.encode_chunk(vae, [1], kind, SMALL, 4)
        latents.save_chunk(out / "latents" / f"32x32-{index:05d}.pt", chunk)
    return out


def test_single_frame_convolutions_give_what_causal_ones_give() -> None:
    torch.manual_seed(0)
    vae = autoencoder.build()
    pixels = torch.randn(1, 3, 5, 32, 32)
    with torch.no_grad():
        slow = autoencoder.encode(vae, pixels)
        with autoencoder.flat_convolutions():
            fast = autoencoder.encode(vae, pixels)
    torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-3)


def test_the_unclamped_decoder_is_the_library_s_decoder() -> None:
    torch.manual_seed(0)
    vae = autoencoder.build().eval()
    code = torch.randn(1, autoencoder.LATENT_CHANNELS, 2, 2, 2)
    with torch.no_grad():
        ours = autoencoder.decode_unclamped(vae, code).clamp(-1, 1)
        torch.testing.assert_close(ours, vae.decode(code).sample)


def test_the_autoencoder_overfits_one_picture() -> None:
    torch.manual_seed(0)
    vae = autoencoder.build(base=16)
    optimizer = Muon(vae.parameters(), rate=5e-3)
    scene = scenes.sample_scene(np.random.default_rng(0), kind="one")
    pixels = autoencoder.to_pixels([drawing.draw(scene, frames=1, height=32, width=32)])
    with autoencoder.flat_convolutions():
        for _ in range(60):
            optimizer.zero_grad()
            torch.autograd.backward(autoencoder.reconstruction_loss(vae, pixels))
            optimizer.step()
    assert train.measure_psnr(vae, pixels) > 20


def test_a_library_gives_back_what_was_encoded(run: Path) -> None:
    library = Library(run / "latents")
    assert library.read_new() == 12
    assert library.read_new() == 12
    raw, shown = library.batch(np.random.default_rng(0), SMALL, Kind.ENDING, 3)
    assert raw.shape == (3, autoencoder.LATENT_CHANNELS, 5, 2, 2)
    assert all(isinstance(scene, scenes.Scene) for scene in shown)
    with pytest.raises(LookupError):
        library.batch(np.random.default_rng(0), (64, 64), Kind.OPENING, 1)


def test_a_clip_that_goes_on_begins_without_a_first_frame(run: Path) -> None:
    """Its latents are those of the longer clip that it lies in."""
    vae = train.load_vae(run)
    scene = scenes.sample_scene(np.random.default_rng(5), kind="one")
    longer = drawing.draw(scene, frames=25, height=32, width=32)
    later = drawing.draw(scene, frames=21, height=32, width=32, offset=4)
    with torch.no_grad():
        whole = autoencoder.encode(vae, autoencoder.to_pixels([longer]))
        part = autoencoder.encode(vae, autoencoder.to_pixels([later]))[:, :, 1:]
    assert part.shape[2] == latents.FRAMES // 4 + 1
    error = (part[:, :, 2:] - whole[:, :, 4:]).square().mean() / whole.square().mean()
    assert float(error) < 0.05


@pytest.mark.parametrize("given", [(), (0,), (0, 1), (0, 4)])
def test_what_is_given_costs_nothing_and_the_rest_is_learnt(given: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = denoiser.Words2Latents(TINY, channels=8)
    optimizer = Muon(model.parameters(), rate=4e-3, plain=train.plain_parameters(model))
    clips = torch.randn(2, 8, 5, 2, 2).repeat(8, 1, 1, 1, 1)
    captions = ["a red ball not moving", "a green star moving left"] * 8
    mask = torch.zeros(5, dtype=torch.bool)
    mask[list(given)] = True
    losses = []
    for _ in range(60):
        times = denoiser.sample_times(len(captions), shift=3)
        loss = model.flow_loss(clips, captions, mask, times)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])


def test_a_model_starts_from_an_earlier_smaller_one() -> None:
    torch.manual_seed(0)
    earlier = denoiser.Words2Latents(TINY)
    torch.nn.init.normal_(earlier.transformer.proj_out.weight)
    zero = torch.zeros(autoencoder.LATENT_CHANNELS)
    pipeline = weights.assemble(
        autoencoder.build(), earlier, zero, zero + 1, scheduler_kind="unipc", shift=3.0
    )
    deeper = denoiser.Words2Latents(
        denoiser.Size(width=48, layers=4, heads=2, feed_forward=96, text_width=32, text_layers=1)
    )
    denoiser.take_over(deeper, pipeline)
    noisy, given = torch.randn(1, autoencoder.LATENT_CHANNELS, 2, 2, 2), torch.zeros(2).bool()
    asked = (noisy, ["a red ball"], given, torch.tensor([0.7]))
    with torch.no_grad():
        torch.testing.assert_close(deeper.velocity(*asked), earlier.velocity(*asked))


def test_a_run_is_taken_up_where_it_was_saved(tmp_path: Path) -> None:
    first = Progress(tmp_path / "run.pt", minutes=10)
    first.step, first.worked_s = 7, 120.0
    first.save(weight=torch.ones(2))
    second = Progress(tmp_path / "run.pt", minutes=10)
    state = second.resume()
    assert state is not None
    assert torch.equal(state["weight"], torch.ones(2))
    assert second.step == 7
    assert 0.19 < second.fraction < 0.25


def test_few_steps_are_learnt_from_many(run: Path) -> None:
    """The student's error at every step falls, and its steps meet the teacher's places."""
    torch.manual_seed(0)
    teacher = denoiser.Words2Latents(TINY, channels=8).eval()
    torch.nn.init.normal_(teacher.transformer.proj_out.weight, std=0.2)
    given = torch.tensor([True, False])
    captions = ["a red ball bouncing", "a blue star spinning"]
    ways = distil.walk(teacher, torch.randn(2, 8, 2, 2, 2), captions, given, shift=3.0)
    assert ways.places.shape == (distil.STEPS + 1, 2, 8, 2, 2, 2)
    assert torch.equal(ways.places[0][:, :, 0], ways.places[-1][:, :, 0])
    student = denoiser.Words2Latents(TINY, channels=8)
    student.load_state_dict(teacher.state_dict())
    optimizer = Muon(student.parameters(), rate=2e-3, plain=train.plain_parameters(student))
    chosen = torch.arange(2)
    before: list[float] = []
    after: list[float] = []
    for index in range(60):
        loss = distil.loss_of(student, ways, chosen, index % distil.STEPS, shift=3.0)
        (before if index < 4 else after).append(loss.item())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert np.mean(after[-8:]) < 0.5 * np.mean(before)


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")
def test_a_stopped_distillation_keeps_what_it_had(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped at its fourth step; taken up, it goes on from the third."""
    library = Library(run / "latents")
    library.read_new()
    zero = torch.zeros(autoencoder.LATENT_CHANNELS)
    monkeypatch.setattr(distil, "BATCH", 2)
    error = distil.loss_of
    learnt: list[int] = []

    def stopping(*asked: Any) -> torch.Tensor:
        learnt.append(1)
        if len(learnt) == 4:
            raise KeyboardInterrupt
        return error(*asked)

    def train_on() -> None:
        teacher = denoiser.Words2Latents(TINY)
        distil.train(
            run, 0.02, teacher, library, zero, zero + 1, shift=3.0, sizes=(SMALL, SMALL),
            save_every_s=0,
        )  # fmt: skip

    monkeypatch.setattr(
        Progress, "fraction", property(lambda p: 0.5 + p.step / 20 if walks() else 0)
    )

    def walks() -> int:
        return len(list((run / "ways").glob("*.pt")))

    monkeypatch.setattr(distil, "loss_of", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_on()
    assert walks() == 1
    assert torch.load(run / "distil.pt", weights_only=True)["step"] == 3
    train_on()
    assert walks() == 1
    assert torch.load(run / "distil.pt", weights_only=True)["step"] == 10


def test_the_few_steps_are_those_of_the_scheduler_that_is_shipped() -> None:
    scheduler = weights.scheduler("euler", 3.0)
    scheduler.set_timesteps(distil.STEPS)
    torch.testing.assert_close(
        scheduler.sigmas, distil.levels(distil.STEPS, 3.0), atol=2e-3, rtol=0
    )
    now, velocity = torch.randn(1, 8, 2, 2, 2), torch.randn(1, 8, 2, 2, 2)
    after = scheduler.step(velocity - now, scheduler.timesteps[0], now).prev_sample
    expected = now + (scheduler.sigmas[1] - scheduler.sigmas[0]) * velocity
    torch.testing.assert_close(after, expected, atol=1e-4, rtol=1e-4)
