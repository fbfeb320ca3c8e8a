"""What is wrong with the bot at Discord, and what to click where: for the log and doctor."""

from __future__ import annotations

PORTAL = "https://discord.com/developers/applications"

NO_TOKEN = (
    "Discord refuses the token. Open " + PORTAL + ", choose the application, then Bot, then "
    "Reset Token; put the new one into KINORA_DISCORD__TOKEN and start Kinora again."
)
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


def invitation(application_id: int, permissions: int) -> str:
    """The link that adds the bot to a server, with all that it needs."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}"
        f"&scope=bot+applications.commands&permissions={permissions}"
    )
