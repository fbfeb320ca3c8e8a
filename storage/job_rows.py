"""Jobs as rows, and rows as jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from core import places
from core.job import Asks, Clip, Job, Price, Purse, State, new_id
from core.lanes import Lane
from core.request import Request
from core.safety.level import Level
from core.safety.verdict import Clause, Finding, Ruling
from storage.tables import JobRow


def job_of(row: JobRow | Row[Any], clips: Path) -> Job:
    """clips: the folder that clips' paths are relative to."""
    return Job(
        id=row.id,
        account_id=row.account_id,
        place=row.place,
        state=State(row.state),
        request=Request.from_dict(row.request),
        credits=row.credits,
        created_at=row.created_at,
        attempt=row.attempt,
        losses=row.losses,
        started_at=row.started_at,
        ended_at=row.ended_at,
        cancel_requested=row.cancel_requested,
        stage=row.stage,
        step=row.step,
        steps=row.steps,
        run_seconds=row.run_seconds,
        failure=row.failure,
        reference=row.reference,
        parent=row.parent,
        clip=_clip_of(row, clips),
        deleted=row.deleted,
        charged=row.charged,
        shift=row.shift,
        lane=Lane(row.lane),
        price=_price_of(row.price),
        purse=Purse(**row.purse) if row.purse else None,
        level=Level(row.level),
        clause=Clause(row.clause) if row.clause else None,
        cleared=row.cleared,
        decide_by=row.decide_by,
        appealed=row.appealed,
        held_at=row.held_at,
        findings=tuple(map(_finding_of, row.findings or ())),
        plea=row.plea,
        asks=Asks(row.asks) if row.asks else None,
        subject=row.subject_id,
        warning=row.warning,
    )


def _finding_of(said: dict[str, Any]) -> Finding:
    return Finding(
        Clause(said["clause"]), Ruling(said["ruling"]), said["where"], said["score"], said["rule"]
    )


def findings_values(findings: Sequence[Finding]) -> list[dict[str, Any]] | None:
    """None for none."""
    return [asdict(one) for one in findings] or None


def _clip_of(row: JobRow | Row[Any], clips: Path) -> Clip | None:
    if row.clip is None or row.clip_expires_at is None:
        return None
    paths = {name: clips / row.clip[name] for name in ("video", "poster")}
    return Clip(**{**row.clip, **paths}, expires_at=row.clip_expires_at)


def clip_values(clip: Clip, clips: Path) -> dict[str, Any]:
    """Paths within the folder of clips lose it, so that the folder can be moved."""
    return {
        "video": _within(clip.video, clips),
        "poster": _within(clip.poster, clips),
        "width": clip.width,
        "height": clip.height,
        "num_frames": clip.num_frames,
        "frame_rate": clip.frame_rate,
        "size": clip.size,
    }


def _within(path: Path, clips: Path) -> str:
    inside = path.is_relative_to(clips)
    return str(path.relative_to(clips) if inside else path)


def _price_of(said: dict[str, Any] | None) -> Price | None:
    if said is None:
        return None
    return Price(said["credits"], tuple((name, factor) for name, factor in said["parts"]))


def values_of(job: Job, key: str | None, fingerprint: str) -> dict[str, Any]:
    """Of one that is asked for now."""
    assert job.state in (State.QUOTED, State.HELD, State.QUEUED, State.REFUSED)
    return {
        "id": job.id,
        "account_id": job.account_id,
        "place": job.place,
        "server": places.server(job.place),
        "state": job.state,
        "request": job.request.as_dict(),
        "picture": job.request.picture,
        "last_picture": job.request.last_picture,
        "request_key": key,
        "fingerprint": fingerprint,
        "credits": job.credits,
        "charged": 0,
        "created_at": job.created_at,
        "attempt": 0,
        "losses": 0,
        "receipt": new_id(),
        "cancel_requested": False,
        "stage": "",
        "step": 0,
        "steps": 0,
        "parent": job.parent,
        "deleted": False,
        "shift": 0,
        "lane": job.lane,
        "price": asdict(job.price) if job.price else None,
        "purse": asdict(job.purse) if job.purse else None,
        "ended_at": job.ended_at,
        "level": job.level,
        "clause": job.clause,
        "cleared": job.cleared,
        "decide_by": job.decide_by,
        "held_at": job.held_at,
        "appealed": False,
        "findings": findings_values(job.findings),
        "plea": "",
        "asks": job.asks,
        "subject_id": job.subject,
        "warning": job.warning,
    }
