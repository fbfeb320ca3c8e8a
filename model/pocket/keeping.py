"""How clips keep to the frames that they are given, and minutes to their colours.

Clips are drawn as people get them, not by diffusers' own pipeline.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from core.request import Request
from model.family import NOTHING_GIVEN, Frame, Given, Loaded
from model.pocket import drawing, sheets, sight
from model.pocket.asked import asked_of, plain_scenes
from model.pocket.facts import Facts
from model.pocket.verdict import verdict

MINUTE_S: Final = 60
REPEATING: Final = ("bounce", "orbit", "swing", "spin")
"""Motions that a minute may be full of."""
SHOWN: Final = 24
"""Clips on the contact sheet."""


def given_pictures(
    drawn: Loaded, suiting: Facts, out: Path, *, clips: int, seed: int
) -> dict[str, float]:
    """How clips keep to a first and a last picture; given.png goes to `out`.

    "first_db": PSNR of the first frame against the picture given for it; "motion": share of these
    clips that go on as asked; "last_db": the PSNR of the last frame, where a last one is given too.
    """
    out.mkdir(parents=True, exist_ok=True)
    (width, height), frames = suiting.sizes[0], suiting.num_frames
    first_db: list[float] = []
    last_db: list[float] = []
    motions: list[bool] = []
    sheet = []
    with tempfile.TemporaryDirectory() as scratch:
        first, last = Path(scratch, "first.png"), Path(scratch, "last.png")
        for index, scene in enumerate(plain_scenes(clips, seed)):
            asked = asked_of(scene, "one")
            shown = drawing.draw(scene, frames=frames, height=height, width=width)
            Image.fromarray(shown[0]).save(first)
            Image.fromarray(shown[-1]).save(last)
            begun = np.stack(_film(drawn, suiting, asked.prompt, index, frames, Given(first)))
            ended = np.stack(_film(drawn, suiting, asked.prompt, index, frames, Given(first, last)))
            first_db.append(sight.first_frame_db(begun, shown[0]))
            motions.append(verdict(asked, sight.look(begun))["motion"])
            last_db.append(sight.first_frame_db(ended[::-1], shown[-1]))
            sheet += [(f"given the first: {asked.prompt}", begun), ("given both", ended)]
    sheets.contact_sheet(sheet[: 2 * SHOWN]).save(out / "given.png")
    return {
        "first_db": float(np.mean(first_db)),
        "motion": float(np.mean(motions)),
        "last_db": float(np.mean(last_db)),
    }


def minutes(drawn: Loaded, suiting: Facts, *, count: int, seed: int) -> dict[str, float]:
    """How minutes made by continuation keep their colours.

    "minute_drift": the most that a border's colour moves, 0…1; "minute_kept": share of minutes that
    still show the asked colour and background at their end.
    """
    drifts, kept = [], []
    for index, scene in enumerate(plain_scenes(count, seed, REPEATING)):
        asked = asked_of(scene, "one")
        frames = MINUTE_S * suiting.frame_rate + 1
        film = _film(drawn, suiting, asked.prompt, index, frames, NOTHING_GIVEN)
        drifts.append(sight.border_drift(film, frame_rate=suiting.frame_rate))
        right = verdict(asked, sight.look(np.stack(film[-suiting.num_frames :])))
        kept.append(right["colour"] and right["background"])
    return {"minute_drift": max(drifts), "minute_kept": float(np.mean(kept))}


def _film(
    drawn: Loaded, suiting: Facts, prompt: str, seed: int, frames: int, given: Given
) -> list[Frame]:
    width, height = suiting.sizes[0]
    request = Request(
        model="pocket", prompt=prompt, width=width, height=height, num_frames=frames,
        frame_rate=suiting.frame_rate, seed=seed, resolution=f"{height}p", aspect="1:1",
        num_inference_steps=suiting.num_inference_steps, guidance_scale=suiting.guidance_scale,
    )  # fmt: skip
    return list(drawn.frames(request, given, lambda *_: None))
