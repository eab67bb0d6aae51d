"""The errors of a route, as its OpenAPI document tells them.

Every route can answer 400, 413, 415, 429 and 503, and those that want a token 401 and 403: these
are added to the document for all. A handler names what is its own: ``responses(404, 409)``.
"""

from collections.abc import Mapping

from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example

from sidetone.protocol.refusals import Problem

PROBLEM_MEDIA_TYPE = "application/problem+json"

EXAMPLES: Mapping[int, tuple[str, Problem]] = {
    400: (
        "The request cannot be read.",
        Problem("invalid", "malformed", "the request cannot be read; send it as documented"),
    ),
    401: (
        "There is no valid token.",
        Problem("unauthenticated", "token_expired", "the access token has expired; refresh it"),
    ),
    403: (
        "You may not do this.",
        Problem("forbidden", "permission_missing", "you lack a permission that this takes"),
    ),
    404: (
        "It does not exist, or you may not know that it does.",
        Problem("not_found", "channel_unknown", "there is no such channel, or you cannot see it"),
    ),
    405: (
        "The path does not take this method.",
        Problem("invalid", "method_not_allowed", "this path does not take this method"),
    ),
    409: (
        "It clashes with the present state.",
        Problem("conflict", "stale_version", "somebody else has changed this; read it again"),
    ),
    413: (
        "The body is too large.",
        Problem("invalid", "body_too_large", "send at most 65536 bytes"),
    ),
    415: (
        "The body is not JSON.",
        Problem("invalid", "media_type_unknown", "send JSON, with Content-Type application/json"),
    ),
    422: (
        "It breaks a rule.",
        Problem("invalid", "name_too_long", "choose a name of at most 100 characters"),
    ),
    429: (
        "Too much, too soon; Retry-After tells when to come back.",
        Problem("rate_limited", "too_fast", "you are too fast; wait a moment", 1.5),
    ),
    503: (
        "Something the service depends on is down; Retry-After tells when to come back.",
        Problem("unavailable", "database_unavailable", "the database is down; try again", 1.0),
    ),
}


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Return how a route may refuse, for its ``responses=``."""
    return {status: _spec(status) for status in statuses}


def _spec(status: int) -> ResponseSpec:
    description, problem = EXAMPLES[status]
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        description=description,
        media_type=PROBLEM_MEDIA_TYPE,
        examples=[Example(summary=description, value=problem)],
    )
