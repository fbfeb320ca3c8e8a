"""The Bot API's description as a judge of requests, answers and updates.

It knows required and unknown fields, types, nested JSON, `attach://` links, literal values, and
lengths in characters or bytes. It does not know what a chat allows: the other modules do.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.standin.shared import spec
from tests.telegram.form import Form

Json = dict[str, Any]

_LITERAL = re.compile(r"(?:must be|[Aa]lways) [“\"]?([a-z_0-9]+)[”\"]?$")
_LENGTH = re.compile(r"(\d+)-(\d+) (characters|bytes)(?! after)")


def description() -> Path | None:
    """The file, where it is at hand."""
    return spec("telegram-bot-api-10.0.json")


@functools.cache
def judge(path: Path) -> Judge:
    """The description read once for all stand-ins of a process."""
    document = json.loads(path.read_text())
    return Judge(document["methods"], document["types"])


@dataclass(frozen=True)
class Judge:
    """Says what is wrong, each as `field: why`. methods, types: the description's."""

    methods: Json
    types: Json

    def request(self, method: str, form: Form) -> list[str]:
        """Judge a request as it came, strings for all but JSON."""
        if method not in self.methods:
            return [f"{method}: no such method"]
        known = {field["name"]: field for field in self.methods[method].get("fields", ())}
        parts = {part for part in form.uploads if part in known}
        linked = {value.removeprefix("attach://") for value in _links(form.fields)}
        faults = [f"{name}: unknown" for name in form.fields if name not in known]
        astray = set(form.uploads) - set(known) - linked
        faults += [f"{part}: no field leads to this file" for part in sorted(astray)]
        faults += [f"attach://{name}: no such file" for name in linked - set(form.uploads)]
        for name, field in known.items():
            if name in parts:
                if "InputFile" not in field["types"]:
                    faults.append(f"{name}: takes no file")
            elif name not in form.fields:
                faults += [f"{name}: is required"] if field["required"] else []
            else:
                faults += self._field(name, field, form.fields[name], loose=True)
        return faults

    def response(self, method: str, result: Any) -> list[str]:
        """Judge an answer's `result`."""
        returns = self.methods[method]["returns"]
        return self._value("result", returns, result, loose=False)

    def update(self, update: Json) -> list[str]:
        return self._value("update", ["Update"], update, loose=False)

    def _field(self, where: str, field: Json, value: Any, *, loose: bool) -> list[str]:
        literal = _LITERAL.search(field["description"])
        if literal and field["types"] == ["String"] and value != literal[1]:
            return [f"{where}: must be {literal[1]}, not {value!r}"]
        if isinstance(value, str) and field["types"] == ["String"]:
            return list(_too_long(where, field["description"], value))
        return self._value(where, field["types"], value, loose=loose)

    def _value(self, where: str, types: list[str], value: Any, *, loose: bool) -> list[str]:
        """loose: a value may be a string that says it, as in forms."""
        verdicts = [self._one(where, kind, value, loose) for kind in types]
        if [] in verdicts:
            return []
        arrays = [t.removeprefix("Array of ") for t in types if t.startswith("Array of ")]
        if len(arrays) > 1:
            value = _decoded(value) if loose else value
            if isinstance(value, list):
                items = (self._value(f"{where}.{n}", arrays, i, loose=False)
                         for n, i in enumerate(value))  # fmt: skip
                return [why for item in items for why in item]
        return min(verdicts, key=len)

    def _one(self, where: str, kind: str, value: Any, loose: bool) -> list[str]:
        if kind.startswith("Array of "):
            value = _decoded(value) if loose else value
            if not isinstance(value, list):
                return [f"{where}: must be an array"]
            inner = kind.removeprefix("Array of ")
            return [why for n, item in enumerate(value)
                    for why in self._one(f"{where}.{n}", inner, item, False)]  # fmt: skip
        if kind in _PLAIN:
            fits = _PLAIN[kind](value) or (loose and _says(kind, value))
            return [] if fits else [f"{where}: {value!r:.80} is no {kind}"]
        if kind == "InputFile":
            fits = loose and isinstance(value, str) and value.startswith("attach://")
            return [] if fits else [f"{where}: is no file"]
        return self._object(where, kind, _decoded(value) if loose else value)

    def _object(self, where: str, kind: str, value: Any) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: is no {kind}"]
        described = self.types[kind]
        if subtypes := described.get("subtypes"):
            verdicts = [self._object(where, name, value) for name in self._fitting(subtypes, value)]
            return min(verdicts, key=len) if verdicts else [f"{where}: fits no {kind}"]
        fields = {field["name"]: field for field in described.get("fields", ())}
        faults = [f"{where}.{name}: unknown to {kind}" for name in value if name not in fields]
        for name, field in fields.items():
            if name in value:
                faults += self._field(f"{where}.{name}", field, value[name], loose=False)
            elif field["required"]:
                faults.append(f"{where}.{name}: is required by {kind}")
        return faults

    def _fitting(self, subtypes: list[str], value: Json) -> list[str]:
        """Those whose literals the value has."""
        return [name for name in subtypes if all(
            (literal := _LITERAL.search(field["description"])) is None
            or field["types"] != ["String"]
            or value.get(field["name"]) == literal[1]
            for field in self.types[name].get("fields", ()) if field["required"]
        )]  # fmt: skip


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_PLAIN: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Integer": _integer,
    "Float": lambda value: _integer(value) or isinstance(value, float),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
}


def _says(kind: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if kind in ("Boolean", "True"):
        return value.lower() in ("true", "false", "1", "0")
    pattern = r"-?\d+" if kind == "Integer" else r"-?\d+(\.\d+)?(e-?\d+)?"
    return re.fullmatch(pattern, value) is not None


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _too_long(where: str, told: str, value: str) -> Iterator[str]:
    found = _LENGTH.search(told)
    if found is None or "after entities parsing" in told:
        return
    least, most, unit = int(found[1]), int(found[2]), found[3]
    size = len(value.encode()) if unit == "bytes" else len(value)
    if not least <= size <= most:
        yield f"{where}: {size} {unit}; it takes {least}-{most}"


def _links(value: Any) -> Iterator[str]:
    """The attach:// links in fields, nested JSON included."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _links(inner)
    elif isinstance(value, str):
        if value.startswith("attach://"):
            yield value
        elif "attach://" in value and value[:1] in "[{":
            yield from _links(_decoded(value))
