"""Logs for people or for machines. No prompt, no key and no one-time code is ever in one."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor


def configure(style: Literal["console", "json"], level: str) -> None:
    """Send every log line of the process to stderr in one style."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([structlog.processors.format_exc_info] if style == "json" else []),
            last,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for telling in ("aiosqlite", "discord", "telegram"):  # at DEBUG they print prompts and tokens
        logging.getLogger(telling).setLevel(max(logging.INFO, logging.getLevelName(level)))
    # httpx prints the addresses that it asks, which hold Telegram's token
    for chatty in ("apscheduler", "alembic", "aiohttp.access", "asyncio", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # what is tried again is our own line
