"""The manners of every service, over real HTTP."""

import json
from uuid import UUID

import pytest

from libs.runtime.tests.http_stage import LOGIN, OTHER_KEY, USER, Platform, serve
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.http_problems import BODY_BYTES_MAX


async def test_a_token_becomes_a_user_and_a_login(platform: Platform) -> None:
    answer = await platform.whoami(platform.token())
    assert answer.status_code == 200
    assert answer.json() == {"user": str(USER), "login": str(LOGIN)}


async def test_without_a_token_a_route_that_wants_a_user_is_closed(platform: Platform) -> None:
    answer = await platform.whoami(None)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_missing"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_remembered_token_still_expires(platform: Platform) -> None:
    token = platform.token()
    assert (await platform.whoami(token)).status_code == 200
    platform.clock.offset_ms += 601_000
    answer = await platform.whoami(token)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_expired"


async def test_a_new_key_is_found_without_a_restart(platform: Platform) -> None:
    await platform.whoami(platform.token())
    platform.published["k2"] = OTHER_KEY
    platform.clock.offset_ms += 10_000
    assert (await platform.whoami(platform.token("k2", OTHER_KEY))).status_code == 200
    assert platform.asked == 2


async def test_a_flood_of_unknown_keys_asks_once(platform: Platform) -> None:
    for number in range(20):
        answer = await platform.whoami(platform.token(f"invented-{number}", OTHER_KEY))
        assert answer.status_code == 401
    assert platform.asked == 1


async def test_a_token_of_another_key_under_our_kid_is_refused(platform: Platform) -> None:
    answer = await platform.whoami(platform.token("k1", OTHER_KEY))
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"


async def test_a_refusal_is_a_problem_with_its_status(platform: Platform) -> None:
    answer = await platform.client.get("/refuse/conflict")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "kind": "conflict",
        "code": "name_taken",
        "detail": "choose another name",
    }


async def test_a_rate_limit_says_when_to_come_back(platform: Platform) -> None:
    answer = await platform.client.get("/refuse/rate")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "12"
    assert answer.json()["retry_after_seconds"] == 12.0


@pytest.mark.parametrize(
    "body",
    [
        '{"count": "many"}',
        '{"count": 1, "extra": 2}',
        "{",
        "[]",
        "",
        "\x00\x01",
        '{"count": 1e99}',
        '{"count": "1"}',
        '{"count": true}',
        '{"count": null}',
    ],
)
async def test_a_body_that_cannot_be_read_is_malformed(platform: Platform, body: str) -> None:
    answer = await platform.client.post("/orders", content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


async def test_bytes_that_are_not_text_are_malformed(platform: Platform) -> None:
    answer = await platform.client.post("/orders", content=b'{"count": "\xff"}')
    assert answer.status_code == 400


async def test_a_query_that_cannot_be_read_is_malformed(platform: Platform) -> None:
    answer = await platform.client.get(f"/rooms/{UUID(int=1)}?limit=none")
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


async def test_queries_and_headers_become_what_the_handler_names(platform: Platform) -> None:
    query = f"kind=voice&id={UUID(int=1)}&id={UUID(int=2)}&since=7&unknown=1"
    headers = {"x-trace": "abc"}
    answer = await platform.client.get(f"/found?{query}", headers=headers)
    ids = [str(UUID(int=1)), str(UUID(int=2))]
    assert answer.json() == {"kind": "voice", "ids": ids, "since": 7, "trace": "abc"}
    answer = await platform.client.get(f"/found?kind=text&id={UUID(int=1)}")
    assert answer.json() == {"kind": "text", "ids": ids[:1], "since": None, "trace": ""}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "kind=text",
        "kind=other&id=00000000-0000-0000-0000-000000000001",
        "kind=text&id=none",
        "kind=text&id=00000000-0000-0000-0000-000000000001&since=soon",
        "kind=text&id=00000000-0000-0000-0000-000000000001&since=",
        "kind=text&id=00000000-0000-0000-0000-000000000001&since=-1",
        "kind=%FF",
        "kind=text" + "&id=00000000-0000-0000-0000-000000000001" * 3,
    ],
)
async def test_a_query_out_of_bounds_is_malformed(platform: Platform, query: str) -> None:
    answer = await platform.client.get(f"/found?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("path", ["/", "/nowhere", "/rooms/not-an-id", "/whoami/too-far"])
async def test_an_unknown_path_is_a_problem(platform: Platform, path: str) -> None:
    answer = await platform.client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "route_unknown"


async def test_a_wrong_method_is_a_problem(platform: Platform) -> None:
    answer = await platform.client.delete("/orders")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


async def test_a_body_without_end_is_cut_off(platform: Platform) -> None:
    body = json.dumps({"count": 1}) + " " * BODY_BYTES_MAX
    answer = await platform.client.post("/orders", content=body)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


async def test_a_bug_is_logged_and_tells_the_peer_nothing(
    platform: Platform, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await platform.client.get("/bug")
    assert answer.status_code == 500
    assert answer.content == b""
    logged = caplog.text + "".join(capsys.readouterr())
    assert "the secret cause" in logged
    assert answer.headers["x-request-id"] in logged


async def test_each_answer_has_an_id_of_its_own(platform: Platform) -> None:
    answers = [await platform.client.get(path) for path in ("/livez", "/nowhere", "/livez")]
    assert len({UUID(answer.headers["x-request-id"]) for answer in answers}) == 3


async def test_the_probes_tell_alive_from_ready(platform: Platform) -> None:
    assert (await platform.client.get("/readyz")).status_code == 200
    platform.ready = False
    assert (await platform.client.get("/readyz")).status_code == 503
    assert (await platform.client.get("/livez")).status_code == 200


async def test_the_metrics_count_by_route_and_never_by_path(platform: Platform) -> None:
    await platform.client.get(f"/rooms/{UUID(int=5)}")
    await platform.client.get("/some/invented/path")
    await platform.client.request("INVENTED", "/orders")
    text = (await platform.client.get("/metrics")).text
    assert 'route="/rooms/{room}",status="200"' in text
    assert 'route="unknown",status="404"' in text
    assert str(UUID(int=5)) not in text
    assert "invented" not in text.lower()


async def test_an_outage_says_when_to_come_back(platform: Platform) -> None:
    answer = await platform.client.get("/refuse/outage")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_kind_is_refused(platform: Platform, media_type: str) -> None:
    headers = {"content-type": media_type}
    answer = await platform.client.post("/orders", content=b'{"count": 1}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["code"] == "media_type_unknown"


async def test_json_may_name_its_charset_or_nothing(platform: Platform) -> None:
    body = b'{"count": 1}'
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await platform.client.post("/orders", content=body)).status_code == 201
    answer = await platform.client.post("/orders", content=body, headers=headers)
    assert answer.status_code == 201


async def test_a_wrong_method_hears_which_are_right(platform: Platform) -> None:
    answer = await platform.client.delete("/profile")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}


async def test_options_tells_the_methods(platform: Platform) -> None:
    answer = await platform.client.options("/profile")
    assert answer.status_code == 204
    assert "PATCH" in answer.headers["allow"]


async def test_head_is_get_without_the_body(platform: Platform) -> None:
    token = platform.token()
    got = await platform.send("GET", "/profile", token)
    head = await platform.send("HEAD", "/profile", token)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["etag"] == '"3"'
    assert (await platform.client.head("/nowhere")).status_code == 404


async def test_answers_are_not_cached_sniffed_or_framed(platform: Platform) -> None:
    headers = (await platform.client.get("/nowhere")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers
    own = (await platform.send("GET", "/profile", platform.token())).headers
    assert own["cache-control"] == "private"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("trace-0123456789", True), ("short", False), ("a" * 65, False), ("bad id: 1234", False)],
)
async def test_a_request_keeps_the_id_that_it_came_with(
    platform: Platform, given: str, kept: bool
) -> None:
    answer = await platform.client.get("/livez", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is kept


async def test_web_pages_may_do_nothing_unless_they_are_listed(platform: Platform) -> None:
    preflight = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = await platform.client.options("/orders", headers=preflight)
    assert "access-control-allow-origin" not in answer.headers
    async with serve(HttpPolicy(cors_origins=["https://app.example"])) as listed:
        answer = await listed.client.options("/orders", headers=preflight)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        stranger = preflight | {"origin": "https://evil.example"}
        answer = await listed.client.options("/orders", headers=stranger)
        assert answer.headers.get("access-control-allow-origin") != "https://evil.example"


async def test_an_edit_of_a_stale_version_is_refused(platform: Platform) -> None:
    token = platform.token()
    for header, status in [({}, 200), ({"if-match": '"3"'}, 200), ({"if-match": '"2"'}, 409)]:
        answer = await platform.send("PATCH", "/profile", token, headers=header, json={"count": 1})
        assert answer.status_code == status
    assert answer.json()["code"] == "stale_version"
