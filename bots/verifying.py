"""What people are told of a file that they ask about, on every platform and in the shell."""

from __future__ import annotations

from datetime import UTC, datetime

from core.job import Account
from core.provenance import Finding, Proof

NO = (
    "No: nothing in this file says that it was made here. That doesn't prove that it wasn't: "
    "marks can be removed."
)


WORDS_CHARS, RECIPE_CHARS = 500, 2500
"""Of a clip's words and of its recipe, where they have to fit into a chat's message."""


def verified(
    finding: Finding,
    account: Account | None = None,
    *,
    leads: bool = False,
    fit: bool = False,
) -> str:
    """Whether, when and from which clip a file came, in a few sentences. Whose clip it is, or who
    leads, is told its words, too; nobody is told whose it is. fit: into a chat's message."""
    said = [_came(finding)]
    job = finding.job
    if finding.ours and job is not None and not job.deleted:
        mine = account is not None and job.account_id == account.id
        if (mine or leads) and job.request.prompt:
            words = job.request.prompt
            if fit and len(words) > WORDS_CHARS:
                words = f"{words[: WORDS_CHARS - 1]}…"
            said.append(f"It was asked for as: “{words}”.")
        if (mine or leads) and finding.recipe and not (fit and len(finding.recipe) > RECIPE_CHARS):
            said.append(f"Its recipe: {finding.recipe}")
    return " ".join(said)


def _came(finding: Finding) -> str:
    made = f"clip {finding.job_id}, made {_day(finding.at)}{_by(finding.model)}"
    match finding.proof:
        case Proof.MANIFEST:
            return f"Yes: this is {made}. Its signed note is whole, so nothing was changed since."
        case Proof.WATERMARK if finding.signer:
            return f"Yes: the invisible mark in it names {made}. {_signed(finding.signer)}"
        case Proof.WATERMARK:
            fate = "no longer fits" if finding.broken else "is gone"
            return (
                f"Yes, but it was changed: the invisible mark in it names {made}. "
                f"The signed note {fate}."
            )
    if finding.broken:
        return (
            "No: it carries a signed note that doesn't fit it, so the file was changed after it "
            "was signed. Nothing else in it says where it came from."
        )
    if finding.signer:
        return f"{NO} {_signed(finding.signer)}"
    return NO


def _signed(who: str) -> str:
    return f"Its signed note is by “{who[:80]}”, whose certificate is not known here or has ended."


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%-d %B %Y at %H:%M} UTC" if at else "some time ago"


def _by(model: str) -> str:
    return f" with {model}" if model else ""
