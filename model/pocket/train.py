"""Trains pocket from nothing: `python -m model.pocket.train --stage all --minutes 100 --out DIR`.

First the autoencoder (single frames, then clips), then words and motion. Every stage takes up its
own checkpoint again, and ends when its minutes are spent.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from torch import Tensor

from model.pocket import autoencoder, denoiser, latents, scenes, weights
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress, set_rate

SIDE = 96
"""Pixels a side of the training frames."""
CLIP_FRAMES = 9
FRAME_RATE = 6

VAE_SHARE = 0.4
VAE_RATE = 3e-3
DECODER_SHARE = 0.07
DECODER_RATE = 1e-3
SINGLE_FRAMES_UNTIL = 0.24
"""Share of the autoencoder's minutes that see single frames only."""

LATENT_NOISE = 0.05
"""Roughness of the latents, as a share of their deviation, in the last part of that training."""

DIT_RATE = 4e-3
TIME_SHIFT = 3.0
"""Training times lean towards noise: most of a simple picture is decided there."""
SAMPLE_SHIFT = 3.0
SINGLE_LATENTS_UNTIL = 0.3
"""Share of the denoiser's minutes that see first frames only."""
AVERAGE_KEEPS = 0.995


def draw_batch(
    rng: np.random.Generator, count: int, frames: int, side: int, *, held_out: bool = False
) -> Tensor:
    """(count, 3, frames, side, side) in −1…1."""
    drawn = [
        scenes.draw(
            scenes.sample_scene(rng, held_out=held_out),
            frames=frames,
            height=side,
            width=side,
            offset=int(rng.integers(scenes.BOUNCE_FRAMES)),
        )
        for _ in range(count)
    ]
    return autoencoder.to_pixels(drawn)


def draw_single_frames(rng: np.random.Generator, count: int, side: int) -> Tensor:
    """(count, 3, 1, side, side): one frame from anywhere in a clip, so that all places occur."""
    drawn = []
    for _ in range(count):
        clip = scenes.draw(scenes.sample_scene(rng), frames=3, height=side, width=side)
        drawn.append(clip[[int(rng.integers(3))]])
    return autoencoder.to_pixels(drawn)


def measure_psnr(vae: AutoencoderKLWan, pixels: Tensor) -> float:
    with torch.no_grad():
        latents = autoencoder.encode(vae, pixels)
        return autoencoder.psnr_db(autoencoder.decode_unclamped(vae, latents), pixels)


def train_vae(out: Path, minutes: float, *, seed: int = 0) -> AutoencoderKLWan:
    torch.manual_seed(seed)
    progress = Progress(out / "vae.pt", minutes)
    vae = autoencoder.build()
    parameters = list(vae.parameters())
    optimizer = Muon(parameters, rate=VAE_RATE)
    if state := progress.resume():
        vae.load_state_dict(state["vae"])
        optimizer.load_state_dict(state["optimizer"])
    rng = np.random.default_rng([seed, progress.step])
    pictures = draw_batch(np.random.default_rng(99), 32, 1, 96, held_out=True)
    clips = draw_batch(np.random.default_rng(98), 6, 9, 96, held_out=True)
    last_report = progress.elapsed_s
    with autoencoder.flat_convolutions():
        while progress.fraction < 1:
            set_rate(optimizer, progress.rate(VAE_RATE))
            moving = progress.fraction > SINGLE_FRAMES_UNTIL and progress.step % 3 != 0
            if moving:
                frames = int(rng.choice([5, 9]))
                pixels = draw_batch(rng, 20 // frames, frames, 96)
            else:
                side = int(rng.choice([96, 96, 96, 64, 128]))
                pixels = draw_single_frames(rng, 12 * 96**2 // side**2, side)
            with torch.autocast("cpu", torch.bfloat16):
                loss = autoencoder.reconstruction_loss(
                    vae, pixels, LATENT_NOISE if moving and progress.fraction > 0.85 else 0.0
                )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            progress.step += 1
            if progress.elapsed_s - last_report > 60:
                last_report = progress.elapsed_s
                progress.log(
                    loss=loss.item(),
                    pictures_db=measure_psnr(vae, pictures),
                    clips_db=measure_psnr(vae, clips),
                )
            if progress.due(120):
                progress.save(vae=vae.state_dict(), optimizer=optimizer.state_dict())
    progress.save(vae=vae.state_dict(), optimizer=optimizer.state_dict())
    return vae


def polish_decoder(out: Path, minutes: float, *, seed: int = 2) -> AutoencoderKLWan:
    """Trains the decoder alone a while longer; latents, and so the denoiser, stay as they are."""
    torch.manual_seed(seed)
    progress = Progress(out / "decoder.pt", minutes)
    vae = load_vae(out).requires_grad_(False)
    parameters = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = Muon(parameters, rate=DECODER_RATE)
    if state := progress.resume():
        optimizer.load_state_dict(state["optimizer"])
    rng = np.random.default_rng([seed, progress.step])
    clips = draw_batch(np.random.default_rng(98), 6, CLIP_FRAMES, SIDE, held_out=True)
    with autoencoder.flat_convolutions():
        while progress.fraction < 1:
            set_rate(optimizer, progress.rate(DECODER_RATE, warmup_steps=20, hold=0.3))
            frames = int(rng.choice([1, 5, 9]))
            pixels = draw_batch(rng, 20 // frames, frames, SIDE)
            with torch.autocast("cpu", torch.bfloat16):
                loss = autoencoder.reconstruction_loss(vae, pixels, LATENT_NOISE)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            progress.step += 1
            if progress.step % 100 == 0:
                progress.log(loss=loss.item(), clips_db=measure_psnr(vae, clips))
    progress.save(vae=vae.state_dict(), optimizer=optimizer.state_dict())
    return vae


def load_vae(out: Path) -> AutoencoderKLWan:
    """The autoencoder of a run, with the polished decoder where there is one."""
    vae = autoencoder.build()
    polished = out / "decoder.pt"
    path = polished if polished.exists() else out / "vae.pt"
    vae.load_state_dict(torch.load(path, weights_only=True)["vae"])
    return vae


def train_dit(
    out: Path,
    minutes: float,
    vae: AutoencoderKLWan,
    *,
    seed: int = 0,
    clips: int = 6_000,
    size: denoiser.Size = denoiser.DEFAULT_SIZE,
    batch: int = 32,
    report_every_s: float = 60,
) -> WanPipeline:
    """Text encoder and transformer together, on cached latents: single frames first, then clips."""
    torch.manual_seed(seed)
    cache = latents.encode_clips(
        vae, out / "latents" / "clips.pt", count=clips, frames=CLIP_FRAMES, side=SIDE
    )
    progress = Progress(out / "dit.pt", minutes)
    model = denoiser.Words2Latents(size)
    average = copy.deepcopy(model)
    optimizer = Muon(
        model.parameters(), rate=DIT_RATE, plain=plain_parameters(model), weight_decay=0.01
    )
    if state := progress.resume():
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    rng = np.random.default_rng([seed, progress.step])
    last_report, losses = progress.elapsed_s, []
    while progress.fraction < 1:
        set_rate(optimizer, progress.rate(DIT_RATE, warmup_steps=30, hold=0.6))
        single = progress.fraction < SINGLE_LATENTS_UNTIL or rng.random() < 0.05
        pictures, captions = cache.batch(
            rng, batch * 2 if single else batch, single_frames=single, without_words=0.1
        )
        times = denoiser.sample_times(len(captions), shift=TIME_SHIFT)
        given_first = not single and rng.random() < 0.3
        loss = model.flow_loss(pictures, captions, given_first, times)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        progress.step += 1
        track(average, model, min(AVERAGE_KEEPS, progress.step / (progress.step + 10)))
        losses.append(loss.item())
        if progress.elapsed_s - last_report > report_every_s:
            last_report = progress.elapsed_s
            progress.log(loss=float(np.mean(losses)), single=float(single))
            losses.clear()
        if progress.due(120):
            _save_dit(progress, model, average, optimizer, cache)
    _save_dit(progress, model, average, optimizer, cache)
    return weights.assemble(
        vae, average, cache.mean, cache.deviation, scheduler_kind="unipc", shift=SAMPLE_SHIFT
    )


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
    cache: latents.LatentClips,
) -> None:
    progress.save(
        model=model.state_dict(),
        average=average.state_dict(),
        optimizer=optimizer.state_dict(),
        mean=cache.mean,
        deviation=cache.deviation,
    )


def load(out: Path, *, size: denoiser.Size = denoiser.DEFAULT_SIZE) -> WanPipeline:
    """The pipeline of a run's newest checkpoints, averaged weights."""
    vae = load_vae(out)
    state = torch.load(out / "dit.pt", weights_only=True)
    model = denoiser.Words2Latents(size)
    model.load_state_dict(state["average"])
    return weights.assemble(
        vae, model, state["mean"], state["deviation"], scheduler_kind="unipc", shift=SAMPLE_SHIFT
    )


FACTS = {
    "name": "pocket",
    "sizes": [[SIDE, SIDE]],
    "num_frames": CLIP_FRAMES,
    "frame_rate": FRAME_RATE,
    "num_inference_steps": 8,
    "guidance_scale": 2.0,
    "max_sequence_length": denoiser.MAX_WORDS,
    "shift": SAMPLE_SHIFT,
    "takes_picture": False,
    "extends": False,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--stage", choices=["vae", "dit", "decoder", "export", "all"], default="all"
    )
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, logs and the result")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=6_000, help="training clips to encode")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.stage in ("vae", "all"):
        share = 1.0 if options.stage == "vae" else VAE_SHARE
        train_vae(options.out, options.minutes * share, seed=options.seed)
    if options.stage in ("dit", "all"):
        share = 1.0 if options.stage == "dit" else 1 - VAE_SHARE - DECODER_SHARE
        vae = load_vae(options.out).requires_grad_(False)
        train_dit(options.out, options.minutes * share, vae, seed=options.seed, clips=options.clips)
    if options.stage in ("decoder", "all"):
        share = 1.0 if options.stage == "decoder" else DECODER_SHARE
        polish_decoder(options.out, options.minutes * share)
    if options.stage != "vae":
        weights.save(load(options.out), options.out / "export", FACTS)


if __name__ == "__main__":
    main()
