"""What a client may say on the gateway: hand-written, as no description of it is published.

https://docs.discord.com/developers/events/gateway-events#send-events
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, REQUEST_MEMBERS = 1, 2, 3, 4, 6, 8

_Shape = dict[str, tuple[type, ...]]
_NULL = type(None)

# By op: what must be there, and what may be.
_SHAPES: dict[int, tuple[_Shape, _Shape]] = {
    IDENTIFY: (
        {"token": (str,), "intents": (int,), "properties": (dict,)},
        {"compress": (bool,), "large_threshold": (int,), "shard": (list,), "presence": (dict,)},
    ),
    PRESENCE: (
        {"since": (int, float, _NULL), "activities": (list,), "status": (str,), "afk": (bool,)},
        {},
    ),
    VOICE: (
        {"guild_id": (str, int), "self_mute": (bool,), "self_deaf": (bool,)},
        {"channel_id": (str, int, _NULL)},
    ),
    RESUME: ({"token": (str,), "session_id": (str,), "seq": (int,)}, {}),
    REQUEST_MEMBERS: (
        {"guild_id": (str, int)},
        {
            "query": (str,),
            "limit": (int,),
            "presences": (bool,),
            "user_ids": (list, str, int),
            "nonce": (str,),
        },
    ),
}


def fault(op: object, data: object) -> str | None:
    """What is wrong with an event that a client sent; None where nothing is."""
    if op == HEARTBEAT:
        fine = data is None or type(data) is int
        return None if fine else "a heartbeat carries the last sequence, or null"
    if not isinstance(op, int) or op not in _SHAPES:
        return f"op {op} is not for clients"
    if not isinstance(data, dict):
        return f"op {op} carries no object"
    needed, allowed = _SHAPES[op]
    missing = set(needed) - set(data)
    if missing:
        return f"op {op} lacks {sorted(missing)}"
    strange = set(data) - set(needed) - set(allowed)
    if strange:
        return f"op {op} does not know {sorted(strange)}"
    for name, kinds in (needed | allowed).items():
        if name in data and not isinstance(data[name], kinds):
            return f"op {op}: {name} is {data[name]!r}"
    if op == IDENTIFY and len(data.get("shard", (0, 1))) != 2:
        return "a shard is its number and how many there are"
    return None
