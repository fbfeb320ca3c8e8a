"""Pocket: the built-in model that turns words into a clip. A miniature of Wan 2.2 TI2V.

Its weights lie beside the code that trained them, with what suits them in `kinora.json`. Where they
are missing there is no such model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.camera import CameraMove
from core.catalog import Cost, Model, Span, Takes, nearest_aspect
from core.prompt import ASPECTS
from core.request import Request
from model.families import wan
from model.family import Frame, Given, Loaded, Step
from model.pocket import facts
from model.pocket.words import CAMERA, count_tokens, heard, understood

WEIGHTS: Final = facts.FOLDER

MOST_PIECES: Final = 4
"""How many trained lengths a clip may have, each going on from the last, where no fact says."""

DRAFT_STEPS: Final = 4

STANDS_FOR: Final = {
    "dolly in": "zoom in",
    "dolly out": "zoom out",
    "crane up": "tilt up",
    "crane down": "tilt down",
}
"""Camera moves that it was not trained on, and the nearest that it may have been."""

AT_REST: Final = "static"
"""The move that needs no words."""


def offered(folder: Path = WEIGHTS) -> tuple[Model, ...]:
    """The catalogue's entry for the weights in `folder`; nothing where there are none."""
    if not (folder / "model_index.json").is_file():
        return ()
    suiting = facts.read(folder)
    rate, steps, sizes = suiting.frame_rate, suiting.num_inference_steps, suiting.sizes
    whole_seconds = round((suiting.num_frames - 1) / rate, 2)
    longest_seconds = suiting.longest_seconds or math.floor(MOST_PIECES * whole_seconds)
    width, height = sizes[0]
    aspects = ASPECTS if len(sizes) > 1 else ("1:1",)
    moves = _moves(suiting.camera)
    tokens = _room(suiting.max_sequence_length)
    return (
        Model(
            name="pocket",
            family="pocket",
            summary="Simple animated scenes from words: a thing or two, their motion, a background",
            licence="Apache-2.0",
            text=True,
            picture=Takes.MAYBE if suiting.takes_picture else Takes.NOTHING,
            last_picture=suiting.takes_last_picture,
            extends=suiting.extends,
            flags=frozenset(
                {"neg", "steps", "guidance", "draft"} | ({"camera"} if moves else set())
            ),
            moves=moves,
            strengths=False,
            seconds=Span(min(1, whole_seconds), longest_seconds, whole_seconds),
            resolutions=("240p", "480p", "720p"),
            resolution="480p",
            frame_rates=(rate,),
            frame_rate=rate,
            credits_per_second=1,
            cost=Cost(fixed=0.5, per_megapixel_frame=0.015),
            aspects=aspects,
            aspect=nearest_aspect(width, height, aspects),
            frame_quantum=4,
            steps=Span(min(4, steps), 50, steps),
            guidance=Span(1, 10, suiting.guidance_scale),
            native=min(width, height),
            understands=lambda prompt: understood(heard(prompt, tokens)),
        ),
    )


def load(name: str) -> Loaded:
    """Raises OSError where the weights are missing."""
    trained = checkpoint()
    return Pocket(wan.load(trained), trained.max_sequence_length)


def checkpoint(folder: Path = WEIGHTS) -> wan.Checkpoint:
    suiting = facts.read(folder)
    return wan.Checkpoint(
        source=str(folder),
        sizes=suiting.sizes,
        num_frames=suiting.num_frames,
        shortest=suiting.num_frames,
        context_latents=suiting.context_latents,
        hold_colour=suiting.hold_colour,
        max_sequence_length=suiting.max_sequence_length,
        draft_steps=DRAFT_STEPS,
        cpu_dtype="bfloat16",
        vae_dtype=None,
    )


class Pocket:
    """`model.family.Loaded`: Wan, that hears of camera moves in words."""

    def __init__(self, drawn: Loaded, max_sequence_length: int) -> None:
        self._drawn = drawn
        self._tokens = _room(max_sequence_length)

    def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
        prompt = with_camera(request.prompt, request.camera, self._tokens)
        return self._drawn.frames(replace(request, prompt=prompt), given, step)


def with_camera(prompt: str, moves: Sequence[CameraMove], tokens: int) -> str:
    """The prompt, and behind it the moves that it does not name yet in words of the training.

    tokens: how many there may be in all; a prompt that leaves no room is cut as `heard` does.

    >>> with_camera("a red ball", [CameraMove("dolly", "in")], 31)
    'a red ball, camera zooms in'
    """
    said = understood(heard(prompt, tokens))
    names = dict.fromkeys(STANDS_FOR.get(str(move), str(move)) for move in moves)
    unsaid = [
        CAMERA[name][0]
        for name in names
        if name in CAMERA and not any(phrase in said for phrase in CAMERA[name])
    ]
    moved = ", ".join(unsaid)
    told = heard(prompt, tokens - count_tokens(f", {moved}" if moved else ""))
    return ", ".join(filter(None, [told, moved]))


def _room(max_sequence_length: int) -> int:
    """How many tokens of a prompt there may be beside the mark of its end."""
    return max_sequence_length - 1


def _moves(trained: Sequence[str]) -> frozenset[str]:
    """Every move that it can make with those it was trained on."""
    nearest = {move for move, like in STANDS_FOR.items() if like in trained}
    return frozenset(trained) | nearest | {AT_REST} if trained else frozenset()


MODELS = offered()
