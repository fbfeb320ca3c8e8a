"""Pocket: the built-in model that turns words into a clip. A miniature of Wan 2.2 TI2V.

Its weights lie beside the code that trained them, with what suits them in `kinora.json`. Where they
are missing there is no such model.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from core.catalog import Cost, Model, Span, Takes
from model.families import wan
from model.family import Loaded
from model.pocket.words import understood

WEIGHTS: Final = Path(__file__).parents[1] / "pocket" / "weights"

MOST_PIECES: Final = 4
"""How many trained lengths a clip may have, each going on from the last, where no fact says."""

DRAFT_STEPS: Final = 4


def offered(folder: Path = WEIGHTS) -> tuple[Model, ...]:
    """The catalogue's entry for the weights in `folder`; nothing where there are none.

    kinora.json has `sizes` (width and height in pixels), `num_frames`, `frame_rate`,
    `num_inference_steps`, `guidance_scale` and `max_sequence_length`; and where they were judged
    good enough `takes_picture`, `extends` and `longest_seconds`.
    """
    if not (folder / "model_index.json").is_file():
        return ()
    facts = _facts(folder)
    rate = facts["frame_rate"]
    whole_seconds = round((facts["num_frames"] - 1) / rate, 2)
    longest_seconds = facts.get("longest_seconds", math.floor(MOST_PIECES * whole_seconds))
    width, height = facts["sizes"][0]
    return (
        Model(
            name="pocket",
            family="pocket",
            summary="Simple animated scenes from words: one thing, its colour, motion, background",
            licence="Apache-2.0",
            text=True,
            picture=Takes.MAYBE if facts.get("takes_picture") else Takes.NOTHING,
            extends=facts.get("extends", False),
            flags=frozenset({"neg", "steps", "guidance", "draft"}),
            seconds=Span(min(1, whole_seconds), longest_seconds, whole_seconds),
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
            understands=understood,
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
