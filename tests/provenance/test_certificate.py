"""Whose signature a clip carries."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from model.provenance.certificate import BadCertificate, secret, signature


def test_one_is_made_once_and_kept_secret(tmp_path: Path) -> None:
    first = signature(tmp_path / "data" / "provenance")
    again = signature(tmp_path / "data" / "provenance")
    assert (first.chain, first.key) == (again.chain, again.key)
    for path in (tmp_path / "data" / "provenance").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert secret(tmp_path / "data") == secret(tmp_path / "data")


def test_two_that_run_for_the_first_time_make_one(tmp_path: Path) -> None:
    folder, start = tmp_path / "data" / "provenance", Barrier(6)

    def first_run(_: int) -> tuple[bytes, bytes, bytes]:
        start.wait()
        made = signature(folder)
        return made.chain, made.key, secret(folder)

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(first_run, range(6)))) == 1


def test_an_operator_brings_their_own(tmp_path: Path) -> None:
    here, theirs = tmp_path / "here", tmp_path / "theirs"
    before = signature(here)
    signature(theirs, who="A studio")
    certificate, key = theirs / "certificate.pem", theirs / "key.pem"
    own = signature(here, certificate, key)
    assert own.chain == certificate.read_bytes()
    assert before.known < own.known, "clips of before are still known"

    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    bad = tmp_path / "bad.pem"
    for data, why in (
        (b"no key", "PEM"),
        ((here / "key.pem").read_bytes(), "not that of the key"),
        (
            rsa_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            "ECDSA",
        ),
    ):
        bad.write_bytes(data)
        with pytest.raises(BadCertificate, match=why):
            signature(here, certificate, bad)
    with pytest.raises(BadCertificate, match="can't be read"):
        signature(here, certificate, tmp_path / "nowhere.pem")
    with pytest.raises(BadCertificate, match="set both"):
        signature(here, certificate)
