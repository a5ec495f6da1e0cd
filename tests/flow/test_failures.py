"""How calls fail: what the client sees, that there was one attempt, and what the log and the metrics say of it."""

import json

import pytest

from conftest import HASTY, PATIENT, openai_provider, plain_settings
from fakes import answers, expect
from fakes.answers import chunk, dumps, event
from fakes.deaf_listener import DeafListener
from fakes.provider import Gate, ScriptedProvider, close, drip, half_close, repeat, reset, send, silence
from fakes.raw_http import chat_body, chat_request
from fakes.weir_process import Weir, free_port

SENT = ("send", "await_headers")
ANSWERED = ("await_headers", "body")


@pytest.fixture(scope="module")
def house(provider, authority, tmp_path_factory):
    """One weir with an entry for each way of not being reachable."""
    untrusted = authority.issue("localhost", label="failures", addresses=["127.0.0.1"])
    with ScriptedProvider(tls=untrusted.server_context()) as secure, DeafListener() as deaf:
        settings = plain_settings(provider.base_url)
        settings["defaults"] = {"retry": {"attempts": 1}}  # one fault, one attempt; test_retries.py has the rest
        settings["providers"] |= {
            "refused": openai_provider(f"http://127.0.0.1:{free_port()}/v1"),
            "nowhere": openai_provider("http://no-such-host.invalid/v1"),
            "not-tls": openai_provider(provider.base_url.replace("http:", "https:")),
            "untrusted": openai_provider(secure.base_url),
            "deaf": openai_provider(f"http://127.0.0.1:{deaf.port}/v1", timeouts=PATIENT | {"connect": "300ms"}),
        }
        with Weir(tmp_path_factory.mktemp("failures"), settings) as process:
            yield process
        assert not secure.requests


def logged_once(house, provider_name, model, failure, phases, outcome, attempts=1):
    """Exactly one line, one attempt, and the metrics agree. Returns the line."""
    phases = (phases,) if isinstance(phases, str) else phases
    entry = house.wait_for_call(request_id=model)
    assert entry["failure"] == failure and entry["phase"] in phases, entry
    assert entry["outcome"] == outcome and entry["provider"] == provider_name and entry["attempts"] == attempts, entry
    assert entry["model"] == model, entry
    page = house.metrics()
    assert page.value("weir_requests_total", model=model) == 1
    assert page.value("weir_requests_total", model=model, provider=provider_name, outcome=outcome) == 1
    assert page.value("weir_attempts_total", model=model) == attempts
    assert (
        page.value("weir_attempts_total", model=model, provider=provider_name, failure=failure, phase=entry["phase"])
        == 1
    )
    return entry


def the_next_call_is_good(house, provider):
    provider.reset_scripts()
    assert house.chat({"model": "after-a-failure"}).status == 200


def ask(house, entry, model, stream=False):
    body = chat_body(f"{entry}/{model}", **({"stream": True} if stream else {}))
    return house.chat(body, fields=[("x-request-id", model)])


# Not reached.


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "entry, status, failure, phase",
    [
        ("refused", 502, "upstream.unreachable", "connect"),
        ("nowhere", 502, "upstream.unreachable", "resolve"),
        ("not-tls", 502, "upstream.unreachable", "tls"),
        ("untrusted", 502, "upstream.unreachable", "tls"),
        ("deaf", 504, "upstream.timeout.connect", "connect"),
    ],
)
def test_a_provider_that_cannot_be_reached(house, provider, model, entry, status, failure, phase, stream):
    if entry == "not-tls":
        provider.on_accept_next(send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), close())
    response = ask(house, entry, model, stream)
    expect.refused(response, status, f"{failure}/{phase}")
    expect.gave_up(response)
    logged_once(house, entry, model, failure, phase, "upstream_error")


# Reached, but no good answer. Each is (steps, status, failures, phases).

HALF_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FAULTS = {
    "reset-after-the-request": ([reset()], 502, ("upstream.protocol", "upstream.unreachable", "upstream.error"), SENT),
    "closed-after-the-request": ([close()], 502, ("upstream.protocol", "upstream.unreachable", "upstream.error"), SENT),
    "closed-within-the-head": ([send(HALF_HEAD), close()], 502, "upstream.protocol", SENT),
    "reset-within-the-head": ([send(HALF_HEAD), reset()], 502, "upstream.protocol", SENT),
    "silent": ([silence()], 504, "upstream.timeout.first_byte", "await_headers"),
    "silent-within-the-head": (
        [send(HALF_HEAD), silence()],
        504,
        "upstream.timeout.first_byte",
        "await_headers",
    ),
    "a-head-that-drips": (
        [drip(HALF_HEAD + b"X-A: b\r\n" * 1000, 1, 0.05)],
        504,
        "upstream.timeout.first_byte",
        "await_headers",
    ),
    "a-head-without-end": (
        [send(HALF_HEAD), repeat(lambda i: b"X-%d: y\r\n" % i * 100)],
        502,
        "upstream.protocol",
        "await_headers",
    ),
    "not-http": ([send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), half_close()], 502, "upstream.protocol", "await_headers"),
    "two-lengths": (
        [send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x")],
        502,
        "upstream.protocol",
        "await_headers",
    ),
    "length-and-chunked": (
        [send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")],
        502,
        "upstream.protocol",
        "await_headers",
    ),
    "a-body-cut-short": (
        [send(answers.reply(answers.completion())[:-20]), close()],
        502,
        "upstream.protocol",
        "body",
    ),
    "a-body-reset": ([send(answers.reply(answers.completion())[:-20]), reset()], 502, "upstream.protocol", "body"),
    "a-chunked-body-cut-short": (
        [send(answers.reply(answers.completion(), framing="chunked")[:-5]), close()],
        502,
        "upstream.protocol",
        "body",
    ),
    "bad-chunks": (
        [send(answers.head(200, fields=[("Transfer-Encoding", "chunked")]) + b"zz\r\nhello\r\n")],
        502,
        "upstream.protocol",
        "body",
    ),
    "a-body-that-stalls": (
        [send(answers.reply(answers.completion())[:-20]), silence()],
        504,
        "upstream.timeout.between_bytes",
        "body",
    ),
    "a-body-that-drips-past-the-total": (
        [send(answers.head(200, fields=[("Content-Length", 1000)])), drip(b"x" * 1000, 1, 0.05)],
        504,
        "upstream.timeout.total",
        "body",
    ),
    "empty-200": ([send(answers.reply(b""))], 502, "upstream.protocol", "body"),
    "html-200": ([send(answers.reply(b"<html>Welcome</html>", 200, "text/html"))], 502, "upstream.protocol", "body"),
    "half-json-200": ([send(answers.reply(answers.completion()[:-1]))], 502, "upstream.protocol", "body"),
    "two-documents-200": ([send(answers.reply(answers.completion() * 2))], 502, "upstream.protocol", "body"),
    "an-error-inside-200": ([send(answers.reply(answers.error_body("overloaded")))], 502, "upstream.protocol", "body"),
    "a-length-that-is-too-short": (
        [send(answers.head(200, fields=[("Content-Length", 50)]) + answers.completion())],
        502,
        "upstream.protocol",
        "body",
    ),
}


def entry_for(failure):
    """The one whose only short time limit is that failure's; for all else one without any."""
    hasty = {"first_byte": "hasty", "between_bytes": "hasty-between", "total": "hasty-total"}
    return hasty[failure.split(".")[-1]] if failure.startswith("upstream.timeout.") else "up"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_before_any_content(house, provider, model, name, stream):
    steps, status, failures, phases = FAULTS[name]
    failures = (failures,) if isinstance(failures, str) else failures
    phases = (phases,) if isinstance(phases, str) else phases
    mark = provider.mark()
    at_once = name.startswith(("closed-after", "reset-after"))
    for _ in range(2 if at_once else 1):  # on a reused connection that is a stale one, asked once more (SEMANTICS 31)
        provider.answer_next(*steps)
    asked = entry_for(failures[0])
    response = ask(house, asked, model, stream)
    expect.refused(response, status, tuple(f"{f}/{p}" for f in failures for p in phases))
    expect.gave_up(response)
    failure, phase = response.header("x-weir-failure").split("/")
    entry = logged_once(house, asked, model, failure, phase, "upstream_error")
    assert entry["status"] == status
    provider.wait_for_requests(mark + 1)  # it may see the request later than weir's time limit was over
    assert len(provider.since(mark)) in ((1, 2) if at_once else (1,))
    the_next_call_is_good(house, provider)


def test_a_connection_that_is_reset_when_it_is_opened(weir_with, provider, model):
    """Where the reset comes before weir knows that it is connected, nothing was sent: with retries it would be tried
    again, and well."""
    weir = weir_with(plain_settings(provider.base_url) | {"defaults": {"retry": {"attempts": 1}}})
    provider.on_accept_next(reset())
    response = ask(weir, "up", model)
    expect.refused(response, 502)
    expect.gave_up(response)
    assert weir.wait_for_call(request_id=model)["attempts"] == 1


# Streams.

FIRST = answers.one_chunk(event(chunk({"role": "assistant", "content": ""})))
CONTENT = answers.one_chunk(event(chunk({"content": "Hello"})))
MORE = answers.one_chunk(event(chunk({"content": " there"})))
ERROR_EVENT = answers.one_chunk(event(answers.error_body("The model broke down.", "server_error", code="internal")))
END = b"0\r\n\r\n"
STREAM_HEAD = answers.stream_head()

BEFORE_CONTENT = {
    "closed-after-the-head": ([send(STREAM_HEAD), close()], 502, "upstream.protocol"),
    "ended-after-the-head": ([send(STREAM_HEAD + END)], 502, "upstream.protocol"),
    "closed-after-the-role": ([send(STREAM_HEAD + FIRST), close()], 502, "upstream.protocol"),
    "ended-after-the-role": ([send(STREAM_HEAD + FIRST + END)], 502, "upstream.protocol"),
    "an-error-first": ([send(STREAM_HEAD + ERROR_EVENT), silence()], 502, "upstream.protocol"),
    "an-error-after-the-role": ([send(STREAM_HEAD + FIRST + ERROR_EVENT + END)], 502, "upstream.protocol"),
    "an-event-that-is-no-json": (
        [send(STREAM_HEAD + answers.one_chunk(b"data: {oops\n\n")), silence()],
        502,
        "upstream.protocol",
    ),
    "silent-after-the-head": (
        [send(STREAM_HEAD), silence()],
        504,
        "upstream.timeout.first_byte",
    ),
    "silent-after-the-role": ([send(STREAM_HEAD + FIRST), silence()], 504, "upstream.timeout.between_bytes"),
}


@pytest.mark.parametrize("name", BEFORE_CONTENT)
def test_a_stream_that_breaks_before_its_content_is_an_honest_error(house, provider, model, name):
    steps, status, failures = BEFORE_CONTENT[name]
    failures = (failures,) if isinstance(failures, str) else failures
    mark = provider.mark()
    provider.answer_next(*steps)
    asked = entry_for(failures[0])
    response = ask(house, asked, model, stream=True)
    expect.refused(response, status, tuple(f"{one}/{phase}" for one in failures for phase in ANSWERED))
    expect.gave_up(response)
    failure, phase = response.header("x-weir-failure").split("/")
    logged_once(house, asked, model, failure, phase, "upstream_error")
    provider.wait_for_requests(mark + 1)
    assert len(provider.since(mark)) == 1
    the_next_call_is_good(house, provider)


AFTER_CONTENT = {
    "closed": ([close()], "upstream.protocol"),
    "reset": ([reset()], "upstream.protocol"),
    "ended-without-an-end": ([send(END)], "upstream.protocol"),
    "cut-within-an-event": ([send(MORE[:-12]), close()], "upstream.protocol"),
    "an-error-event": ([send(ERROR_EVENT + END)], "upstream.protocol"),
    "an-error-event-and-silence": ([send(ERROR_EVENT), silence()], "upstream.protocol"),
    "an-event-that-is-no-json": ([send(answers.one_chunk(b"data: {oops\n\n")), silence()], "upstream.protocol"),
    "bad-chunks": ([send(b"zz\r\n")], "upstream.protocol"),
    "stalled": ([silence()], "upstream.timeout.between_bytes"),
    "drips-past-the-total": ([drip(MORE * 100, len(MORE), 0.1)], "upstream.timeout.total"),
}


def rest_of_broken_stream(client):
    """The decoded rest of a chunked body, however it ends; the connection must be closed behind it."""
    raw = client.read_to_end()
    whole = answers.dechunk(raw)
    if whole is not None:
        assert whole[1] == len(raw), "bytes behind the stream"
        return whole[0]
    body, at = b"", 0
    while b"\r\n" in raw[at:]:
        line_end = raw.index(b"\r\n", at)
        size = int(raw[at:line_end], 16)
        body += raw[line_end + 2 : line_end + 2 + size]
        at = line_end + 4 + size
    return body


@pytest.mark.parametrize("name", AFTER_CONTENT)
def test_a_stream_that_breaks_after_its_content_ends_with_an_error_event(house, provider, model, name):
    """SEMANTICS 12: an error event, then the end, and no [DONE] that pretends success."""
    steps, failure = AFTER_CONTENT[name]
    mark = provider.mark()
    gate = Gate()
    asked = entry_for(failure)
    provider.answer_next(send(STREAM_HEAD + FIRST + CONTENT), gate, *steps)
    with house.connect() as client:
        client.send(chat_request(chat_body(f"{asked}/{model}", stream=True), fields=[("x-request-id", model)]))
        response = client.read_head()
        response.body = client.read_body_until(b"Hello")
        gate.open()  # the content is out: from here on there is no other status
        response.body += rest_of_broken_stream(client)
    assert response.status == 200
    got = response.events()
    assert json.loads(got[1])["choices"][0]["delta"]["content"] == "Hello"
    expect.error_of(got[-1])
    assert sum('"error"' in one for one in got) == 1
    assert "[DONE]" not in got
    entry = logged_once(house, asked, model, failure, "body", "cut")
    assert entry["status"] == 200
    assert len(provider.since(mark)) == 1
    the_next_call_is_good(house, provider)


def test_a_stream_without_done_whose_answer_was_whole_is_not_lost(weir, provider):
    """SEMANTICS 13: a missing [DONE]; the finish_reason was there, so nothing of the answer is missing."""
    events = answers.stream_events(["Hello"], with_usage=False)[:-1]
    provider.answer_next(send(answers.stream_reply(events)))
    with weir.connect() as client:
        client.send(chat_request({"stream": True}))
        response = client.read_response()
    assert response.body.startswith(b"".join(events))
    assert '"error"' not in response.body.decode()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_json_to_a_stream_request_never_hangs(weir, provider, model, framing):
    """SEMANTICS 32: passed on as it is, or turned into a stream."""
    body = answers.completion("All at once.")
    provider.answer_next(send(answers.reply(body, framing=framing)))
    response = ask(weir, "up", model, stream=True)
    assert response.status == 200
    if response.header("content-type").startswith("application/json"):
        assert response.body == body
    else:
        assert "All at once." in response.body.decode() and response.events()[-1] == "[DONE]"
    assert weir.wait_for_call(request_id=model)["outcome"] == "ok"


# What the provider said. name → (status, body, extra head fields, client's status, failures, outcome, body is kept)

GOOD_ERROR = answers.error_body("You asked wrongly.", "invalid_request_error", "messages", "bad_thing")
SAID = {
    "400": (400, GOOD_ERROR, [], 400, "client.malformed", "client_error", True),
    "400-context": (
        400,
        answers.error_body("Too many tokens.", code="context_length_exceeded"),
        [],
        400,
        "client.context_length",
        "client_error",
        True,
    ),
    "400-policy": (
        400,
        answers.error_body("Not allowed.", code="content_policy_violation"),
        [],
        400,
        "client.content_policy",
        "client_error",
        True,
    ),
    "400-code-is-a-number": (
        400,
        dumps({"error": {"code": 400, "message": "You asked wrongly.", "type": "invalid_request_error"}}),
        [],
        400,
        "client.malformed",
        "client_error",
        False,
    ),
    "400-three-fields": (
        400,
        dumps({"error": {"message": "You asked wrongly.", "type": "invalid_request_error", "param": None}}),
        [],
        400,
        "client.malformed",
        "client_error",
        False,
    ),
    "400-plain-text": (400, b"You asked wrongly.", [], 400, "client.malformed", "client_error", False),
    "401": (
        401,
        answers.error_body("Incorrect API key provided: sk-test-secret. Ask nobody.", code="invalid_api_key"),
        [],
        502,
        "upstream.credentials",
        "upstream_error",
        False,
    ),
    "403": (
        403,
        answers.error_body("You asked wrongly.", code="no"),
        [],
        502,
        "upstream.credentials",
        "upstream_error",
        False,
    ),
    "404": (404, GOOD_ERROR, [], 404, "upstream.model_missing", "upstream_error", True),
    "413": (413, GOOD_ERROR, [], 413, "client.too_large", "client_error", True),
    "422": (422, GOOD_ERROR, [], 422, ("client.malformed", "client.content_policy"), "client_error", True),
    "429": (
        429,
        answers.error_body("Rate limit reached.", "requests", code="rate_limit_exceeded"),
        [("Retry-After", "7")],
        429,
        "limit.rate",
        "limited",
        True,
    ),
    "429-quota": (
        429,
        answers.error_body("You exceeded your current quota.", "insufficient_quota", code="insufficient_quota"),
        [],
        429,
        "limit.quota",
        "limited",
        True,
    ),
    "402": (402, answers.error_body("Pay first.", code="insufficient_quota"), [], 429, "limit.quota", "limited", False),
    "500": (
        500,
        answers.error_body("You asked wrongly.", "server_error"),
        [],
        502,
        "upstream.error",
        "upstream_error",
        False,
    ),
    "502-html": (502, b"<html>Bad gateway</html>", [], 502, "upstream.error", "upstream_error", False),
    "500-empty": (500, b"", [], 502, "upstream.error", "upstream_error", False),
    "503": (503, GOOD_ERROR, [], 503, "upstream.overloaded", "upstream_error", False),
    "529": (
        529,
        dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        [],
        503,
        "upstream.overloaded",
        "upstream_error",
        False,
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", SAID)
def test_what_the_provider_said_in_an_error(house, provider, model, name, stream):
    """RULINGS 8 and 12."""
    status, body, fields, wanted, failures, outcome, kept = SAID[name]
    failures = (failures,) if isinstance(failures, str) else failures
    kind = "text/html" if b"<html" in body else "application/json" if body.startswith(b"{") else "text/plain"
    mark = provider.mark()
    provider.answer_next(send(answers.reply(body, status, kind, fields=fields)))
    response = ask(house, "up", model, stream)
    error = expect.refused(response, wanted, tuple(f"{one}/{phase}" for one in failures for phase in ANSWERED))
    expect.gave_up(response)
    if kept:
        assert response.body == body
    elif b"You asked wrongly." in body:
        assert "You asked wrongly." in error["message"]
    if name == "429":
        assert response.header("retry-after") == "7"
    failure, phase = response.header("x-weir-failure").split("/")
    entry = logged_once(house, "up", model, failure, phase, outcome)
    assert entry["status"] == wanted
    assert len(provider.since(mark)) == 1
    for text in (response.body.decode(), house.log_text(), house.messages(), house.metrics().text):
        assert "sk-test-secret" not in text


def test_a_long_error_text_is_capped(house, provider, model):
    provider.answer_next(send(answers.reply(answers.error_body("long " * 2000), 500)))
    error = expect.refused(ask(house, "up", model), 502)
    assert len(error["message"]) < 1000


def test_the_providers_status_is_in_the_log(house, provider, model):
    provider.answer_next(send(answers.reply(answers.error_body("x"), 529)))
    ask(house, "up", model)
    assert house.wait_for_call(request_id=model)["provider_status"] == 529


# Connections.


def test_connections_to_the_provider_are_reused(weir_with, provider, model):
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    connections = len(provider.connections)
    with weir.connect() as client:
        for _ in range(10):
            assert client.send(chat_request({"model": model})).read_response().status == 200
    assert len(provider.connections) == connections + 1


@pytest.mark.parametrize("how", [close, reset], ids=["closed", "reset"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_stale_connection_is_tried_once_more_and_is_no_attempt(weir_with, provider, model, how, stream):
    """SEMANTICS 31: it dies under the second request before the first byte of its answer."""
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    assert weir.chat({"model": "first"}).status == 200
    mark = provider.mark()
    events = answers.stream_events(["x"])
    provider.answer_next(how())
    provider.answer_next(send(answers.stream_reply(events) if stream else answers.reply(answers.completion())))
    response = ask(weir, "up", model, stream)
    assert response.status == 200
    assert response.header("x-weir-attempts") == "1"
    requests = provider.since(mark)
    assert len(requests) == 2 and requests[0].body == requests[1].body
    assert (requests[0].nth_on_connection, requests[1].nth_on_connection) == (1, 0)
    entry = weir.wait_for_call(request_id=model)
    assert (entry["attempts"], entry["outcome"]) == (1, "ok")
    assert weir.metrics().value("weir_attempts_total", model=model) == 1


def test_a_stale_connection_is_not_tried_a_third_time(weir_with, provider, model):
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    assert weir.chat({"model": "first"}).status == 200
    mark = provider.mark()
    provider.answer_next(close())
    provider.answer_next(close())
    expect.refused(ask(weir, "up", model), 502)
    assert len(provider.since(mark)) == 2


def test_a_fresh_connection_that_dies_is_not_tried_again(weir_with, provider, model):
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    mark = provider.mark()
    provider.answer_next(close())
    expect.refused(ask(weir, "up", model), 502)
    assert len(provider.since(mark)) == 1


def test_a_reused_connection_that_dies_within_its_answer_is_not_tried_again(weir_with, provider, model):
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    assert weir.chat({"model": "first"}).status == 200
    mark = provider.mark()
    provider.answer_next(send(b"HTTP/1.1 200"), close())
    expect.refused(ask(weir, "up", model), 502, "upstream.protocol/await_headers")
    assert len(provider.since(mark)) == 1


def test_a_connection_that_the_provider_closed_meanwhile_is_not_used(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    provider.answer_next(send(answers.reply(answers.completion())), close())
    assert weir.chat().status == 200
    provider.wait_closed()
    assert weir.chat().status == 200
    assert provider.requests[-1].nth_on_connection == 0


def test_left_over_bytes_behind_an_answer_are_never_the_next_answer(weir_with, provider):
    """ARCHITECTURE section 4: the connection is not pooled."""
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    good = answers.completion("mine")
    provider.answer_next(send(answers.reply(good) + answers.reply(answers.completion("somebody else's"))))
    assert weir.chat().body == good
    provider.answer_next(send(answers.reply(good)))
    assert weir.chat().body == good
    assert provider.requests[-1].nth_on_connection == 0


def test_connection_close_of_the_provider_is_honoured(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    provider.answer_next(send(answers.reply(answers.completion(), fields=[("Connection", "close")])))
    assert weir.chat().status == 200
    assert weir.chat().status == 200
    assert provider.requests[-1].nth_on_connection == 0


@pytest.mark.parametrize("interim", [100, 103])
def test_interim_answers_are_skipped(weir, provider, interim):
    body = answers.completion()
    provider.answer_next(send(b"HTTP/1.1 %d Whatever\r\nLink: </x>\r\n\r\n" % interim + answers.reply(body)))
    response = weir.chat()
    assert response.status == 200 and response.body == body


def test_an_answer_before_the_request_was_read_whole_still_arrives(weir_with, provider, model):
    """A provider refuses a large body before it has taken it, and closes."""
    weir = weir_with(plain_settings(provider.base_url))
    body = answers.error_body("Too large.", code="too_large")
    provider.on_accept_next(send(answers.reply(body, 413, fields=[("Connection", "close")])), half_close(), silence())
    response = ask(weir, "up", model)
    expect.refused(response, 413, ("client.too_large/await_headers", "client.too_large/body"))
    assert response.body == body


# Slow, but healthy.


def test_a_slow_healthy_call_gets_exactly_one_attempt(weir_with, provider, model):
    """SEMANTICS 39: without settings nothing cuts it off. Two calls to the hasty entry fail in the meantime."""
    settings = {
        "providers": {
            "up": {"protocol": "openai", "base_url": provider.base_url},
            "hasty": openai_provider(provider.base_url, timeouts=HASTY),
        },
        "default": "up",
    }
    weir = weir_with(settings)
    gate = Gate()
    mark = provider.mark()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with weir.connect() as client:
        client.send(chat_request({"model": model}, fields=[("x-request-id", model)]))
        gate.wait_reached()
        for _ in range(2):
            provider.answer_next(silence())
            assert weir.chat({"model": "hasty/m"}).status == 504
        gate.open()
        response = client.read_response()
    assert response.status == 200 and response.header("x-weir-attempts") == "1"
    assert sum(request.json()["model"] == model for request in provider.since(mark)) == 1
    assert weir.wait_for_call(request_id=model)["attempts"] == 1


def test_a_routes_deadline_bounds_the_whole_call(weir_with, provider):
    settings = plain_settings(provider.base_url)
    settings["routes"]["soon"] = {"model": "gpt-4o-mini", "deadline": "2s"}  # long enough for the request to be sent
    weir = weir_with(settings)
    provider.answer_next(silence())
    response = weir.chat({"model": "soon"})
    expect.refused(response, 504, ("upstream.timeout.total/await_headers", "upstream.timeout.first_byte/await_headers"))
    provider.wait_closed()


def test_a_models_and_a_routes_time_limits_win_over_the_providers(weir_with, provider):
    settings = plain_settings(provider.base_url)
    settings["models"]["quick"] = {"provider": "up", "timeouts": {"first_byte": "200ms"}}
    settings["routes"]["quicker"] = {"model": "gpt-4o-mini", "timeouts": {"first_byte": "200ms"}}
    weir = weir_with(settings)
    for name in ("quick", "quicker"):
        provider.answer_next(silence())
        expect.refused(weir.chat({"model": name}), 504, "upstream.timeout.first_byte/await_headers")
