"""Write the step from the newest migration to the tables as they stand in `storage/tables.py`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import alembic.command

from storage import database


def main(what: str) -> None:
    """Compare against a database that is made for it, and leave the step beside the others."""
    with tempfile.TemporaryDirectory() as folder:
        place = database.location(f"sqlite:///{Path(folder, 'empty.db')}")
        engine = database.migration_engine(place)
        config = database.script()
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
            alembic.command.revision(config, what, autogenerate=True)
        engine.dispose()


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or sys.exit("say what changes, and why"))
