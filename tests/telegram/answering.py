"""Methods that answer: presses of buttons, inline queries, checkouts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tests.telegram.call import Call
from tests.telegram.refusals import Refused
from tests.telegram.world import Query

Json = dict[str, Any]

PARAMETER = r"[A-Za-z0-9_-]{1,64}"
ANSWER_CHARACTERS, RESULTS, ID_BYTES = 200, 50, 64


def answer_callback(call: Call) -> bool:
    if len(call.form.text("text")) > ANSWER_CHARACTERS:
        raise Refused("MESSAGE_TOO_LONG")
    told = {"text": call.form.text("text"), "show_alert": call.form.flag("show_alert")}
    return _answered(call, "callback_query_id", "callback", told, call.world.answer_seconds)


def answer_inline(call: Call) -> bool:
    results = call.form.json("results") or []
    if len(results) > RESULTS:
        raise Refused("RESULTS_TOO_MUCH")
    ids = [str(result.get("id", "")) for result in results]
    if any(not 1 <= len(each.encode()) <= ID_BYTES for each in ids):
        raise Refused("RESULT_ID_INVALID")
    if len(set(ids)) < len(ids):
        raise Refused("RESULT_ID_DUPLICATE")
    for result in results:
        call.keyboard(result)
        content = result.get("input_message_content", {})
        if "message_text" in content:
            call.words({**content, "text": content["message_text"]})
        elif "caption" in result:
            call.caption(result)
        for kind in ("photo", "video", "document", "sticker", "mpeg4", "gif"):
            if f"{kind}_file_id" in result:
                call.world.files.find(result[f"{kind}_file_id"], _KINDS.get(kind, kind))
    button = call.form.json("button") or {}
    if "start_parameter" in button and not re.fullmatch(PARAMETER, button["start_parameter"]):
        raise Refused("START_PARAM_INVALID")
    told = {"results": results, "next_offset": call.form.text("next_offset"), "button": button}
    return _answered(call, "inline_query_id", "inline", told, call.world.answer_seconds)


_KINDS = {"mpeg4": "animation", "gif": "animation"}


def answer_checkout(call: Call) -> bool:
    told = {"ok": call.form.flag("ok"), "error_message": call.form.text("error_message")}
    if not told["ok"] and not told["error_message"]:
        raise Refused("ERROR_TEXT_EMPTY")
    return _answered(call, "pre_checkout_query_id", "checkout", told, call.world.checkout_seconds)


def _answered(call: Call, name: str, kind: str, told: Json, seconds: float) -> bool:
    """Each is answered once, and in time."""
    query: Query | None = call.world.queries.get(call.form.text(name))
    now = call.world.clock.now()
    late = query is not None and now - query.sent > seconds
    if query is None or query.kind != kind or query.answer is not None or late:
        raise Refused("query is too old and response timeout expired or query ID is invalid")
    call.world.queries[query.id] = replace(query, answered=now, answer=told)
    call.world.touch()
    return True
