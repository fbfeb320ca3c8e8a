"""What is wrong with the bot at Telegram, and what to do in BotFather: for the log and doctor."""

from __future__ import annotations

import httpx

from bots.telegram.desk import API, Telegram

BOTFATHER = "https://t.me/BotFather"

NEW_BOT = (
    "Open " + BOTFATHER + ", send /newbot, choose a name, and put the token that it answers with "
    "into KINORA_TELEGRAM__TOKEN."
)
TOKEN = (
    "Open " + BOTFATHER + ", send /mybots, choose the bot, then API Token; put it into "
    "KINORA_TELEGRAM__TOKEN and start Kinora again."
)
NO_TOKEN = (
    "Telegram refuses the token. " + TOKEN + " If KINORA_TELEGRAM__API_URL is set, look whether a "
    "Bot API server is there."
)
SECOND = (
    "Telegram says that another program polls with the same token (409): each hears only some of "
    "what people say. Stop the other one, or give it a bot of its own: "
    + BOTFATHER
    + ", /newbot. If you know of "
    "none, send /revoke there and put the new token into KINORA_TELEGRAM__TOKEN."
)
WEBHOOK = (
    "Kinora takes it away when it starts polling. If another program needs it, give Kinora a bot "
    "of its own: " + BOTFATHER + ", /newbot. To be told by a webhook, set "
    "KINORA_TELEGRAM__WEBHOOK_URL and KINORA_TELEGRAM__WEBHOOK_SECRET."
)
WEBHOOK_ELSEWHERE = (
    "Kinora sets its own at its next start. If another program set this one, give Kinora a bot of "
    "its own: " + BOTFATHER + ", /newbot."
)
WEBHOOK_FAILS = (
    "Look whether KINORA_TELEGRAM__WEBHOOK_URL leads through your proxy to Kinora's page, on port "
    "443, 80, 88 or 8443, with a certificate that Telegram trusts."
)
PRIVACY_ON = (
    "That is enough for /create, /animate and replies. To be heard by mentions and by captions "
    "without a command: " + BOTFATHER + ", /setprivacy, choose the bot, Disable, then take it out "
    "of its groups and add it again; or make it an administrator."
)
PRIVACY_OFF = (
    "Kinora passes over what is not meant for it. To be told of less: " + BOTFATHER + ", "
    "/setprivacy, choose the bot, Enable."
)
NO_GROUPS = BOTFATHER + ", /setjoingroups, choose the bot, Enable."
INLINE_OFF = (
    "For `@bot words` in any chat: " + BOTFATHER + ", /setinline, choose the bot, and type a hint "
    "such as: a red ball bouncing, blue background. Then /setinlinefeedback, choose the bot, "
    "Enabled."
)
PAYMENTS = (
    "To offer credits or plans for Telegram Stars, set KINORA_PAYMENTS=true and what is for sale, "
    "as in KINORA_WARES__PACK__CREDITS=500 and KINORA_WARES__PACK__STARS=50. What was paid before "
    "is honoured in any case."
)
STORE = (
    "Add the bot to that chat, to a channel as an administrator; or set "
    "KINORA_TELEGRAM__STORE_CHAT to another's id. A group's or a channel's begins with a minus."
)
FEEDBACK = (
    "It can't be seen from here whether Telegram tells of all chosen results, without which "
    "nothing is rendered: " + BOTFATHER + ", /setinlinefeedback, choose the bot, Enabled."
)
TROUBLE = (
    "It may be Telegram's own trouble: Kinora goes on trying. If it stays, look whether something "
    "on the way answers in its place, such as a proxy in HTTPS_PROXY."
)
NO_CONNECTION = (
    "Look at this machine's own connection: its network and names (DNS), and whether a firewall "
    "lets HTTPS out; where Telegram is blocked, a proxy in HTTPS_PROXY helps."
)
LOCAL_UNREACHABLE = (
    "KINORA_TELEGRAM__API_URL leads to a server of your own: look whether telegram-bot-api runs "
    "there, and on that port. A bot comes from Telegram's own server to another one by logOut: "
    "https://core.telegram.org/bots/api#logout"
)


def unreachable(settings: Telegram, error: Exception) -> str:
    """Where the Bot API can't be reached, or is not answered as it should be."""
    if settings.api_url != API:
        return LOCAL_UNREACHABLE
    silent = isinstance(error, OSError) or isinstance(error.__cause__, httpx.TransportError)
    return NO_CONNECTION if silent else TROUBLE
