"""When the client leaves, the call upstream is cancelled at once, in every phase, and booked once (SEMANTICS 15)."""

import pytest

from conftest import openai_provider, plain_settings
from fakes import answers
from fakes.answers import chunk, event
from fakes.deaf_listener import DeafListener
from fakes.provider import Gate, repeat, send, silence
from fakes.raw_http import chat_body, chat_request, request_bytes, wait_until

CONTENT = answers.one_chunk(event(chunk({"content": "Hello"})))
PHASES = {
    "before-the-answer": (False, [silence()], None, "await_headers"),
    "before-the-stream": (True, [silence()], None, "await_headers"),
    "within-the-head": (False, [send(b"HTTP/1.1 200 OK\r\n"), silence()], None, "await_headers"),
    "within-a-body": (False, [send(answers.reply(answers.completion())[:-20]), silence()], None, "body"),
    "before-the-content": (True, [send(answers.stream_head()), silence()], None, "body"),
    "within-a-stream": (True, [send(answers.stream_head() + CONTENT), silence()], b"Hello", "body"),
    "within-a-busy-stream": (True, [send(answers.stream_head()), repeat(lambda _: CONTENT)], b"Hello", "body"),
}


def leave(client, how):
    if how == "closes":
        client.close()
    else:
        client.half_close()


@pytest.mark.parametrize("how", ["closes", "ends-its-input"])
@pytest.mark.parametrize("name", PHASES)
def test_the_call_upstream_is_cancelled(weir, provider, model, name, how):
    stream, steps, seen, phase = PHASES[name]
    reached = Gate()
    reached.open()
    provider.answer_next(*steps[:1], reached, *steps[1:]) if len(steps) > 1 else provider.answer_next(reached, *steps)
    mark = provider.mark()
    with weir.connect() as client:
        client.send(chat_request(chat_body(model, stream=stream), fields=[("x-request-id", model)]))
        provider.wait_for_requests(mark + 1)
        reached.wait_reached()
        if seen:
            client.read_until(seen)
        leave(client, how)
        upstream = provider.connections[provider.requests[mark].connection]
        provider.wait_until(upstream.closed.is_set, "weir to hang up")
    entry = weir.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["failure"], entry["attempts"]) == ("client_left", "client.left", 1), entry
    # How much of the answer had come when the client went is a race for the early phases.
    assert entry["phase"] in (("await_headers", "body") if phase == "body" else (phase,)), entry
    assert len(provider.since(mark)) == 1
    page = weir.metrics()
    assert page.value("weir_requests_total", model=model, outcome="client_left") == 1
    assert page.value("weir_requests_total", model=model) == 1


def test_leaving_while_weir_connects(weir_with, provider, model):
    with DeafListener() as deaf:
        settings = plain_settings(provider.base_url)
        settings["providers"]["deaf"] = openai_provider(f"http://127.0.0.1:{deaf.port}/v1", timeouts={"connect": "60s"})
        weir = weir_with(settings)
        with weir.connect() as client:
            client.send(chat_request({"model": f"deaf/{model}"}, fields=[("x-request-id", model)]))
            deaf.wait_for_attempt()
        entry = weir.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["phase"]) == ("client_left", "connect")


def test_a_pass_through_is_cancelled_too(weir, provider):
    provider.answer_next(silence())
    mark = provider.mark()
    with weir.connect() as client:
        client.send(request_bytes("GET", "/v1/files"))
        provider.wait_for_requests(mark + 1)
    upstream = provider.connections[provider.requests[mark].connection]
    provider.wait_until(upstream.closed.is_set, "weir to hang up")


def test_what_was_generated_is_booked_as_an_estimate(weir, provider):
    """SEMANTICS 2 and 15: half a stream costs something."""
    model = "up/gpt-4o-mini"
    text = "x" * 400
    provider.answer_next(send(answers.stream_head() + answers.one_chunk(event(chunk({"content": text})))), silence())
    before = weir.metrics()
    with weir.connect() as client:
        client.send(chat_request(chat_body(model, stream=True), fields=[("x-request-id", "left-half-way")]))
        client.read_until(b"xxx")
    entry = weir.wait_for_call(request_id="left-half-way")
    assert entry["outcome"] == "client_left" and entry["cost_usd"] > 0 and entry["tokens"]["estimated"] is True
    after = weir.metrics()
    grown = after.value("weir_tokens_total", kind="output") - before.value("weir_tokens_total", kind="output")
    assert grown == 100  # bytes / 4


def test_a_client_that_closes_after_the_last_byte_did_not_leave(weir, provider, model):
    """RULINGS 5."""
    for index, stream in enumerate([False, True] * 5):
        name = f"{model}-{index}"
        events = answers.stream_events(["x"])
        provider.answer_next(send(answers.stream_reply(events) if stream else answers.reply(answers.completion())))
        with weir.connect() as client:
            client.send(chat_request(chat_body(name, stream=stream), fields=[("x-request-id", name)]))
            client.read_until(b"[DONE]" if stream else b'"usage"')
        assert weir.wait_for_call(request_id=name)["outcome"] == "ok"


def test_a_client_that_leaves_costs_nobody_else_anything(weir, provider, model):
    """Others on the same threads go on while many leave."""
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion("still here"))))
    with weir.connect() as staying:
        staying.send(chat_request({"model": model}))
        gate.wait_reached()
        for _ in range(20):
            provider.answer_next(silence())
            mark = provider.mark()
            with weir.connect() as leaving:
                leaving.send(chat_request({"model": "leaver"}))
                provider.wait_for_requests(mark + 1)
        gate.open()
        assert staying.read_response().status == 200
    wait_until(lambda: weir.metrics().value("weir_inflight") == 0, "nothing to be under way")
