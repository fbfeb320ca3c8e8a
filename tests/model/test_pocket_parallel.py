"""Two processes train one pocket: real ones, through every stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from tests.model import pocket_pair


@pytest.mark.timeout(600)
def test_two_processes_make_one_model(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone",
            "--local-addr", "127.0.0.1", "--nproc-per-node", "2",
            "-m", "tests.model.pocket_pair", str(tmp_path),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))

    assert set(first["weights"]) == {
        "vae 1", "dit 1", "distil 0.5", "distil 1", "decoder 1"
    }  # fmt: skip
    assert first["weights"] == second["weights"]
    assert len(set(first["weights"].values())) == 5
    for stage in ("vae", "dit", "distil", "decoder"):
        kept = torch.load(tmp_path / f"{stage}.pt", weights_only=True)
        assert kept["step"] > 0

    assert first["read"] == second["read"]
    assert set(first["read"]) == {
        sum(pocket_pair.CLIPS.values()),
        2 + sum(pocket_pair.CLIPS.values()),
    }

    every = Counter(first["written"]) + Counter(second["written"])
    chunks = {name: times for name, times in every.items() if "x" in name}
    assert chunks == {
        **{f"32x32-{index:05d}": 1 for index in range(7)},
        **{f"64x32-{index:05d}": 1 for index in range(3)},
    }
    assert all(any("x" in name for name in one["written"]) for one in (first, second))
    assert not {"vae", "dit", "distil", "decoder"} & set(second["written"])
    assert not list(tmp_path.rglob("*.part"))
