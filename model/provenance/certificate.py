"""Whose signature a clip carries: an operator's own certificate, or one made here at the first run.

What is made here nobody else trusts, and is meant for development; this Kinora knows its own clips
by it. Certificates that signed once stay known, so that older clips are still told.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEPT: Final = timedelta(days=3650)
EARLIER: Final = timedelta(hours=1)
"""A clock that is a little slow still takes it."""

CURVES: Final = {"secp256r1": "Es256", "secp384r1": "Es384"}
"""Keys that may sign, and how C2PA calls that."""

PEM: Final = serialization.Encoding.PEM


class BadCertificate(ValueError):
    """A certificate or key that can't sign clips; in a sentence for its operator."""


@dataclass(frozen=True, slots=True)
class Signature:
    """chain, key: in PEM, the signing certificate first. algorithm: as C2PA calls it.

    known: the serial numbers of all that ever signed here; anchors: what their chains end in.
    """

    chain: bytes
    key: bytes
    algorithm: str
    known: frozenset[str]
    anchors: str


def signature(
    folder: Path, certificate: Path | None = None, key: Path | None = None, who: str = "Kinora"
) -> Signature:
    """The operator's own, or the one in the folder, made there if there is none.

    Raises BadCertificate, also where a file can't be read.
    """
    _prepare(folder)
    if (certificate is None) != (key is None):
        raise BadCertificate("a certificate needs its key, and a key its certificate: set both")
    own, own_key = folder / "certificate.pem", folder / "key.pem"
    with _alone(folder):
        if certificate is None and not (own.is_file() and own_key.is_file()):
            _make(own, own_key, who)
        chain, secret = _read(certificate or own), _read(key or own_key)
        leaf, algorithm = _fit(chain, secret)
        known = folder / "known"
        known.mkdir(exist_ok=True)
        kept = known / f"{leaf.serial_number:x}.pem"
        if not kept.is_file():
            _write(kept, chain)
        chains = [x509.load_pem_x509_certificates(one) for one in _all(known)]
    return Signature(
        chain,
        secret,
        algorithm,
        frozenset(str(one[0].serial_number) for one in chains),
        "".join(one[-1].public_bytes(PEM).decode() for one in chains),
    )


def secret(folder: Path) -> bytes:
    """32 bytes of this Kinora's own, made at the first run; whoever lacks them can't tell which
    word a clip is marked with."""
    path = folder / "marks.key"
    _prepare(folder)
    with _alone(folder):
        if not path.is_file():
            _write(path, os.urandom(32))
        return path.read_bytes()


def _prepare(folder: Path) -> None:
    """The folder and the one around it, for the owner's eyes alone."""
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two that run for the first time at once make one pair, not half of each."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _all(known: Path) -> Iterator[bytes]:
    for path in sorted(known.glob("*.pem")):
        yield path.read_bytes()


def _fit(chain: bytes, key: bytes) -> tuple[x509.Certificate, str]:
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError, IndexError):
        raise BadCertificate("a certificate and its key are PEM files, without password") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name not in CURVES:
        raise BadCertificate("a key that signs clips is one of ECDSA, P-256 or P-384")
    if leaf.public_key() != private.public_key():
        raise BadCertificate("the certificate is not that of the key")
    if leaf.not_valid_after_utc < datetime.now(UTC):
        raise BadCertificate(f"the certificate ended on {leaf.not_valid_after_utc:%Y-%m-%d}")
    return leaf, CURVES[private.curve.name]


def _make(certificate: Path, key: Path, who: str) -> None:
    """As C2PA wants it: a leaf for signing (emailProtection) below an authority of its own, whose
    key nobody keeps."""
    now = datetime.now(UTC) - EARLIER
    above, ours = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer, subject = _name(who, "development authority"), _name(who, "development")
    above_id = x509.SubjectKeyIdentifier.from_public_key(above.public_key())

    def begun(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + KEPT)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    authority = (
        begun(issuer, above.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(above, hashes.SHA256())
    )
    leaf = (
        begun(subject, ours.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above_id),
            critical=False,
        )
        .sign(above, hashes.SHA256())
    )
    private = ours.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, private)
    _write(certificate, leaf.public_bytes(PEM) + authority.public_bytes(PEM))


def _name(who: str, what: str) -> x509.Name:
    whole = [(NameOID.ORGANIZATION_NAME, who[:64]), (NameOID.COMMON_NAME, f"{who} {what}"[:64])]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in whole])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(f"{path} can't be read: {error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and for the owner's eyes alone."""
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
