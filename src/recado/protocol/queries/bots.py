"""
Machines one can write to: which there are, and what each tells of itself.

    <iq xmlns="bot" type="get"><bot v="2"/></iq>  →  <bot><section type="all"><bot jid="…@bot" persona_id="…"/>…
    <iq xmlns="usync" type="get"><usync …><query><bot><profile v="1"/></bot></query>
        <list><user jid="…@bot"><bot><profile persona_id="…"/></bot></user>…
      →  <user jid><bot><profile persona_id><name/><attributes/><description/><category/><default/>?
           <commands><description/><command><name/><description/></command>…</commands>
           <prompts><prompt><emoji/><text/></prompt>…</prompts></profile></bot></user>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error


@dataclass(frozen=True, slots=True)
class Bot:
    """A machine: its address, and which of its characters."""

    jid: JID
    persona: str


@dataclass(frozen=True, slots=True)
class BotProfile:
    """What a machine tells of itself; `commands` are pairs of name and description."""

    jid: JID
    persona: str
    name: str = ""
    description: str = field(default="", repr=False)
    category: str = ""
    is_default: bool = False
    commands: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    prompts: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AskBots:
    """Which machines there are."""

    def build(self) -> Node:
        """The question."""
        return ask("bot", Node("bot", {"v": "2"}))

    def parse(self, answer: Node) -> tuple[Bot, ...]:
        """All of them. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        listed = answer.child("bot")
        found = []
        for section in listed.all("section") if listed is not None else ():
            for bot in section.all("bot") if section.attrs.get("type") == "all" else ():
                reader = bot.read()
                found.append(Bot(reader.jid("jid"), reader.opt_str("persona_id") or ""))
                reader.done()
        return tuple(found)


@dataclass(frozen=True, slots=True)
class AskBotProfiles:
    """What those machines tell of themselves."""

    bots: tuple[Bot, ...]

    def build(self) -> Node:
        """The question."""
        query = Node("query", None, [Node("bot", None, [Node("profile", {"v": "1"})])])
        users = []
        for bot in self.bots:
            wanted = Node("bot", None, [Node("profile", {"persona_id": bot.persona})])
            users.append(Node("user", {"jid": str(bot.jid)}, [wanted]))
        attrs = {"context": "interactive", "mode": "query", "sid": f"bots.{len(users)}-1", "last": "true", "index": "0"}
        return ask("usync", Node("usync", attrs, [query, Node("list", None, users)]))

    def parse(self, answer: Node) -> tuple[BotProfile, ...]:
        """One for each that told something. Raises QueryError."""
        raise_for_error(answer)
        listed = answer.child("usync", "list")
        users = list(listed.all("user")) if listed is not None else []
        told = [(user, user.child("bot", "profile")) for user in users]
        return tuple(_profile(user, profile) for user, profile in told if profile is not None)


def _profile(user: Node, profile: Node) -> BotProfile:
    reader = user.read()
    jid = reader.jid("jid")
    reader.done()
    commands, prompts = profile.child("commands"), profile.child("prompts")
    return BotProfile(
        jid,
        profile.attrs.get("persona_id", ""),
        _text(profile, "name"),
        _text(profile, "description"),
        _text(profile, "category"),
        profile.child("default") is not None,
        tuple((_text(each, "name"), _text(each, "description")) for each in commands.all("command"))
        if commands is not None
        else (),
        tuple(f"{_text(each, 'emoji')} {_text(each, 'text')}".strip() for each in prompts.all("prompt"))
        if prompts is not None
        else (),
    )


def _text(node: Node, tag: str) -> str:
    child = node.child(tag)
    return "" if child is None else child.text
