"""Two catalogue entries to reason about."""

from __future__ import annotations

from core.camera import CameraMove
from core.catalog import Cost, Model, Span, Takes

WORDS = Model(
    name="words",
    family="test",
    summary="draws what it reads",
    licence="Apache-2.0",
    text=True,
    picture=Takes.NOTHING,
    extends=False,
    flags=frozenset({"neg", "steps", "guidance", "draft"}),
    seconds=Span(1, 4, 2),
    resolutions=("240p", "480p"),
    resolution="240p",
    frame_rates=(8,),
    frame_rate=8,
    frame_quantum=4,
    credits_per_second=0.5,
    steps=Span(1, 50, 4),
    guidance=Span(1, 10, 1),
    aspects=("1:1", "16:9"),
    aspect="1:1",
    cost=Cost(fixed=0.5, per_megapixel_frame=0.1),
)

MOVES = Model(
    name="moves",
    family="test",
    summary="moves a camera",
    licence="Apache-2.0",
    text=False,
    picture=Takes.NEEDS,
    extends=True,
    flags=frozenset({"camera", "motion", "fps", "loop"}),
    seconds=Span(1, 60, 5),
    resolutions=("480p", "720p", "1080p"),
    resolution="720p",
    frame_rates=(12, 24, 30),
    frame_rate=24,
    credits_per_second=0.2,
    default_camera=(CameraMove("zoom", "in", 3.0),),
    cost=Cost(fixed=0.3, per_megapixel_frame=0.01),
)

CATALOGUE = (WORDS, MOVES)
