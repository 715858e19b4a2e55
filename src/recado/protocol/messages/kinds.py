"""
The wire names of a message's kinds, by field number: what a message is called whose content is not modelled.
"""

from __future__ import annotations

from google.protobuf.unknown_fields import UnknownFieldSet

from recado.protocol.proto.e2e_pb2 import Message

KINDS: dict[int, str] = {
    3: "imageMessage",
    4: "contactMessage",
    5: "locationMessage",
    7: "documentMessage",
    8: "audioMessage",
    9: "videoMessage",
    10: "call",
    11: "chat",
    13: "contactsArrayMessage",
    14: "highlyStructuredMessage",
    16: "sendPaymentMessage",
    18: "liveLocationMessage",
    22: "requestPaymentMessage",
    23: "declinePaymentRequestMessage",
    24: "cancelPaymentRequestMessage",
    25: "templateMessage",
    26: "stickerMessage",
    28: "groupInviteMessage",
    29: "templateButtonReplyMessage",
    30: "productMessage",
    36: "listMessage",
    38: "orderMessage",
    39: "listResponseMessage",
    41: "invoiceMessage",
    42: "buttonsMessage",
    43: "buttonsResponseMessage",
    44: "paymentInviteMessage",
    45: "interactiveMessage",
    46: "reactionMessage",
    47: "stickerSyncRmrMessage",
    48: "interactiveResponseMessage",
    49: "pollCreationMessage",
    50: "pollUpdateMessage",
    51: "keepInChatMessage",
    54: "requestPhoneNumberMessage",
    56: "encReactionMessage",
    60: "pollCreationMessageV2",
    61: "scheduledCallCreationMessage",
    63: "pinInChatMessage",
    64: "pollCreationMessageV3",
    65: "scheduledCallEditMessage",
    66: "ptvMessage",
    69: "callLogMessage",
    70: "messageHistoryBundle",
    71: "encCommentMessage",
    72: "bcallMessage",
    74: "lottieStickerMessage",
    75: "eventMessage",
    76: "encEventResponseMessage",
    77: "commentMessage",
    78: "newsletterAdminInviteMessage",
    80: "placeholderMessage",
    82: "secretEncryptedMessage",
    83: "albumMessage",
    85: "eventCoverImage",
    86: "stickerPackMessage",
    87: "statusMentionMessage",
    88: "pollResultSnapshotMessage",
    90: "pollCreationOptionImageMessage",
    92: "groupStatusMentionMessage",
    93: "pollCreationMessageV4",
    95: "statusAddYours",
    97: "richResponseMessage",
    98: "statusNotificationMessage",
    99: "limitSharingMessage",
    100: "botTaskMessage",
    101: "questionMessage",
    102: "messageHistoryNotice",
    104: "botForwardedMessage",
    105: "statusQuestionAnswerMessage",
    106: "questionReplyMessage",
    107: "questionResponseMessage",
    109: "statusQuotedMessage",
    110: "statusStickerInteractionMessage",
    111: "pollCreationMessageV5",
    113: "newsletterFollowerInviteMessageV2",
    115: "pollResultSnapshotMessageV3",
    116: "newsletterAdminProfileMessage",
    118: "spoilerMessage",
    119: "pollCreationMessageV6",
    122: "eventInviteMessage",
}


def unmodelled_kind(message: Message) -> str | None:
    """The name of what it holds that nothing here reads (`field999` when it has no name); None when there is none."""
    known = (field.number for field, _ in message.ListFields() if field.number in KINDS)
    number = next(known, None)
    if number is None:
        unknown = UnknownFieldSet(message)
        number = unknown[0].field_number if len(unknown) else None
    return None if number is None else KINDS.get(number, f"field{number}")
