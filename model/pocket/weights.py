"""The folder that pocket is shipped as: diffusers' own layout, and a table of facts beside it.

`WanPipeline.from_pretrained(FOLDER)` loads it; `WanImageToVideoPipeline` too, with a first frame.
"""

from __future__ import annotations

import copy
import hashlib
import json
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

from model.pocket.denoiser import TRAIN_TIMESTEPS, Words2Latents

FOLDER: Final = Path(__file__).parent / "weights"
"""The shipped weights."""

MOST_STEPS: Final = 50

PARTS: Final = ("tokenizer", "text_encoder", "vae", "scheduler", "transformer")


def scheduler(kind: str, shift: float) -> UniPCMultistepScheduler:
    """ "unipc", or "euler" for few steps; `shift` spends more of the steps near noise.

    Both space their steps alike. UniPC of the first order without its corrector is Euler's method.
    """
    order: dict[str, Any] = {}
    if kind == "euler":
        order = {"solver_order": 1, "disable_corrector": list(range(MOST_STEPS))}
    return UniPCMultistepScheduler(
        num_train_timesteps=TRAIN_TIMESTEPS,
        prediction_type="v_prediction",
        use_flow_sigmas=True,
        flow_shift=shift,
        **order,
    )


def assemble(
    vae: AutoencoderKLWan,
    model: Words2Latents,
    mean: Tensor,
    deviation: Tensor,
    *,
    scheduler_kind: str,
    shift: float,
) -> WanPipeline:
    """The pipeline of trained parts; the latent statistics go into the autoencoder's config."""
    vae.register_to_config(
        latents_mean=[float(x) for x in mean], latents_std=[float(x) for x in deviation]
    )
    return WanPipeline(
        tokenizer=model.tokenizer,
        text_encoder=model.text_encoder.eval(),
        vae=vae.eval(),
        scheduler=scheduler(scheduler_kind, shift),
        transformer=model.transformer.eval(),
        expand_timesteps=True,
    )


def save(pipeline: WanPipeline, folder: Path, facts: Mapping[str, Any]) -> None:
    """Writes a copy of the pipeline in bf16, and `facts` as kinora.json."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: copy.deepcopy(part) for name, part in pipeline.components.items()}
    for name in ("text_encoder", "vae", "transformer"):
        for parameter in parts[name].parameters():
            parameter.data = parameter.data.bfloat16()
    half = WanPipeline(**{name: parts[name] for name in PARTS}, expand_timesteps=True)
    half.save_pretrained(folder, safe_serialization=True)
    (folder / "kinora.json").write_text(json.dumps(dict(facts), indent=2) + "\n")


def load(folder: Path = FOLDER, dtype: torch.dtype = torch.float32) -> WanPipeline:
    """The pipeline in a folder, by diffusers' own loader."""
    return WanPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)


def checksums(folder: Path) -> dict[str, str]:
    """sha256 of every weights file, by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.safetensors"))
    }


def facts(folder: Path = FOLDER) -> dict[str, Any]:
    """kinora.json: native sizes, frames, rate, steps and guidance that suit these weights."""
    table: dict[str, Any] = json.loads((folder / "kinora.json").read_text())
    return table
