"""The gateway: sessions that outlive their sockets. https://docs.discord.com/developers/events/gateway"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from tests.discord import frames, payloads
from tests.discord.world import Event, World

try:
    import zstandard
except ImportError:  # the library asks for it only where it is installed
    zstandard = None

Json = dict[str, Any]

DISPATCH, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 7, 9, 10, 11
BAD_PAYLOAD, NOT_AUTHENTICATED, BAD_TOKEN, TWICE, BAD_SEQUENCE = 4002, 4003, 4004, 4005, 4007
TOO_FAST, TIMED_OUT, BAD_SHARD, BAD_INTENTS, FORBIDDEN_INTENTS = 4008, 4009, 4010, 4013, 4014
MESSAGE_CONTENT = 1 << 15
GUILDS, GUILD_MEMBERS = 1 << 0, 1 << 1

MOST_NAMED = 100
MOST_EVENTS, EVENTS_SECONDS, MOST_BYTES = 120, 60.0, 4096
KEPT_EVENTS, RESUME_SECONDS = 2000, 300.0


class Codec(Protocol):
    def encode(self, text: str) -> str | bytes: ...


class Plain:
    def encode(self, text: str) -> str:
        return text


class Zlib:
    """One stream for the whole connection, flushed after each event."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj()

    def encode(self, text: str) -> bytes:
        return self._stream.compress(text.encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class Zstd:
    def __init__(self) -> None:
        self._stream = zstandard.ZstdCompressor().compressobj()

    def encode(self, text: str) -> bytes:
        flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        encoded: bytes = self._stream.compress(text.encode()) + self._stream.flush(flush)
        return encoded


@dataclass(eq=False)
class Session:
    """What a client was told, so that it can be told again. lost: when its socket went."""

    id: str
    intents: int
    shard: int
    shards: int
    sequence: int = 0
    kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    line: Line | None = None
    lost: float | None = None

    def dispatch(self, name: str, data: Json) -> None:
        self.sequence += 1
        text = json.dumps({"op": DISPATCH, "t": name, "s": self.sequence, "d": data})
        self.kept.append((self.sequence, text))
        if self.line is not None:
            self.line.say(text)


class Line:
    """One socket: what is said on it goes out in order, from one task."""

    def __init__(self, socket: web.WebSocketResponse, codec: Codec) -> None:
        self.socket = socket
        self.session: Session | None = None
        self.beats: list[float] = []
        self._codec = codec
        self._queue: asyncio.Queue[str | int] = asyncio.Queue()

    def say(self, text: str) -> None:
        self._queue.put_nowait(text)

    def send(self, op: int, data: object = None) -> None:
        self.say(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def close(self, code: int) -> None:
        """Close it, after everything that was said before."""
        self._queue.put_nowait(code)

    async def speak(self) -> None:
        while True:
            said = await self._queue.get()
            if isinstance(said, int):
                await self.socket.close(code=said)
                return
            encoded = self._codec.encode(said)
            if isinstance(encoded, bytes):
                await self.socket.send_bytes(encoded)
            else:
                await self.socket.send_str(encoded)


class Gateway:
    """All lines and sessions. Its faults are switches: `open` to let anybody in, `acknowledges` to
    answer heartbeats. resume_url: what READY says, if not `url`. heartbeat_seconds: what HELLO
    says; shards: what /gateway/bot advises."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self.resume_url = ""
        self.open = True
        self.acknowledges = True
        self.heartbeat_seconds = 41.25
        self.shards = 1
        self.sessions: dict[str, Session] = {}
        self.log: list[str] = []
        self._lines: dict[Line, web.Request] = {}
        world.listeners.append(self.publish)

    # Faults, and what a test waits for.

    def drop(self) -> None:
        """Cut every connection, without a word."""
        for request in self._lines.values():
            if request.transport is not None:
                request.transport.abort()

    def reconnect(self) -> None:
        """Ask every client to come again (op 7)."""
        for line in self._lines:
            line.send(RECONNECT)

    def invalidate(self, resumable: bool = False) -> None:
        """Tell every client that its session is invalid (op 9); and forget it, unless resumable."""
        if not resumable:
            self.sessions.clear()
        for line in self._lines:
            line.send(INVALID_SESSION, resumable)

    def close(self, code: int) -> None:
        """Close every connection with a code."""
        for line in self._lines:
            line.close(code)

    @property
    def connected(self) -> int:
        """How many sessions have a socket now."""
        return sum(s.line is not None for s in self.sessions.values())

    async def ready(self, sessions: int = 1) -> None:
        """Wait until so many sessions have a socket."""
        await self.world.until(lambda: self.connected >= sessions, f"{sessions} gateway sessions")

    # Events.

    def publish(self, event: Event) -> None:
        for session in self.sessions.values():
            if _concerns(session, event):
                hide = event.content and not session.intents & MESSAGE_CONTENT
                session.dispatch(
                    event.name, payloads.without_content(event.data) if hide else event.data
                )

    # The socket.

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not self.open:
            return web.Response(status=503)
        patience = self.heartbeat_seconds * 1.5
        socket = web.WebSocketResponse(max_msg_size=0, compress=False, receive_timeout=patience)
        await socket.prepare(request)
        line = Line(socket, _codec(request.query.get("compress")))
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            await socket.close(code=4012)
            return socket
        self._lines[line] = request
        speaking = asyncio.create_task(line.speak())
        line.send(HELLO, {"heartbeat_interval": int(self.heartbeat_seconds * 1000), "_trace": []})
        try:
            await self._hear(line)
        except TimeoutError:
            self.log.append("no heartbeat")
            await socket.close(code=TIMED_OUT)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            del self._lines[line]
            self._hang_up(line)
        return socket

    async def _hear(self, line: Line) -> None:
        times: deque[float] = deque(maxlen=MOST_EVENTS)
        async for message in line.socket:
            if message.type is not WSMsgType.TEXT or len(message.data) > MOST_BYTES:
                self.world.violate(f"gateway: a frame of {len(message.data)} bytes or no text")
                line.close(BAD_PAYLOAD)
                continue
            now = self.world.clock.now()
            if len(times) == MOST_EVENTS and now - times[0] < EVENTS_SECONDS:
                self.world.violate(f"gateway: more than {MOST_EVENTS} events in a minute")
                line.close(TOO_FAST)
                continue
            times.append(now)
            code = self._understand(line, message.data)
            self.world.touch()
            if code is not None:
                self.log.append(f"close {code}")
                line.close(code)

    def _understand(self, line: Line, text: str) -> int | None:
        """Act on what a client said; a code where that ends the connection."""
        try:
            heard = json.loads(text)
            op, data = heard["op"], heard.get("d")
        except (ValueError, TypeError, KeyError):
            return self._wrong("not an event", BAD_PAYLOAD)
        fault = frames.fault(op, data)
        if fault is not None:
            return self._wrong(fault, BAD_PAYLOAD)
        if op == frames.HEARTBEAT:
            line.beats.append(self.world.clock.now())
            if self.acknowledges:
                line.send(HEARTBEAT_ACK)
            return None
        if op == frames.IDENTIFY:
            return self._identify(line, data)
        if op == frames.RESUME:
            return self._resume(line, data)
        if line.session is None:
            return self._wrong(f"op {op} before IDENTIFY", NOT_AUTHENTICATED)
        if op == frames.REQUEST_MEMBERS:
            self._members(line.session, data)
        return None

    def _wrong(self, why: str, code: int) -> int:
        self.world.violate(f"gateway: {why}")
        return code

    def _identify(self, line: Line, data: Json) -> int | None:
        if line.session is not None:
            return self._wrong("IDENTIFY twice", TWICE)
        if data["token"] != self.world.token:
            return BAD_TOKEN
        intents = data["intents"]
        if intents >> 26:
            return self._wrong(f"intents {intents}", BAD_INTENTS)
        if intents & ~self.world.intents_allowed:
            return FORBIDDEN_INTENTS
        shard, shards = data.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            return self._wrong(f"shard {shard} of {shards}", BAD_SHARD)
        self._forget(shard, shards)
        session = Session(f"{self.world.new_id():x}", intents, shard, shards)
        self.sessions[session.id] = session
        self._connect(line, session)
        self.log.append(f"identify {shard}/{shards}")
        mine = [
            g
            for g in self.world.guilds.values()
            if self.world.app.id in g.members and (g.id >> 22) % shards == shard
        ]
        ready = {
            "v": 10,
            "user": payloads.me(self.world),
            "guilds": [{"id": str(g.id), "unavailable": True} for g in mine],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.resume_url or self.url,
            "shard": [shard, shards],
            "application": {"id": str(self.world.app.id), "flags": 0},
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "user_settings": {},
        }
        session.dispatch("READY", ready)
        if intents & GUILDS:
            for guild in mine:
                session.dispatch("GUILD_CREATE", payloads.guild_create(self.world, guild))
        return None

    def _forget(self, shard: int, shards: int) -> None:
        """Who identifies anew will not resume what it lost."""
        kept = self.sessions.items()
        self.sessions = {
            key: s for key, s in kept if s.line or (s.shard, s.shards) != (shard, shards)
        }

    def _resume(self, line: Line, data: Json) -> int | None:
        if line.session is not None:
            return self._wrong("RESUME on a running session", TWICE)
        if data["token"] != self.world.token:
            return BAD_TOKEN
        session = self.sessions.get(data["session_id"])
        gone = session is None or (
            session.lost is not None and self.world.clock.now() - session.lost > RESUME_SECONDS
        )
        if session is None or gone:
            self.sessions.pop(data["session_id"], None)
            self.log.append("resume refused")
            line.send(INVALID_SESSION, False)
            return None
        told = int(data["seq"])
        if told > session.sequence:
            return self._wrong(f"seq {told}, told {session.sequence}", BAD_SEQUENCE)
        oldest = session.kept[0][0] if session.kept else session.sequence + 1
        if told + 1 < oldest and told < session.sequence:
            self.log.append("resume refused")
            line.send(INVALID_SESSION, False)
            return None
        missed = [text for sequence, text in session.kept if sequence > told]
        self.log.append(f"resume {len(missed)}")
        for text in missed:
            line.say(text)
        self._connect(line, session)
        session.dispatch("RESUMED", {"_trace": []})
        return None

    def _connect(self, line: Line, session: Session) -> None:
        if session.line is not None:
            session.line.session = None
            session.line.close(WSCloseCode.OK)
        session.line, session.lost, line.session = line, None, session

    def _hang_up(self, line: Line) -> None:
        """Closing with 1000 or 1001 ends the session; else it can be resumed for a while."""
        session = line.session
        if session is None:
            self.world.touch()
            return
        session.line, session.lost = None, self.world.clock.now()
        if line.socket.close_code in (1000, 1001):
            self.sessions.pop(session.id, None)
        self.world.touch()

    def _members(self, session: Session, data: Json) -> None:
        guild = self.world.guilds.get(int(data.get("guild_id", 0)))
        if guild is None:
            return
        named = data.get("user_ids")
        if not named and not data.get("query") and not session.intents & GUILD_MEMBERS:
            self._wrong("asks for all members without the intent", BAD_PAYLOAD)
            return
        named = [named] if isinstance(named, str | int) else named
        wanted = {int(i) for i in (named or guild.members)}
        if named and len(named) > MOST_NAMED:
            self._wrong(f"asks for {len(named)} members at once", BAD_PAYLOAD)
        told = [payloads.member(self.world, guild, u) for u in guild.members if u in wanted]
        chunk: Json = {
            "guild_id": str(guild.id),
            "members": told,
            "chunk_index": 0,
            "chunk_count": 1,
        }
        if "nonce" in data:
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._serve)
        return app


def _codec(asked: str | None) -> Codec:
    if asked == "zlib-stream":
        return Zlib()
    if asked == "zstd-stream" and zstandard is not None:
        return Zstd()
    return Plain()


def _concerns(session: Session, event: Event) -> bool:
    if event.intent and not session.intents & event.intent:
        return False
    guild_id = event.guild_id
    shard = (guild_id >> 22) % session.shards if guild_id else 0
    return shard == session.shard
