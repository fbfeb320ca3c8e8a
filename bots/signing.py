"""An operator's certificate and what clips are to say, as set. Without a store: for any command."""

from __future__ import annotations

from pathlib import Path

from bots.lock import Busy
from bots.settings import Settings
from core.provenance import Label
from core.sealing import Practice
from model.provenance.certificate import BadCertificate, Signature, secret, signature
from model.provenance.notary import Notary


def signature_of(settings: Settings) -> Signature:
    """Raises Busy, in a sentence for the operator, where the certificate can't sign."""
    said = settings.provenance
    try:
        return signature(folder_of(settings), said.certificate, said.key, said.provider)
    except BadCertificate as error:
        raise Busy(f"Clips can't be signed: {error}. See KINORA_PROVENANCE__CERTIFICATE.") from None
    except OSError as error:
        raise Busy(f"{folder_of(settings)} can't be used: {error.strerror}.") from None


def practice_of(settings: Settings) -> Practice:
    """Raises as `signature_of`, and where a label can't be drawn."""
    said = settings.provenance
    try:
        key = secret(folder_of(settings)) if said.watermark else None
    except OSError as error:
        raise Busy(f"{folder_of(settings)} can't be used: {error.strerror}.") from None
    if said.drawn is not None:
        _check(said.drawn)
    return Practice(key, said.drawn, said.words)


def _check(label: Label) -> None:
    from model.provenance.label import missing

    try:
        lacking = missing(label)
    except OSError:
        raise Busy(f"KINORA_PROVENANCE__LABEL_FONT is no font file: {label.font}.") from None
    if lacking:
        raise Busy(
            f"The font of KINORA_PROVENANCE__LABEL_TEXT can't draw these letters: {lacking}. Set "
            "KINORA_PROVENANCE__LABEL_FONT to a font file that has them."
        )


def notary_of(settings: Settings) -> Notary:
    return Notary(signature_of(settings), settings.provenance.provider)


def folder_of(settings: Settings) -> Path:
    return settings.data_dir.absolute() / "provenance"
