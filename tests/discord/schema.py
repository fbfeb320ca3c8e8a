"""Discord's own OpenAPI description, as a judge of requests and responses.

Requests are judged more strictly than the description does: keys that it does not name are
violations, but for those which the library is known to send and Discord to ignore. In one way they
are judged less strictly: ids may be numbers, as Discord's documentation allows.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

Json = dict[str, Any]

ENV = "KINORA_TEST_SHARED"
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
    """The file, where KINORA_TEST_SHARED leads to it."""
    folder = os.environ.get(ENV)
    path = Path(folder or "", "specs", "discord-openapi.json")
    return path if folder and path.is_file() else None


@functools.cache
def judge(path: Path) -> Judge:
    """The description read once for all stand-ins of a process."""
    document = json.loads(path.read_text())
    return Judge(document["paths"], document["components"])


@dataclass
class Judge:
    """Says what is wrong with a request or a response. paths, components: the description's."""

    paths: Json
    components: Json
    _known: dict[tuple[str, ...], jsonschema_rs.Validator | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lax = jsonschema_rs.Registry([("urn:given", {"components": self.components})])
        strict = {"components": _strict(self.components)}
        self._strict = jsonschema_rs.Registry([("urn:taken", strict)])

    def knows(self, method: str, template: str) -> bool:
        return method.lower() in self.paths.get(template, {})

    def request(self, method: str, template: str, query: Json, body: Any) -> list[str]:
        """What is wrong with a request. body: its JSON, or None; of multipart, its payload_json."""
        operation = self.paths[template][method.lower()]
        where = f"{method} {template}"
        wrong = list(_unknown_query(operation, query))
        content = operation.get("requestBody", {}).get("content", {})
        if body is None:
            if operation.get("requestBody", {}).get("required"):
                wrong.append("a body is required")
        elif "application/json" not in content:
            wrong.append("a body, where none is taken")
        else:
            schema = content["application/json"]["schema"]
            wrong += self._errors(("taken", where), schema, self._strict, body)
        return [f"{where}: {why}" for why in wrong]

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
        errors = self._errors(("given", where), schema, self._lax, body)
        return [f"{where}: {why}" for why in errors]

    def _errors(
        self, key: tuple[str, ...], schema: Json, registry: jsonschema_rs.Registry, body: Any
    ) -> list[str]:
        if key not in self._known:
            rooted = {"$schema": _DIALECT} | _rooted(_strict(schema, key[0] == "taken"), key[0])
            self._known[key] = jsonschema_rs.validator_for(
                rooted, registry=registry, validate_formats=True
            )
        validator = self._known[key]
        assert validator is not None
        return [
            f"{'.'.join(map(str, error.instance_path)) or 'body'}: {error.message[:300]}"
            for error in validator.iter_errors(body)
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


def _strict(components: Json, on: bool = True) -> Json:
    """A copy in which objects have the named properties alone, and ids may be numbers."""
    if not on:
        return components
    strict = copy.deepcopy(components)
    schemas = strict.get("schemas", {})
    for name, keys in _UNNAMED.items():
        if name in schemas:
            schemas[name]["properties"] |= {key: {} for key in keys}
    _close(strict)
    if "SnowflakeType" in schemas:
        number = {"type": "integer", "minimum": 0}
        schemas["SnowflakeType"] = {"anyOf": [schemas["SnowflakeType"], number]}
    return strict


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for inner in schema:
            _close(inner)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            _close(inner)
