"""Retries: what is tried again and where, what it costs, and what the client and the books see of it."""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from conftest import HASTY, HASTY_BETWEEN, openai_provider
from fakes import answers, expect
from fakes.answers import chunk, event
from fakes.provider import Gate, close, drip, good, repeat, reset, send, silence
from fakes.raw_http import ConnectionEnded, chat_request, wait_until
from fakes.weir_process import free_port

FAST = {"backoff": {"base": "1ms", "cap": "2s"}}
STREAM_HEAD = answers.stream_head()
ROLE = answers.one_chunk(event(chunk({"role": "assistant", "content": ""})))
CONTENT = answers.one_chunk(event(chunk({"content": "Hello"})))
PRICE = {"input": 10, "output": 20}
HALF = answers.reply(answers.completion())[:-20]


def error(status, message="It broke.", type="api_error", code=None, fields=()):
    return [send(answers.reply(answers.error_body(message, type, code=code), status, fields=fields))]


def pause(seconds):
    async def step(connection):
        await asyncio.sleep(seconds)

    return step


@pytest.fixture
def house(a, b, weir_with):
    """One per test: what a weir has learned of a place would answer for the next test."""
    return weir_with(settings_of(a, b))


def settings_of(a, b, **more):
    """`a` and `b` are patient; a has two more entries, each hasty in one way, with models and routes of their own."""
    return {
        "providers": {
            "a": openai_provider(a.base_url, api_key="sk-a"),
            "a-late": openai_provider(a.base_url, timeouts=HASTY, api_key="sk-a"),
            "a-stalls": openai_provider(a.base_url, timeouts=HASTY_BETWEEN, api_key="sk-a"),
            "b": openai_provider(b.base_url, api_key="sk-b"),
            "refused": openai_provider(f"http://127.0.0.1:{free_port()}/v1"),
            "nowhere": openai_provider("http://no-such-host.invalid/v1"),
            "not-tls": openai_provider(a.base_url.replace("http:", "https:")),
        },
        "models": {
            "first": {"provider": "a", "price": PRICE, "context": 8000},
            "first-late": {"provider": "a-late", "price": PRICE, "context": 8000},
            "first-stalls": {"provider": "a-stalls", "price": PRICE, "context": 8000},
            "second": {"provider": "b", "price": PRICE, "context": 100000},
        },
        "routes": {
            "both": {"model": "first", "fallback": ["second"]},
            "both-late": {"model": "first-late", "fallback": ["second"]},
            "both-stalls": {"model": "first-stalls", "fallback": ["second"]},
            "alone": {"model": "first"},
            "alone-late": {"model": "first-late"},
            "from-refused": {"model": "refused/x", "fallback": ["second"]},
            "from-nowhere": {"model": "nowhere/x", "fallback": ["second"]},
            "from-not-tls": {"model": "not-tls/x", "fallback": ["second"]},
        },
        "retry": FAST,
    } | more


@pytest.fixture(autouse=True)
def plain(a, b):
    a.reset_scripts()
    b.reset_scripts()
    b.answer_by(good("from b"))


def ask(house, name, stream, model):
    """`model` names the call; `name` is the route."""
    body = {"model": name} | ({"stream": True} if stream else {})
    return house.chat(body, fields=[("x-request-id", model), ("x-weir-task", model[-60:])])


def hasty_for(failure):
    """What is behind the name of the entry, model or route whose only short limit is that failure's."""
    return {"upstream.timeout.first_byte": "-late", "upstream.timeout.between_bytes": "-stalls"}.get(failure, "")


def unless_it_stood_still(make_call):
    """The log line of the first call that took less than the second after which a failure is no fast one (and is not
    tried again at the same place): a machine that stands still makes any of them slow."""
    for number in range(10):
        entry = make_call(number)
        if entry["took_ms"] < 1000:
            break
    return entry


BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])

# What a provider may do, and whether it may have been billed. Each is answered by the second place.
FAULTS = {
    "reset-before-the-answer": ([reset()], "upstream.protocol", True),
    "closed-before-the-answer": ([close()], "upstream.protocol", True),
    "silent": ([silence()], "upstream.timeout.first_byte", True),
    "slow-head": ([drip(b"HTTP/1.1 200 OK\r\n" * 50, 1, 0.05)], "upstream.timeout.first_byte", True),
    "head-without-end": (
        [send(b"HTTP/1.1 200 OK\r\n"), repeat(lambda i: b"X-%d: y\r\n" % i * 100)],
        "upstream.protocol",
        True,
    ),
    "cut-body": ([send(HALF), close()], "upstream.protocol", True),
    "lying-length": (
        [send(answers.head(200, fields=[("Content-Length", 5000)]) + answers.completion()), close()],
        "upstream.protocol",
        True,
    ),
    "stalled-body": ([send(HALF), silence()], "upstream.timeout.between_bytes", True),
    "malformed-json": ([send(answers.reply(b'{"choices": [}'))], "upstream.protocol", True),
    "html-200": ([send(answers.reply(b"<html>Welcome</html>", 200, "text/html"))], "upstream.protocol", True),
    "error-inside-200": ([send(answers.reply(answers.error_body("overloaded")))], "upstream.protocol", True),
    "html-502": ([send(answers.reply(b"<html>Bad</html>", 502, "text/html"))], "upstream.error", True),
    "429": (error(429, code="rate_limit_exceeded"), "limit.rate", False),
    "429-quota": (error(429, "You exceeded your current quota", code="insufficient_quota"), "limit.quota", False),
    "429-spend-limit": (error(429, "Spend limit", code="project_spend_limit_exceeded"), "limit.quota", False),
    "402": (error(402, "Payment required"), "limit.quota", False),
    "401": (error(401, "Incorrect API key", code="invalid_api_key"), "upstream.credentials", False),
    "403": (error(403, "Forbidden"), "upstream.credentials", False),
    "404-model": (error(404, "The model does not exist", code="model_not_found"), "upstream.model_missing", False),
    "408": (error(408, "Timed out"), "upstream.error", False),
    "500": (error(500), "upstream.error", True),
    "501": (error(501, "Not supported"), "upstream.error", True),
    "503": (error(503), "upstream.overloaded", False),
    "529": (error(529, "Overloaded", type="overloaded_error"), "upstream.overloaded", False),
    "slow-down": (error(429, "Slow down", code="slow_down"), "upstream.overloaded", False),
}


@BOTH
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_before_content_is_answered_by_the_next_place(house, a, b, model, name, stream):
    steps, failure, billed = FAULTS[name]
    mark = b.mark()
    # A reused connection that dies at once is renewed once, which is no attempt (SEMANTICS 31).
    for _ in range(2 if name.endswith("before-the-answer") else 1):
        a.answer_next(*steps)
    response = ask(house, "both" + hasty_for(failure), stream, model)
    assert response.status == 200, response
    assert b"from b" in response.body and len(b.since(mark)) == 1
    if stream:
        assert response.body.endswith(b"data: [DONE]\n\n") and response.body.count(b"from b") == 1
    assert response.header("x-weir-provider") == "b" and response.header("x-weir-model") == "second"
    assert response.header("x-weir-attempts") == "2"
    entry = house.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["failure"], entry["attempts"]) == ("ok", "none", 2), entry
    first, second = entry["tried"]
    assert (first["provider"], first["failure"]) == ("a" + hasty_for(failure), failure), entry
    assert (second["provider"], second["failure"]) == ("b", "none"), entry
    assert (first["cost_usd"] > 0) == billed, entry
    assert entry["cost_usd"] == pytest.approx(first["cost_usd"] + second["cost_usd"])
    assert entry["wasted_usd"] == pytest.approx(first["cost_usd"])
    page = house.metrics()
    task = model[-60:]
    assert page.value("weir_requests_total", task=task, outcome="ok", provider="b") == 1
    assert page.value("weir_requests_total", task=task) == 1
    assert page.value("weir_reasks_total", task=task, why="weir_retry") == 1
    (call,) = json.loads(house.admin(f"/api/calls/{model}").body)["calls"]
    assert [one["failure"] for one in call["attempts"]] == [failure, "none"]
    assert [one["booked"] for one in call["attempts"]] == ["wasted", "served"]


@BOTH
@pytest.mark.parametrize("route, phase", [("from-refused", "connect"), ("from-nowhere", "resolve"), ("from-not-tls", "tls")])
def test_what_cannot_be_reached_is_answered_by_the_next_place(house, a, b, model, route, phase, stream):
    if route == "from-not-tls":
        a.on_accept_next(send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), close())
    response = ask(house, route, stream, model)
    assert response.status == 200 and b"from b" in response.body, response
    first, _ = house.wait_for_call(request_id=model)["tried"]
    assert (first["failure"], first["phase"], first["cost_usd"]) == ("upstream.unreachable", phase, 0)


FINAL = {
    "400": (error(400, "A field is wrong", "invalid_request_error"), 400, "client.malformed"),
    "400-policy": (error(400, "Refused", code="content_policy_violation"), 400, "client.content_policy"),
    "413": (error(413, "Too large"), 413, "client.too_large"),
    "422": (error(422, "A field is missing"), 422, "client.malformed"),
}


@BOTH
@pytest.mark.parametrize("name", FINAL)
def test_the_clients_own_faults_are_not_tried_again(house, a, b, model, name, stream):
    steps, status, failure = FINAL[name]
    a.answer_next(*steps)
    mark = b.mark()
    response = ask(house, "both", stream, model)
    expect.refused(response, status, f"{failure}/body")
    expect.gave_up(response)
    entry = house.wait_for_call(request_id=model)
    assert entry["attempts"] == 1 and "tried" not in entry and entry["cost_usd"] == 0
    assert not b.since(mark)


def test_a_prompt_that_is_too_long_goes_to_a_larger_window(house, a, b, model):
    a.answer_next(*error(400, "maximum context length is 8000 tokens", code="context_length_exceeded"))
    assert ask(house, "both", False, model).header("x-weir-model") == "second"
    mark = a.mark()
    b.answer_next(*error(400, "maximum context length is 8000 tokens", code="context_length_exceeded"))
    response = house.chat({"model": "second"})
    expect.refused(response, 400, "client.context_length/body")
    assert not a.since(mark)  # no larger one


STREAM_FAULTS = {
    "closed-after-the-role": [send(STREAM_HEAD + ROLE), close()],
    "ended-after-the-role": [send(STREAM_HEAD + ROLE + b"0\r\n\r\n")],
    "error-event-first": [send(STREAM_HEAD + ROLE + answers.one_chunk(event(answers.error_body("broke"))))],
    "no-json": [send(STREAM_HEAD + ROLE + answers.one_chunk(b"data: {oops\n\n")), silence()],
    "stalled-after-the-role": [send(STREAM_HEAD + ROLE), silence()],
}


@pytest.mark.parametrize("name", STREAM_FAULTS)
def test_a_stream_that_breaks_before_its_content_falls_back_unseen(house, a, b, model, name):
    a.answer_next(*STREAM_FAULTS[name])
    response = ask(house, "both-stalls" if name.startswith("stalled") else "both", True, model)
    assert response.status == 200
    assert response.body.count(b'"role"') == 0, "nothing of the first stream is left"
    assert b"from b" in response.body and b"error" not in response.body
    assert house.wait_for_call(request_id=model)["attempts"] == 2


AFTER_CONTENT = {
    "closed": ("both", close()),
    "reset": ("both", reset()),
    "silent": ("both-stalls", silence()),
    "ended": ("both", send(b"0\r\n\r\n")),
    "error-event": ("both", send(answers.one_chunk(event(answers.error_body("x"))))),
}


@pytest.mark.parametrize("name", AFTER_CONTENT)
def test_nothing_is_tried_again_after_content(house, a, b, model, name):
    route, end = AFTER_CONTENT[name]
    gate = Gate()
    a.answer_next(send(STREAM_HEAD + ROLE + CONTENT), gate, end)
    mark = b.mark()
    with house.connect() as client:
        client.send(chat_request({"model": route, "stream": True}, [("x-request-id", model)]))
        assert client.read_head().status == 200
        client.read_body_until(b"Hello")
        gate.open()  # the content has left before the end comes
        rest = client.read_to_end()
    assert b"from b" not in rest and b"[DONE]" not in rest and b'"error"' in rest
    entry = house.wait_for_call(request_id=model)
    assert (entry["attempts"], entry["outcome"]) == (1, "cut")
    assert not b.since(mark)


# The same place.


@BOTH
def test_a_fast_failure_is_tried_again_at_the_only_place(house, a, model, stream):
    seen = {}

    def make_call(number):
        a.reset_scripts()
        a.answer_by(good("third time"))
        a.answer_next(*error(503))
        a.answer_next(*error(503))
        seen["response"] = ask(house, "alone", stream, f"{model}-{number}")
        return house.wait_for_call(request_id=f"{model}-{number}")

    assert unless_it_stood_still(make_call)["attempts"] == 3
    assert seen["response"].status == 200 and b"third time" in seen["response"].body


def test_attempts_end_at_their_limit(house, a, model):
    a.answer_always(*error(503))
    sent = []

    def make_call(number):
        mark = a.mark()
        response = ask(house, "alone", False, f"{model}-{number}")
        expect.refused(response, 503, "upstream.overloaded/body")
        expect.gave_up(response)
        sent.append(len(a.since(mark)))
        return house.wait_for_call(request_id=f"{model}-{number}")

    assert unless_it_stood_still(make_call)["attempts"] == 3
    assert sent[-1] == 3


def test_what_may_have_been_billed_is_sent_twice_at_most(house, a, model):
    a.answer_always(*error(500))
    sent = []

    def make_call(number):
        mark = a.mark()
        expect.refused(ask(house, "alone", False, f"{model}-{number}"), 502, "upstream.error/body")
        sent.append(len(a.since(mark)))
        return house.wait_for_call(request_id=f"{model}-{number}")

    unless_it_stood_still(make_call)
    assert sent[-1] == 2


def test_what_was_sent_and_not_answered_is_not_sent_to_the_same_place(house, a, model):
    a.answer_always(silence())
    mark = a.mark()
    expect.refused(ask(house, "alone-late", False, model), 504)
    a.wait_for_requests(mark + 1)  # it may see the request later than weir's time limit was over
    assert len(a.since(mark)) == 1


@pytest.mark.parametrize(
    "fields, message",
    [
        ([("retry-after-ms", "300")], "Slow"),
        ([("Retry-After", "0.3")], "Slow"),
        ([], "Rate limit reached. Please try again in 300ms."),
        ([], None),  # Google's
    ],
)
def test_a_short_wait_that_the_provider_asks_for_is_waited(weir_with, a, b, model, fields, message):
    weir = weir_with(settings_of(a, b))
    if message:
        limited = error(429, message, "rate_limit_error", "rate_limit_exceeded", fields)
    else:
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.3s"}]
        body = answers.dumps({"error": {"code": 429, "message": "Slow", "details": details}})
        limited = [send(answers.reply(body, 429))]
    seen = {}

    def make_call(number):
        a.reset_scripts()
        a.answer_next(*limited)
        started = time.monotonic()
        seen["status"] = ask(weir, "alone", False, f"{model}-{number}").status
        seen["took"] = time.monotonic() - started
        return weir.wait_for_call(request_id=f"{model}-{number}")

    assert unless_it_stood_still(make_call)["attempts"] == 2
    assert seen["status"] == 200 and seen["took"] >= 0.3


@pytest.mark.parametrize(
    "fields, message, told",
    [
        ([("Retry-After", "20")], "Slow", "20"),
        ([("retry-after-ms", "20500")], "Slow", "21"),
        ([], "Please try again in 1m20s", "80"),
        ([("Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT")], "Slow", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ],
)
def test_a_longer_wait_is_the_clients(weir_with, a, b, model, fields, message, told):
    weir = weir_with(settings_of(a, b))
    a.answer_next(*error(429, message, "rate_limit_error", "rate_limit_exceeded", fields))
    response = ask(weir, "alone", False, model)
    expect.refused(response, 429, "limit.rate/body")
    assert response.header("retry-after") == told
    assert weir.wait_for_call(request_id=model)["attempts"] == 1


def test_a_client_that_leaves_ends_the_wait(weir_with, a, b, model):
    weir = weir_with(settings_of(a, b, retry={"backoff": {"base": "1ms", "cap": "120s"}}))
    a.answer_next(*error(429, "Slow", code="rate_limit_exceeded", fields=[("retry-after-ms", "50000")]))
    mark = a.mark()
    client = weir.connect()
    client.send(chat_request({"model": "alone"}, [("x-request-id", model)]))
    a.wait_for_requests(mark + 1)
    time.sleep(0.1)
    client.close()
    entry = weir.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["attempts"]) == ("client_left", 1) and entry["took_ms"] < 40_000
    assert len(a.since(mark)) == 1


def test_one_deadline_for_all_attempts(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["routes"]["both-late"]["deadline"] = "3s"
    weir = weir_with(settings)
    a.answer_always(silence())
    b.answer_always(silence())
    response = ask(weir, "both-late", False, model)
    assert response.status == 504
    entry = weir.wait_for_call(request_id=model)
    assert entry["attempts"] == 2 and entry["took_ms"] < 60_000, entry  # b's own limits are longer
    assert entry["tried"][1]["failure"] == "upstream.timeout.total"


def test_the_sdks_timeout_shortens_the_call(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["providers"]["a"]["timeouts"] = {}
    weir = weir_with(settings)
    a.answer_always(silence())
    response = weir.chat({"model": "alone"}, fields=[("x-request-id", model), ("x-stainless-read-timeout", "2")])
    expect.refused(response, 504, "upstream.timeout.total/await_headers")


def test_a_resend_stays_within_its_cost(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["models"]["second"]["price"] = {"input": 1000, "output": 1000}  # 500 tokens of answer: half a dollar
    weir = weir_with(settings)
    mark = b.mark()
    a.answer_next(silence())
    expect.refused(ask(weir, "both-late", False, model), 504)
    assert not b.since(mark)
    a.answer_next(*error(503))  # not billed: no limit
    assert ask(weir, "both", False, model + "-2").status == 200


# The budget, the circuit, keys.


def test_retries_stay_within_the_budget(weir_with, a, b):
    weir = weir_with(settings_of(a, b, retry=FAST | {"budget": "0%"}))
    a.answer_always(*error(503))
    mark = a.mark()
    started = time.monotonic()
    for _ in range(80):
        assert weir.chat({"model": "alone"}).status == 503
    sent = len(a.since(mark))
    page = weir.metrics()
    # The floor: 100 retries in ten seconds. Should the calls have taken longer, it came back.
    assert 80 < sent <= 80 + 160, sent
    if time.monotonic() - started < 9:
        assert sent <= 80 + 100
        assert page.value("weir_retry_budget_remaining", provider="a") == 80 + 100 - sent
    assert page.value("weir_retry_budget_remaining", provider="b") == 100
    assert page.value("weir_attempts_total", provider="a") == sent


def test_a_circuit_opens_and_closes(weir_with, a, b):
    weir = weir_with(settings_of(a, b, routes={"both": {"model": "first", "fallback": ["second"], "retry": {"attempts": 2}}}))
    assert weir.metrics().value("weir_circuit_state", provider="a") == 0
    a.answer_always(*error(500))
    for _ in range(30):
        assert weir.chat({"model": "both"}).status == 200
    assert weir.metrics().value("weir_circuit_state", provider="a") > 0
    mark, started = a.mark(), time.monotonic()
    attempts = [weir.chat({"model": "both"}).header("x-weir-attempts") for _ in range(10)]
    trials = len(a.since(mark))
    assert trials <= 1 + (time.monotonic() - started), "one trial, if a second went by"
    assert sorted(attempts) == ["1"] * (10 - trials) + ["2"] * trials
    assert weir.metrics().value("weir_circuit_state", provider="a") > 0
    a.answer_by(good("from a"))

    def closed():
        return weir.chat({"model": "both"}).header("x-weir-provider") == "a"

    wait_until(closed, "the circuit to close", timeout=120, every=0.05)
    assert weir.metrics().value("weir_circuit_state", provider="a") == 0


def test_the_clients_faults_do_not_open_the_circuit(weir_with, a, b):
    weir = weir_with(settings_of(a, b))
    a.answer_always(*error(400, "wrong", "invalid_request_error"))
    for _ in range(40):
        assert weir.chat({"model": "both"}).status == 400
    assert weir.metrics().value("weir_circuit_state", provider="a") == 0


def test_with_one_place_the_circuit_refuses_nothing(weir_with, a, b):
    weir = weir_with(settings_of(a, b, defaults={"retry": {"attempts": 1}}))
    a.answer_always(*error(500))
    for _ in range(30):
        assert weir.chat({"model": "alone"}).status == 502
    a.reset_scripts()
    assert weir.chat({"model": "alone"}).status == 200


def test_keys_take_turns_and_a_spent_one_rests(weir_with, a, b):
    settings = settings_of(a, b)
    del settings["providers"]["a"]["api_key"]
    settings["providers"]["a"]["api_keys"] = ["sk-1", "sk-2", "sk-3"]
    weir = weir_with(settings)

    def answer(request):
        if request.header("authorization") == "Bearer sk-2":
            return error(429, "You exceeded your current quota", code="insufficient_quota")
        return [send(answers.reply(answers.completion("fine")))]

    a.answer_by(answer)
    mark = a.mark()
    for _ in range(12):
        assert weir.chat({"model": "alone"}).status == 200
    keys = [request.header("authorization") for request in a.since(mark)]
    assert keys.count("Bearer sk-2") == 1 and keys.count("Bearer sk-1") >= 4 and keys.count("Bearer sk-3") >= 4
    wait_until(lambda: len(weir.calls()) == 12, "twelve lines")
    used = {attempt["key_index"] for entry in weir.calls() for attempt in entry.get("tried", [])}
    assert used and used <= {0, 1, 2}
    assert "sk-2" not in weir.log_text() and "sk-2" not in weir.messages()


# Places.


def deployments(a, b, fill, first=None, second=None):
    places = [{"provider": "a", "id": "at-a"} | (first or {}), {"provider": "b", "id": "at-b"} | (second or {})]
    return settings_of(a, b, models={"large": {"deployments": places, "fill": fill}}, routes={"r": {"model": "large"}})


def test_fill_first_overflows_when_it_is_full(weir_with, a, b):
    weir = weir_with(deployments(a, b, "first", {"max_in_flight": 1}))
    gate = Gate()
    a.answer_next(gate, send(answers.reply(answers.completion("from a"))))
    held = {}
    thread = threading.Thread(target=lambda: held.update(response=weir.chat({"model": "large"})))
    thread.start()
    gate.wait_reached()
    mark = b.mark()
    response = weir.chat({"model": "large"})
    assert response.header("x-weir-provider") == "b" and response.header("x-weir-attempts") == "1"
    (request,) = b.since(mark)
    assert request.json()["model"] == "at-b" and response.header("x-weir-model") == "large"
    gate.open()
    thread.join()
    assert held["response"].header("x-weir-provider") == "a"
    assert weir.chat({"model": "large"}).header("x-weir-provider") == "a"


def test_all_places_full_is_busy(weir_with, a, b):
    weir = weir_with(settings_of(a, b, models={"m": {"provider": "a", "max_in_flight": 1}}, routes={"r": {"model": "m"}}))
    gate = Gate()
    a.answer_next(gate, send(answers.reply(answers.completion())))
    thread = threading.Thread(target=lambda: weir.chat({"model": "m"}))
    thread.start()
    gate.wait_reached()
    response = weir.chat({"model": "m"})
    expect.refused(response, 503, "gateway.busy/resolve", code="no_free_place")
    assert response.header("retry-after") and response.header("x-should-retry") is None
    gate.open()
    thread.join()


def test_each_place_is_booked_at_its_own_price(weir_with, a, b):
    settings = deployments(a, b, "first", {"price": {"input": 0, "output": 0}}, {"max_in_flight": 9})
    settings["models"]["large"]["price"] = {"input": 2, "output": 8}
    weir = weir_with(settings)
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    a.answer_next(send(answers.reply(answers.completion(usage=usage))))
    response = weir.chat({"model": "large"})
    assert response.header("x-weir-provider") == "a" and float(response.header("x-weir-cost-usd")) == 0
    a.answer_next(send(answers.reply(answers.error_body("boom"), status=500)))
    b.answer_next(send(answers.reply(answers.completion(usage=usage))))
    response = weir.chat({"model": "large"})
    assert response.header("x-weir-provider") == "b" and float(response.header("x-weir-cost-usd")) == 0.00028
    assert weir.metrics().value("weir_price_unknown_total") == 0


def test_by_weight(weir_with, a, b):
    weir = weir_with(deployments(a, b, "weight", {"weight": 1}, {"weight": 3}))
    marks = a.mark(), b.mark()
    for _ in range(60):
        assert weir.chat({"model": "r"}).status == 200
    to_a, to_b = len(a.since(marks[0])), len(b.since(marks[1]))
    assert to_a + to_b == 60 and 2 <= to_a <= 32


def test_by_latency_the_slow_place_gets_little(weir_with, a, b):
    weir = weir_with(deployments(a, b, "latency"))

    # Slower than anything that holds b up on a busy machine: one slow answer is enough to be thought slow.
    a.answer_always(pause(2), send(answers.reply(answers.completion("slow"))))
    marks = a.mark(), b.mark()
    for _ in range(40):
        assert weir.chat({"model": "large"}).status == 200
    assert len(a.since(marks[0])) <= 8 and len(b.since(marks[1])) >= 32


def test_a_zone_is_left_under_no_fault(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["providers"]["a"]["timeouts"] = HASTY | {"between_bytes": "400ms"}
    settings["models"]["first"]["zone"] = "onprem"
    settings["routes"]["both"]["zones"] = ["onprem"]
    settings["routes"]["none"] = {"model": "second", "zones": ["onprem"]}
    weir = weir_with(settings)
    mark = b.mark()
    for steps, _, _ in list(FAULTS.values()):
        a.reset_scripts()
        a.answer_always(*steps)
        assert weir.chat({"model": "both"}).status >= 400
    response = weir.chat({"model": "none"})
    expect.refused(response, 403, "client.unauthorized/resolve", code="zone_not_allowed")
    assert not b.since(mark)


# Whole processes that stop or die.


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_an_upstream_process_that_stops_or_dies(weir_with, b, a, model, number, tmp_path):
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(port)], cwd=Path(__file__).resolve().parents[1], stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"ready\n"
        settings = settings_of(a, b)
        for name in ("a", "a-late"):
            settings["providers"][name]["base_url"] = f"http://127.0.0.1:{port}/v1"
        weir = weir_with(settings)
        assert weir.chat({"model": "both"}).header("x-weir-provider") == "a"
        os.kill(child.pid, number)
        if number == signal.SIGKILL:
            child.wait()
        response = ask(weir, "both" if number == signal.SIGKILL else "both-late", False, model)
        assert response.status == 200 and response.header("x-weir-provider") == "b"
        first, _ = weir.wait_for_call(request_id=model)["tried"]
        wanted = "upstream.timeout.first_byte" if number == signal.SIGSTOP else "upstream.unreachable"
        assert first["failure"] == wanted
    finally:
        child.kill()
        child.wait()


CHILD = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer)
print("ready", flush=True)
server.serve_forever()
"""


# Whatever comes.


def test_any_sequence_of_faults_ends_each_call_once(weir_with, a, b):
    """Random faults at both places; each call has one answer and one record, and the books agree with the providers."""
    seed = int(os.environ.get("WEIR_SEED", random.randrange(1 << 32)))
    print(f"WEIR_SEED={seed}")
    dice = random.Random(seed)
    weir = weir_with(settings_of(a, b))
    whole = [steps for steps, _, _ in FAULTS.values()] + [steps for steps, _, _ in FINAL.values()]
    # None that waits for a time limit: a limit short enough for that fires at other times too.
    waiting = [FAULTS[name][0] for name in ("silent", "slow-head", "stalled-body")]
    quick = [steps for steps in whole if steps not in waiting]
    streams = [steps for name, steps in STREAM_FAULTS.items() if "stalled" not in name and name != "no-json"]
    begun = [send(STREAM_HEAD + ROLE + CONTENT), pause(0.05)]
    after = [[*begun, close()], [*begun, reset()]]

    def answer(request):
        if dice.random() < 0.4:
            return good("fine")(request)
        return dice.choice(quick + (streams + after if request.json().get("stream") else []))

    a.answer_by(answer)
    b.answer_by(answer)
    marks = a.mark(), b.mark()
    count = 150
    for i in range(count):
        stream = dice.random() < 0.5
        name = f"random-{i}"
        try:
            response = ask(weir, dice.choice(["both", "alone", "second"]), stream, name)
        except ConnectionEnded:
            raise AssertionError(f"call {i} had no answer") from None
        entry = weir.wait_for_call(request_id=name)
        assert 1 <= entry["attempts"] <= 3, entry
        assert entry["status"] == response.status
        if entry["outcome"] == "cut":
            assert b"Hello" in response.body and b"[DONE]" not in response.body and b'"error"' in response.body
            assert "tried" not in entry or entry["tried"][-1]["failure"] != "none"
        elif entry["outcome"] == "ok":
            assert response.status == 200 and b"fine" in response.body and b"Hello" not in response.body
        else:
            assert response.status >= 400 and b"Hello" not in response.body
        for attempt in entry.get("tried", [])[:-1]:
            assert attempt["failure"] != "none", entry
    page = weir.metrics()
    wait_until(lambda: len(weir.calls()) == count, "all lines")
    booked = sum(entry["attempts"] for entry in weir.calls())
    assert page.value("weir_requests_total") == count and len(weir.calls()) == count
    assert page.value("weir_attempts_total") == booked
    assert page.value("weir_inflight") == 0
    sent = len(a.since(marks[0])) + len(b.since(marks[1]))
    assert booked <= sent <= 2 * booked  # a stale connection is renewed once, which is no attempt
    total = sum(entry["cost_usd"] for entry in weir.calls())
    assert page.value("weir_cost_usd_total") == pytest.approx(total)


def test_a_repeated_call_of_an_sdk_is_counted(weir_with, a, b):
    """SEMANTICS 41."""
    weir = weir_with(settings_of(a, b))
    weir.chat({"model": "alone"}, fields=[("x-stainless-retry-count", "0"), ("x-weir-task", "t")])
    weir.chat({"model": "alone"}, fields=[("x-stainless-retry-count", "2"), ("x-weir-task", "t")])
    assert weir.metrics().value("weir_reasks_total", task="t", why="client_retry") == 1


# Streams that wait, and almost-JSON.


def test_comments_keep_a_slow_stream_alive_and_do_not_forbid_a_fallback(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["routes"]["both"]["keep_alive"] = "1s"
    settings["providers"]["a"]["timeouts"] = HASTY | {"first_byte": "3500ms"}
    weir = weir_with(settings)
    a.answer_next(silence())
    response = ask(weir, "both", True, model)
    assert response.status == 200 and response.body.count(b": keep-alive\n\n") >= 2
    assert b"from b" in response.body and response.body.endswith(b"data: [DONE]\n\n")
    assert response.header("x-weir-model") is None and response.header("x-weir-attempts") is None
    entry = weir.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["attempts"], entry["first_byte_ms"] > 3400) == ("ok", 2, True)


def test_a_failure_after_a_comment_is_an_error_event(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["defaults"] = {"keep_alive": "1s"}
    settings["providers"]["a"]["timeouts"] = HASTY | {"first_byte": "2500ms"}
    weir = weir_with(settings)
    a.answer_next(send(STREAM_HEAD), silence())
    response = ask(weir, "alone", True, model)
    assert response.status == 200 and re.match(rb"(: keep-alive\n\n)+data: \{\"error\"", response.body)
    assert b"[DONE]" not in response.body
    assert weir.wait_for_call(request_id=model)["outcome"] == "upstream_error"


def test_a_whole_reply_after_a_comment_becomes_a_stream(weir_with, a, b, model):
    """SEMANTICS 32."""
    settings = settings_of(a, b)
    settings["defaults"] = {"keep_alive": "1s"}
    weir = weir_with(settings)
    gate = Gate()
    a.answer_next(gate, send(answers.reply(answers.completion("late"))))
    with weir.connect() as client:
        client.send(chat_request({"model": "alone", "stream": True}))
        head = client.read_head()
        assert client.read_body_until(b"\n\n") == b": keep-alive\n\n"
        gate.open()
        body = client.read_body(head).body
    events = [": keep-alive", *(line for line in body.decode().split("\n\n") if line and line != ": keep-alive")]
    assert events[-1] == "data: [DONE]" and len(events) == 3
    assert json.loads(events[1][6:])["choices"][0]["delta"]["content"] == "late"


def test_without_the_setting_nothing_is_sent_before_content(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["providers"]["a"]["timeouts"] = HASTY | {"first_byte": "1500ms"}
    weir = weir_with(settings)
    a.answer_next(silence())
    expect.refused(ask(weir, "alone", True, model), 504)


def test_almost_json_is_mended_where_the_route_says_so(weir_with, a, b, model):
    settings = settings_of(a, b)
    settings["routes"]["mended"] = {"model": "first", "repair_json": True}
    weir = weir_with(settings)
    a.answer_always(send(answers.reply(answers.completion('Sure:\n```json\n{"a": [1,],}\n```'))))
    body = {"response_format": {"type": "json_object"}}
    for name, wanted in (("mended", '{"a": [1]}'), ("alone", 'Sure:\n```json\n{"a": [1,],}\n```')):
        response = weir.chat({"model": name} | body)
        assert json.loads(response.body)["choices"][0]["message"]["content"] == wanted
    assert weir.metrics().value("weir_json_repaired_total", route="mended") == 1
    assert weir.metrics().value("weir_json_repaired_total", route="alone") == 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_that_did_not_parse_asked_for_again_is_counted_apart(weir_with, a, b, stream):
    """SEMANTICS 41: the same messages, the answer, and the parser's error behind them."""
    weir = weir_with(settings_of(a, b) | {"threads": 2})
    first = [{"role": "system", "content": "Answer in JSON."}, {"role": "user", "content": "Who?"}]
    answer = {"role": "assistant", "content": '{"who": "me"'}
    complaint = {"role": "user", "content": "JSONDecodeError: Expecting ',' delimiter. Answer in valid JSON."}

    def ask(messages):
        assert weir.chat({"model": "both", "messages": messages, "stream": stream}).status == 200

    def counted():
        return weir.metrics().value("weir_reasks_total", why="appended")

    ask([*first, answer, complaint])
    assert counted() == 0, "nobody asked for that before"
    ask(first)
    ask([*first, answer, {"role": "user", "content": "And who is she? JSON please."}])
    assert counted() == 0, "the next turn of a conversation"
    ask([*first, answer, complaint])
    assert counted() == 1
    ask([*first, answer, complaint, answer, complaint])
    assert counted() == 2, "and once more"
    wait_until(lambda: len(weir.calls()) == 5, "five lines")
    assert [entry.get("reask") for entry in weir.calls()].count("appended") == 2
