"""What clips say of where they come from, wired: in a running Kinora, and in a shell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bots.settings import Settings
from bots.signing import notary_of, practice_of, signature_of
from core.catalog import Model
from core.plans import Plans
from core.ports import Clock
from core.provenance import Finding
from core.replay import Replay
from core.sealing import Sealing
from model.provenance.notary import Notary
from model.provenance.verify import Verifier
from model.provenance.weights import weights
from storage.store import Store, open_store, utc_now


@dataclass(frozen=True, slots=True)
class Seals:
    sealing: Sealing
    notary: Notary
    verifier: Verifier
    replay: Replay


@asynccontextmanager
async def verifier_of(settings: Settings, store: Store) -> AsyncIterator[Verifier]:
    async with Verifier(signature_of(settings), store.marks, store.jobs) as verifier:
        yield verifier


@asynccontextmanager
async def seals_of(
    settings: Settings,
    store: Store,
    catalogue: Sequence[Model],
    plans: Plans,
    clock: Clock = utc_now,
) -> AsyncIterator[Seals]:
    notary = notary_of(settings)
    replay = Replay(catalogue, store.files, weights, version("kinora"))
    sealing = Sealing(
        store.accounts,
        store.jobs,
        store.files,
        store.marks,
        plans,
        clock,
        practice_of(settings),
        notary.sign,
        weights,
        replay,
    )
    async with verifier_of(settings, store) as verifier:
        yield Seals(sealing, notary, verifier, replay)


async def looked_into(settings: Settings, file: Path) -> Finding:
    """Where a file came from, for who has the shell. Raises UserError."""
    folder = settings.data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    opening = open_store(settings.url, folder, settings.clips.keep)
    async with opening as store, verifier_of(settings, store) as verifier:
        return await verifier.verify(file)
