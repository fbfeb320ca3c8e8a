"""C2PA manifests: what a clip's file says of how it came to be, signed; and what others say.

Nothing is fetched: neither manifests that lie elsewhere nor word of a certificate's fate.
https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import c2pa

from core.provenance import MARKS_SUFFIX, Deed
from model.provenance.certificate import Signature

MADE_BY_A_MODEL: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CLIP: Final = "org.kinora.clip"
"""Our own assertion: which clip it is."""

OUTLIVED: Final = {"signingCredential.expired", "signingCredential.untrusted"}
"""What is wrong with a file that nobody changed, once its certificate has ended."""

MP4: Final = "video/mp4"
JPEG: Final = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Told:
    """What a file's manifest says.

    valid: its signature was good, and it fits the file. serial: of the certificate that signed it,
    where that is trusted, else "". signer: who that is, by its own word. clip: our assertion.
    """

    valid: bool
    serial: str
    signer: str
    clip: dict[str, Any]


def sign(clip: Path, target: Path, deed: Deed, signature: Signature, provider: str) -> None:
    """The clip, with its manifest, at `target`. Raises c2pa.C2paError, OSError."""
    model = {"name": deed.request.model, "version": deed.weights or "none"}
    when = deed.at.astimezone(UTC).isoformat(timespec="seconds")
    made = {"digitalSourceType": MADE_BY_A_MODEL, "softwareAgent": model, "when": when}
    inputs = [_Input.of(number, picture) for number, picture in enumerate(deed.pictures)]
    labels = {"parameters": {"ingredientIds": [one.label for one in inputs]}} if inputs else {}
    if deed.parent is not None:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
        actions = [opened, {"action": "c2pa.edited", **made}]
    else:
        actions = [{"action": "c2pa.created", **made, **labels}]
    said = {
        "job": deed.job_id,
        "at": when,
        "provider": provider,
        "model": model,
        "system": {"name": "Kinora", "version": version("kinora")},
        "recipe": deed.recipe,
    }
    with _builder(deed.job_id, actions, said, signature.anchors) as builder:
        if deed.parent is not None:
            with deed.parent.open("rb") as parent:
                builder.add_ingredient(_ingredient("parent", "parentOf"), MP4, parent)
        for one in inputs:
            one.add_to(builder)
        _sign(builder, clip, target, signature)


def sign_again(clip: Path, before: Path, target: Path, signature: Signature) -> None:
    """The clip, which is `before` encoded again, with a manifest that says so, at `target`.

    Raises c2pa.C2paError, OSError; ValueError where `before` has no manifest of ours.
    """
    told = read(before.read_bytes(), MP4, signature.anchors)
    if told is None or not told.valid or told.serial not in signature.known:
        raise ValueError("the clip before has no manifest of this Kinora")
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}},
        {"action": "c2pa.transcoded"},
    ]
    job_id = str(told.clip.get("job", ""))
    with _builder(job_id, actions, told.clip, signature.anchors) as builder:
        with before.open("rb") as file:
            builder.add_ingredient(_ingredient("parent", "parentOf"), MP4, file)
        _sign(builder, clip, target, signature)


def read(data: bytes, kind: str, anchors: str) -> Told | None:
    """What the manifest says; None where there is none. kind: of the file, as a MIME type.

    Raises c2pa.C2paError for what can't be read at all.
    """
    with _context(anchors) as context:
        reader = c2pa.Reader.try_create(kind, io.BytesIO(data), context=context)
        if reader is None:
            return None
        with reader:
            manifest = reader.get_active_manifest() or {}
            state = reader.get_validation_state()
            looked = (reader.get_validation_results() or {}).get("activeManifest") or {}
    signed = manifest.get("signature_info") or {}
    trusted = state == "Trusted"
    wrong = {one["code"] for one in looked.get("failure", ())}
    said = [one["data"] for one in manifest.get("assertions", ()) if one["label"] == CLIP]
    return Told(
        valid=state in ("Valid", "Trusted") or (bool(wrong) and wrong <= OUTLIVED),
        serial=str(signed.get("cert_serial_number", "")) if trusted else "",
        signer=str(signed.get("issuer") or signed.get("common_name") or ""),
        clip=said[0] if said and isinstance(said[0], dict) else {},
    )


def archived(data: bytes, kind: str) -> bytes | None:
    """What the manifest of a picture says, to be said again of clips that are made of it: a label,
    a newline and an archive of C2PA. None where it has none. Raises c2pa.C2paError."""
    label = f"input-{hashlib.sha256(data).hexdigest()[:12]}"
    with _context("") as context:
        reader = c2pa.Reader.try_create(kind, io.BytesIO(data), context=context)
        if reader is None:
            return None
        reader.close()
        with c2pa.Builder("{}", context=context) as builder:
            builder.add_ingredient(_ingredient(label, "inputTo"), kind, io.BytesIO(data))
            archive = io.BytesIO()
            builder.write_ingredient_archive(label, archive)
            return label.encode() + b"\n" + archive.getvalue()


@dataclass(frozen=True, slots=True)
class _Input:
    """A picture that a clip was made of. archive: of its marks, where it came with some."""

    label: str
    picture: Path
    archive: bytes | None

    @classmethod
    def of(cls, number: int, picture: Path) -> _Input:
        marks = picture.with_suffix(MARKS_SUFFIX)
        if not marks.is_file():
            return cls(f"input-{number}", picture, None)
        label, _, archive = marks.read_bytes().partition(b"\n")
        return cls(label.decode(), picture, archive)

    def add_to(self, builder: c2pa.Builder) -> None:
        if self.archive is not None:
            builder.add_ingredient_from_archive(io.BytesIO(self.archive))
            return
        with self.picture.open("rb") as file:
            builder.add_ingredient(_ingredient(self.label, "inputTo"), JPEG, file)


def _builder(job_id: str, actions: list[Any], said: dict[str, Any], anchors: str) -> c2pa.Builder:
    definition = {
        "claim_generator_info": [{"name": "Kinora", "version": version("kinora")}],
        "title": f"{job_id}.mp4",
        "format": MP4,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": CLIP, "data": said},
        ],
    }
    return c2pa.Builder(json.dumps(definition), context=_context(anchors))


def _sign(builder: c2pa.Builder, clip: Path, target: Path, signature: Signature) -> None:
    info = c2pa.C2paSignerInfo(
        signature.algorithm.lower(), signature.chain, signature.key, ta_url=None
    )
    with (
        c2pa.Signer.from_info(info) as signer,
        clip.open("rb") as source,
        target.open("w+b") as signed,
    ):
        builder.sign(signer, MP4, source, signed)


def _ingredient(label: str, relationship: str) -> str:
    return json.dumps({"title": label, "label": label, "relationship": relationship})


def _context(anchors: str) -> c2pa.Context:
    return c2pa.Context.from_dict(
        {
            "trust": {"trust_anchors": anchors} if anchors else {},
            "verify": {
                "remote_manifest_fetch": False,
                "ocsp_fetch": False,
                "verify_after_sign": False,
            },
            "builder": {"thumbnail": {"enabled": False}},
        }
    )
