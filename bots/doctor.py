"""What `kinora doctor` finds: what is configured, what is missing, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from bots.gates import rulebook_of
from bots.misspelt import misspelt
from bots.settings import FILE, Settings, given
from core.catalog import Model, Takes
from core.errors import KinoraError

ENOUGH_DISK_BYTES = 2 * 1024**3
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. remedy: what to do, "" where nothing is to be done."""

    verdict: Literal["ok", "note", "bad"]
    what: str
    seen: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


async def examine(
    settings: Settings, catalogue: Sequence[Model], at_head: Callable[[str], Awaitable[bool]]
) -> list[Finding]:
    """Look at all that Kinora needs, and change nothing. at_head: whether a database's schema is
    the newest."""
    findings = [
        Finding("ok", "Python", platform.python_version()),
        *await asyncio.to_thread(_settings, settings),
        await asyncio.to_thread(_disk, settings.data_dir),
        await _database(settings, at_head),
        *await asyncio.to_thread(_rules, settings),
        _models(settings, catalogue),
        _gpu(),
        _port(settings),
    ]
    needed = {
        "KINORA_WEB__PUBLIC_URL": settings.web.public_url,
        "KINORA_DISCORD__TOKEN": settings.discord.token,
    }
    missing = " and ".join(name for name, value in needed.items() if not value)
    if settings.discord.client_secret is not None and missing:
        findings.append(
            Finding(
                "note",
                "Sign-in",
                f"KINORA_DISCORD__CLIENT_SECRET alone lets nobody in: {missing} must be set, too",
                f"set {missing}; tell Discord the page's /console/discord/back under Redirects",
            )
        )
    if settings.web.host not in LOOPBACK and not settings.web.public_url:
        findings.append(
            Finding(
                "note",
                "Reach",
                f"the page listens on {settings.web.host}, beyond this machine",
                "put a proxy with TLS in front, and set KINORA_WEB__PUBLIC_URL",
            )
        )
    return findings


def takes(model: Model) -> str:
    """What a model is given, in words."""
    picture = {Takes.NEEDS: "a picture", Takes.MAYBE: "a picture if you like", Takes.NOTHING: ""}
    last = "a last picture if you like" if model.last_picture else ""
    return " and ".join(filter(None, ("words" if model.text else "", picture[model.picture], last)))


def _settings(settings: Settings) -> Iterator[Finding]:
    file = FILE.absolute()
    if file.is_file():
        yield Finding("ok", "Settings", f"from the environment and {file}")
    else:
        yield Finding("note", "Settings", f"from the environment alone; there is no {file}")
    for name in misspelt(given(), settings):
        yield Finding("bad" if name.meant else "note", "Settings", str(name))


def _disk(data_dir: Path) -> Finding:
    existing = next(path for path in (data_dir.absolute(), *data_dir.absolute().parents)
                    if path.exists())  # fmt: skip
    if not os.access(existing, os.W_OK):
        return Finding("bad", "Data", f"{existing} can't be written", "set KINORA_DATA_DIR")
    free = shutil.disk_usage(existing).free
    made = "" if data_dir.exists() else ", made at the first start"
    seen = f"{data_dir.absolute()}{made}, {free / 1e9:.0f} GB free"
    if free < ENOUGH_DISK_BYTES:
        return Finding("bad", "Data", seen, "free some room, or set KINORA_DATA_DIR")
    return Finding("ok", "Data", seen)


async def _database(settings: Settings, at_head: Callable[[str], Awaitable[bool]]) -> Finding:
    file = _sqlite_file(settings.url)
    name = "PostgreSQL" if file is None else "SQLite"
    if file is not None and not await asyncio.to_thread(file.exists):
        return Finding("ok", "Database", "SQLite, made at the first start")
    try:
        async with asyncio.timeout(15):
            if await at_head(settings.url):
                return Finding("ok", "Database", f"{name}, at the newest schema")
        seen = f"{name}: it does not answer, or its schema is another version's"
    except KinoraError as error:
        seen = str(error)
    except TimeoutError:
        seen = f"{name}: no answer in 15 seconds"
    return Finding(
        "bad", "Database", seen, "check KINORA_DATABASE_URL; `kinora db upgrade` brings the schema"
    )


def _rules(settings: Settings) -> Iterator[Finding]:
    book = rulebook_of(settings)
    for problem in book.problems:
        yield Finding("bad", "Rules", str(problem), "mend it; `kinora check --rules` tries it")
    if not book.problems:
        own = f", and {len(book.own)} files of yours" if book.own else ""
        yield Finding("ok", "Rules", f"{len(book.rules.rules)} on words{own}")


def _sqlite_file(url: str) -> Path | None:
    scheme, _, path = url.partition(":///")
    return Path(path.partition("?")[0]) if scheme.startswith("sqlite") else None


def _models(settings: Settings, catalogue: Sequence[Model]) -> Finding:
    names = ", ".join(model.name for model in catalogue)
    said = {f"KINORA_CREDITS__BASES__{name.upper()}": name for name in settings.credits.bases}
    if settings.model is not None:
        said["KINORA_MODEL"] = settings.model
    for setting, name in said.items():
        if all(model.name != name for model in catalogue):
            return Finding("bad", "Models", f"there is no {name}", f"{setting}: {names}")
    if not any(model.text for model in catalogue):
        return Finding("note", "Models", f"{names}; none takes words alone")
    return Finding("ok", "Models", names)


def _gpu() -> Finding:
    if Path("/proc/driver/nvidia/version").exists():
        return Finding("ok", "GPU", "an NVIDIA driver is loaded")
    return Finding("note", "GPU", "none seen; the built-in models need none")


def _port(settings: Settings) -> Finding:
    family = socket.AF_INET6 if ":" in settings.web.host else socket.AF_INET
    seen = f"{settings.web.host}:{settings.web.port}"
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.web.host, settings.web.port))
        except OSError:
            return Finding(
                "note", "Page", f"{seen} is taken", "it may be Kinora; else set KINORA_WEB__PORT"
            )
    return Finding("ok", "Page", f"{seen} is free")
