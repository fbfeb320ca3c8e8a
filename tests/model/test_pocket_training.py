"""Pocket's training code, kept alive: it overfits the tiniest models in seconds."""

from __future__ import annotations

import json
import shutil
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model.pocket import (
    autoencoder,
    autoencoder_training,
    batches,
    checkpoints,
    denoiser,
    denoiser_training,
    distil,
    drawing,
    latents,
    optimizer,
    progress,
    scenes,
    train,
    weights,
)
from model.pocket.latents import Kind, Library, Scale
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress

torch.set_num_threads(1)
pytestmark = pytest.mark.timeout(900)  # it is a processor's work alone: a busy one takes its time

TINY = denoiser.Size(width=48, layers=2, heads=2, feed_forward=96, text_width=32, text_layers=1)
SMALL = (32, 32)
MIXED = "Mismatch dtype between input and weight"
"""What torch warns of where autocast meets a norm."""
PLAIN = Scale(torch.zeros(autoencoder.LATENT_CHANNELS), torch.ones(autoencoder.LATENT_CHANNELS))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with an untrained autoencoder and a few clips of every kind."""
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("run")
    torch.save({"vae": autoencoder.build().state_dict()}, out / "vae.pt")
    vae = checkpoints.load_vae(out).requires_grad_(False)
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
    parameters = list(vae.parameters())
    muon = Muon(parameters, rate=5e-3)
    scene = scenes.sample_scene(np.random.default_rng(0), kind="one")
    pixels = autoencoder.to_pixels([drawing.draw(scene, frames=1, height=32, width=32)])
    with autoencoder.flat_convolutions():
        for _ in range(60):
            loss = autoencoder.reconstruction_loss(vae, pixels)
            optimizer.descend(muon, loss, parameters, 5e-3)
    assert autoencoder_training.measure_psnr(vae, pixels) > 20


def test_a_library_gives_back_what_was_encoded(run: Path) -> None:
    library = Library(run / "latents", [SMALL])
    assert library.read_new() == 12
    assert library.read_new() == 12
    assert Library(run / "latents", [(64, 64)]).read_new() == 0
    raw, shown = library.batch(np.random.default_rng(0), SMALL, Kind.ENDING, 3)
    assert raw.shape == (3, autoencoder.LATENT_CHANNELS, 5, 2, 2)
    assert all(isinstance(scene, scenes.Scene) for scene in shown)
    with pytest.raises(LookupError):
        library.batch(np.random.default_rng(0), (64, 64), Kind.OPENING, 1)


def test_a_clip_that_goes_on_begins_without_a_first_frame(run: Path) -> None:
    """Its latents are those of the longer clip that it lies in."""
    vae = checkpoints.load_vae(run)
    scene = scenes.sample_scene(np.random.default_rng(5), kind="one")
    longer = drawing.draw(scene, frames=25, height=32, width=32)
    later = drawing.draw(scene, frames=21, height=32, width=32, offset=4)
    with torch.no_grad():
        whole = autoencoder.encode(vae, autoencoder.to_pixels([longer]))
        part = autoencoder.encode(vae, autoencoder.to_pixels([later]))[:, :, 1:]
    assert part.shape[2] == latents.FRAMES // 4 + 1
    error = (part[:, :, 2:] - whole[:, :, 4:]).square().mean() / whole.square().mean()
    assert float(error) < 0.05


def test_a_batch_is_of_what_the_library_has_and_fits(run: Path) -> None:
    library = Library(run / "latents", [SMALL, (64, 64)])
    library.read_new()
    rng = np.random.default_rng(0)
    shares = {SMALL: 0.5, (64, 64): 0.5}
    alone = set()
    for _ in range(40):
        batch = batches.draw(library, rng, rng, tokens=10, silent=0.5, alone=0.5, shares=shares)
        count, _, frames, height, width = batch.raw.shape
        assert (height, width, count * frames) == (2, 2, 10)
        assert (len(batch.captions), len(batch.given)) == (count, frames)
        assert (frames == 1) <= (batch.kind is Kind.OPENING and not batch.given.any())
        assert bool(batch.given[-1]) == (batch.kind is Kind.ENDING)
        alone.add(frames)
    assert alone == {1, 5}
    with pytest.raises(LookupError, match="no clips of"):
        batches.draw(library, rng, rng, tokens=10, silent=0.5, shares={(64, 64): 1})


@pytest.mark.parametrize("given", [(), (0,), (0, 1), (0, 4)])
def test_what_is_given_costs_nothing_and_the_rest_is_learnt(given: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = denoiser.Words2Latents(TINY, channels=8)
    parameters = list(model.parameters())
    muon = Muon(parameters, rate=4e-3, plain=denoiser.plain_parameters(model))
    clips = torch.randn(2, 8, 5, 2, 2).repeat(8, 1, 1, 1, 1)
    captions = ["a red ball not moving", "a green star moving left"] * 8
    mask = torch.zeros(5, dtype=torch.bool)
    mask[list(given)] = True
    losses = []
    for _ in range(60):
        times = denoiser.sample_times(len(captions), shift=3)
        loss = model.flow_loss(clips, captions, mask, times)
        optimizer.descend(muon, loss, parameters, 4e-3)
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])


def test_a_model_starts_from_an_earlier_smaller_one() -> None:
    torch.manual_seed(0)
    earlier = denoiser.Words2Latents(TINY)
    torch.nn.init.normal_(earlier.transformer.proj_out.weight)
    pipeline = weights.assemble(autoencoder.build(), earlier, PLAIN, scheduler_kind="unipc")
    deeper = denoiser.Words2Latents(
        denoiser.Size(width=48, layers=4, heads=2, feed_forward=96, text_width=32, text_layers=1)
    )
    denoiser.take_over(deeper, pipeline)
    noisy, given = torch.randn(1, autoencoder.LATENT_CHANNELS, 2, 2, 2), torch.zeros(2).bool()
    asked = (noisy, ["a red ball"], given, torch.tensor([0.7]))
    with torch.no_grad():
        torch.testing.assert_close(deeper.velocity(*asked), earlier.velocity(*asked))


def test_a_model_that_says_something_else_is_not_taken_over() -> None:
    earlier = denoiser.Words2Latents(TINY)
    pipeline = weights.assemble(autoencoder.build(), earlier, PLAIN, scheduler_kind="unipc")
    pipeline.scheduler.register_to_config(prediction_type="flow_prediction")
    with pytest.raises(ValueError, match='says "flow_prediction"'):
        denoiser.take_over(denoiser.Words2Latents(TINY), pipeline)


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
    ways = distil.walk(teacher, torch.randn(2, 8, 2, 2, 2), captions, given)
    assert ways.places.shape == (distil.STEPS + 1, 2, 8, 2, 2, 2)
    assert torch.equal(ways.places[0][:, :, 0], ways.places[-1][:, :, 0])
    student = denoiser.Words2Latents(TINY, channels=8)
    student.load_state_dict(teacher.state_dict())
    parameters = list(student.parameters())
    muon = Muon(parameters, rate=2e-3, plain=denoiser.plain_parameters(student))
    before: list[float] = []
    after: list[float] = []
    for index in range(60):
        loss = distil.loss_of(student, ways, index % distil.STEPS)
        (before if index < 4 else after).append(loss.item())
        optimizer.descend(muon, loss, parameters, 2e-3)
    assert np.mean(after[-8:]) < 0.5 * np.mean(before)


@pytest.mark.filterwarnings(f"ignore:{MIXED}")
def test_a_stopped_distillation_keeps_what_it_had(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped at its second walk and at its fourth step, and goes on behind each of them."""
    monkeypatch.setattr(distil, "TOKENS", 10)
    monkeypatch.setattr(progress, "SAVE_EVERY_S", 0)

    def walks() -> int:
        return len(list((run / "ways").rglob("*.pt")))

    def fraction(seen: Progress) -> float:
        return 0.25 * walks() if walks() < 2 else 0.5 + seen.step / 20

    monkeypatch.setattr(Progress, "fraction", property(fraction))

    def train_on() -> dict[str, Any]:
        torch.manual_seed(0)
        teacher = denoiser.Words2Latents(TINY)
        distil.train(run, 0.02, teacher, PLAIN, shares={SMALL: 1})
        return saved()

    def saved() -> dict[str, Any]:
        kept: dict[str, Any] = torch.load(run / "distil.pt", weights_only=True)
        return kept

    def stop_at(name: str, call: int) -> None:
        original, calls = getattr(distil, name), iter(range(1, call))

        def stopping(*asked: Any) -> Any:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return original(*asked)

        monkeypatch.setattr(distil, name, stopping)
        with pytest.raises(KeyboardInterrupt):
            train_on()
        monkeypatch.setattr(distil, name, original)

    stop_at("walk", 2)
    assert walks() == 1
    walking = saved()
    assert walking["worked_s"] > 0
    stop_at("loss_of", 4)
    assert walks() == 2
    learning = saved()
    assert learning["step"] == 3
    assert learning["worked_s"] > walking["worked_s"]
    assert train_on()["step"] == 10
    assert walks() == 2


def test_the_few_steps_are_those_of_the_scheduler_that_is_shipped() -> None:
    scheduler = weights.scheduler("euler")
    scheduler.set_timesteps(distil.STEPS)
    torch.testing.assert_close(scheduler.sigmas, distil.levels(distil.STEPS), atol=2e-3, rtol=0)
    now, velocity = torch.randn(1, 8, 2, 2, 2), torch.randn(1, 8, 2, 2, 2)
    after = scheduler.step(velocity - now, scheduler.timesteps[0], now).prev_sample
    expected = now + (scheduler.sigmas[1] - scheduler.sigmas[0]) * velocity
    torch.testing.assert_close(after, expected, atol=1e-4, rtol=1e-4)


def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage ends after so many looks at the clock, and its work is tiny."""
    monkeypatch.setattr(latents, "CHUNK", 2)
    monkeypatch.setattr(autoencoder_training, "PIXELS_A_STEP", 5 * 32 * 32)
    monkeypatch.setattr(denoiser_training, "TOKENS_A_STEP", 10)
    monkeypatch.setattr(distil, "TOKENS", 10)
    looks: Counter[int] = Counter()

    def fraction(seen: Progress) -> float:
        looks[id(seen)] += 1
        return min(looks[id(seen)] / 5, 1.0)

    monkeypatch.setattr(Progress, "fraction", property(fraction))


def stages(out: Path, *names: str) -> None:
    train.train(out, dict.fromkeys(names, 1.0), {SMALL: 20}, shares={SMALL: 1}, size=TINY)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run through every stage, whose every file says that it was kept on a GPU."""
    out = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", MIXED)
        few_looks(monkeypatch)
        monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        stages(out, *train.STAGES)
    return out


@pytest.fixture
def kept(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    few_looks(monkeypatch)
    return Path(shutil.copytree(trained, tmp_path / "run"))


def of(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def weights_of(module: torch.nn.Module) -> str:
    return weights.digest(module.state_dict())


@pytest.mark.filterwarnings(f"ignore:{MIXED}")
def test_what_a_gpu_has_kept_a_processor_takes_up(kept: Path) -> None:
    with pytest.raises(RuntimeError, match="CUDA device"):
        torch.load(kept / "vae.pt", weights_only=True)
    steps = {stage: of(kept / f"{stage}.pt")["step"] for stage in ("vae", "dit", "distil")}
    stages(kept, "vae", "dit")
    assert of(kept / "vae.pt")["step"] > steps["vae"]
    assert of(kept / "dit.pt")["step"] > steps["dit"]


def test_few_steps_of_this_teacher_are_exported(kept: Path) -> None:
    pipeline = checkpoints.export(kept, size=TINY)
    assert (kept / "export" / "model_index.json").exists()
    assert weights_of(pipeline.vae) == weights.digest(of(kept / "decoder.pt")["vae"])


@pytest.mark.filterwarnings(f"ignore:{MIXED}")
def test_another_teacher_is_followed_anew(kept: Path) -> None:
    """Its ways are walked, its student is begun; the earlier student is not shipped as its own."""
    before, walked = of(kept / "distil.pt"), set((kept / "ways").rglob("*.pt"))
    stages(kept, "dit")
    checkpoints.export(kept, size=TINY)
    assert (kept / "teacher").exists()
    assert not (kept / "export").exists()
    stages(kept, "distil")
    after, every = of(kept / "distil.pt"), set((kept / "ways").rglob("*.pt"))
    assert after["teacher"] != before["teacher"]
    assert after["step"] <= before["step"]
    assert walked < every
    assert {path.parent for path in walked}.isdisjoint(path.parent for path in every - walked)
    noted = [json.loads(line) for line in (kept / "distil.jsonl").read_text().splitlines()]
    assert [line for line in noted if "anew" in line]


def test_what_says_no_teacher_is_of_another(kept: Path) -> None:
    state = of(kept / "distil.pt")
    del state["teacher"]
    torch.save(state, kept / "distil.pt")
    checkpoints.export(kept, size=TINY)
    assert not (kept / "export").exists()


@pytest.mark.filterwarnings(f"ignore:{MIXED}")
def test_a_decoder_of_other_latents_gives_way(kept: Path) -> None:
    stages(kept, "vae")
    retrained = weights.digest(of(kept / "vae.pt")["vae"])
    assert weights_of(checkpoints.load_vae(kept)) == retrained
    stages(kept, "decoder")
    assert "anew" in (kept / "decoder.jsonl").read_text()
    polished = checkpoints.load_vae(kept)
    assert weights_of(polished) == weights.digest(of(kept / "decoder.pt")["vae"]) != retrained
