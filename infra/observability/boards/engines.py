"""The dashboard of what all services stand on: database, store, bus, journal."""

from infra.observability.panels import Board, Graph, Query, quantile, rate

ENGINES = Board(
    "engines",
    "Sidetone: engines",
    {
        "Database": [
            Graph(
                "Time of a statement",
                "s",
                "99 of 100; what is executed waits for the disk.",
                [
                    Query(
                        quantile(0.99, "sidetone_database_statement_seconds", "operation"),
                        "{{operation}}",
                    )
                ],
            ),
            Graph(
                "Statements",
                "ops",
                "A batch counts as one.",
                [
                    Query(
                        rate("sidetone_database_statement_seconds_count", "operation"),
                        "{{operation}}",
                    )
                ],
            ),
            Graph(
                "Connections",
                "short",
                "Of all pools; those in use must stay below the most that there may be.",
                [
                    Query("sum by (state) (sidetone_database_connections)", "{{state}}"),
                    Query("sum(sidetone_database_connections_max)", "at most"),
                ],
            ),
            Graph(
                "Waiting for a connection",
                "short",
                "Statements that wait, and how much time is spent so in a second.",
                [
                    Query("sum(sidetone_database_waiting)", "waiting"),
                    Query(rate("sidetone_database_wait_seconds_total"), "seconds"),
                    Query(rate("sidetone_database_wait_failures_total"), "failures"),
                ],
            ),
        ],
        "Store, bus and journal": [
            Graph(
                "Time of the key-value store",
                "s",
                "99 of 100 operations are faster.",
                [Query(quantile(0.99, "sidetone_keyvalue_operation_seconds"), "99 of 100")],
            ),
            Graph(
                "Questions between services",
                "s",
                "99 of 100 are answered faster; after 2 s nobody waits any more.",
                [
                    Query(
                        f"topk(5, {quantile(0.99, 'sidetone_bus_question_seconds', 'subject')})",
                        "{{subject}}",
                    )
                ],
            ),
            Graph(
                "Outcome of questions",
                "cps",
                "unavailable: nobody answers, or too late.",
                [Query(rate("sidetone_bus_questions_total", "outcome"), "{{outcome}}")],
            ),
            Graph(
                "Events",
                "cps",
                "Announced and handled, and those that a handler was too slow for.",
                [
                    Query(rate("sidetone_bus_published_total"), "published"),
                    Query(rate("sidetone_bus_handled_total"), "handled"),
                    Query(rate("sidetone_bus_dropped_total"), "dropped"),
                    Query(rate("sidetone_bus_failures_total"), "failed"),
                ],
            ),
            Graph(
                "Facts",
                "cps",
                "Put into the journal, and taken by all followers together.",
                [
                    Query(rate("sidetone_journal_recorded_total"), "recorded"),
                    Query(rate("sidetone_journal_handled_total"), "handled"),
                ],
            ),
            Graph(
                "Time to answer",
                "s",
                "At who answers, 99 of 100.",
                [
                    Query(
                        f"topk(5, {quantile(0.99, 'sidetone_bus_answer_seconds', 'subject')})",
                        "{{subject}}",
                    )
                ],
            ),
        ],
        "Processes": [
            Graph(
                "What answers",
                "short",
                "1 for each process that Prometheus reaches.",
                [Query("up", "{{job}} {{instance}}")],
            ),
            Graph(
                "Versions",
                "short",
                "While an upgrade rolls there are two of each.",
                [
                    Query(
                        "count by (program, version) (sidetone_build_info)",
                        "{{program}} {{version}}",
                    )
                ],
            ),
            Graph(
                "Open files",
                "percentunit",
                "Share of what the system allows a process.",
                [Query("process_open_fds / process_max_fds", "{{instance}}")],
            ),
        ],
    },
)
