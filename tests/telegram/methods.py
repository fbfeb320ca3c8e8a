"""The methods that this stand-in has, by their names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.telegram import answering, asking, editing, sending, stars
from tests.telegram.call import Call

Method = Callable[[Call], Any]


def _updates(call: Call) -> Awaitable[Any]:
    return call.updates.get(call.form)


METHODS: dict[str, Method] = {
    "getUpdates": _updates,
    "setWebhook": lambda call: call.updates.set_webhook(call.form),
    "deleteWebhook": lambda call: call.updates.delete_webhook(call.form),
    "getWebhookInfo": lambda call: call.updates.info(),
    "getMe": asking.get_me,
    "logOut": asking.accept,
    "close": asking.accept,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_media,
    "sendVideo": sending.send_media,
    "sendAnimation": sending.send_media,
    "sendDocument": sending.send_media,
    "sendSticker": sending.send_media,
    "sendMediaGroup": sending.send_media_group,
    "sendChatAction": sending.send_chat_action,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageMedia": editing.edit_media,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete,
    "deleteMessages": editing.delete_many,
    "answerCallbackQuery": answering.answer_callback,
    "answerInlineQuery": answering.answer_inline,
    "answerPreCheckoutQuery": answering.answer_checkout,
    "sendInvoice": stars.send_invoice,
    "createInvoiceLink": stars.create_link,
    "refundStarPayment": stars.refund,
    "editUserStarSubscription": stars.edit_subscription,
    "getStarTransactions": stars.transactions,
    "getMyStarBalance": stars.balance,
    "setMyCommands": asking.set_commands,
    "getMyCommands": asking.get_commands,
    "deleteMyCommands": asking.delete_commands,
    "setMyDescription": asking.accept,
    "setMyShortDescription": asking.accept,
    "setMyName": asking.accept,
    "setChatMenuButton": asking.accept,
    "setMessageReaction": asking.react,
    "getChat": asking.get_chat,
    "getChatMember": asking.get_member,
    "getChatAdministrators": asking.get_administrators,
    "getChatMemberCount": asking.count_members,
    "leaveChat": asking.leave,
    "getFile": asking.get_file,
}
