"""
What businesses write: buttons, lists, templates, interactive messages, products; and what people choose from them. Each
becomes the nearest kind of ours; what fits none is left to the caller, who keeps it as it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from recado.content import (
    Button,
    Buttons,
    Choice,
    Content,
    LinkButton,
    Media,
    Option,
    OptionList,
    OptionSection,
    Product,
    Text,
)
from recado.protocol.messages.files import read_file
from recado.protocol.proto import e2e_pb2 as wire

_LONGEST_JSON = 256 * 1024


def read_buttons(part: wire.ButtonsMessage) -> Content | None:
    """A text with buttons."""
    buttons = tuple(
        _flow_button(button.native_flow_info.name, button.native_flow_info.params_json)
        if button.HasField("native_flow_info")
        else Button(button.button_id, button.button_text.display_text)
        for button in part.buttons
    )
    return _framed(part.content_text, buttons, part.text, part.footer_text, _file_of(part))


def read_list(part: wire.ListMessage) -> Content | None:
    """A text with a list; a list of products has rows of its own kind and is not read."""
    sections = tuple(
        OptionSection(
            section.title, tuple(Option(row.row_id, row.title, row.description or None) for row in section.rows)
        )
        for section in part.sections
    )
    if not any(section.options for section in sections):
        return None
    header = part.title if part.description else None
    return OptionList(
        part.description or part.title, part.button_text, sections, header or None, part.footer_text or None
    )


def read_template(part: wire.TemplateMessage) -> Content | None:
    """A template as its receiver sees it, with its places filled in."""
    if part.HasField("interactive_message_template"):
        return read_interactive(part.interactive_message_template)
    filled = part.hydrated_template if part.HasField("hydrated_template") else part.hydrated_four_row_template
    if not filled.ListFields():
        return None
    buttons = tuple(_template_button(button) for button in sorted(filled.hydrated_buttons, key=lambda each: each.index))
    return _framed(
        filled.hydrated_content_text,
        buttons,
        filled.hydrated_title_text,
        filled.hydrated_footer_text,
        _file_of(filled),
    )


def read_interactive(part: wire.InteractiveMessage) -> Content | None:
    """An interactive message; a row of cards is not read."""
    if part.HasField("carousel_message"):
        return None
    header, footer, body = part.header.title or part.header.subtitle, part.footer.text, part.body.text
    for button in part.native_flow_message.buttons:
        if button.name == "single_select":
            return _selection(button.button_params_json, body, header or None, footer or None)
    buttons = tuple(_flow_button(button.name, button.button_params_json) for button in part.native_flow_message.buttons)
    return _framed(body, buttons, header, footer, _file_of(part.header))


def read_product(part: wire.ProductMessage) -> Content | None:
    """An article of a catalogue; a whole catalogue is not read."""
    if not part.HasField("product"):
        return None
    product = part.product
    amount = product.sale_price_amount1000 or product.price_amount1000
    return Product(
        title=product.title,
        id=product.product_id,
        description=product.description or None,
        price=format((Decimal(amount) / 1000).normalize(), "f") if amount else None,
        currency=product.currency_code or None,
        url=product.url or None,
        seller=part.business_owner_jid or None,
        body=part.body or None,
    )


def read_choice(part: Any) -> Content | None:
    """What somebody chose, whatever it was chosen from."""
    match part:
        case wire.ButtonsResponseMessage():
            return Choice(part.selected_button_id, part.selected_display_text)
        case wire.ListResponseMessage():
            return Choice(part.single_select_reply.selected_row_id, part.title, "list")
        case wire.TemplateButtonReplyMessage():
            return Choice(part.selected_id, part.selected_display_text, "template")
        case _:
            answer = part.native_flow_response_message
            said = _object(answer.params_json)
            id = said.get("id")
            return Choice(id if isinstance(id, str) else answer.name, part.body.text, "flow")


def write_product(product: Product) -> wire.Message:
    """The message that shows an article."""
    snapshot = wire.ProductSnapshot(
        product_id=product.id or None,
        title=product.title,
        description=product.description,
        currency_code=product.currency,
        price_amount1000=None if product.price is None else int(Decimal(product.price) * 1000),
        url=product.url,
    )
    return wire.Message(
        product_message=wire.ProductMessage(product=snapshot, business_owner_jid=product.seller, body=product.body)
    )


def write_choice(choice: Choice) -> wire.Message:
    """The message that answers with a choice."""
    match choice.source:
        case "list":
            reply = wire.SingleSelectReply(selected_row_id=choice.id)
            listed = wire.ListResponseMessage(title=choice.title, list_type=1, single_select_reply=reply)
            return wire.Message(list_response_message=listed)
        case "template":
            return wire.Message(
                template_button_reply_message=wire.TemplateButtonReplyMessage(
                    selected_id=choice.id, selected_display_text=choice.title
                )
            )
        case "flow":
            answer = wire.NativeFlowResponseMessage(name="quick_reply", params_json=json.dumps({"id": choice.id}))
            body = wire.InteractiveResponseMessageBody(text=choice.title)
            return wire.Message(
                interactive_response_message=wire.InteractiveResponseMessage(
                    body=body, native_flow_response_message=answer
                )
            )
        case _:
            return wire.Message(
                buttons_response_message=wire.ButtonsResponseMessage(
                    selected_button_id=choice.id, selected_display_text=choice.title, type=1
                )
            )


def write_buttons(content: Buttons | LinkButton) -> wire.Message:
    """The message with buttons, as businesses send it: buttons that only answer, or a flow when one opens something."""
    buttons = content.buttons if isinstance(content, Buttons) else (Button("", content.title, url=content.url),)
    if any(button.url or button.phone for button in buttons):
        flow = wire.NativeFlowMessage(buttons=[_native(button) for button in buttons])
        interactive = wire.InteractiveMessage(
            body=wire.InteractiveMessageBody(text=content.body), native_flow_message=flow
        )
        if content.header:
            interactive.header.title = content.header
        if content.footer:
            interactive.footer.text = content.footer
        return wire.Message(interactive_message=interactive)
    return wire.Message(
        buttons_message=wire.ButtonsMessage(
            content_text=content.body,
            footer_text=content.footer,
            text=content.header,
            header_type=wire.ButtonsMessage.TEXT if content.header else wire.ButtonsMessage.EMPTY,
            buttons=[
                wire.ButtonsMessageButton(
                    button_id=button.id,
                    button_text=wire.ButtonText(display_text=button.title),
                    type=wire.ButtonsMessageButton.RESPONSE,
                )
                for button in buttons
            ],
        )
    )


def write_list(content: OptionList) -> wire.Message:
    """The message with a list, as businesses send it."""
    sections = [
        wire.ListMessageSection(
            title=section.title,
            rows=[
                wire.ListMessageRow(title=option.title, description=option.description, row_id=option.id)
                for option in section.options
            ],
        )
        for section in content.sections
    ]
    return wire.Message(
        list_message=wire.ListMessage(
            title=content.header,
            description=content.body,
            button_text=content.button,
            list_type=wire.ListMessage.SINGLE_SELECT,
            sections=sections,
            footer_text=content.footer,
        )
    )


def _framed(body: str, buttons: tuple[Button, ...], header: str, footer: str, media: Media | None) -> Content | None:
    if not buttons:
        words = "\n".join(part for part in (header, body, footer) if part)
        if media is not None:
            return replace(media, caption=words or None)
        return Text(words) if words else None
    if len(buttons) == 1 and buttons[0].url and media is None:
        return LinkButton(body, buttons[0].title, buttons[0].url, header or None, footer or None)
    return Buttons(body, buttons, header or None, footer or None, media)


def _file_of(part: Any) -> Media | None:
    for name in ("image_message", "video_message", "document_message"):
        if part.HasField(name):
            return read_file(getattr(part, name))
    return None


def _template_button(button: wire.HydratedTemplateButton) -> Button:
    if button.HasField("url_button"):
        return Button("", button.url_button.display_text, url=button.url_button.url or None)
    if button.HasField("call_button"):
        return Button("", button.call_button.display_text, phone=button.call_button.phone_number or None)
    return Button(button.quick_reply_button.id, button.quick_reply_button.display_text)


def _flow_button(name: str, params: str) -> Button:
    said = _object(params)

    def word(*keys: str) -> str:
        return next((said[key] for key in keys if isinstance(said.get(key), str)), "")

    return Button(
        word("id", "copy_code") or ("" if name.startswith("cta_") else name),
        word("display_text", "title") or name,
        url=word("url") or None if name == "cta_url" else None,
        phone=word("phone_number") or None if name == "cta_call" else None,
    )


def _native(button: Button) -> wire.NativeFlowButton:
    said = {"display_text": button.title}
    if button.url:
        name, said["url"] = "cta_url", button.url
    elif button.phone:
        name, said["phone_number"] = "cta_call", button.phone
    else:
        name, said["id"] = "quick_reply", button.id
    return wire.NativeFlowButton(name=name, button_params_json=json.dumps(said))


def _selection(params: str, body: str, header: str | None, footer: str | None) -> Content | None:
    said = _object(params)
    sections = tuple(
        OptionSection(
            _word(section, "title"),
            tuple(
                Option(_word(row, "id"), _word(row, "title"), _word(row, "description") or None)
                for row in _objects(section.get("rows"))
            ),
        )
        for section in _objects(said.get("sections"))
    )
    if not any(section.options for section in sections):
        return None
    return OptionList(body, _word(said, "title"), sections, header, footer)


def _object(text: str) -> dict[str, Any]:
    """The JSON object in a text somebody else wrote; empty when there is none."""
    if len(text) > _LONGEST_JSON:
        return {}
    try:
        said = json.loads(text)
        json.dumps(said, ensure_ascii=False).encode()  # halves of surrogate pairs, escaped, come this far
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _objects(listed: Any) -> Iterable[dict[str, Any]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _word(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""
