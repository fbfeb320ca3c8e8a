"""Clips as the denoiser sees them: encoded once, kept on disk in chunks, captioned anew each time.

There are three kinds of clip. An *opening* starts with the latent of its first frame. One that
*goes on* lies in the midst of a longer clip. An *ending* opens, and its last latent is that of a
picture standing still, as it is when a last frame is given.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from model.pocket import autoencoder, drawing, scenes
from model.pocket.autoencoder import FRAMES_PER_LATENT

CHUNK: Final = 100
"""Clips in a file."""
FRAMES: Final = 17
LATEST_START: Final = 400
"""Frames that may have gone by before a clip that goes on: 50 s."""


class Kind(StrEnum):
    OPENING = "opening"
    GOING_ON = "going-on"
    ENDING = "ending"


KINDS: Final = (Kind.OPENING,) * 7 + (Kind.GOING_ON,) * 2 + (Kind.ENDING,)
"""One of these for each chunk in turn."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """raw: (clips, channels, latent frames, height, width) bfloat16, as the encoder gives them."""

    kind: Kind
    raw: Tensor
    shown: tuple[scenes.Scene, ...]


@dataclass(slots=True)
class Library:
    """The chunks in a folder that were read so far, by size in pixels (width, height) and kind."""

    folder: Path
    shelves: dict[tuple[int, int], dict[Kind, list[Chunk]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _read: set[Path] = field(default_factory=set)

    def read_new(self) -> int:
        """Take in the chunks that were written since. Gives the number of clips in all."""
        for path in sorted(self.folder.glob("*x*-*.pt")):
            if path not in self._read:
                width, height = (int(side) for side in path.stem.split("-")[0].split("x"))
                chunk = _read_chunk(path)
                self.shelves[width, height][chunk.kind].append(chunk)
                self._read.add(path)
        return sum(self.counts().values())

    def counts(self) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for (width, height), kinds in self.shelves.items():
            for kind, chunks in kinds.items():
                counts[f"{width}x{height} {kind}"] += sum(len(chunk.shown) for chunk in chunks)
        return counts

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each channel, (channels,), over all that was read."""
        flat = torch.cat(
            [
                chunk.raw.float().transpose(0, 1).flatten(1)
                for kinds in self.shelves.values()
                for chunks in kinds.values()
                for chunk in chunks[:20]
            ],
            dim=1,
        )
        return flat.mean(dim=1), flat.std(dim=1)

    def batch(
        self, rng: np.random.Generator, size: tuple[int, int], kind: Kind, count: int
    ) -> tuple[Tensor, list[scenes.Scene]]:
        """Raw latents (count, channels, frames, height, width) float32 and what they show.

        Raises LookupError where there is no such clip.
        """
        chunks = self.shelves[size][kind]
        if not chunks:
            raise LookupError(f"no {kind} clips of {size[0]}x{size[1]} in {self.folder}")
        raws, shown = [], []
        for _ in range(count):
            chunk = chunks[int(rng.integers(len(chunks)))]
            place = int(rng.integers(len(chunk.shown)))
            raws.append(chunk.raw[place])
            shown.append(chunk.shown[place])
        return torch.stack(raws).float(), shown


def normalise(raw: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """As diffusers does with `latents_mean` and `latents_std`: over axis 1."""
    view = (1, -1, 1, 1, 1)
    return (raw - mean.view(view)) / deviation.view(view)


def write_chunks(
    vae: AutoencoderKLWan, folder: Path, size: tuple[int, int], count: int, *, seed: int = 1
) -> Iterator[int]:
    """Draw and encode clips until `count` of that size lie in the folder; gives how many there are.

    What is there already is kept, so this can be stopped and taken up again.
    """
    width, height = size
    for index in range(-(-count // CHUNK)):
        path = folder / f"{width}x{height}-{index:05d}.pt"
        if not path.exists():
            chunk = encode_chunk(
                vae, [seed, width, height, index], KINDS[index % len(KINDS)], size, CHUNK
            )
            save_chunk(path, chunk)
        yield (index + 1) * CHUNK


def save_chunk(path: Path, chunk: Chunk) -> None:
    """The file's name says the size: WIDTHxHEIGHT-NUMBER.pt."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    described = [asdict(scene) for scene in chunk.shown]
    torch.save({"kind": str(chunk.kind), "raw": chunk.raw, "shown": described}, fresh)
    fresh.replace(path)


def encode_chunk(
    vae: AutoencoderKLWan, seed: Sequence[int], kind: Kind, size: tuple[int, int], count: int
) -> Chunk:
    rng = np.random.default_rng([*seed, zlib.crc32(kind.encode())])
    described = [scenes.sample_scene(rng) for _ in range(count)]
    raws = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), autoencoder.flat_convolutions():
        for start in range(0, count, 10):
            some = described[start : start + 10]
            raws.append(_encode(vae, rng, kind, size, some).bfloat16())
    return Chunk(kind, torch.cat(raws), tuple(described))


def _encode(
    vae: AutoencoderKLWan,
    rng: np.random.Generator,
    kind: Kind,
    size: tuple[int, int],
    described: Sequence[scenes.Scene],
) -> Tensor:
    width, height = size
    if kind is Kind.GOING_ON:
        starts = FRAMES_PER_LATENT * rng.integers(1, LATEST_START // 4, size=len(described))
        longer = FRAMES + FRAMES_PER_LATENT
        clips = [
            drawing.draw(scene, frames=longer, height=height, width=width, offset=int(start))
            for scene, start in zip(described, starts, strict=True)
        ]
        return autoencoder.encode(vae, autoencoder.to_pixels(clips))[:, :, 1:]
    clips = [drawing.draw(scene, frames=FRAMES, height=height, width=width) for scene in described]
    raw = autoencoder.encode(vae, autoencoder.to_pixels(clips))
    if kind is Kind.ENDING:
        pictures = [clip[[-FRAMES_PER_LATENT]] for clip in clips]
        raw[:, :, -1] = autoencoder.encode_still(vae, autoencoder.to_pixels(pictures))[:, :, 0]
    return raw


def _read_chunk(path: Path) -> Chunk:
    kept = torch.load(path, weights_only=True)
    shown = tuple(scenes.Scene.from_dict(fields) for fields in kept["shown"])
    return Chunk(Kind(kept["kind"]), kept["raw"], shown)
