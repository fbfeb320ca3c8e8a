"""What moderators are told of clips that wait for their word, and of those that were reported; what
whoever is shown in a picture is asked. The same on every platform."""

from __future__ import annotations

from collections.abc import Sequence

from bots.card import DOT
from bots.talk import Bold, Code, Covered, Line, Paragraph, line
from core.job import Job, State
from core.moderation import moment
from core.reviews import Held, Reported
from core.safety.verdict import POLICY, Finding
from core.sentences import people

LISTED = 8
NOTHING_HELD = "Nothing waits for a moderator here."
NOTHING_REPORTED = "Nothing is reported here."
NOT_HERE = "That clip is not of this server."
WHY_APPEAL = "Why may it be made?"
WHY_DENY = "Why not?"
WHO_READS = "For the moderator who decides. You may leave it empty."
TOLD = "Who asked for it is told."
AGREE, DECLINE = "Agree", "Don't agree"
NO_BOT = "That is a bot, whom nobody has to ask."
NO_PICTURE = "Name who is in the picture together with the picture: attach it, too."
CANT_ASK = (
    "I can't ask {}: their direct messages are closed to me, so the clip is not made. "
    "They can open them, or talk to me first."
)


def queue(count: int) -> Line:
    """The head of a list. count: one more than `LISTED` where there are more."""
    clips = "1 clip waits" if count == 1 else f"{_many(count)} clips wait"
    return line(Bold(f"{clips} for a moderator"))


def listed(one: Held) -> Line:
    """One of many, in a line."""
    by = f"by {moment(one.decide_by)}" if one.decide_by else ""
    clause = one.job.clause.value if one.job.clause else ""
    what = "appeal" if one.appealed else "held"
    return line(Bold(one.author.name), *(f"{DOT}{said}" for said in (what, clause, by) if said))


def held(one: Held) -> Sequence[Paragraph]:
    """All that a moderator has to know of it. The words are covered."""
    head = [listed(one), line(Code(one.job.id), f"{DOT}since {moment(one.since)}", small=True)]
    if one.job.clause is not None:
        head.append(line(POLICY[one.job.clause]))
    head += [line(found(finding), small=True) for finding in one.findings]
    told = [tuple(head), words(one.job)]
    if one.words:
        told.append((line(Bold("They say: "), one.words),))
    return told


def reports(count: int) -> Line:
    """As `queue`."""
    return line(Bold("1 reported clip" if count == 1 else f"{_many(count)} reported clips"))


def listed_report(one: Reported) -> Line:
    since = f"{DOT}since {moment(one.since)}"
    return line(Bold(one.author.name), f"{DOT}reported by {people(one.by)}{since}")


def reported(one: Reported) -> Sequence[Paragraph]:
    return [(listed_report(one), line(Code(one.job.id), small=True)), words(one.job)]


def words(job: Job) -> Paragraph:
    """What somebody wrote for a clip, covered."""
    asked = job.request
    said = [line("Prompt: ", Covered(asked.prompt))] if asked.prompt else []
    if asked.negative_prompt:
        said.append(line("Without: ", Covered(asked.negative_prompt)))
    return tuple(said or [line("A picture, without words.")])


def found(one: Finding) -> str:
    """ "gore · prompt · 0.87 · rule gore.3" """
    parts = (one.clause.value, one.where, f"{one.score:.2f}", f"rule {one.rule}" * bool(one.rule))
    return DOT.join(filter(None, parts))


def consented(job: Job, agreed: bool) -> str:
    """What they then hear."""
    if job.state in (State.CANCELLED, State.REFUSED):
        return "No clip is made of the picture."
    return "Noted: you agree." if agreed else "That is decided already."


def consent(author: str, job: Job) -> Sequence[Paragraph]:
    """What whoever is shown is asked."""
    by = f"until {moment(job.decide_by)}" if job.decide_by else ""
    return [
        (
            line(
                *(Bold(author), " would like to make a clip of this picture, "),
                "and says that it shows you. May they?",
            ),
        ),
        words(job),
        (line(f"Without your word {by} it is not made.", small=True),),
    ]


def _many(count: int) -> str:
    return str(count) if count <= LISTED else f"More than {LISTED}"
