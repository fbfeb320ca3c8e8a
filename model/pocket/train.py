"""Trains pocket: `python -m model.pocket.train --stage all --minutes 200 --out DIR`.

The autoencoder first (pictures, then clips); then clips are encoded once; then words and motion;
then the few-step model is distilled from it. Every stage takes up its own checkpoint again and ends
when its minutes are spent, so a run can be stopped at any time and taken up later. `--start-from`
begins with the parts of an earlier model, such as the one that is shipped.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from torch import Tensor

from model.pocket import (
    autoencoder,
    denoiser,
    distil,
    drawing,
    latents,
    parallel,
    scenes,
    weights,
    words,
)
from model.pocket.latents import Kind, Library
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress, set_rate

SIZES: Final = ((96, 96), (160, 96), (96, 160))
"""Width and height in pixels, and in SIZE_SHARES how much of the training sees them."""
SIZE_SHARES: Final = (0.78, 0.12, 0.1)
FRAMES: Final = latents.FRAMES

VAE_RATE: Final = 2e-3
DECODER_RATE: Final = 1e-3
PIXELS_A_STEP: Final = 20 * 96 * 96
SINGLE_FRAMES_UNTIL: Final = 0.24
"""Share of the autoencoder's minutes that see pictures only; none where it starts from another."""
LATENT_NOISE: Final = 0.03
"""Roughness of the latents, as a share of their deviation, in the second half of that training."""

DIT_RATE: Final = 4e-3
TIME_SHIFT: Final = 3.0
"""Training times lean towards noise: most of a simple picture is decided there."""
SAMPLE_SHIFT: Final = 3.0
TOKENS_A_STEP: Final = 2_880
AVERAGE_KEEPS: Final = 0.995
CONTEXT_ROUGHNESS: Final = 0.04
NEW_CLIPS_EVERY_S: Final = 120.0


def draw_batch(
    rng: np.random.Generator,
    count: int,
    frames: int,
    size: tuple[int, int],
    *,
    held_out: bool = False,
) -> Tensor:
    """(count, 3, frames, height, width) in −1…1, from anywhere in a scene."""
    width, height = size
    drawn = [
        drawing.draw(
            scenes.sample_scene(rng, held_out=held_out),
            frames=frames,
            height=height,
            width=width,
            offset=autoencoder.FRAMES_PER_LATENT * int(rng.integers(6)),
        )
        for _ in range(count)
    ]
    return autoencoder.to_pixels(drawn)


def measure_psnr(vae: AutoencoderKLWan, pixels: Tensor) -> float:
    """Mean over the clips, in dB."""
    with torch.no_grad():
        out = autoencoder.decode_unclamped(vae, autoencoder.encode(vae, pixels))
    return float(np.mean([autoencoder.psnr_db(*pair) for pair in zip(out, pixels, strict=True)]))


def train_vae(
    out: Path, minutes: float, *, seed: int = 0, earlier: WanPipeline | None = None
) -> AutoencoderKLWan:
    """The autoencoder; further from `earlier` where it is given."""
    vae = autoencoder.build()
    if earlier is not None:
        vae.load_state_dict(earlier.vae.float().state_dict())
    alone_until = 0.0 if earlier is not None else SINGLE_FRAMES_UNTIL
    _train_autoencoder(
        Progress(out / "vae.pt", minutes), vae, list(vae.parameters()), VAE_RATE, alone_until, seed
    )
    return vae


def polish_decoder(out: Path, minutes: float, *, seed: int = 2) -> AutoencoderKLWan:
    """Trains the decoder alone a while longer; latents, and so the denoiser, stay as they are."""
    vae = load_vae(out).requires_grad_(False)
    parameters = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    _train_autoencoder(
        Progress(out / "decoder.pt", minutes), vae, parameters, DECODER_RATE, 0.0, seed
    )
    return vae


def _train_autoencoder(
    progress: Progress,
    vae: AutoencoderKLWan,
    parameters: list[torch.nn.Parameter],
    peak_rate: float,
    alone_until: float,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    optimizer = Muon(parameters, rate=peak_rate)
    if state := progress.resume():
        vae.load_state_dict(state["vae"])
        optimizer.load_state_dict(state["optimizer"])
    plan = np.random.default_rng([seed, progress.step])
    rng = np.random.default_rng([seed, progress.step, parallel.rank()])
    pictures = draw_batch(np.random.default_rng(99), 32, 1, SIZES[0], held_out=True)
    clips = draw_batch(np.random.default_rng(98), 6, FRAMES, SIZES[0], held_out=True)
    last_report = progress.elapsed_s
    with autoencoder.flat_convolutions():
        while (fraction := parallel.agreed(progress.fraction)) < 1:
            set_rate(optimizer, parallel.agreed(progress.rate(peak_rate, hold=0.25)))
            size = SIZES[int(plan.integers(len(SIZES)))]
            frames = 1 if fraction < alone_until else int(plan.choice([1, 5, 9, 9, 17]))
            count = max(1, round(PIXELS_A_STEP / (frames * size[0] * size[1])))
            pixels = draw_batch(rng, count, frames, size)
            noise = LATENT_NOISE if fraction > 0.5 else 0.0
            with torch.autocast("cpu", torch.bfloat16):
                loss = autoencoder.reconstruction_loss(vae, pixels, noise)
            _step(optimizer, loss, parameters)
            progress.step += 1
            if parallel.rank() > 0:
                continue
            if progress.elapsed_s - last_report > 120:
                last_report = progress.elapsed_s
                progress.log(
                    loss=loss.item(),
                    pictures_db=measure_psnr(vae, pictures),
                    clips_db=measure_psnr(vae, clips),
                )
            if progress.due(120):
                progress.save(vae=vae.state_dict(), optimizer=optimizer.state_dict())
    if parallel.rank() == 0:
        progress.save(vae=vae.state_dict(), optimizer=optimizer.state_dict())


def _step(
    optimizer: torch.optim.Optimizer, loss: Tensor, parameters: Sequence[torch.nn.Parameter]
) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    parallel.average_gradients(parameters)
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def load_vae(out: Path) -> AutoencoderKLWan:
    """The autoencoder of a run, with the polished decoder where there is one."""
    vae = autoencoder.build()
    polished = out / "decoder.pt"
    path = polished if polished.exists() else out / "vae.pt"
    vae.load_state_dict(torch.load(path, weights_only=True)["vae"])
    return vae


def encode_clips(out: Path, counts: Sequence[int], *, seed: int = 1) -> None:
    """As many clips of each of SIZES as `counts` says, by turns, into `out`/latents."""
    vae = load_vae(out).requires_grad_(False)
    writers = [
        latents.write_chunks(vae, out / "latents", size, count, seed=seed)
        for size, count in zip(SIZES, counts, strict=True)
    ]
    while writers:
        writers = [writer for writer in writers if next(writer, None) is not None]


def train_dit(
    out: Path,
    minutes: float,
    *,
    seed: int = 0,
    size: denoiser.Size = denoiser.DEFAULT_SIZE,
    earlier: WanPipeline | None = None,
    tokens: int = TOKENS_A_STEP,
    report_every_s: float = 60,
) -> denoiser.Words2Latents:
    """Text encoder and transformer together, on the clips encoded so far. Gives their average."""
    torch.manual_seed(seed)
    library = Library(out / "latents")
    library.read_new()
    progress = Progress(out / "dit.pt", minutes)
    model = denoiser.Words2Latents(size)
    if earlier is not None:
        denoiser.take_over(model, earlier)
    average = copy.deepcopy(model)
    parameters = list(model.parameters())
    optimizer = Muon(parameters, rate=DIT_RATE, plain=plain_parameters(model), weight_decay=0.01)
    if state := progress.resume():
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        mean, deviation = state["mean"], state["deviation"]
    else:
        mean, deviation = library.statistics()
    plan = np.random.default_rng([seed, progress.step])
    rng = np.random.default_rng([seed, progress.step, parallel.rank()])
    torch.manual_seed(int(rng.integers(2**31)))
    losses: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    last_report = last_read = progress.elapsed_s
    while (fraction := parallel.agreed(progress.fraction)) < 1:
        rate = progress.rate(DIT_RATE, warmup_steps=50, hold=0.5)
        set_rate(optimizer, parallel.agreed(rate))
        pixels, kind = _choose(plan, library)
        alone = kind is Kind.OPENING and plan.random() < _alone_share(fraction)
        frames = 1 if alone else 1 + (FRAMES - 1) // autoencoder.FRAMES_PER_LATENT
        clip_tokens = (pixels[0] // 32) * (pixels[1] // 32) * frames
        raw, shown = library.batch(rng, pixels, kind, max(1, tokens // clip_tokens))
        raw = raw[:, :, :frames]
        given = _given(plan, kind, raw.shape[2])
        captions = ["" if rng.random() < 0.1 else scenes.caption(one, rng) for one in shown]
        times = denoiser.sample_times(len(captions), shift=TIME_SHIFT)
        rough = CONTEXT_ROUGHNESS if kind is Kind.GOING_ON else 0.0
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.flow_loss(
                latents.normalise(raw, mean, deviation), captions, given, times, roughness=rough
            )
            _step(optimizer, loss, parameters)
        progress.step += 1
        track(average, model, min(AVERAGE_KEEPS, progress.step / (progress.step + 10)))
        losses[kind].append(loss.item())
        if parallel.rank() > 0:
            continue
        if progress.elapsed_s - last_report > report_every_s:
            last_report = progress.elapsed_s
            progress.log(**{k: float(np.mean(seen)) for k, seen in losses.items() if seen})
            losses = {kind: [] for kind in Kind}
        if progress.elapsed_s - last_read > NEW_CLIPS_EVERY_S:
            last_read = progress.elapsed_s
            progress.log(clips=library.read_new())
        if progress.due(120):
            _save_dit(progress, model, average, optimizer, mean, deviation)
    if parallel.rank() == 0:
        _save_dit(progress, model, average, optimizer, mean, deviation)
    return average


def _choose(rng: np.random.Generator, library: Library) -> tuple[tuple[int, int], Kind]:
    """A size and a kind of clip that the library has."""
    while True:
        size = SIZES[int(rng.choice(len(SIZES), p=SIZE_SHARES))]
        kind = list(Kind)[int(rng.choice(3, p=[0.72, 0.2, 0.08]))]
        if library.shelves[size][kind]:
            return size, kind


def _alone_share(fraction: float) -> float:
    """How many of the openings are first frames alone, which teach shapes five times as fast."""
    return 0.35 if fraction < 0.6 else 0.15


def _given(rng: np.random.Generator, kind: Kind, frames: int) -> Tensor:
    """Which latent frames are handed over, (frames,) bool."""
    given = torch.zeros(frames, dtype=torch.bool)
    if frames == 1:
        return given
    match kind:
        case Kind.OPENING:
            given[0] = rng.random() < 0.2
        case Kind.GOING_ON:
            given[: 1 if rng.random() < 0.15 else 2] = True
        case Kind.ENDING:
            given[0], given[-1] = rng.random() < 0.8, True
    return given


def plain_parameters(model: denoiser.Words2Latents) -> list[torch.nn.Parameter]:
    """Matrices that aren't maps between hidden states: tables, which AdamW suits better."""
    return [
        parameter
        for name, parameter in model.named_parameters()
        if "scale_shift_table" in name or "shared" in name or "relative_attention_bias" in name
    ]


@torch.no_grad()
def track(average: torch.nn.Module, model: torch.nn.Module, keep: float) -> None:
    """Moves an exponential average of the weights one step."""
    for kept, now in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(now, 1 - keep)


def _save_dit(
    progress: Progress,
    model: denoiser.Words2Latents,
    average: denoiser.Words2Latents,
    optimizer: Muon,
    mean: Tensor,
    deviation: Tensor,
) -> None:
    progress.save(
        model=model.state_dict(),
        average=average.state_dict(),
        optimizer=optimizer.state_dict(),
        mean=mean,
        deviation=deviation,
    )


def load_model(
    out: Path, *, size: denoiser.Size = denoiser.DEFAULT_SIZE, distilled: bool = True
) -> tuple[denoiser.Words2Latents, Tensor, Tensor]:
    """A run's newest text encoder and transformer, averaged, with the latents' mean and deviation.

    The few-step model where there is one and `distilled` says so.
    """
    state = torch.load(out / "dit.pt", weights_only=True)
    model = denoiser.Words2Latents(size)
    few = out / "distil.pt"
    average = torch.load(few, weights_only=True) if distilled and few.exists() else state
    model.load_state_dict(average["average"])
    return model, state["mean"], state["deviation"]


FACTS: Final = {
    "name": "pocket",
    "sizes": [list(size) for size in SIZES],
    "num_frames": FRAMES,
    "frame_rate": drawing.FRAME_RATE,
    "max_sequence_length": denoiser.MAX_WORDS,
    "context_latents": 2,
    "takes_picture": True,
    "takes_last_picture": True,
    "extends": True,
    "longest_seconds": 75,
    "camera": list(words.CAMERA),
}
MANY_STEPS: Final = {"num_inference_steps": 12, "guidance_scale": distil.GUIDANCE}
FEW_STEPS: Final = {"num_inference_steps": distil.STEPS, "guidance_scale": 1.0}


def export(out: Path, *, distilled: bool = True) -> WanPipeline:
    """The newest parts of a run as a pipeline, in `out`/export; undistilled in `out`/teacher."""
    few = distilled and (out / "distil.pt").exists()
    model, mean, deviation = load_model(out, distilled=few)
    pipeline = weights.assemble(
        load_vae(out),
        model,
        mean,
        deviation,
        scheduler_kind="euler" if few else "unipc",
        shift=SAMPLE_SHIFT,
    )
    steps = FEW_STEPS if few else MANY_STEPS
    weights.save(pipeline, out / ("export" if few else "teacher"), {**FACTS, **steps})
    return pipeline


STAGES: Final = {"vae": 0.3, "encode": 0.0, "dit": 0.45, "distil": 0.15, "decoder": 0.1}
"""In their order, with their shares of the minutes of `all`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=[*STAGES, "export", "all"], default="all")
    parser.add_argument("--minutes", type=float, default=200)
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, logs and the result")
    parser.add_argument("--start-from", type=Path, help="a folder with an earlier model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--clips",
        type=int,
        nargs=len(SIZES),
        default=[6_000, 1_500, 1_500],
        help="clips to encode of each size: " + ", ".join(f"{w}x{h}" for w, h in SIZES),
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    parallel.join()
    out, seed = options.out, options.seed
    earlier = weights.load(options.start_from) if options.start_from else None
    for stage in STAGES if options.stage == "all" else [options.stage]:
        minutes = options.minutes * (STAGES[stage] if options.stage == "all" else 1.0)
        match stage:
            case "vae":
                train_vae(out, minutes, seed=seed, earlier=earlier)
            case "encode":
                encode_clips(out, options.clips)
            case "dit":
                train_dit(out, minutes, seed=seed, earlier=earlier)
            case "distil":
                teacher, mean, deviation = load_model(out, distilled=False)
                library = Library(out / "latents")
                library.read_new()
                distil.train(out, minutes, teacher, library, mean, deviation, shift=SAMPLE_SHIFT)
            case "decoder":
                polish_decoder(out, minutes)
    if options.stage not in ("vae", "encode") and parallel.rank() == 0:
        export(out)


if __name__ == "__main__":
    main()
