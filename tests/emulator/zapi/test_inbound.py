"""What people do becomes callbacks of the documented shapes, traps included."""

from __future__ import annotations

from typing import Any

import pytest
from tests.emulator.zapi.conftest import Desk

from recado.errors import UsageError

FRAME = {
    *(
        "type",
        "instanceId",
        "messageId",
        "phone",
        "fromMe",
        "momment",
        "status",
        "chatName",
        "senderName",
        "senderPhoto",
    ),
    *(
        "senderLid",
        "chatLid",
        "connectedPhone",
        "participantPhone",
        "participantLid",
        "photo",
        "broadcast",
        "forwarded",
    ),
    *("isGroup", "isNewsletter", "isEdit", "isStatusReply", "waitingMessage", "fromApi", "messageExpirationSeconds"),
}


async def heard(desk: Desk) -> list[dict[str, Any]]:
    await desk.zapi.settled()
    return desk.receiver.of("ReceivedCallback")


async def test_a_text_comes_with_everything_the_documents_name(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "olá", quoting="3EB0AA", is_forwarded=True)
    (body,) = await heard(desk)
    assert set(body) == {*FRAME, "text", "referenceMessageId"}
    assert body["text"] == {"message": "olá"}
    assert body["messageId"] == said.id and body["instanceId"] == desk.instance.id
    assert body["phone"] == desk.beto.number and body["senderLid"] == body["chatLid"] == desk.beto.lid
    assert body["connectedPhone"] == desk.clara.number
    assert body["momment"] == 1793491200000 and body["status"] == "RECEIVED"
    assert (body["fromMe"], body["isGroup"], body["waitingMessage"]) == (False, False, False)
    assert (body["forwarded"], body["referenceMessageId"]) == (True, "3EB0AA")
    assert [shown.text for shown in desk.clara.messages] == ["olá"]


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document", "sticker"])
async def test_a_file_has_an_address_that_lives_thirty_days(desk: Desk, kind: str) -> None:
    desk.beto.send_file(desk.instance, kind, b"the bytes", "application/x-test", caption="olhe")
    (body,) = await heard(desk)
    url = body[kind][f"{kind}Url"]
    assert body[kind]["mimeType"] == "application/x-test"
    async with desk.http.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, b"the bytes")
    await desk.turn(30 * 86400 - 1)
    async with desk.http.get(url) as answer:
        assert answer.status == 200
    await desk.turn(1)
    async with desk.http.get(url) as answer:
        assert answer.status == 404


async def test_a_location_and_a_contact_come_as_they_are(desk: Desk) -> None:
    desk.beto.send(desk.instance, "location", latitude=-23.5, longitude=-46.6, name="Praça", address="", url="")
    desk.beto.send(desk.instance, "contact", displayName="Ana", vCard="BEGIN:VCARD", phones=["5511987650003"])
    place, card = await heard(desk)
    assert place["location"]["latitude"] == -23.5
    assert card["contact"]["phones"] == ["5511987650003"]


async def test_somebody_known_by_a_lid_only_has_no_number_anywhere(desk: Desk) -> None:
    hidden = desk.zapi.phone("Zé", "5511987650009", is_known_by_lid=True)
    hidden.say(desk.instance, "oi")
    hidden.react(hidden.messages[0].id, "👍")
    await desk.send(hidden.lid, "oi")
    bodies = await heard(desk)
    assert bodies[0]["phone"] == bodies[0]["chatLid"] == hidden.lid
    assert hidden.number not in repr(desk.receiver.bodies)
    assert [shown.text for shown in hidden.received] == ["oi"]


async def test_in_a_group_the_phone_is_the_groups_and_the_writer_is_the_participant(desk: Desk) -> None:
    ana = desk.zapi.phone("Ana")
    group = desk.zapi.group("Turma", desk.clara, desk.beto, ana)
    desk.beto.say(group, "bom dia")
    (body,) = await heard(desk)
    assert (body["phone"], body["isGroup"], body["chatName"]) == (group.id, True, "Turma")
    assert (body["participantPhone"], body["participantLid"]) == (desk.beto.number, desk.beto.lid)
    assert [shown.text for shown in ana.messages] == ["bom dia"]


async def test_a_channel_is_marked_as_one(desk: Desk) -> None:
    channel = desk.zapi.group("Notícias", desk.clara, desk.beto, is_newsletter=True)
    desk.beto.say(channel, "edição de hoje")
    (body,) = await heard(desk)
    assert body["isNewsletter"] is True and body["isGroup"] is False
    assert body["phone"].endswith("@newsletter") and body["participantPhone"] is None


async def test_a_message_that_cannot_be_read_yet_comes_empty_and_then_again_with_the_same_id(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "segredo", waits=True)
    (first,) = await heard(desk)
    assert first["waitingMessage"] is True and "text" not in first
    desk.zapi.reveal(said)
    first, second = await heard(desk)
    assert first["messageId"] == second["messageId"] == said.id
    assert second["waitingMessage"] is False and second["text"] == {"message": "segredo"}


async def test_an_edit_is_the_same_id_with_new_words(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "hoje")
    desk.beto.edit(said.id, "amanhã")
    first, second = await heard(desk)
    assert first["text"]["message"] == "hoje" and first["isEdit"] is False
    assert second["text"]["message"] == "amanhã" and second["isEdit"] is True
    assert first["messageId"] == second["messageId"]
    assert [shown.text for shown in desk.clara.messages] == ["amanhã"]


async def test_a_deletion_says_so_without_the_words(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "esqueça")
    desk.beto.revoke(said.id)
    _, second = await heard(desk)
    assert second["notification"] == "REVOKE" and second["messageId"] == said.id and "text" not in second


async def test_nobody_edits_or_deletes_what_another_wrote(desk: Desk) -> None:
    said = desk.beto.say(desk.instance, "meu")
    with pytest.raises(UsageError):
        desk.clara.edit(said.id, "seu")
    with pytest.raises(UsageError):
        desk.clara.revoke(said.id)


async def test_a_reaction_names_the_message_it_is_for(desk: Desk) -> None:
    answer = await desk.send(desk.beto, "oi")
    await desk.zapi.settled()
    desk.beto.react(answer["messageId"], "❤️")
    (body,) = await heard(desk)
    assert body["reaction"] == {
        "value": "❤️",
        "time": 1793491200000,
        "reactionBy": desk.beto.number,
        "referencedMessage": {
            "messageId": answer["messageId"],
            "fromMe": True,
            "phone": desk.beto.number,
            "participant": None,
        },
    }
    assert body["messageId"] != answer["messageId"]
    desk.beto.react(answer["messageId"], "")
    assert (await heard(desk))[1]["reaction"]["value"] == ""


async def test_reading_several_is_one_status_with_a_list(desk: Desk) -> None:
    sent = [(await desk.send(desk.beto, text))["messageId"] for text in ("um", "dois")]
    await desk.turn(3)
    desk.beto.read()
    await desk.zapi.settled()
    last = desk.receiver.of("MessageStatusCallback")[-1]
    assert last == {
        "type": "MessageStatusCallback",
        "instanceId": desk.instance.id,
        "status": "READ",
        "ids": sent,
        "momment": 1793491203000,
        "phoneDevice": 0,
        "phone": desk.beto.number,
        "isGroup": False,
    }


async def test_what_the_owner_or_the_api_reads_is_read_by_me_and_the_writer_sees_it(desk: Desk) -> None:
    first, second = desk.beto.say(desk.instance, "um"), desk.beto.say(desk.instance, "dois")
    answer = await desk.call("POST", "read-message", {"phone": desk.beto.number, "messageId": first.id})
    assert answer == (204, "")
    desk.clara.read()
    await desk.zapi.settled()
    assert [(each["status"], each["ids"]) for each in desk.receiver.of("MessageStatusCallback")] == [
        ("READ_BY_ME", [first.id]),
        ("READ_BY_ME", [second.id]),
    ]
    assert "READ" in first.reached and "READ" in second.reached


async def test_a_voice_message_is_played(desk: Desk) -> None:
    audio = "data:audio/ogg;base64,AAAA"
    sent = (await desk.call("POST", "send-audio", {"phone": desk.beto.number, "audio": audio}))[1]
    await desk.zapi.settled()
    desk.beto.play(sent["messageId"])
    await desk.zapi.settled()
    assert desk.receiver.statuses[-1] == "PLAYED"


async def test_typing_is_told_while_connected_and_never_later(desk: Desk) -> None:
    desk.beto.typing(desk.instance)
    desk.beto.typing(desk.instance, "PAUSED")
    desk.zapi.lose(desk.instance)
    desk.beto.typing(desk.clara, "RECORDING")
    desk.zapi.restore(desk.instance)
    await desk.zapi.settled()
    told = desk.receiver.of("PresenceChatCallback")
    assert [(each["status"], each["phone"]) for each in told] == [
        ("COMPOSING", desk.beto.number),
        ("PAUSED", desk.beto.number),
    ]


async def test_two_instances_hear_only_their_own(desk: Desk) -> None:
    other, ana = desk.zapi.instance("Ana's"), desk.zapi.phone("Ana")
    desk.zapi.hook(other, desk.receiver.url)
    desk.zapi.link(other, ana)
    desk.beto.say(ana, "para Ana")
    (body,) = await heard(desk)
    assert body["instanceId"] == other.id


async def test_the_owner_of_one_instance_can_write_to_the_owner_of_another(desk: Desk) -> None:
    other, ana = desk.zapi.instance("Ana's"), desk.zapi.phone("Ana")
    desk.zapi.hook(other, desk.receiver.url)
    desk.zapi.link(other, ana)
    await desk.send(ana, "oi")
    (body,) = await heard(desk)
    assert (body["instanceId"], body["phone"]) == (other.id, desk.clara.number)


async def test_a_callback_without_an_address_is_posted_nowhere(desk: Desk) -> None:
    desk.instance.hooks.clear()
    desk.beto.say(desk.instance, "oi")
    await desk.zapi.settled()
    assert desk.receiver.bodies == []
    assert [each.url for each in desk.zapi.callbacks[-1:]] == [None]
