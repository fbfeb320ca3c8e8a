"""Clips as the denoiser sees them: encoded once, kept on disk in chunks, captioned anew each time.

There are three kinds of clip. An *opening* starts with the latent of its first frame. One that
*goes on* lies in the midst of a longer clip. An *ending* opens, and its last latent is that of a
picture standing still, as it is when a last frame is given.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from model.pocket import autoencoder, drawing, hardware, parallel, scenes
from model.pocket.autoencoder import FRAMES_PER_LATENT

Size: TypeAlias = tuple[int, int]
"""Width and height in pixels."""

CHUNK: Final = 100
"""Clips in a file."""
FRAMES: Final = 17
LATENT_FRAMES: Final = 1 + (FRAMES - 1) // FRAMES_PER_LATENT
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


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and deviation of each channel of raw latents, (channels,)."""

    mean: Tensor
    deviation: Tensor

    def normalise(self, raw: Tensor) -> Tensor:
        """As diffusers does with `latents_mean` and `latents_std`: over axis 1."""
        view = (1, -1, 1, 1, 1)
        return (raw - self.mean.view(view)) / self.deviation.view(view)


@dataclass(slots=True)
class Library:
    """The chunks in a folder that were read so far, by size and kind; all processes have the same.

    Sizes that are not in `sizes` are left aside.
    """

    folder: Path
    sizes: Collection[Size]
    shelves: dict[Size, dict[Kind, list[Chunk]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _read: set[Path] = field(default_factory=set)

    def read_new(self) -> int:
        """Take in the chunks that were written since. Gives the number of clips in all."""
        for path in parallel.told(sorted(self.folder.glob("*x*-*.pt"))):
            width, height = (int(side) for side in path.stem.split("-")[0].split("x"))
            if path in self._read or (width, height) not in self.sizes:
                continue
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

    def scale(self) -> Scale:
        """Over what was read. Raises LookupError where that is nothing."""
        if not self._read:
            raise LookupError(f"no clips in {self.folder}: encode some first")
        flat = torch.cat(
            [
                chunk.raw.float().transpose(0, 1).flatten(1)
                for kinds in self.shelves.values()
                for chunks in kinds.values()
                for chunk in chunks[:20]
            ],
            dim=1,
        )
        return Scale(flat.mean(dim=1), flat.std(dim=1))

    def batch(
        self, rng: np.random.Generator, size: Size, kind: Kind, count: int
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


def encode_clips(
    vae: AutoencoderKLWan, folder: Path, counts: Mapping[Size, int], *, seed: int = 1
) -> None:
    """Draw and encode clips until so many of each size lie in the folder, the sizes by turns.

    What is there already is kept, so this can be stopped and taken up again. Every process writes
    its share of the files.
    """
    wanted = [
        (index, size) for size, count in counts.items() for index in range(-(-count // CHUNK))
    ]
    for index, size in parallel.share(sorted(wanted, key=lambda chunk: chunk[0])):
        path = folder / f"{size[0]}x{size[1]}-{index:05d}.pt"
        if not path.exists():
            kind = KINDS[index % len(KINDS)]
            save_chunk(path, encode_chunk(vae, [seed, *size, index], kind, size, CHUNK))


def save_chunk(path: Path, chunk: Chunk) -> None:
    """The file's name says the size: WIDTHxHEIGHT-NUMBER.pt."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    described = [asdict(scene) for scene in chunk.shown]
    torch.save({"kind": str(chunk.kind), "raw": chunk.raw, "shown": described}, fresh)
    fresh.replace(path)


def encode_chunk(
    vae: AutoencoderKLWan, seed: Sequence[int], kind: Kind, size: Size, count: int
) -> Chunk:
    rng = np.random.default_rng([*seed, zlib.crc32(kind.encode())])
    described = [scenes.sample_scene(rng) for _ in range(count)]
    raws = []
    with torch.no_grad(), hardware.autocast(vae.device), autoencoder.flat_convolutions():
        for start in range(0, count, 10):
            some = described[start : start + 10]
            raws.append(_encode(vae, rng, kind, size, some).bfloat16().cpu())
    return Chunk(kind, torch.cat(raws), tuple(described))


def _encode(
    vae: AutoencoderKLWan,
    rng: np.random.Generator,
    kind: Kind,
    size: Size,
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
        return autoencoder.encode(vae, autoencoder.to_pixels(clips).to(vae.device))[:, :, 1:]
    clips = [drawing.draw(scene, frames=FRAMES, height=height, width=width) for scene in described]
    raw = autoencoder.encode(vae, autoencoder.to_pixels(clips).to(vae.device))
    if kind is Kind.ENDING:
        pictures = [clip[[-FRAMES_PER_LATENT]] for clip in clips]
        raw[:, :, -1] = autoencoder.encode_still(
            vae, autoencoder.to_pixels(pictures).to(vae.device)
        )[:, :, 0]
    return raw


def _read_chunk(path: Path) -> Chunk:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    shown = tuple(scenes.Scene.from_dict(fields) for fields in kept["shown"])
    return Chunk(Kind(kept["kind"]), kept["raw"], shown)
