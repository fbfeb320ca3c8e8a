"""The real program in a process of its own, as a user starts it; for tests and benches."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

KINORA = (sys.executable, "-m", "bots")
ADMIN_KEY = "an-operator's-key"
UP_SECONDS = 180.0


@dataclass(frozen=True)
class Program:
    """A running `kinora serve`. link: the one-time link that it printed."""

    process: asyncio.subprocess.Process
    url: str
    link: str

    def runner_pid(self) -> int:
        """The child that renders; raises LookupError while there is none."""
        for pid in family(self.process.pid):
            with suppress(OSError):
                if b"model.runner" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        raise LookupError("no runner")

    def processor_seconds(self) -> float:
        """What it has taken of a processor by now, in all of its threads and none of its children.
        proc(5), /proc/PID/stat: fields 14 and 15."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def running(folder: Path, **environment: str) -> AsyncIterator[Program]:
    """`kinora serve` with its data in `folder`, ready to work; killed when the block is left."""
    with (folder / "log.txt").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *KINORA,
            "serve",
            env=environment_of(folder, KINORA_WEB__PORT="0") | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(UP_SECONDS):
            line = b""
            while b"/open/" not in line:
                line = await process.stdout.readline()
                assert line, (folder / "log.txt").read_text()
            link = line.decode().strip()
            program = Program(process, link.partition("/open/")[0], link)
            await _ready(program)
        yield program
        assert process.returncode is not None or (await _answers(program))
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def environment_of(folder: Path, **more: str) -> dict[str, str]:
    """Ours, without settings that happen to be there, and those of a test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KINORA_")}
    return kept | {
        "KINORA_DATA_DIR": str(folder / "data"),
        "KINORA_WEB__ADMIN_KEY": ADMIN_KEY,
        **more,
    }


async def command(
    folder: Path, *words: str, cwd: Path | None = None, **environment: str
) -> tuple[int, str, str]:
    """Run `kinora WORDS` to its end: exit status, output, complaints. cwd: the current folder."""
    process = await asyncio.create_subprocess_exec(
        *KINORA,
        *words,
        cwd=cwd,
        env=environment_of(folder) | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


class Caller:
    """Somebody who uses the HTTP API with a key."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str = ADMIN_KEY) -> None:
        self._session = session
        self._url = f"{url}/api/v1"
        self._headers = {"Authorization": f"Bearer {key}"}

    async def post(
        self, path: str, form: object = None, *, status: int = 202, **headers: str
    ) -> dict[str, Any]:
        return await self._json("POST", path, status, form, headers)

    async def get(self, path: str, *, status: int = 200) -> dict[str, Any]:
        return await self._json("GET", path, status)

    async def delete(self, path: str, *, status: int = 200) -> dict[str, Any]:
        return await self._json("DELETE", path, status)

    async def draw(self, prompt: str, **fields: object) -> dict[str, Any]:
        """Ask for a clip from words."""
        return await self.post("/clips", {"prompt": prompt, **fields})

    async def move(self, picture: bytes, prompt: str, **fields: object) -> dict[str, Any]:
        """Ask for a clip from a picture."""
        form = aiohttp.FormData({"prompt": prompt, **{n: str(v) for n, v in fields.items()}})
        form.add_field("image", picture, filename="photo.jpg", content_type="image/jpeg")
        return await self.post("/clips", form)

    async def events(self, job_id: str) -> AsyncIterator[dict[str, Any]]:
        """What the job's event stream says, until it ends."""
        url = f"{self._url}/clips/{job_id}/events"
        timeout = aiohttp.ClientTimeout(total=120)
        async with self._session.get(url, headers=self._headers, timeout=timeout) as answer:
            assert answer.status == 200, await answer.text()
            async for line in answer.content:
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))

    async def until(self, job_id: str, *states: str) -> dict[str, Any]:
        """Follow the job's events until it is in one of the states."""
        async with asyncio.timeout(120):
            async for seen in self.events(job_id):
                if seen["state"] in states:
                    return seen
        raise AssertionError(f"the stream of {job_id} ended before {states}")

    async def ended(self, job_id: str) -> dict[str, Any]:
        return await self.until(job_id, "succeeded", "failed", "cancelled", "refused")

    async def video(self, job_id: str, **headers: str) -> tuple[int, bytes]:
        url = f"{self._url}/clips/{job_id}/video"
        async with self._session.get(url, headers=self._headers | headers) as answer:
            return answer.status, await answer.read()

    async def _json(
        self,
        method: str,
        path: str,
        status: int,
        form: object = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        body = {"json": form} if isinstance(form, dict) else {"data": form}
        async with self._session.request(
            method, self._url + path, headers=self._headers | (headers or {}), **body
        ) as answer:
            assert answer.status == status, f"{answer.status}: {await answer.text()}"
            found: dict[str, Any] = await answer.json(content_type=None)
            return found


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


async def _ready(program: Program) -> None:
    while not await _answers(program, "/readyz"):
        assert program.process.returncode is None
        await asyncio.sleep(0.1)


async def _answers(program: Program, path: str = "/healthz") -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(program.url + path) as answer,
        ):
            return answer.status == 200
    except aiohttp.ClientError:
        return False
