"""What suits a set of weights, as kinora.json beside them says. Knows nothing of torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "weights"
"""The shipped weights."""

_FILE: Final = "kinora.json"


@dataclass(frozen=True, slots=True)
class Facts:
    """How these weights were trained and what they were judged good enough for.

    sizes: widths and heights in pixels, the usual one first. num_frames: how many at once, 4n + 1.
    max_sequence_length: tokens of a prompt, its end mark included.
    context_latents: how many latents a window takes over from the one before it.
    longest_seconds: of a clip made by continuation; None: a few trained lengths.
    camera: moves, as in `words.CAMERA`.
    hold_colour: how far, 0 to 1, each window's border is moved back to the colours of the first.
    """

    sizes: tuple[tuple[int, int], ...]
    num_frames: int
    frame_rate: int
    num_inference_steps: int
    guidance_scale: float
    max_sequence_length: int
    name: str = "pocket"
    context_latents: int = 0
    takes_picture: bool = False
    takes_last_picture: bool = False
    extends: bool = False
    longest_seconds: float | None = None
    camera: tuple[str, ...] = ()
    hold_colour: float = 0.0


def read(folder: Path = FOLDER) -> Facts:
    """Raises OSError where there is no such file, TypeError for what is not a fact."""
    table: dict[str, Any] = json.loads((folder / _FILE).read_text())
    sizes = tuple((int(width), int(height)) for width, height in table.pop("sizes"))
    return Facts(sizes=sizes, camera=tuple(table.pop("camera", ())), **table)


def write(facts: Facts, folder: Path) -> None:
    (folder / _FILE).write_text(json.dumps(asdict(facts), indent=2) + "\n")
