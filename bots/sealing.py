"""What clips say of where they come from, wired: in a running Kinora, and in a shell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from bots.lock import Busy
from bots.settings import Settings
from core.catalog import Model
from core.plans import Plans
from core.ports import Clock
from core.replay import Replay
from core.sealing import Practice, Sealing
from model.provenance.certificate import BadCertificate, Signature, secret, signature
from model.provenance.notary import Notary
from model.provenance.verify import Verifier
from model.provenance.weights import weights
from storage.store import Store, utc_now


@dataclass(frozen=True, slots=True)
class Seals:
    sealing: Sealing
    notary: Notary
    verifier: Verifier
    replay: Replay


def signature_of(settings: Settings) -> Signature:
    """Raises Busy, in a sentence for the operator, where the certificate can't sign."""
    said = settings.provenance
    folder = settings.data_dir.absolute() / "provenance"
    try:
        return signature(folder, said.certificate, said.key, said.provider)
    except BadCertificate as error:
        raise Busy(f"Clips can't be signed: {error}. See KINORA_PROVENANCE__CERTIFICATE.") from None


def practice_of(settings: Settings) -> Practice:
    said = settings.provenance
    folder = settings.data_dir.absolute() / "provenance"
    return Practice(secret(folder) if said.watermark else None, said.drawn, said.words)


def notary_of(settings: Settings) -> Notary:
    return Notary(signature_of(settings), settings.provenance.provider)


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
