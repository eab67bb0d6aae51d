"""The state of a whole deployment in a few numbers: pure, from what its processes told."""

from collections.abc import Sequence

import msgspec

from sidetone.all_in_one.scraping import Look, Silence

_PROGRAMS = {"all_in_one": "server", "voice_sfu": "voice node"}
_MB = 1_000_000


class ProcessState(msgspec.Struct, frozen=True):
    """One process; *trouble* is empty while it is ready. Shares are those of one core."""

    url: str
    program: str
    version: str
    trouble: str
    cpu_share: float
    memory_mb: float
    requests_per_second: float
    loop_delay_ms: float


class NodeState(msgspec.Struct, frozen=True):
    """One voice node, as the voice service heard of it last."""

    address: str
    devices: int
    rooms: int
    cpu_share: float


class Overview(msgspec.Struct, frozen=True):
    """All of it. What no process told is None: without a gateway nobody counts sockets.

    Lags are the worst of all processes; *statement_ms* and *store_ms* are means since each began.
    """

    processes: list[ProcessState]
    voice_nodes: list[NodeState]
    silent: list[Silence]
    calls: int | None
    devices_in_calls: int | None
    sockets: int | None
    users_connected: int | None
    messages_per_second: float
    outbox_lag_seconds: float | None
    facts_waiting: int | None
    search_lag_seconds: float | None
    statement_ms: float | None
    statements_waiting: int | None
    store_ms: float | None


def overview(looks: Sequence[Look], silent: Sequence[Silence]) -> Overview:
    """Put together what was found; *silent* did not answer."""
    return Overview(
        processes=[_process(look) for look in looks],
        voice_nodes=_nodes(looks),
        silent=list(silent),
        calls=_whole(_most(looks, "sidetone_calls_rooms")),
        devices_in_calls=_whole(_most(looks, "sidetone_calls_members")),
        sockets=_whole(_sum(looks, "sidetone_gateway_sockets")),
        users_connected=_whole(_sum(looks, "sidetone_gateway_users")),
        messages_per_second=round(
            sum(look.per_second("sidetone_chat_messages_sent_total") for look in looks), 1
        ),
        outbox_lag_seconds=_rounded(_most(looks, "sidetone_outbox_lag_seconds")),
        facts_waiting=_whole(_most(looks, "sidetone_journal_pending")),
        search_lag_seconds=_rounded(_most(looks, "sidetone_search_lag_seconds")),
        statement_ms=_mean_ms(looks, "sidetone_database_statement_seconds"),
        statements_waiting=_whole(_sum(looks, "sidetone_database_waiting")),
        store_ms=_mean_ms(looks, "sidetone_keyvalue_operation_seconds"),
    )


def _process(look: Look) -> ProcessState:
    build = next((labels for labels, _ in look.now.of("sidetone_build_info")), dict[str, str]())
    program = build.get("program", "unknown")
    delays = look.now.total("sidetone_loop_delay_seconds_count")
    late = look.now.total("sidetone_loop_delay_seconds_sum")
    return ProcessState(
        url=look.url,
        program=_PROGRAMS.get(program, program),
        version=build.get("version", "unknown"),
        trouble=look.trouble,
        cpu_share=round(look.per_second("process_cpu_seconds_total"), 2),
        memory_mb=round(look.now.total("process_resident_memory_bytes") / _MB, 1),
        requests_per_second=round(look.per_second("sidetone_http_requests_total"), 1),
        loop_delay_ms=round(1_000 * late / delays, 1) if delays else 0.0,
    )


def _nodes(looks: Sequence[Look]) -> list[NodeState]:
    """Return the nodes that any voice process knows; all hear the same heartbeats."""
    found: dict[str, NodeState] = {}
    for look in looks:
        for labels, devices in look.now.of("sidetone_calls_node_connections"):
            node = labels["node"]
            found[node] = NodeState(
                address=node,
                devices=int(devices),
                rooms=int(look.now.total("sidetone_calls_node_rooms", node=node)),
                cpu_share=look.now.total("sidetone_calls_node_cpu_ratio", node=node),
            )
    return [found[node] for node in sorted(found)]


def _most(looks: Sequence[Look], name: str) -> float | None:
    values = [look.now.most(name) for look in looks]
    return max((value for value in values if value is not None), default=None)


def _sum(looks: Sequence[Look], name: str) -> float | None:
    values = [look.now.values(name) for look in looks]
    return sum(map(sum, values)) if any(values) else None


def _mean_ms(looks: Sequence[Look], name: str) -> float | None:
    count = _sum(looks, f"{name}_count")
    total = _sum(looks, f"{name}_sum")
    return None if not count or total is None else round(1_000 * total / count, 2)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
