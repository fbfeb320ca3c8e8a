"""What is wrong with the bot at Discord, and what to click where: for the log and doctor."""

from __future__ import annotations

import aiohttp

from bots.discord.desk import API, Discord

PORTAL = "https://discord.com/developers/applications"

TOKEN = (
    "Open " + PORTAL + ", choose the application, then Bot, then Reset Token; put the new one into "
    "KINORA_DISCORD__TOKEN and start Kinora again."
)
NO_TOKEN = "Discord refuses the token. " + TOKEN
NO_INTENT = (
    "Discord refuses the gateway intents (4014). Kinora asks for `guilds` alone, which needs no "
    "permission: open " + PORTAL + ", choose the application, then Bot, and look whether it is "
    "disabled or limited there; then start Kinora again."
)
NO_SCOPE = (
    "Discord refuses the commands (50001): the application was invited without the scope "
    "applications.commands. Open {invite} and add it to the server again."
)
ENDPOINT = (
    "Open " + PORTAL + ", choose the application, then General Information, and empty Interactions "
    "Endpoint URL: Kinora hears commands over the gateway."
)
INSTALLATION = (
    "Open "
    + PORTAL
    + ", choose the application, then Installation; under Guild Install choose the "
    "scopes bot and applications.commands; or invite it by {invite}"
)
ROLE = (
    "In Discord open Server Settings, then Roles, choose the bot's role and allow them; or invite "
    "it again by {invite}"
)
MONETIZATION = (
    "Open " + PORTAL + ", choose the application, then Monetization; the id of what is published "
    "there goes into KINORA_WARES__NAME__SKU."
)
CODE_GRANT = (
    "Open " + PORTAL + ", choose the application, then Bot, and turn Requires OAuth2 Code Grant "
    "off: with it nobody can add the bot by its link."
)
NO_USER_INSTALL = (
    "To let people use it wherever they are, and in direct messages: open " + PORTAL + ", choose "
    "the application, then Installation, and check User Install; its one scope is "
    "applications.commands."
)
NO_CONNECTION = (
    "Look at this machine's own connection: its network and names (DNS), and whether a firewall "
    "lets HTTPS out."
)
TROUBLE = "Discord itself may be in trouble: look at https://discordstatus.com"
OWN_API = (
    "KINORA_DISCORD__API_URL leads there: look whether your proxy runs and passes on what Discord "
    "answers."
)
OWN_GATEWAY = "Look whether your gateway runs at KINORA_DISCORD__GATEWAY_URL."


def unreachable(settings: Discord, error: Exception) -> str:
    """Where REST can't be reached, or is not answered as it should be."""
    if settings.api_url != API:
        return OWN_API
    silent = isinstance(error, (aiohttp.ClientConnectionError, OSError))
    return NO_CONNECTION if silent else TROUBLE


def servers(count: int) -> str:
    return {0: "no server yet", 1: "1 server"}.get(count, f"{count} servers")


def invitation(application_id: int, permissions: int) -> str:
    """The link that adds the bot to a server, with all that it needs."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&scope=bot+applications.commands&permissions={permissions}"
    )
