"""The folder that pocket is shipped as: diffusers' own layout, and its facts beside it.

`WanPipeline.from_pretrained(FOLDER)` loads it; `WanImageToVideoPipeline` too, with a first frame.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanPipeline,
)
from torch import Tensor

from model.pocket import facts
from model.pocket.denoiser import PREDICTION, TRAIN_TIMESTEPS, Words2Latents
from model.pocket.facts import FOLDER, Facts
from model.pocket.latents import Scale

MOST_STEPS: Final = 50
SHIFT: Final = 3.0
"""How many more of the steps are spent near noise; where most of a simple picture is decided."""

PARTS: Final = ("tokenizer", "text_encoder", "vae", "scheduler", "transformer")


def scheduler(kind: str) -> UniPCMultistepScheduler:
    """ "unipc", or "euler" for few steps.

    Both space their steps alike. UniPC of the first order without its corrector is Euler's method.
    """
    order: dict[str, Any] = {}
    if kind == "euler":
        order = {"solver_order": 1, "disable_corrector": list(range(MOST_STEPS))}
    return UniPCMultistepScheduler(
        num_train_timesteps=TRAIN_TIMESTEPS,
        prediction_type=PREDICTION,
        use_flow_sigmas=True,
        flow_shift=SHIFT,
        **order,
    )


def assemble(
    vae: AutoencoderKLWan,
    model: Words2Latents,
    scale: Scale,
    *,
    scheduler_kind: str,
) -> WanPipeline:
    """The pipeline of trained parts; the latents' scale goes into the autoencoder's config."""
    vae.register_to_config(latents_mean=scale.mean.tolist(), latents_std=scale.deviation.tolist())
    return WanPipeline(
        tokenizer=model.tokenizer,
        text_encoder=model.text_encoder.eval(),
        vae=vae.eval(),
        scheduler=scheduler(scheduler_kind),
        transformer=model.transformer.eval(),
        expand_timesteps=True,
    )


def save(pipeline: WanPipeline, folder: Path, suiting: Facts) -> None:
    """Writes a copy of the pipeline in bf16, and its facts."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: copy.deepcopy(part) for name, part in pipeline.components.items()}
    for name in ("text_encoder", "vae", "transformer"):
        for parameter in parts[name].parameters():
            parameter.data = parameter.data.bfloat16()
    half = WanPipeline(**{name: parts[name] for name in PARTS}, expand_timesteps=True)
    half.save_pretrained(folder, safe_serialization=True)
    facts.write(suiting, folder)


def load(folder: Path = FOLDER, dtype: torch.dtype = torch.float32) -> WanPipeline:
    """The pipeline in a folder, by diffusers' own loader."""
    return WanPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)


def digest(state: Mapping[str, Tensor]) -> str:
    """sha256 of a module's `state_dict`, wherever it lies."""
    found = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    """sha256 of every weights file, by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.safetensors"))
    }
