"""Clips as the denoiser sees them: encoded once, kept in memory, captioned anew at every turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from model.pocket import autoencoder, scenes


@dataclass(slots=True)
class LatentClips:
    """Encoded training clips and the scenes they show."""

    raw: Tensor
    """(clips, channels, frames, height, width) bfloat16, as the encoder gives them."""
    shown: list[scenes.Scene]
    mean: Tensor
    """(channels,) over all clips."""
    deviation: Tensor
    """(channels,), the same."""

    def batch(
        self, rng: np.random.Generator, count: int, *, single_frames: bool, without_words: float
    ) -> tuple[Tensor, list[str]]:
        """Normalised latents and fresh captions; a share `without_words` gets an empty one."""
        chosen = rng.integers(len(self.shown), size=count)
        raw = self.raw[torch.from_numpy(chosen)].float()
        if single_frames:
            raw = raw[:, :, :1]
        captions = [
            "" if rng.random() < without_words else scenes.caption(self.shown[index], rng)
            for index in chosen
        ]
        return normalise(raw, self.mean, self.deviation), captions


def normalise(raw: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """As diffusers does with `latents_mean` and `latents_std`: over axis 1."""
    view = (1, -1, 1, 1, 1)
    return (raw - mean.view(view)) / deviation.view(view)


def encode_clips(
    vae: AutoencoderKLWan,
    path: Path,
    *,
    count: int,
    frames: int,
    side: int,
    seed: int = 1,
    chunk: int = 500,
) -> LatentClips:
    """Draws and encodes `count` training clips; chunks already on disk beside `path` are kept."""
    raws, shown = [], []
    for index in range(0, count, chunk):
        part = path.with_name(f"{path.stem}-{index:06d}.pt")
        if not part.exists():
            size = min(chunk, count - index)
            raw, described = _encode_chunk(vae, [seed, index], size, frames, side)
            part.parent.mkdir(parents=True, exist_ok=True)
            torch.save({"raw": raw, "shown": [asdict(scene) for scene in described]}, part)
            print(part.name, flush=True)
        kept = torch.load(part, weights_only=True)
        raws.append(kept["raw"])
        shown += [scenes.Scene(**fields) for fields in kept["shown"]]
    return gather(torch.cat(raws), shown)


def gather(raw: Tensor, shown: Sequence[scenes.Scene]) -> LatentClips:
    flat = raw.float().transpose(0, 1).flatten(1)
    return LatentClips(raw, list(shown), flat.mean(dim=1), flat.std(dim=1))


def _encode_chunk(
    vae: AutoencoderKLWan, seed: Sequence[int], count: int, frames: int, side: int
) -> tuple[Tensor, list[scenes.Scene]]:
    rng = np.random.default_rng(seed)
    described = [scenes.sample_scene(rng) for _ in range(count)]
    raws = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), autoencoder.flat_convolutions():
        for start in range(0, count, 20):
            clips = [
                scenes.draw(scene, frames=frames, height=side, width=side)
                for scene in described[start : start + 20]
            ]
            raws.append(autoencoder.encode(vae, autoencoder.to_pixels(clips)).bfloat16())
    return torch.cat(raws), described
