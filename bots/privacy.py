"""What is kept of people, how long, and how it goes: said alike on every platform."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from bots.card import credits
from bots.talk import MACHINE, Bold, Code, Paragraph, line
from core.moderation import moment
from core.privacy import NAMED, Export, Receipt
from core.sentences import clips

FORGET_LABEL = "Delete my data"
EXPORT_NAME = "kinora-data.json"
ARCHIVE_NAME = "kinora-data.zip"
ALL_OF_IT = "All that is kept of you: data.json, and your clips and pictures."
ROWS_ALONE = (
    "All that is kept of you but your clips and pictures, which are more than one message takes: "
    "/show posts each of them."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What an operator promises. kept: how long clips and pictures stay; words, refused: prompts,
    from when their job ended. contact: whom people may write to; "" where that isn't said."""

    kept: timedelta
    words: timedelta
    refused: timedelta
    contact: str = ""


def notice(said: Notice) -> Sequence[Paragraph]:
    """The answer to /privacy."""
    who = f" Questions: {said.contact}." if said.contact else ""
    kept = (
        f"Clips and the pictures you send: {_days(said.kept)}, or until you delete them.",
        f"Prompts: {_days(said.words)} after their clip; {_days(said.refused)} where it was "
        "refused.",
        "Your name and id here, your credits and what moved them: as long as you use Kinora.",
        "Payments, and what moderators did: for good, since others rely on them.",
    )
    return [
        (line(Bold("What Kinora keeps of you")), *map(line, kept)),
        (
            line("All of it lies on the computer of whoever runs this Kinora, and is given to "
                 "nobody. Moderators see what was posted where they lead, and prompts that were "
                 f"held or reported.{who}"),
            line(MACHINE, small=True),
        ),
        (
            line(Code("/privacy export"), " sends you all that is kept. ",
                 Code("/forget"), " deletes it."),
        ),
    ]  # fmt: skip


def warning(left: int) -> str:
    """What /forget says before its button is pressed."""
    days = _days(NAMED)
    lost = (
        f" Your {credits(left)} go {days} later: who asks for a clip before has them still."
        if left
        else ""
    )
    return (
        "This deletes your clips, pictures, prompts, keys and names here, and takes your cards out "
        f"of chats where that is still allowed. It can't be undone.{lost}"
    )


def told(receipt: Receipt) -> Sequence[Paragraph]:
    """What was forgotten."""
    stopping = (
        f" {clips(receipt.stopping)} being made still: gone within minutes."
        if receipt.stopping
        else ""
    )
    keys = f" {receipt.keys} API keys ended." if receipt.keys else ""
    gone = f"{clips(receipt.clips)} deleted with prompts and pictures.{stopping}{keys}"
    stays = (
        "What stays: amounts in the ledger, payments, and what moderators wrote down, all under a "
        f"number. Your id here goes on {moment(receipt.named_until)}, later where a ban, a refusal "
        "that counts against you or a plan that you paid for still holds. Asking for a clip before "
        "then begins anew."
    )
    return [
        (line(Bold("Forgotten")), line(gone), line(stays)),
        (line("Receipt ", Code(receipt.number), f", {moment(receipt.at)}", small=True),),
    ]


def as_json(export: Export) -> bytes:
    """All rows of an export."""
    whole = {"tables": export.tables, "files": sorted(export.files)}
    return json.dumps(whole, indent=2, default=str, ensure_ascii=False).encode()


def pack(export: Export, file: Path, most: float = math.inf) -> bool:
    """Write a new ZIP of it; blocks. Whether it holds the clips and pictures, too: not where they
    have more than `most` bytes together."""
    rows = as_json(export)
    there = {name: path for name, path in export.files.items() if path.is_file()}
    whole = len(rows) + sum(path.stat().st_size for path in there.values()) <= most
    with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", rows)
        for name, path in there.items() if whole else ():
            archive.write(path, name, zipfile.ZIP_STORED)
    return whole


def receipt_json(receipt: Receipt) -> str:
    return json.dumps(asdict(receipt), default=str)


def _days(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"
