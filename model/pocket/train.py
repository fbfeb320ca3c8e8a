"""Trains pocket: `python -m model.pocket.train --stage all --minutes 200 --out DIR`.

The autoencoder first (pictures, then clips); then clips are encoded once; then words and motion;
then the few-step model is distilled from it; last the decoder alone. Every stage takes up its own
checkpoint again and ends when its minutes are spent, so a run can be stopped at any time and taken
up later. `--start-from` begins with the parts of an earlier model, such as the one that is shipped.
On a GPU where torch sees one, else on the processor; what one has kept the other takes up.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from diffusers import WanPipeline

from model.pocket import (
    autoencoder_training,
    batches,
    checkpoints,
    denoiser,
    denoiser_training,
    distil,
    hardware,
    latents,
    parallel,
    weights,
)

STAGES: Final = {"vae": 0.3, "encode": 0.0, "dit": 0.45, "distil": 0.15, "decoder": 0.1}
"""In their order, with their shares of the minutes of `all`."""


def train(
    out: Path,
    minutes: Mapping[str, float],
    clips: Mapping[latents.Size, int],
    *,
    seed: int = 0,
    earlier: WanPipeline | None = None,
    compiled: bool = False,
    shares: Mapping[latents.Size, float] = batches.SIZE_SHARES,
    size: denoiser.Size = denoiser.DEFAULT_SIZE,
    device: torch.device = hardware.PROCESSOR,
) -> None:
    """The stages that `minutes` names, in its order; their checkpoints are in `out`.

    clips: how many of each size to encode. shares: how often each size is seen.
    """
    for stage, planned in minutes.items():
        match stage:
            case "vae":
                autoencoder_training.train(
                    out, planned, seed=seed, earlier=earlier, sizes=shares, device=device
                )
            case "encode":
                vae = checkpoints.load_vae(out).requires_grad_(False).to(device)
                latents.encode_clips(vae, out / "latents", clips)
            case "dit":
                denoiser_training.train(
                    out, planned, seed=seed, size=size, earlier=earlier, compiled=compiled,
                    shares=shares, device=device,
                )  # fmt: skip
            case "distil":
                teacher, scale = checkpoints.load_teacher(out, size)
                distil.train(out, planned, teacher.to(device), scale, shares=shares)
            case "decoder":
                autoencoder_training.polish_decoder(out, planned, sizes=shares, device=device)
        parallel.meet()


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError("give a number of minutes above 0")
    return minutes


def main() -> None:
    sizes = list(batches.SIZE_SHARES)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=[*STAGES, "export", "all"], default="all")
    parser.add_argument("--minutes", type=_minutes, default=200)
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, logs and the result")
    parser.add_argument("--start-from", type=Path, help="a folder with an earlier model")
    parser.add_argument(
        "--device", help="cpu, cuda or cuda:N; a GPU where torch sees one, else the processor"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile the transformer for the dit stage: worth its minutes in a run of hours",
    )
    parser.add_argument(
        "--clips",
        type=int,
        nargs=len(sizes),
        default=[6_000, 1_500, 1_500],
        help="clips to encode of each size: " + ", ".join(f"{w}x{h}" for w, h in sizes),
    )
    options = parser.parse_args()
    stages = {options.stage: 1.0} if options.stage != "all" else STAGES
    torch.set_num_threads(options.threads)
    try:
        device = hardware.choose(
            options.device,
            gpus=torch.cuda.device_count(),
            process=int(os.environ.get("LOCAL_RANK", "0")),
        )
    except ValueError as refused:
        parser.error(f"--device: {refused}")
    with parallel.joined(device):
        train(
            options.out,
            {stage: share * options.minutes for stage, share in stages.items()},
            dict(zip(sizes, options.clips, strict=True)),
            seed=options.seed,
            earlier=weights.load(options.start_from) if options.start_from else None,
            compiled=options.compile,
            device=device,
        )
        if options.stage not in ("vae", "encode") and parallel.rank() == 0:
            checkpoints.export(options.out)


if __name__ == "__main__":
    main()
