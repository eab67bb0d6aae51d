"""The dashboard of calls: who talks, what it costs, how it sounds."""

from infra.observability.panels import Board, Graph, Query, rate

CALLS = Board(
    "calls",
    "Sidetone: calls",
    {
        "Who talks": [
            Graph(
                "Calls",
                "short",
                "Calls with somebody inside, and the devices in them, in the whole cluster.",
                [
                    Query("max(sidetone_calls_rooms)", "calls"),
                    Query("max(sidetone_calls_members)", "devices"),
                ],
            ),
            Graph(
                "Tickets and joins",
                "cps",
                "A join should follow each ticket; a gap is clients that UDP cannot reach.",
                [
                    Query(rate("sidetone_calls_tickets_total"), "tickets"),
                    Query(rate("sidetone_voice_joins_total"), "joins"),
                ],
            ),
            Graph(
                "Voice nodes",
                "short",
                "Nodes that take new calls, and those that send theirs elsewhere.",
                [Query("max by (state) (sidetone_calls_nodes)", "{{state}}")],
            ),
        ],
        "Load of the nodes": [
            Graph(
                "CPU of a node",
                "percentunit",
                "Share of one core. New calls avoid a busy node; above 0.9 add nodes.",
                [Query("max by (node) (sidetone_calls_node_cpu_ratio)", "{{node}}")],
            ),
            Graph(
                "Devices on a node",
                "short",
                "How calls are spread.",
                [Query("max by (node) (sidetone_calls_node_connections)", "{{node}}")],
            ),
            Graph(
                "Calls on a node",
                "short",
                "A call lives on one node.",
                [Query("max by (node) (sidetone_calls_node_rooms)", "{{node}}")],
            ),
        ],
        "Sound": [
            Graph(
                "Frames",
                "pps",
                "50 a second for each who speaks come in; as many go out for each who hears them.",
                [
                    Query(rate("sidetone_voice_frames_received_total"), "received"),
                    Query(rate("sidetone_voice_frames_forwarded_total"), "forwarded"),
                ],
            ),
            Graph(
                "Bytes",
                "Bps",
                "The payload of the frames.",
                [
                    Query(rate("sidetone_voice_bytes_received_total"), "received"),
                    Query(rate("sidetone_voice_bytes_forwarded_total"), "forwarded"),
                ],
            ),
            Graph(
                "Frames dropped",
                "pps",
                "By reason: queue is a full path, rate and flood are clients that send too much.",
                [Query(rate("sidetone_voice_frames_dropped_total", "reason"), "{{reason}}")],
            ),
            Graph(
                "Loss that members report",
                "percentunit",
                "Share of frames that did not arrive; above 0.05 is heard.",
                [
                    Query(
                        f"{rate('sidetone_voice_reported_lost_total')} / clamp_min("
                        f"{rate('sidetone_voice_reported_lost_total')} + "
                        f"{rate('sidetone_voice_reported_received_total')}, 1)",
                        "lost",
                    )
                ],
            ),
        ],
        "Screens": [
            Graph(
                "Video frames",
                "pps",
                "Frames of shared screens.",
                [
                    Query(rate("sidetone_voice_video_frames_received_total"), "received"),
                    Query(rate("sidetone_voice_video_frames_forwarded_total"), "forwarded"),
                ],
            ),
            Graph(
                "Video bytes",
                "Bps",
                "What screens cost the network.",
                [
                    Query(rate("sidetone_voice_video_bytes_received_total"), "received"),
                    Query(rate("sidetone_voice_video_bytes_forwarded_total"), "forwarded"),
                ],
            ),
            Graph(
                "Video frames cut",
                "pps",
                "Out for a reason: viewers whose path is too slow.",
                [
                    Query(
                        rate("sidetone_voice_video_frames_cut_total", "direction, reason"),
                        "{{direction}} {{reason}}",
                    )
                ],
            ),
        ],
    },
)
