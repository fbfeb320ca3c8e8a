"""Settings, from the environment and `.env`: `KINORA_*`, with `__` between levels.

Read once, by the composition root.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from core.job import Identity
from core.moderation import CREDITS_MAX
from core.plans import BUILT_IN, Label
from core.provenance import Corner
from core.provenance import Label as DrawnLabel
from core.safety.level import Level

PREFIX = "KINORA_"
LEVELS = "__"
MOST_STARS = 10_000
"""The most that an invoice in Telegram Stars may ask."""
WARE_NAME = re.compile("[A-Za-z0-9_-]{1,32}")
"""What a button on Telegram has room for, and a title."""
STARS_PERIOD_DAYS = 30
"""The one period that Telegram has for subscriptions."""
FILE = Path(".env")
"""Looked for in the current folder."""


class Web(BaseModel):
    """KINORA_WEB__*: the local page and the API."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    admin_key: SecretStr | None = None
    """An API key of the operator, valid from the start."""
    public_url: str | None = None
    """Where people reach the page, if not at host and port: https://kinora.example.org."""

    @field_validator("admin_key")
    @classmethod
    def _worth_the_name(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None or not key.get_secret_value():
            return None
        if len(key.get_secret_value()) < 8:
            raise ValueError("an admin key has at least 8 characters")
        return key

    @field_validator("public_url")
    @classmethod
    def _whole(cls, url: str | None) -> str | None:
        if url and not re.fullmatch(r"https?://[^/\s]+/?", url):
            raise ValueError("write it whole, as in https://kinora.example.org")
        return url or None

    @property
    def address(self) -> str:
        """Where a link leads."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


class Discord(BaseModel):
    """KINORA_DISCORD__*: the bot, which runs where there is a token."""

    token: SecretStr | None = None
    """Of the bot, from https://discord.com/developers/applications, under Bot."""
    client_secret: SecretStr | None = None
    """Of the application, under OAuth2: with it people sign in to the console by Discord."""
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg"
    cdn_url: str = "https://cdn.discordapp.com"
    """Other addresses of Discord's API, gateway and CDN, for those who reach it by a proxy."""

    @field_validator("token", "client_secret")
    @classmethod
    def _given(cls, secret: SecretStr | None) -> SecretStr | None:
        return _stripped(secret)

    @field_validator("api_url", "cdn_url")
    @classmethod
    def _reached_by_http(cls, url: str) -> str:
        return _whole(url, "https://discord.com/api/v10")

    @field_validator("gateway_url")
    @classmethod
    def _reached_by_websocket(cls, url: str) -> str:
        if not re.fullmatch(r"wss?://[^/\s]+(/[^\s]*)?", url):
            raise ValueError("write it whole, as in wss://gateway.discord.gg")
        return url.rstrip("/")


class Telegram(BaseModel):
    """KINORA_TELEGRAM__*: the bot, which runs where there is a token."""

    token: SecretStr | None = None
    """Of the bot, from @BotFather."""
    api_url: str = "https://api.telegram.org"
    """Telegram's, or a Bot API server of one's own."""
    file_url: str | None = None
    """Where files are fetched, if not at api_url/file."""
    local_mode: bool = False
    """The Bot API server is one's own and runs with --local: clips may have any size."""
    mode: Literal["polling", "webhook"] | None = None
    """How updates come; by a webhook where its URL is set, unless said."""
    webhook_url: str | None = None
    """Where Telegram reaches the page, with a path of one's own: https://kinora.example.org/tg."""
    webhook_secret: SecretStr | None = None
    """What Telegram proves itself with; 1 to 256 of A-Z a-z 0-9 _ -."""
    store_chat: int | None = None
    """A chat where clips for inline messages may be uploaded; their authors' own if not set."""

    @field_validator("token", "webhook_secret")
    @classmethod
    def _given(cls, secret: SecretStr | None) -> SecretStr | None:
        return _stripped(secret)

    @field_validator("api_url")
    @classmethod
    def _reached_by_http(cls, url: str) -> str:
        return _whole(url, "https://api.telegram.org")

    @field_validator("file_url", "webhook_url")
    @classmethod
    def _reached_if_said(cls, url: str | None) -> str | None:
        return _whole(url, "https://kinora.example.org/telegram") if url else None

    @model_validator(mode="after")
    def _proven(self) -> Telegram:
        if self.mode == "webhook" and self.webhook_url is None:
            raise ValueError("a webhook needs KINORA_TELEGRAM__WEBHOOK_URL")
        secret = self.webhook_secret.get_secret_value() if self.webhook_secret else ""
        if self.by_webhook and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise ValueError(
                "a webhook needs KINORA_TELEGRAM__WEBHOOK_SECRET, 1 to 256 characters of A-Z a-z "
                "0-9 _ -: without it anybody could pretend to be Telegram"
            )
        url = self.webhook_url or ""
        if self.token and self.token.get_secret_value() in url:
            raise ValueError("leave the token out of the webhook's URL, which proxies write down")
        if self.by_webhook and not re.fullmatch(r"/[A-Za-z0-9_/-]+", urlsplit(url).path):
            raise ValueError(
                "a webhook needs a path of its own, as in https://kinora.example.org/telegram"
            )
        return self

    @property
    def by_webhook(self) -> bool:
        return self.webhook_url is not None and self.mode != "polling"


class Credits(BaseModel):
    """KINORA_CREDITS__*."""

    daily: int = Field(default=100, ge=0)
    """What each account is given on a day that it is used; kept for three days."""
    gpu_seconds: float = Field(default=4.0, gt=0, le=100_000)
    """How many measured seconds of rendering a credit stands for."""
    bases: Annotated[dict[str, float], NoDecode] = Field(default_factory=dict)
    """Credits for a second at 720p, by model, whatever was measured: {"pocket": 1.5}."""
    ask_from: int = Field(default=20, ge=0)
    ask_share: float = Field(default=0.25, ge=0, le=1)
    """In chats a clip of more credits than that, and of a larger share of what somebody has, is
    quoted first."""

    @field_validator("bases", mode="before")
    @classmethod
    def _of_json(cls, said: object) -> object:
        with suppress(ValueError):
            said = json.loads(said) if isinstance(said, str) else said
        if not isinstance(said, dict):
            raise ValueError('it is no JSON of models, as in {"pocket": 1.5}')
        return said

    @field_validator("bases")
    @classmethod
    def _above_nothing(cls, bases: dict[str, float]) -> dict[str, float]:
        if any(not 0 < base <= 1000 for base in bases.values()):
            raise ValueError("a base is above 0, and 1000 at most")
        return bases


class Plan(BaseModel):
    """KINORA_PLANS__NAME__*: a plan of one's own, or another free, supporter or pro.

    What isn't said is as it is in the free plan; as in `core.plans.Plan`.
    """

    daily: int | None = Field(default=None, ge=0)
    monthly: int | None = Field(default=None, ge=0)
    waiting: int | None = Field(default=None, ge=1)
    weight: float | None = Field(default=None, gt=0, le=1000)
    longest: float | None = Field(default=None, gt=0)
    largest: str | None = None
    label: Label | None = None

    @field_validator("largest")
    @classmethod
    def _resolution(cls, largest: str | None) -> str | None:
        if largest is not None and not re.fullmatch(r"\d{2,4}p", largest):
            raise ValueError("write a resolution, such as 480p, 720p or 1080p")
        return largest


class Ware(BaseModel):
    """KINORA_WARES__NAME__*: what is offered for money; as in `core.wares.Ware`."""

    title: str = Field(default="", max_length=32)
    description: str = Field(default="", max_length=255)
    credits: int = Field(default=0, ge=0, le=CREDITS_MAX)
    kept_days: int | None = Field(default=None, ge=1, le=36_500)
    plan: str | None = None
    days: int | None = Field(default=None, ge=1, le=36_500)
    stars: int | None = Field(default=None, ge=1, le=MOST_STARS)
    sku: str | None = Field(default=None, pattern=r"^\d{1,20}$")
    renews: bool = False

    @model_validator(mode="after")
    def _brings(self) -> Ware:
        if not self.credits and self.plan is None:
            raise ValueError("say what it brings: CREDITS, or a PLAN, or both")
        ends = self.sku is not None and self.stars is None
        if self.plan is not None and self.days is None and not ends:
            raise ValueError("say for how many DAYS a payment gives the plan")
        if self.renews and self.stars is not None and self.days != STARS_PERIOD_DAYS:
            raise ValueError(
                f"what renews for stars has {STARS_PERIOD_DAYS} DAYS, no more, no less"
            )
        return self


class Gifts(BaseModel):
    """KINORA_GIFTS__*: credits that one person gives, and is given, in a day. 0: none at all."""

    sent: int = Field(default=500, ge=0)
    received: int = Field(default=1000, ge=0)


class Queue(BaseModel):
    """KINORA_QUEUE__*."""

    per_account: int = Field(default=100, ge=1)
    """How many clips one account may have waiting."""
    relaxed: int = Field(default=3, ge=0)
    """How many of them for nothing, in the relaxed lane; 0: there is no such lane."""


class Clips(BaseModel):
    """KINORA_CLIPS__*."""

    keep_days: float = Field(default=30, gt=0)

    @property
    def keep(self) -> timedelta:
        return timedelta(days=self.keep_days)


class Privacy(BaseModel):
    """KINORA_PRIVACY__*: how long prompts stay once their clip is gone."""

    words_days: float = Field(default=365, gt=0, le=36_500)
    refused_days: float = Field(default=30, gt=0, le=36_500)
    """Of what was refused."""
    contact: str = Field(default="", max_length=200)
    """Whom people may write to about their data."""


class Safety(BaseModel):
    """KINORA_SAFETY__*: what may be made, and who decides where the gates don't."""

    level: Level = Level.STANDARD
    """How strict the gates are where a server's administrators don't say."""
    adult: bool = False
    """Whether age-restricted channels may be adult, where their administrators say so."""
    appeal_hours: float = Field(default=48, gt=0, le=24 * 365)
    """How long moderators, and people who are shown, have to decide."""
    strikes: bool = True
    """Whether many refusals in a short time are followed by a cool-down."""
    fade_days: float = Field(default=30, gt=0, le=3650)
    """After which a refusal counts no more."""
    words_hold: float = Field(default=0.5, gt=0, le=1)
    """How sure the head has to be of a clause, 0 to 1, for a moderator to look at a prompt."""
    picture_hold: float = Field(default=0.6, gt=0, le=1)
    picture_refuse: float = Field(default=0.85, gt=0, le=1)
    """How sure of nudity or gore: a moderator looks at a picture or clip, and it is refused."""

    @property
    def appeal(self) -> timedelta:
        return timedelta(hours=self.appeal_hours)


class Provenance(BaseModel):
    """KINORA_PROVENANCE__*: what clips say of where they come from."""

    provider: str = Field(default="Kinora", min_length=1, max_length=64)
    """Who runs this Kinora, as clips name it."""
    certificate: Path | None = None
    key: Path | None = None
    """Of one's own, in PEM; one for development is made where none is set."""
    watermark: bool = True
    words: bool = False
    """Whether the recipe in a clip's file holds what was asked for."""
    label: Literal["off", "start", "always"] = "off"
    """Words in the picture, on clips of all whose plan doesn't leave that to them."""
    label_text: str = Field(default="Made by AI", min_length=1, max_length=40)
    label_corner: Corner = Corner.BOTTOM_RIGHT
    label_size: float = Field(default=0.04, ge=0.02, le=0.2)
    """Of its letters, as a share of the short side."""
    label_font: Path | None = None
    """A font file, for other letters than those of English."""

    @field_validator("certificate", "key", "label_font", mode="before")
    @classmethod
    def _given(cls, path: object) -> object:
        return path or None

    @property
    def drawn(self) -> DrawnLabel | None:
        if self.label == "off":
            return None
        font = str(self.label_font.absolute()) if self.label_font else ""
        always = self.label == "always"
        return DrawnLabel(self.label_text, always, self.label_corner, self.label_size, font)


class Settings(BaseSettings):
    """Everything that an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=LEVELS,
        env_file=FILE,
        env_file_encoding="utf-8",
        extra="ignore",
    )

    data_dir: Path = Path("data")
    database_url: str | None = None
    """SQLite in the data directory unless set; PostgreSQL as postgresql://user@host/name."""
    model: str | None = None
    """The model that is used where nobody names one."""
    engine: Literal["local"] = "local"
    threads: int = Field(default=2, ge=1, le=256)
    """CPU threads of the renderer."""
    operators: str = ""
    """Who runs this Kinora, beside the page's owner: discord:81 telegram:42, by their ids there."""
    time_zone: str = "UTC"
    """Whose midnight brings the daily credits."""
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    web: Web = Web()
    discord: Discord = Discord()
    telegram: Telegram = Telegram()
    credits: Credits = Credits()
    queue: Queue = Queue()
    gifts: Gifts = Gifts()
    plans: dict[str, Plan] = Field(default_factory=dict)
    payments: bool = False
    """Whether wares are offered. What was paid for is honoured all the same."""
    wares: dict[str, Ware] = Field(default_factory=dict)
    clips: Clips = Clips()
    provenance: Provenance = Provenance()
    privacy: Privacy = Privacy()
    safety: Safety = Safety()

    @field_validator("operators")
    @classmethod
    def _named(cls, named: str) -> str:
        for one in re.split(r"[\s,]+", named.strip()) if named.strip() else ():
            if not re.fullmatch(r"(discord|telegram):\d{1,20}|web:\S{1,80}", one):
                raise ValueError(f'"{one}" is nobody: write discord:ID or telegram:ID')
        return named

    @field_validator("wares")
    @classmethod
    def _bring_plans(cls, wares: dict[str, Ware], info: ValidationInfo) -> dict[str, Ware]:
        plans = sorted({plan.name for plan in BUILT_IN} | set(info.data.get("plans", ())))
        for name, ware in wares.items():
            if not WARE_NAME.fullmatch(name):
                raise ValueError(f'"{name}" names no ware: up to 32 letters, digits, _ and -')
            if ware.plan is not None and ware.plan not in plans:
                raise ValueError(
                    f'{name} brings the plan "{ware.plan}", which there is not: {", ".join(plans)}'
                )
        return wares

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f'"{name}" is no time zone, such as Europe/Berlin') from None
        return name

    @property
    def operator_identities(self) -> frozenset[Identity]:
        named = re.split(r"[\s,]+", self.operators.strip())
        return frozenset(Identity(*one.split(":", 1)) for one in named if one)

    @property
    def url(self) -> str:
        database = self.data_dir.absolute() / "kinora.db"
        return self.database_url or f"sqlite+aiosqlite:///{database}"


def shown(settings: BaseModel, prefix: str = PREFIX) -> Iterator[tuple[str, str]]:
    """Every setting by its name, in words; of secrets, and of addresses that may hold one, only
    whether they are set."""
    for name in type(settings).model_fields:
        value, whole = getattr(settings, name), f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from shown(value, f"{whole}{LEVELS}")
        elif isinstance(value, dict):
            for key, one in value.items():
                named = f"{whole}{LEVELS}{key.upper()}"
                if isinstance(one, BaseModel):
                    yield from shown(one, f"{named}{LEVELS}")
                else:
                    yield named, str(one)
        elif isinstance(value, SecretStr) or (value and name in ("database_url", "webhook_url")):
            yield whole, "set"
        else:
            words = {None: "not set", "": "not set", True: "yes", False: "no"}
            known = value is None or isinstance(value, bool | str)
            yield whole, words.get(value, str(value)) if known else str(value)


def given() -> frozenset[str]:
    """The names, in capitals, of all that the environment and `.env` hold."""
    sources = (EnvSettingsSource(Settings), DotEnvSettingsSource(Settings))
    return frozenset(name.upper() for source in sources for name in source.env_vars)


def _whole(url: str, example: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+(/[^\s]*)?", url):
        raise ValueError(f"write it whole, as in {example}")
    return url.rstrip("/")


def _stripped(secret: SecretStr | None) -> SecretStr | None:
    value = secret.get_secret_value().strip() if secret else ""
    return SecretStr(value) if value else None
