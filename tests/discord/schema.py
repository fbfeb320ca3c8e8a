"""Discord's own OpenAPI description, as a judge of requests and responses.

Of requests it knows two kinds of wrong: what Discord refuses, and keys that nothing is called by,
which Discord passes over and nobody should send, but for a few that the library always does. In one
way it is milder than the description: ids may be numbers, as Discord's documentation allows.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.standin.shared import spec

Json = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# discord.py sends these; Discord documents them elsewhere (nsfw), or ignores them.
_UNNAMED: dict[str, tuple[str, ...]] = {
    "ApplicationCommandUpdateRequest": ("nsfw",),
    "ApplicationCommandCreateRequest": ("nsfw",),
    "MessageEditRequestPartial": ("tts",),
    "IncomingWebhookUpdateRequestPartial": ("tts",),
    "MessageAttachmentRequest": (
        "size",
        "url",
        "proxy_url",
        "width",
        "height",
        "content_type",
        "spoiler",
    ),
}


def description() -> Path | None:
    """The file, where it is at hand."""
    return spec("discord-openapi.json")


@functools.cache
def judge(path: Path) -> Judge:
    """The description read once for all stand-ins of a process."""
    document = json.loads(path.read_text())
    return Judge(document["paths"], document["components"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """faults: what Discord refuses, each as `field: why`; unnamed: what it ignores, since nothing
    is called so."""

    faults: list[str]
    unnamed: list[str]


@dataclass
class Judge:
    """Says what is wrong with a request or a response. paths, components: the description's."""

    paths: Json
    components: Json
    _known: dict[tuple[str, str], jsonschema_rs.Validator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = _documented(self.components)
        taken = _taken(given)
        forms = {"given": given, "taken": taken, "named": _named(taken)}
        self._registry = jsonschema_rs.Registry(
            [(f"urn:{form}", {"components": components}) for form, components in forms.items()]
        )

    def knows(self, method: str, template: str) -> bool:
        return method.lower() in self.paths.get(template, {})

    def request(self, method: str, template: str, query: Json, body: Any) -> Verdict:
        """Judge a request. body: its JSON, or None; of multipart, its payload_json."""
        operation = self.paths[template][method.lower()]
        where = f"{method} {template}"
        names = sorted(_unknown_query(operation, query))
        taken = operation.get("requestBody", {})
        if body is None:
            faults = ["body: is required"] if taken.get("required") else []
            return Verdict(faults, names)
        schema = taken.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return Verdict([], [*names, "body: none is taken"])
        unnamed = self._errors("named", where, _named(schema), body)
        faults = self._errors("taken", where, schema, body) if unnamed else []
        return Verdict(faults, names if faults else [*names, *unnamed])

    def response(self, method: str, template: str, status: int, body: Any) -> list[str]:
        """What is wrong with a response. body: its JSON, or None where it has none."""
        where = f"{method} {template} → {status}"
        responses = self.paths[template][method.lower()]["responses"]
        found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        if found is None:
            return [] if status >= 500 else [f"{where}: no such response"]
        if "$ref" in found:
            found = self.components["responses"][found["$ref"].rpartition("/")[2]]
        schema = found.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [f"{where}: a body, where none belongs"] if body is not None else []
        return [f"{where}: {why}" for why in self._errors("given", where, schema, body)]

    def _errors(self, form: str, where: str, schema: Json, body: Any) -> list[str]:
        """What is wrong with a body, by one form of the description."""
        key = form, where
        if key not in self._known:
            rooted = {"$schema": _DIALECT} | _rooted(schema, form)
            self._known[key] = jsonschema_rs.validator_for(
                rooted, registry=self._registry, validate_formats=True
            )
        return [
            f"{'.'.join(map(str, error.instance_path)) or 'body'}: {error.message[:300]}"
            for error in self._known[key].iter_errors(body)
        ]


def _unknown_query(operation: Json, query: Json) -> Iterator[str]:
    known = {p["name"] for p in operation.get("parameters", ()) if p.get("in") == "query"}
    for name in set(query) - known:
        yield f"unknown query parameter {name}"


def _rooted(schema: Any, name: str) -> Any:
    """The schema with its references leading into the registry."""
    if isinstance(schema, dict):
        return {
            key: f"urn:{name}{value}" if key == "$ref" else _rooted(value, name)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_rooted(value, name) for value in schema]
    return schema


def _documented(components: Json) -> Json:
    """A copy that knows channels of media (16), which the documentation has."""
    whole = copy.deepcopy(components)
    schemas = whole["schemas"]
    schemas["ChannelTypes"] = {"anyOf": [schemas["ChannelTypes"], {"const": 16}]}
    return whole


def _taken(components: Json) -> Json:
    """A copy in which ids may be numbers."""
    taken = copy.deepcopy(components)
    number = {"type": "integer", "minimum": 0}
    schemas = taken["schemas"]
    schemas["SnowflakeType"] = {"anyOf": [schemas["SnowflakeType"], number]}
    return taken


def _named(schema: Json) -> Json:
    """A copy in which objects have the named properties alone."""
    named = copy.deepcopy(schema)
    for name, keys in _UNNAMED.items():
        if name in named.get("schemas", {}):
            named["schemas"][name]["properties"] |= {key: {} for key in keys}
    _close(named)
    return named


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for inner in schema:
            _close(inner)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            _close(inner)
