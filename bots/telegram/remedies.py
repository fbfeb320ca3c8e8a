"""What is wrong with the bot at Telegram, and what to do in BotFather: for the log and doctor."""

from __future__ import annotations

BOTFATHER = "https://t.me/BotFather"

NEW_BOT = (
    "Open " + BOTFATHER + ", send /newbot, choose a name, and put the token that it answers with "
    "into KINORA_TELEGRAM__TOKEN."
)
NO_TOKEN = (
    "Telegram refuses the token. Open " + BOTFATHER + ", send /mybots, choose the bot, then API "
    "Token; put it into KINORA_TELEGRAM__TOKEN and start Kinora again. If KINORA_TELEGRAM__API_URL "
    "is set, look whether a Bot API server is there."
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
    "such as: a red ball bouncing. Then /setinlinefeedback, choose the bot, Enabled."
)
FEEDBACK = (
    "It can't be seen from here whether Telegram tells of all chosen results, without which "
    "nothing is rendered: " + BOTFATHER + ", /setinlinefeedback, choose the bot, Enabled."
)
UNREACHABLE = (
    "Look at this machine's connection, and at KINORA_TELEGRAM__API_URL if it is set; where "
    "Telegram is blocked, a proxy in HTTPS_PROXY helps."
)
LOCAL_UNREACHABLE = (
    "KINORA_TELEGRAM__API_URL leads to a server of your own: look whether telegram-bot-api runs "
    "there, and on that port. A bot comes from Telegram's own server to another one by logOut: "
    "https://core.telegram.org/bots/api#logout"
)
