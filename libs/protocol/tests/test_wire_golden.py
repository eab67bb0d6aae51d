"""What is on the wire stays on the wire: a change here is a change for every client and node.

The control stream and the bus carry msgpack, shown here as what any msgpack reader sees, in the
order of the fields; ``test_golden_forms`` has the form of every type there is, in JSON.
"""

from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest

from libs.protocol.tests.examples import example_of
from sidetone.protocol import voice_control
from sidetone.protocol.accounts import Grant
from sidetone.protocol.events import ClientEvent, Event, NodeAlive, NodeLost, VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, Sender, ServerId, UserId
from sidetone.protocol.questions import (
    Briefing,
    BriefNode,
    ChannelRights,
    IssuedGrant,
    IssueGrant,
    Question,
    TokenKeys,
    WhatMayUserDo,
)
from sidetone.protocol.refusals import NotFound, RateLimited
from sidetone.protocol.voice_control import (
    ClientMessage,
    Commit,
    CommitFailed,
    CommitRejected,
    Error,
    GroupEnded,
    Join,
    KeyframeRequest,
    KeyframeWanted,
    KeyPackage,
    KeyPackages,
    Leave,
    Limits,
    Move,
    Peer,
    PeerJoined,
    PeerLeft,
    PeerState,
    Ping,
    Pong,
    Reception,
    Remove,
    Renew,
    Resync,
    Rights,
    SenderPackage,
    ServerMessage,
    State,
    Stats,
    Subscribe,
    Welcome,
)

USER = UserId(UUID("0198a7c0-0000-7000-8000-000000000001"))
DEVICE = DeviceId(UUID("0198a7c0-0000-7000-8000-000000000002"))
CHANNEL = ChannelId(UUID("0198a7c0-0000-7000-8000-000000000003"))
SERVER = ServerId(UUID("0198a7c0-0000-7000-8000-000000000004"))
U, D, C, S = str(USER), str(DEVICE), str(CHANNEL), str(SERVER)

PEER = Peer(Sender(7), USER, DEVICE)
PEER_WIRE = {"sender": 7, "user": U, "device": D, "muted": False, "deafened": False}
LIMITS = Limits(250, 400_000, 1_000, 120, 8_000_000, 1 << 20)
LIMITS_WIRE = {
    "packets_per_second": 250,
    "bits_per_second": 400_000,
    "frame_bytes_max": 1_000,
    "video_frames_per_second": 120,
    "video_bits_per_second": 8_000_000,
    "video_frame_bytes_max": 1 << 20,
}
GRANT = Grant(b"\x01\xff", 1_700_000_000_000)
GRANT_WIRE = {"wire": b"\x01\xff", "not_after_ms": 1_700_000_000_000}
VOICE_RIGHTS = VoiceRights(CHANNEL, USER, 3, 5)
VOICE_RIGHTS_WIRE = {
    "type": "voice.rights",
    "channel": C,
    "user": U,
    "perms": 3,
    "generation": 5,
}
NODE_ALIVE = NodeAlive(NodeId(2**63 - 1), "::1", 4433, b"\x01", [b"\x02"], 9, [CHANNEL], True, 35)

MSGPACK: list[tuple[msgspec.Struct, dict[str, object]]] = [
    # Client to node.
    (Join(b"t"), {"type": "join", "ticket": b"t"}),
    (KeyPackage(b"p"), {"type": "key_package", "package": b"p"}),
    (Commit(b"w"), {"type": "commit", "wire": b"w"}),
    (CommitFailed(4), {"type": "commit_failed", "epoch": 4}),
    (Resync(b"p"), {"type": "resync", "package": b"p"}),
    (Renew(b"p"), {"type": "renew", "package": b"p"}),
    (State(True, False), {"type": "state", "muted": True, "deafened": False}),
    (
        Subscribe([Sender(7)], [1], [2]),
        {"type": "subscribe", "senders": [7], "kinds": [1], "layers": [2]},
    ),
    (
        KeyframeRequest(Sender(7), 2),
        {"type": "keyframe_request", "sender": 7, "layer": 2},
    ),
    (Stats(10, 2, 1.5), {"type": "stats", "received": 10, "lost": 2, "jitter_ms": 1.5}),
    (Ping(1), {"type": "ping", "number": 1}),
    (Leave(), {"type": "leave"}),
    # Node to client.
    (
        Welcome(Sender(7), 3, [PEER], b"g", 2, [Sender(1), Sender(7)], LIMITS),
        {
            "type": "welcome",
            "sender": 7,
            "permissions": 3,
            "peers": [PEER_WIRE],
            "group": b"g",
            "epoch": 2,
            "roster": [1, 7],
            "limits": LIMITS_WIRE,
        },
    ),
    (PEER, PEER_WIRE),
    (LIMITS, LIMITS_WIRE),
    (PeerJoined(PEER), {"type": "peer_joined", "peer": PEER_WIRE}),
    (PeerLeft(Sender(7)), {"type": "peer_left", "sender": 7}),
    (
        PeerState(Sender(7), False, True),
        {"type": "peer_state", "sender": 7, "muted": False, "deafened": True},
    ),
    (SenderPackage(Sender(7), b"p"), {"sender": 7, "package": b"p"}),
    (
        KeyPackages([SenderPackage(Sender(7), b"p")]),
        {"type": "key_packages", "packages": [{"sender": 7, "package": b"p"}]},
    ),
    (CommitRejected(4, "late"), {"type": "commit_rejected", "epoch": 4, "code": "late"}),
    (Remove([Sender(7)]), {"type": "remove", "senders": [7]}),
    (GroupEnded(), {"type": "group_ended"}),
    (Rights(1), {"type": "rights", "permissions": 1}),
    (Reception(5), {"type": "reception", "loss_percent": 5}),
    (KeyframeWanted(2), {"type": "keyframe_wanted", "layer": 2}),
    (Move("drain"), {"type": "move", "reason": "drain"}),
    (Error("c", "d"), {"type": "error", "code": "c", "detail": "d"}),
    (Pong(1), {"type": "pong", "number": 1}),
    # Events.
    (VOICE_RIGHTS, VOICE_RIGHTS_WIRE),
    (
        NODE_ALIVE,
        {
            "type": "node.alive",
            "node": 2**63 - 1,
            "host": "::1",
            "port": 4433,
            "spki_sha256": b"\x01",
            "certificate_sha256": [b"\x02"],
            "connections": 9,
            "rooms": [C],
            "draining": True,
            "cpu_percent": 35,
        },
    ),
    (NodeLost(NodeId(2**63 - 1)), {"type": "node.lost", "node": 2**63 - 1}),
    # Questions and answers.
    (WhatMayUserDo(USER, CHANNEL), {"user": U, "channel": C}),
    (ChannelRights(3, 5), {"permissions": 3, "generation": 5}),
    (IssueGrant(USER, DEVICE, CHANNEL), {"user": U, "device": D, "channel": C}),
    (IssuedGrant(GRANT, [b"k"]), {"grant": GRANT_WIRE, "keys": [b"k"]}),
    (TokenKeys(), {}),
    (BriefNode(NodeId(2**63 - 1)), {"node": 2**63 - 1}),
    (
        Briefing({1: b"k"}, [VOICE_RIGHTS]),
        {"ticket_keys": {1: b"k"}, "watermarks": [VOICE_RIGHTS_WIRE]},
    ),
    # Refusals, on the bus.
    (
        NotFound("channel_unknown", "no such channel").problem(),
        {"kind": "not_found", "code": "channel_unknown", "detail": "no such channel"},
    ),
    (
        RateLimited("slow", "wait", 1.5).problem(),
        {"kind": "rate_limited", "code": "slow", "detail": "wait", "retry_after_seconds": 1.5},
    ),
]


def of_type(value: object) -> str:
    return type(value).__name__ if isinstance(value, msgspec.Struct) else ""


@pytest.mark.parametrize(("value", "wire"), MSGPACK, ids=of_type)
def test_the_form_in_msgpack_is_fixed(value: msgspec.Struct, wire: dict[str, object]) -> None:
    data = msgspec.msgpack.encode(value)
    assert in_order(msgspec.msgpack.decode(data, strict=True)) == in_order(wire)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(wire), type=type(value)) == value


def in_order(value: object) -> object:
    """Return *value* with dictionaries as lists of pairs, which compare by order as well."""
    if isinstance(value, dict):
        return [(key, in_order(inner)) for key, inner in value.items()]
    return [in_order(inner) for inner in value] if isinstance(value, list) else value


def test_every_message_of_the_control_stream_has_a_golden_form() -> None:
    shown = {type(value) for value, _ in MSGPACK}
    types = {kind for kind in vars(voice_control).values() if isinstance(kind, type)}
    assert {kind for kind in types if issubclass(kind, msgspec.Struct)} - shown == set()


ENVELOPES = [ClientMessage, ServerMessage, Event, ClientEvent]


@pytest.mark.parametrize("envelope", ENVELOPES, ids=["up", "down", "event", "client event"])
def test_an_old_reader_may_meet_a_new_field(envelope: Any) -> None:
    kinds = get_args(envelope)
    for kind in kinds:
        value = example_of(kind)
        wire = msgspec.to_builtins(value, builtin_types=(bytes,))
        newer = msgspec.msgpack.encode(wire | {"from_the_future": [1, {"x": None}]})
        assert msgspec.msgpack.decode(newer, type=envelope) == value


@pytest.mark.parametrize("envelope", ENVELOPES, ids=["up", "down", "event", "client event"])
@pytest.mark.parametrize(
    "wire",
    [{"type": "teapot"}, {"type": 1}, {"number": 1}, {}, [], None, "ping", {"type": "ping"}],
    ids=str,
)
def test_what_is_not_a_message_is_a_validation_error(envelope: Any, wire: object) -> None:
    data = msgspec.msgpack.encode(wire)
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(data, type=envelope)


def test_a_field_of_the_wrong_type_is_a_validation_error() -> None:
    for wire in (
        {"type": "ping", "number": "1"},
        {"type": "join", "ticket": 5},
        {"type": "state", "muted": 1, "deafened": False},
        {"type": "commit_failed", "epoch": None},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(msgspec.msgpack.encode(wire), type=ClientMessage)


def test_tags_and_subjects_are_told_apart() -> None:
    for envelope in ENVELOPES:
        tags = [kind.__struct_config__.tag for kind in get_args(envelope)]
        assert len(set(tags)) == len(tags)
    subjects = [kind.subject for kind in [*get_args(Event), *Question.__subclasses__()]]
    assert len(set(subjects)) == len(subjects)
