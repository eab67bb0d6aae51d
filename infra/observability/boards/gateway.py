"""The dashboard of the gateway: clients, deliveries, processes."""

from infra.observability.panels import Board, Graph, Query, quantile, rate

_FOLLOWER = 'follower="Follow.hear_fact"'

GATEWAY = Board(
    "gateway",
    "Sidetone: gateway",
    {
        "Clients": [
            Graph(
                "WebSockets",
                "short",
                "Open sockets, and how many all processes let in.",
                [
                    Query("sum(sidetone_gateway_sockets)", "open"),
                    Query("sum(sidetone_gateway_sockets_max)", "at most"),
                ],
            ),
            Graph(
                "Sessions",
                "short",
                "Detached ones wait for their client to come back.",
                [Query("sum by (state) (sidetone_gateway_sessions)", "{{state}}")],
            ),
            Graph(
                "Identify and resume",
                "cps",
                "After a restart many identify at once; refusals are clients that have to wait.",
                [
                    Query(
                        rate("sidetone_gateway_admissions_total", "frame, outcome"),
                        "{{frame}} {{outcome}}",
                    )
                ],
            ),
            Graph(
                "Sockets closed by us",
                "cps",
                "too_slow are readers that cannot keep up.",
                [Query(rate("sidetone_gateway_closes_total", "code"), "{{code}}")],
            ),
        ],
        "Deliveries": [
            Graph(
                "Events and deliveries",
                "cps",
                "A delivery is one event for one session.",
                [
                    Query(rate("sidetone_gateway_events_total"), "events"),
                    Query(rate("sidetone_gateway_deliveries_total"), "deliveries"),
                    Query(rate("sidetone_gateway_writes_total"), "writes"),
                ],
            ),
            Graph(
                "Queues",
                "short",
                "Sessions that wait to be written to, and sockets that take no more.",
                [
                    Query("sum(sidetone_gateway_flush_waiting)", "wait"),
                    Query("sum(sidetone_gateway_sockets_full)", "full"),
                ],
            ),
            Graph(
                "Delay of facts",
                "s",
                "From the moment something was stored to the gateway.",
                [
                    Query(
                        quantile(0.5, "sidetone_journal_delay_seconds", "", _FOLLOWER),
                        "half",
                    ),
                    Query(
                        quantile(0.99, "sidetone_journal_delay_seconds", "", _FOLLOWER),
                        "99 of 100",
                    ),
                ],
            ),
            Graph(
                "Frames from clients",
                "cps",
                "Mostly heartbeats.",
                [Query(rate("sidetone_gateway_frames_received_total"), "frames")],
            ),
        ],
        "Processes": [
            Graph(
                "Delay of the loop",
                "s",
                "How late the event loop is: above 0.1 the process has too much to do.",
                [Query(quantile(0.99, "sidetone_loop_delay_seconds", "instance"), "{{instance}}")],
            ),
            Graph(
                "CPU",
                "percentunit",
                "Share of one core; a process uses one at most.",
                [Query("rate(process_cpu_seconds_total[$__rate_interval])", "{{instance}}")],
            ),
            Graph(
                "Memory",
                "bytes",
                "Resident memory.",
                [Query("process_resident_memory_bytes", "{{instance}}")],
            ),
        ],
    },
)
