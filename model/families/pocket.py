"""Pocket: the built-in model that turns words into a clip. A miniature of Wan 2.2 TI2V.

Its weights lie beside the code that trained them, with what suits them in `kinora.json`. Where they
are missing there is no such model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from core.catalog import Cost, Model, Span, Takes
from model.families import wan
from model.family import Loaded

WEIGHTS: Final = Path(__file__).parents[1] / "pocket" / "weights"

LONGEST_SECONDS: Final = 6.0
DRAFT_STEPS: Final = 6


def offered(folder: Path = WEIGHTS) -> tuple[Model, ...]:
    """The catalogue's entry for the weights in `folder`; nothing where there are none."""
    if not (folder / "model_index.json").is_file():
        return ()
    facts = _facts(folder)
    rate = facts["frame_rate"]
    whole_seconds = (facts["num_frames"] - 1) / rate
    width, height = facts["sizes"][0]
    return (
        Model(
            name="pocket",
            family="pocket",
            summary="Simple animated scenes from words: one thing, its colour, motion, background",
            licence="Apache-2.0",
            text=True,
            picture=Takes.NOTHING,
            extends=False,
            flags=frozenset({"neg", "steps", "guidance", "draft"}),
            seconds=Span(whole_seconds, LONGEST_SECONDS, whole_seconds),
            resolutions=("240p", "480p", "720p"),
            resolution="480p",
            frame_rates=(rate,),
            frame_rate=rate,
            credits_per_second=1,
            cost=Cost(fixed=1.0, per_megapixel_frame=0.05),
            aspects=("1:1",),
            aspect="1:1",
            frame_quantum=4,
            steps=Span(4, 50, facts["num_inference_steps"]),
            guidance=Span(1, 10, facts["guidance_scale"]),
            native=min(width, height),
        ),
    )


def load(name: str) -> Loaded:
    """Raises OSError where the weights are missing."""
    return wan.load(checkpoint())


def checkpoint(folder: Path = WEIGHTS) -> wan.Checkpoint:
    facts = _facts(folder)
    return wan.Checkpoint(
        source=str(folder),
        sizes=tuple((width, height) for width, height in facts["sizes"]),
        num_frames=facts["num_frames"],
        shortest=facts["num_frames"],
        max_sequence_length=facts["max_sequence_length"],
        draft_steps=DRAFT_STEPS,
    )


def _facts(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / "kinora.json").read_text())
    return facts


MODELS = offered()
