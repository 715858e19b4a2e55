"""
Ask for a business's profile, and read the name WhatsApp certifies.

    <iq xmlns="w:biz" type="get"><business_profile v="244"><profile jid="…"/></business_profile></iq>
    <business_profile><profile jid="…"><address/><description/><website/>…<email/>
      <categories><category id="…">[name]</category>…</categories>
      <business_hours timezone="…"><business_hours_config day_of_week mode open_time? close_time?/>…</business_hours>
    </profile></business_profile>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError, QueryError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.proto.business_pb2 import VerifiedNameCertificate
from recado.protocol.queries.query import ask, raise_for_error

_VERSION = "244"
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """One day (`mon`) of a business: `mode` is open_24h, specific_hours or appointment_only; minutes of the day."""

    day: str
    mode: str
    opens: int | None = None
    closes: int | None = None


@dataclass(frozen=True, slots=True)
class BusinessProfile:
    """What a business tells of itself."""

    jid: JID
    description: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    websites: tuple[str, ...] = field(default=(), repr=False)
    categories: tuple[str, ...] = ()
    timezone: str | None = None
    hours: tuple[OpeningHours, ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessProfileOf:
    """The profile of a business."""

    jid: JID

    def build(self) -> Node:
        """The question."""
        asked = Node("profile", {"jid": str(self.jid.bare)})
        return ask("w:biz", Node("business_profile", {"v": _VERSION}, [asked]))

    def parse(self, answer: Node) -> BusinessProfile | None:
        """The profile; None for who is no business."""
        try:
            raise_for_error(answer)
        except QueryError as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        profile = answer.child("business_profile", "profile")
        if profile is None:
            return None
        reader = profile.read()
        jid = reader.opt_jid("jid") or self.jid
        reader.done()
        hours = profile.child("business_hours")
        return BusinessProfile(
            jid,
            description=_text(profile, "description"),
            address=_text(profile, "address"),
            email=_text(profile, "email"),
            websites=tuple(site.text for site in profile.all("website") if site.text),
            categories=tuple(each.text for each in (profile.child("categories") or Node("")).all("category")),
            timezone=None if hours is None else hours.attrs.get("timezone"),
            hours=() if hours is None else tuple(_hours(each) for each in hours.all("business_hours_config")),
        )


def read_verified_name(certificate: bytes) -> str | None:
    """The name a certificate of WhatsApp's is for. Raises DecodeError."""
    try:
        details = VerifiedNameCertificate.FromString(certificate).details
        return VerifiedNameCertificate.Details.FromString(details).verified_name or None
    except ProtobufError:
        raise DecodeError("a business's certificate cannot be read") from None


def make_verified_name(name: str) -> bytes:
    """A certificate with that name and no signature, as an emulated server hands out."""
    details = VerifiedNameCertificate.Details(verified_name=name, issuer="smb:wa").SerializeToString()
    return VerifiedNameCertificate(details=details).SerializeToString()


def _hours(node: Node) -> OpeningHours:
    reader = node.read()
    day, mode = reader.str("day_of_week"), reader.str("mode")
    opens, closes = reader.opt_int("open_time"), reader.opt_int("close_time")
    reader.done()
    return OpeningHours(day, mode, opens, closes)


def _text(profile: Node, tag: str) -> str:
    child = profile.child(tag)
    return "" if child is None else child.text
