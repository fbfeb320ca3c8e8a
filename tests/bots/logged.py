"""Errors that a test's program wrote to its log."""

from __future__ import annotations

import logging

import pytest


def errors(caplog: pytest.LogCaptureFixture, loggers: tuple[str, ...]) -> list[str]:
    """What loggers whose names begin so said at ERROR or worse, since the test was set up."""
    return [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.ERROR and record.name.startswith(loggers)
    ]
