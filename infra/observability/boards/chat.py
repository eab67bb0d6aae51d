"""The dashboard of chat: requests, and how what was stored reaches everybody."""

from infra.observability.panels import Board, Graph, Query, quantile, rate

CHAT = Board(
    "chat",
    "Sidetone: chat",
    {
        "Requests": [
            Graph(
                "Messages sent",
                "cps",
                "New messages that were stored.",
                [Query(rate("sidetone_chat_messages_sent_total"), "messages")],
            ),
            Graph(
                "Requests",
                "reqps",
                "By status; 5xx is our fault, 429 a client in a hurry.",
                [Query(rate("sidetone_http_requests_total", "status"), "{{status}}")],
            ),
            Graph(
                "Time of a request",
                "s",
                "Of all routes but uploads.",
                [
                    Query(
                        quantile(0.5, "sidetone_http_request_seconds", "", 'route!~"/media/.*"'),
                        "half",
                    ),
                    Query(
                        quantile(0.99, "sidetone_http_request_seconds", "", 'route!~"/media/.*"'),
                        "99 of 100",
                    ),
                ],
            ),
            Graph(
                "Slowest routes",
                "s",
                "99 of 100 requests are faster.",
                [
                    Query(
                        f"topk(5, {quantile(0.99, 'sidetone_http_request_seconds', 'route')})",
                        "{{route}}",
                    )
                ],
            ),
        ],
        "From the database to the clients": [
            Graph(
                "Lag of the outbox",
                "s",
                "Age of the oldest fact that the journal has not got; 0 is usual.",
                [Query("max by (outbox) (sidetone_outbox_lag_seconds)", "{{outbox}}")],
            ),
            Graph(
                "Delay of facts",
                "s",
                "From the moment something was stored to its turn at a follower, 99 of 100.",
                [
                    Query(
                        quantile(0.99, "sidetone_journal_delay_seconds", "follower"),
                        "{{follower}}",
                    )
                ],
            ),
            Graph(
                "Facts that wait",
                "short",
                "Behind the one that a follower works on.",
                [Query("max by (follower) (sidetone_journal_pending)", "{{follower}}")],
            ),
            Graph(
                "Followers that fail",
                "cps",
                "Failures are bugs and lose a fact; repeats wait for something that is away.",
                [
                    Query(
                        rate("sidetone_journal_failures_total", "follower"), "fails {{follower}}"
                    ),
                    Query(
                        rate("sidetone_journal_retries_total", "follower"), "waits {{follower}}"
                    ),
                ],
            ),
        ],
        "Search, presence, files": [
            Graph(
                "Lag of search",
                "s",
                "How long the end of the queue of the index was not reached.",
                [Query("max(sidetone_search_lag_seconds)", "lag")],
            ),
            Graph(
                "Changes indexed",
                "cps",
                "Messages that were new, edited or deleted.",
                [Query(rate("sidetone_search_indexed_total"), "messages")],
            ),
            Graph(
                "Users looked after",
                "short",
                "By presence; all replicas look after the same.",
                [Query("max(sidetone_presence_users)", "users")],
            ),
            Graph(
                "Changes of presence",
                "cps",
                "By what users are shown as.",
                [Query(rate("sidetone_presence_changes_total", "status"), "{{status}}")],
            ),
            Graph(
                "Uploads",
                "cps",
                "Uploads that were checked, by what came of it.",
                [Query(rate("sidetone_media_uploads_total", "outcome"), "{{outcome}}")],
            ),
            Graph(
                "Checks of files",
                "short",
                "Jobs that wait for a child; the bound is 64.",
                [Query("max(sidetone_media_jobs_waiting)", "waiting")],
            ),
        ],
    },
)
