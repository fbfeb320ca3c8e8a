"""What an engine and its runner say to each other: one JSON object a line.

Commands go to the runner, reports come back. Pictures travel as base64.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from core.engine import Failed, Progressed, Rendered, Spec, Stage, Stopped
from core.provenance import Corner, Label
from core.request import Request

MAX_LINE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Submit:
    """Render this, after whatever is under way."""

    job_id: str
    attempt: int
    spec: Spec


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop that attempt at its next step."""

    job_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Beat:
    """The runner lives. loading: a model is on its way into memory, and beats may be late."""

    loading: bool


Command = Submit | Cancel
Report = Beat | Progressed | Rendered | Failed | Stopped


def line(message: Command | Report) -> bytes:
    """One line with its newline, in ASCII."""
    fields = {"kind": type(message).__name__, **asdict(message)}
    return json.dumps(fields, default=_plain, separators=(",", ":")).encode() + b"\n"


def command(line: bytes) -> Command:
    """Raises ValueError for anything else."""
    message = _message(line)
    if not isinstance(message, Submit | Cancel):
        raise ValueError(f"{type(message).__name__} is no command")
    return message


def report(line: bytes) -> Report:
    """Raises ValueError for anything else."""
    message = _message(line)
    if isinstance(message, Submit | Cancel):
        raise ValueError(f"{type(message).__name__} is no report")
    return message


def _message(line: bytes) -> Command | Report:
    try:
        fields: dict[str, Any] = json.loads(line)
        match fields.pop("kind"):
            case "Submit":
                return Submit(fields["job_id"], fields["attempt"], _spec(fields["spec"]))
            case "Cancel":
                return Cancel(**fields)
            case "Beat":
                return Beat(**fields)
            case "Progressed":
                preview = fields.pop("preview")
                fields["preview"] = None if preview is None else base64.b64decode(preview)
                fields["stage"] = Stage(fields["stage"])
                return Progressed(**fields)
            case "Rendered":
                fields |= {"video": Path(fields["video"]), "poster": Path(fields["poster"])}
                return Rendered(**fields)
            case "Failed":
                return Failed(**fields)
            case "Stopped":
                return Stopped(**fields)
            case kind:
                raise ValueError(f"{kind!r} is no message")
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("a line that is no message") from error


def _spec(fields: dict[str, Any]) -> Spec:
    return Spec(
        request=Request.from_dict(fields["request"]),
        folder=Path(fields["folder"]),
        picture=_path(fields["picture"]),
        previous=_path(fields["previous"]),
        last_picture=_path(fields["last_picture"]),
        word=fields["word"],
        label=_label(fields["label"]),
    )


def _label(fields: dict[str, Any] | None) -> Label | None:
    return Label(**{**fields, "corner": Corner(fields["corner"])}) if fields else None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not go over the wire")
