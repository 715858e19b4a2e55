"""
Profile pictures: where one can be fetched, and the own one.

    <iq xmlns="w:profile:picture" type="get" target="…"><picture type="preview|image" query="url" id?>
      <tctoken>[bytes]</tctoken>?</picture></iq>           →  <picture id="…" type="…" url="…" direct_path="…"/>
    <iq xmlns="w:profile:picture" type="set" target?><picture type="image">[jpeg]</picture></iq>  →  <picture id="…"/>
    the same without <picture> removes it
    <iq xmlns="w:g2" type="get" to="COMMUNITY"><pictures><picture parent_group_jid type query="url"/></pictures></iq>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.errors import QueryError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

_NAMESPACE = "w:profile:picture"
_UNCHANGED, _UNSET, _NOT_FOUND = 304, 204, 404


@dataclass(frozen=True, slots=True)
class Picture:
    """Where somebody's picture is: its id, and a URL that is good for a while."""

    id: str
    url: str = field(repr=False)
    direct_path: str | None = field(default=None, repr=False)
    is_preview: bool = False


@dataclass(frozen=True, slots=True)
class PictureOf:
    """
    The picture of a person or group, small or whole; with the id of the one that is `known`, only a newer one. `token`
    is what that person gave us; a group both are in (`common_group`), or the `invite` to a group, opens doors too. A
    community's is asked of itself (`is_community`).
    """

    jid: JID
    is_preview: bool = False
    known: str | None = None
    token: bytes | None = field(default=None, repr=False)
    common_group: JID | None = None
    invite: str | None = field(default=None, repr=False)
    is_community: bool = False

    def build(self) -> Node:
        """The question."""
        attrs = {"type": "preview" if self.is_preview else "image", "query": "url"}
        if self.known is not None:
            attrs["id"] = self.known
        if self.invite is not None:
            attrs["invite"] = self.invite
        if self.is_community:
            return self._of_community(attrs)
        if self.common_group is not None:
            attrs["common_gid"] = str(self.common_group.bare)
        shown = [Node("tctoken", None, self.token)] if self.token else None
        node = ask(_NAMESPACE, Node("picture", attrs, shown))
        node.attrs["target"] = str(self.jid.bare)
        return node

    def parse(self, answer: Node) -> Picture | None:
        """
        The picture; None when there is none, or none newer than the known one. Raises QueryError: 401 when the person
        does not show it to us.
        """
        try:
            raise_for_error(answer)
        except QueryError as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        picture = answer.child("pictures", "picture") if self.is_community else answer.child("picture")
        if picture is None:
            return None
        reader = picture.read()
        if reader.opt_int("status") in (_UNCHANGED, _UNSET):
            return None
        id, url, path = reader.str("id"), reader.str("url"), reader.opt_str("direct_path")
        reader.done()
        return Picture(id, url, path, picture.attrs.get("type") == "preview")

    def _of_community(self, attrs: dict[str, str]) -> Node:
        wanted = Node("picture", {**attrs, "parent_group_jid": str(self.jid.bare)})
        node = ask("w:g2", Node("pictures", None, [wanted]))
        node.attrs["to"] = str(self.jid.bare)
        return node


@dataclass(frozen=True, slots=True)
class SetPicture:
    """Show this JPEG as the own picture, or as that of the group `target`; None takes the picture away."""

    jpeg: bytes | None = field(repr=False)
    target: JID | None = None

    def build(self) -> Node:
        """The order."""
        content = [] if self.jpeg is None else [Node("picture", {"type": "image"}, self.jpeg)]
        node = tell(_NAMESPACE, *content)
        if self.target is not None:
            node.attrs["target"] = str(self.target.bare)
        return node

    def parse(self, answer: Node) -> str | None:
        """The new picture's id."""
        raise_for_error(answer)
        picture = answer.child("picture")
        return None if picture is None else picture.attrs.get("id")
