"""The OpenAPI 3.1 description, made from the routes and the flags themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from bots.web.problems import CONTENT_TYPE
from bots.web.site import Web
from bots.web.upload import IMAGES
from core.job import State
from core.lanes import Lane
from core.prompt import FLAGS, PROMPT_MAX_CHARS, Flag
from core.provenance import VERIFIED_MAX_BYTES, Proof
from core.reviews import PLEA_CHARS
from core.safety.verdict import Clause

if TYPE_CHECKING:
    from bots.web.api import Route

Json = dict[str, object]

_ID: Json = {"type": "string", "pattern": "^[0-9a-z]{12}$"}
_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}
_NUMBER: Json = {"type": "number"}
_TRUTH: Json = {"type": "boolean"}
_RANGE: Json = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_PARTS: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": _TEXT, "factor": _NUMBER},
        "required": ["name", "factor"],
    },
}
_PRICE: Json = {
    "type": "object",
    "properties": {"credits": _WHOLE, "parts": _PARTS},
    "required": ["credits", "parts"],
}
_LANE: Json = {"enum": [lane.value for lane in Lane]}
_CLAUSE: Json = {
    "enum": [clause.value for clause in Clause],
    "description": "Of the policy: what a clip is held or refused for.",
}
_ATTEST: Json = {
    "type": "boolean",
    "description": "That you have the right to use the faces in your pictures; asked once for each "
    "picture.",
}
_LIMITS: Json = {
    "type": "object",
    "properties": {
        "plan": _TEXT,
        **dict.fromkeys(("daily", "monthly", "waiting", "relaxed"), _WHOLE),
        **dict.fromkeys(("next_day", "next_month"), _TEXT),
        "longest": {"type": ["number", "null"]},
        "largest": {"type": ["string", "null"]},
    },
    "description": "What you may count on: credits, when the next come, how many clips may wait, "
    "how many of them for nothing, and the longest and largest; null: as the model can.",
}
_QUERY: dict[str, Json] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "before": _ID,
    "forget": {"type": "boolean", "default": False},
    "offer": {
        "type": "boolean",
        "default": False,
        "description": "A clip that you can't pay is quoted and waits, and is not refused.",
    },
    "download": {"type": "string", "enum": ["1"]},
    "words": {"type": "boolean", "default": True},
}


def document(routes: Sequence[Route], web: Web) -> Json:
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kinora",
            "version": "1",
            "description": "Type a prompt or send a picture, get the clip. Errors are "
            "`application/problem+json`, and their `detail` is a sentence to be shown.",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(web),
        },
    }


def _operation(route: Route) -> Json:
    status, answer = route.answers
    answers: dict[str, object] = {str(status): _answer(status, answer)}
    if route.method == "DELETE":
        answers["204"] = {"description": "It is forgotten."}
    if answer == "video/mp4":
        answers["206"] = _answer(206, answer)
    fails = set(route.fails) | {500, 421} | (set() if route.open else {401, 403, 429})
    for failure in sorted(fails):
        answers[str(failure)] = {
            "description": HTTPStatus(failure).phrase,
            "content": {CONTENT_TYPE: {"schema": _ref("Problem")}},
        }
    operation: Json = {
        "operationId": route.handler.__name__,
        "summary": inspect.getdoc(route.handler) or "",
        "parameters": _parameters(route),
        "responses": answers,
    }
    if route.open:
        operation["security"] = []
    if route.takes:
        kinds = dict.fromkeys(("AskedForm", "AskedFile"), "multipart/form-data")
        operation["requestBody"] = {
            "required": route.takes not in (("Longer",), ("Accepting",), ("Appealing",)),
            "content": {
                kinds.get(name, "application/json"): {"schema": _ref(name)} for name in route.takes
            },
        }
    return operation


def _answer(status: int, answer: str) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase}
    if "/" in answer:
        described["content"] = {answer: {}}
    else:
        schema = {"type": "object"} if answer == "object" else _ref(answer)
        described["content"] = {"application/json": {"schema": schema}}
    if answer == "Accepted":
        described["headers"] = {"Location": {"schema": _TEXT, "description": "The clip."}}
    return described


def _parameters(route: Route) -> list[Json]:
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": _ID}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": _QUERY[name]} for name in route.query]
    if route.repeatable:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
                "description": "A repeat with the same key gives the first answer's clip again.",
            }
        )
    return parameters


def _schemas(web: Web) -> Json:
    flags = {flag.name: _flag(flag) for flag in FLAGS}
    asked = {
        "prompt": {
            "type": "string",
            "maxLength": PROMPT_MAX_CHARS,
            "description": "Words, and flags as one would type them.",
        },
        **flags,
        "variant_of": _ID
        | {"description": "A clip of yours; each picture that is not sent is the one that it has."},
        "attest": _ATTEST,
    }
    images = {
        name: {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": f"{which}: JPEG, PNG, WebP or GIF, up to {web.max_upload_bytes} bytes.",
        }
        for name, which in zip(IMAGES, ("First frame", "Last frame"), strict=True)
    }
    sides = _object({"width": _side(), "height": _side()}, ("width", "height"))
    brief = {
        "id": _ID,
        "state": {"enum": [state.value for state in State]},
        "credits": _WHOLE
        | {"description": "What is held: 0 while it is quoted, and in the relaxed lane."},
        "position": _maybe(_WHOLE)
        | {"description": "In the queue, from 1; 0 once it runs; null while it waits for a word."},
        "eta_seconds": _maybe(_RANGE) | {"description": "From low to high, until it is done."},
        "clause": _maybe(_CLAUSE),
        "decide_by": _maybe(_TEXT) | {"description": "Held clips are refused then."},
    }
    return {
        "Asked": _object(asked) | {"additionalProperties": False},
        "AskedForm": _object({**asked, **images}) | {"additionalProperties": False},
        "AskedQuote": _object({**asked, "picture": sides, "last_picture": sides})
        | {"additionalProperties": False},
        "Accepting": _object({"relaxed": flags["relaxed"], "attest": _ATTEST})
        | {"additionalProperties": False},
        "Appealing": _object(
            {
                "why": {
                    "type": "string",
                    "maxLength": PLEA_CHARS,
                    "description": "Why it may be made, for a moderator.",
                }
            }
        )
        | {"additionalProperties": False},
        "AskedFile": _object(
            {
                "file": {
                    "type": "string",
                    "contentMediaType": "application/octet-stream",
                    "description": f"MP4, WebM, GIF, JPEG, PNG or WebP, up to {VERIFIED_MAX_BYTES} "
                    "bytes.",
                }
            },
            ("file",),
        )
        | {"additionalProperties": False},
        "Recipe": _object({"token": _TEXT}, ("token",)),
        "Origin": _object(
            {
                **_named(_TRUTH, "ours", "changed"),
                "proof": {"enum": [proof.value for proof in Proof]},
                "job": _maybe(_ID),
                **_named(_maybe(_TEXT), "made_at", "model", "signer", "recipe"),
                "words": _TEXT,
            },
            ("ours", "proof", "job", "made_at", "model", "changed", "signer", "recipe", "words"),
        ),
        "Longer": _object({"seconds": flags["seconds"]}) | {"additionalProperties": False},
        "Accepted": _object(brief, tuple(brief)),
        "Clip": _clip(brief),
        "History": _object(
            {"clips": {"type": "array", "items": _ref("Clip")}, "next": _maybe(_TEXT)},
            ("clips", "next"),
        ),
        "Quote": _object(
            {
                "credits": _WHOLE,
                "available": _WHOLE,
                "takes_seconds": _RANGE,
                "summary": _TEXT,
                "parts": _PARTS,
                "price": _PRICE,
                "lane": _LANE,
                **_named(_TEXT, "model", "prompt"),
                **_named(_WHOLE, "width", "height", "num_frames", "frame_rate"),
                "seconds": _NUMBER,
                "notes": _list(_TEXT),
            },
            ("credits", "available", "takes_seconds", "summary"),
        ),
        "Me": _object(
            {
                "name": _TEXT,
                "balance": _WHOLE | {"description": "Credits that may be spent."},
                "held": _WHOLE | {"description": "Credits that wait on unfinished clips."},
                "limits": _LIMITS,
                "entries": _list({"type": "object"}),
            },
            ("name", "balance", "held", "limits", "entries"),
        ),
        "Models": _object(
            {"models": _list({"type": "object"}), "flags": _list({"type": "object"})},
            ("models", "flags"),
        ),
        "Problem": _object(
            {
                **_named(_TEXT, "type", "title", "flag", "reference"),
                "status": _WHOLE,
                "detail": _TEXT | {"description": "A sentence to be shown word for word."},
                "allowed": _list(_TEXT),
                "clause": _CLAUSE,
                "id": _ID | {"description": "The clip, where it was written down as refused."},
            },
            ("type", "title", "status", "detail"),
        ),
    }


def _clip(brief: Json) -> Json:
    properties: Json = {
        **brief,
        "progress": _maybe({"type": "number", "minimum": 0, "maximum": 1}),
        **_named(_TEXT, "line_one", "line_two", "stage", "prompt", "negative_prompt", "model"),
        **_named(_TEXT, "resolution", "aspect", "recipe", "created_at"),
        **_named(_WHOLE, "step", "steps", "width", "height", "num_frames", "frame_rate", "seed"),
        **_named(_WHOLE, "num_inference_steps"),
        **_named(_NUMBER, "seconds", "motion", "guidance_scale"),
        **_named(_TRUTH, "loop", "draft", "extends"),
        **_named(_list(_TEXT), "camera", "notes"),
        **_named(_maybe(_TEXT), "parent", "started_at", "ended_at", "expires_at"),
        **_named(_maybe(_TEXT), "failure", "reference"),
        "lane": _LANE,
        "price": _maybe(_PRICE) | {"description": "What it was quoted at; null for old ones."},
        "charged": _WHOLE | {"description": "Credits that it cost; 0 until it ends."},
        "run_seconds": _maybe(_NUMBER),
        "bytes": _maybe(_WHOLE),
        "links": {"type": "object", "additionalProperties": _TEXT},
    }
    return _object(properties, tuple(properties))


def _flag(flag: Flag) -> Json:
    """A flag as a field: numbers may come as text, just as they are typed."""
    if flag.read is None:
        return {"type": "boolean", "description": f"As --{flag.name}."}
    numeric = re.fullmatch(r"[0-9.]+", flag.example)
    example = flag.example.strip('"')
    return {
        "type": ["number", "string"] if numeric else "string",
        "description": flag.allowed,
        "examples": [float(example) if numeric else example],
    }


def _object(properties: Mapping[str, object], required: tuple[str, ...] = ()) -> Json:
    described: Json = {"type": "object", "properties": dict(properties)}
    return described | ({"required": list(required)} if required else {})


def _named(schema: Json, *names: str) -> Json:
    return dict.fromkeys(names, schema)


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def _maybe(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _side() -> Json:
    return {"type": "integer", "minimum": 1}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
