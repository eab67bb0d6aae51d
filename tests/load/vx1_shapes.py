"""Key packages and commits with the right shape and nothing behind it.

The delivery service checks order, not cryptography, so its tests need no keys.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID, uuid4

from sidetone.credentials.tickets import Perm, Ticket
from sidetone.e2ee import commit as commits
from sidetone.e2ee.commit import Add, CommitBody, Kind
from sidetone.e2ee.keypackage import KeyPackage, parse
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from tests.load.sfu_stage import CHANNEL, TALK

FAR_MS = 1 << 50


def ticket(
    user: UserId | None = None, perms: Perm = TALK, generation: int = 1, number: int | None = None
) -> Ticket:
    """Return a ticket as admission hands it over."""
    known = UUID(int=number) if number is not None else uuid4()
    return Ticket(
        kid=1,
        perms=perms,
        user=user or UserId(known),
        device=DeviceId(known if user is None else uuid4()),
        channel=CHANNEL,
        node=NodeId(1),
        jti=uuid4(),
        generation=generation,
        issued_at=0,
        expires_at=30,
    )


def package(
    owner: Ticket, sender: int, not_after_ms: int = FAR_MS, channel: ChannelId = CHANNEL
) -> KeyPackage:
    """Return a new key package of *owner*."""
    head = b"\x01\x01\0\0" + channel.bytes + owner.user.bytes + owner.device.bytes
    rest = sender.to_bytes(2, "big") + not_after_ms.to_bytes(8, "big")
    return parse((head + rest + uuid4().bytes).ljust(358, b"\xaa"))


def found(founder: KeyPackage) -> commits.Commit:
    """Return the commit that founds a group of *founder* alone."""
    return made(
        Kind.CREATE, CHANNEL.bytes + uuid4().bytes, 0, founder.sender, adds=[founder], wraps=()
    )


def made(  # noqa: PLR0913
    kind: Kind,
    group: bytes,
    epoch: int,
    committer: int,
    *,
    prev: bytes = bytes(32),
    removes: Iterable[int] = (),
    adds: Iterable[KeyPackage] = (),
    wraps: Iterable[int] = (),
) -> commits.Commit:
    """Return any commit; each wrap is filled with its receiver's index."""
    body = CommitBody(
        kind=kind,
        group=group,
        epoch=epoch,
        committer=committer,
        prev=prev,
        roster_hash=bytes(32),
        eph=bytes(32),
        removes=tuple(sorted(removes)),
        adds=tuple(Add(each.sender, each.hash) for each in sorted(adds, key=_sender)),
    ).pack()
    pairs = b"".join(wrap.to_bytes(2, "big") + bytes([wrap % 256]) * 48 for wrap in sorted(wraps))
    return commits.parse(body + bytes(96) + pairs)


def after(
    before: commits.Commit,
    committer: int,
    roster: Mapping[int, KeyPackage],
    *,
    removes: Iterable[int] = (),
    adds: Iterable[KeyPackage] = (),
    kind: Kind | None = None,
) -> commits.Commit:
    """Return a good commit after *before*: a rekey if it removes, else an advance."""
    removes, adds = list(removes), list(adds)
    kind = kind or (Kind.REKEY if removes else Kind.ADVANCE)
    joining = {each.sender for each in adds}
    staying = set(roster) - set(removes) | joining
    return made(
        kind,
        before.group,
        before.epoch + 1,
        committer,
        prev=before.transcript,
        removes=removes,
        adds=adds,
        wraps=joining if kind is Kind.ADVANCE else staying - {committer},
    )


def _sender(package: KeyPackage) -> int:
    return package.sender
