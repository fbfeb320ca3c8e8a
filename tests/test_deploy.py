"""What is in deploy/, as the programs that it is for understand it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parent.parent / "deploy"
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="there is no systemd here")
def test_the_unit_is_one(tmp_path: Path) -> None:
    """With this installation in place of the one that the unit names."""
    unit = (DEPLOY / "kinora.service").read_text()
    here = unit.replace("/opt/kinora/.venv", sys.prefix)
    assert here != unit
    (tmp_path / "kinora.service").write_text(here)
    assert ANALYZE is not None
    checked = subprocess.run(
        (ANALYZE, "verify", "--man=no", tmp_path / "kinora.service"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in checked.stderr.splitlines() if "kinora" in line]
    assert (checked.returncode, ours) == (0, []), checked.stderr
