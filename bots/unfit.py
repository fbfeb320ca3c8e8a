"""Values of settings that can't be taken, in words: which one, what is allowed, an example. Tells
no secret."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from bots.settings import LEVELS, PREFIX, Settings

_NUMBERS: dict[object, str] = {int: "a whole number", float: "a number"}


def unfit(error: ValidationError) -> Iterator[str]:
    """A line for each setting at fault."""
    for problem in error.errors(include_url=False):
        parts = [str(part) for part in problem["loc"]]
        name = PREFIX + LEVELS.join(parts).upper()
        field = _field(Settings, parts)
        wanted = _wanted(field) if field else ""
        if field and wanted and problem["type"] != "value_error":
            default = field.default
            known = default is not None and type(default) in (int, float, str, bool)
            example = f", as in {name}={default}" if known else ""
            yield f'{name}: "{problem["input"]}" is not {wanted}{example}.'
        else:
            yield f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def _field(model: type[BaseModel], parts: Sequence[str]) -> FieldInfo | None:
    """The setting that is named by its levels; None where they name none."""
    found = model.model_fields.get(parts[0].lower()) if parts else None
    if found is None or len(parts) == 1:
        return found
    inner, rest = found.annotation, parts[1:]
    if typing.get_origin(inner) is dict:
        inner, rest = typing.get_args(inner)[1], rest[1:]
    return _field(inner, rest) if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _wanted(field: FieldInfo) -> str:
    """What it may be; "" where that is not a number or a choice, as no secret is."""
    kinds = _kinds(field.annotation)
    for kind in kinds:
        if typing.get_origin(kind) is Literal:
            return "one of " + ", ".join(map(str, typing.get_args(kind)))
        if kind is bool:
            return "true or false"
        if kind in _NUMBERS:
            return " ".join(filter(None, (_NUMBERS[kind], _bounds(field.metadata))))
    return ""


def _kinds(annotation: Any) -> Sequence[Any]:
    """What is joined by `|`."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return typing.get_args(annotation)
    return (annotation,)


def _bounds(metadata: Sequence[object]) -> str:
    """ "from 0 to 65535", "above 0", or "" where there are none."""
    words = {Ge: "from {}", Gt: "above {}", Le: "to {}"}
    attributes = {Ge: "ge", Gt: "gt", Le: "le"}
    said = [
        words[type(one)].format(getattr(one, attributes[type(one)]))
        for kind in words
        for one in metadata
        if type(one) is kind
    ]
    return " ".join(said) + (" on" if len(said) == 1 and said[0].startswith("from") else "")
