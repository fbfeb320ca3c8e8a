"""Plots as SVG: stacked bars over time, with axes and units. Only where things go; the template
draws them, and a table behind each says the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 4, 12, 28
STEPS = (1.0, 2.0, 5.0, 10.0)
TICKS = 4
"""At most, beside 0."""

KEYS = 5
"""So many by themselves; the rest together."""

REST = "others"


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of one: where it is, of which key (by number), and what it says."""

    x: float
    y: float
    width: float
    height: float
    key: int
    said: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """title, unit: what it shows. keys: in the order of their numbers. total: of all."""

    title: str
    unit: str
    keys: Sequence[str]
    bars: Sequence[Bar]
    up: Sequence[Tick]
    along: Sequence[Tick]
    total: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


def stacked(
    title: str,
    unit: str,
    values: Mapping[str, Sequence[float]],
    labels: Sequence[str],
    every: int,
    total: str,
) -> Plot:
    """values: by key, one for each label. every: how many bars share a label below."""
    parts = _fewer(values, len(labels))
    most = max((sum(column) for column in zip(*parts.values(), strict=True)), default=0.0)
    ticks = _ticks(most)
    top = ticks[-1]
    tall = HEIGHT - BOTTOM - TOP
    slot = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    bars = []
    for number, label in enumerate(labels):
        base = float(HEIGHT - BOTTOM)
        for key, (name, series) in enumerate(parts.items()):
            height = series[number] / top * tall
            if height:
                base -= height
                x = LEFT + number * slot + slot * 0.1
                said = f"{label}, {name}: {short(series[number])} {unit}"
                bars.append(
                    Bar(round(x, 2), round(base, 2), round(slot * 0.8, 2), round(height, 2), key,
                        said)
                )  # fmt: skip
    up = [Tick(round(HEIGHT - BOTTOM - tall * value / top, 2), short(value)) for value in ticks]
    along = [
        Tick(round(LEFT + (number + 0.5) * slot, 2), labels[number])
        for number in range(0, len(labels), every)
    ]
    return Plot(title, unit, tuple(parts), bars, up, along, total)


def short(value: float) -> str:
    """ "0", "12", "2.5", "1.2 k", "3 M" """
    for least, letter in ((1e6, " M"), (1e3, " k")):
        if value >= least:
            return f"{value / least:.3g}{letter}"
    return f"{value:.3g}"


def _fewer(values: Mapping[str, Sequence[float]], count: int) -> Mapping[str, Sequence[float]]:
    """The first keys by themselves, the others summed."""
    names = list(values)
    if len(names) <= KEYS + 1:
        return values
    rest = [sum(values[name][number] for name in names[KEYS:]) for number in range(count)]
    return {**{name: values[name] for name in names[:KEYS]}, REST: rest}


def _ticks(most: float) -> Sequence[float]:
    """Round numbers from 0 on, the last of them at least as large."""
    size = 1.0
    while size * 10 * TICKS < most:
        size *= 10
    step = next(step * size for step in STEPS if step * size * TICKS >= most)
    return [step * number for number in range(max(math.ceil(most / step), 1) + 1)]
