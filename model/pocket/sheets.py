"""Pictures of a report: contact sheets of clips, and training curves. Only PIL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Frames: TypeAlias = NDArray[np.uint8]
"""(frames, height, width, 3) RGB."""

PAPER: Final = (250, 250, 250)
INK: Final = (20, 20, 20)
FAINT: Final = (190, 190, 190)
LINE: Final = 13
LETTER: Final = 6
"""Height of a line of text and width of a letter, in pixels."""
PANEL: Final = (360, 190)
"""Width and height in pixels of one curve."""


def contact_sheet(
    clips: Sequence[tuple[str, Frames]], *, frames_shown: int = 5, columns: int = 2
) -> Image.Image:
    """For each clip some frames from first to last, and its lines of text under them.

    Raises ValueError without clips.
    """
    if not clips:
        raise ValueError("a contact sheet needs at least one clip")
    height, width = clips[0][1].shape[1:3]
    lines = max(text.count("\n") + 1 for text, _ in clips)
    cell_width = frames_shown * (width + 2) + 6
    cell_height = height + LINE * lines + 6
    down = -(-len(clips) // columns)
    sheet = Image.new("RGB", (columns * cell_width, down * cell_height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, (text, clip) in enumerate(clips):
        left, top = place % columns * cell_width, place // columns * cell_height
        chosen = np.linspace(0, len(clip) - 1, frames_shown).round()
        for column, index in enumerate(chosen):
            sheet.paste(Image.fromarray(clip[int(index)]), (left + column * (width + 2), top))
        short = "\n".join(line[: cell_width // LETTER] for line in text.split("\n"))
        pen.multiline_text((left + 2, top + height + 1), short, fill=INK, spacing=1)
    return sheet


def curves(logs: Sequence[Path], *, columns: int = 3) -> Image.Image:
    """Every figure of the training logs (a JSON object a line) over the minutes.

    Raises ValueError where the logs hold no figures.
    """
    panels = [
        (f"{path.stem} {name}", points)
        for path in logs
        for name, points in _figures(path).items()
        if name not in ("step", "minutes")
    ]
    if not panels:
        raise ValueError("no figures in the training logs")
    width, height = PANEL
    down = -(-len(panels) // columns)
    sheet = Image.new("RGB", (columns * width, down * height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, (title, points) in enumerate(panels):
        _plot(pen, place % columns * width, place // columns * height, title, points)
    return sheet


Points: TypeAlias = list[tuple[float, float]]


def _figures(path: Path) -> dict[str, Points]:
    """Name → (minutes, figure) in order, since the run began anew for the last time."""
    found: dict[str, Points] = {}
    for index, line in enumerate(path.read_text().splitlines()):
        entry = json.loads(line)
        if "anew" in entry:
            found.clear()
        for name, value in entry.items():
            if isinstance(value, int | float):
                found.setdefault(name, []).append((entry.get("minutes", index), float(value)))
    return found


def _plot(pen: ImageDraw.ImageDraw, left: int, top: int, title: str, points: Points) -> None:
    width, height = PANEL
    x0, y0, x1, y1 = left + 10, top + 26, left + width - 60, top + height - 24
    times, values = [time for time, _ in points], [value for _, value in points]
    low, high = min(values), max(values)
    first, last = min(times), max(times)
    drawn = [
        (
            x0 + (x1 - x0) * (time - first) / max(last - first, 1e-9),
            y1 - (y1 - y0) * (value - low) / max(high - low, 1e-9),
        )
        for time, value in points
    ]
    pen.rectangle((x0, y0, x1, y1), outline=FAINT)
    pen.line(drawn, fill=(36, 84, 220), width=2)
    pen.text((x0, top + 8), f"{title}: {values[-1]:.4g} at the end", fill=INK)
    pen.text((x1 + 4, y0 - 5), f"{high:.4g}", fill=INK)
    pen.text((x1 + 4, y1 - 7), f"{low:.4g}", fill=INK)
    pen.text((x0, y1 + 4), f"{first:.0f} to {last:.0f} minutes", fill=INK)
