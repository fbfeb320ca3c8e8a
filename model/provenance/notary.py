"""Signs clips off the event loop, with a limit on time."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import c2pa

from core.ports import Shrink
from core.provenance import Deed, Unsigned
from model.provenance import manifest
from model.provenance.certificate import Signature

SIGN_SECONDS: Final = 60.0

MANIFEST_BYTES: Final = 128_000
"""What a manifest may add to a clip that has to fit; those of our own have 3 to 40 kB."""


log = logging.getLogger("kinora.provenance")


class Notary:
    """`sign` is `core.provenance.Sign`; `shrunk` makes copies that are signed as well."""

    def __init__(self, signature: Signature, provider: str) -> None:
        self._signature = signature
        self._provider = provider

    async def sign(self, clip: Path, target: Path, deed: Deed) -> None:
        await self._signed(
            lambda: manifest.sign(clip, target, deed, self._signature, self._provider)
        )

    def shrunk(self, shrink: Shrink) -> Shrink:
        """The same for copies that carry a manifest. None, too, where one can't be signed."""

        async def shrunk(clip: Path, max_bytes: int) -> Path | None:
            room = min(MANIFEST_BYTES, max_bytes // 2)
            smaller = await shrink(clip, max_bytes - room)
            if smaller is None:
                return None
            handle, name = tempfile.mkstemp(prefix="kinora-", suffix=".mp4")
            os.close(handle)
            target = Path(name)
            fits = False
            try:
                await self._signed(
                    lambda: manifest.sign_again(smaller, clip, target, self._signature)
                )
                fits = (await asyncio.to_thread(target.stat)).st_size <= max_bytes
            except Unsigned as error:
                log.error("a copy that had to fit is not sent: %s", error)
            finally:
                smaller.unlink(missing_ok=True)
                if not fits:
                    target.unlink(missing_ok=True)  # noqa: ASYNC240
            return target if fits else None

        return shrunk

    async def _signed(self, sign: Callable[[], None]) -> None:
        try:
            async with asyncio.timeout(SIGN_SECONDS):
                await asyncio.to_thread(sign)
        except (c2pa.C2paError, OSError, ValueError, TimeoutError) as error:
            raise Unsigned(f"a clip could not be signed: {type(error).__name__}") from error
