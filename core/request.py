"""What somebody asked for: a `Draft` as typed, a `Request` as it will be rendered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.camera import CameraMove

DEFAULT_MOTION = 5.0
"""On the scale of 0 to 10."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded, re-encoded picture that is safe to open. Sides in pixels."""

    id: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture that a recipe names. digest: the start of the SHA-256 of its file, in hexadecimal:
    who knows it was shown the recipe. id: "" where that recipe was in a file, which is anybody's.
    """

    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Words and flags as somebody typed them; None where nothing was said.

    first, last: pictures that come with a recipe, where none was sent. weights: what that was made
    with, a hash.
    """

    prompt: str = ""
    negative_prompt: str | None = None
    seconds: float | None = None
    aspect: str | None = None
    resolution: str | None = None
    seed: int | None = None
    camera: tuple[CameraMove, ...] | None = None
    motion: float | None = None
    model: str | None = None
    steps: int | None = None
    guidance: float | None = None
    fps: int | None = None
    loop: bool = False
    draft: bool = False
    fast: bool = False
    relaxed: bool = False
    quote: bool = False
    first: Stored | None = None
    last: Stored | None = None
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a model needs to render one clip; equal requests give equal clips.

    num_frames and frame_rate fix the length: (num_frames - 1) / frame_rate seconds.
    picture, last_picture: ids of the first frame and of the last.
    continues: id of the job whose clip comes before this one.
    """

    model: str
    prompt: str
    width: int
    height: int
    num_frames: int
    frame_rate: int
    seed: int
    resolution: str
    aspect: str
    negative_prompt: str = ""
    num_inference_steps: int = 1
    guidance_scale: float = 1.0
    camera: tuple[CameraMove, ...] = ()
    motion: float = DEFAULT_MOTION
    loop: bool = False
    draft: bool = False
    picture: str | None = None
    last_picture: str | None = None
    continues: str | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def seconds(self) -> float:
        return (self.num_frames - 1) / self.frame_rate

    @property
    def pictures(self) -> tuple[str, ...]:
        """Ids of the pictures that it is rendered from."""
        return tuple(one for one in (self.picture, self.last_picture) if one is not None)

    @property
    def megapixel_frames(self) -> float:
        """Work in millions of pixels drawn."""
        return self.width * self.height * self.num_frames / 1e6

    def with_seed(self, seed: int) -> Request:
        return replace(self, seed=seed)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Request:
        camera = tuple(CameraMove(**move) for move in values.get("camera", ()))
        notes = tuple(values.get("notes", ()))
        return cls(**{**values, "camera": camera, "notes": notes})
