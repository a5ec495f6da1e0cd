"""Hedging: a second attempt beside a slow first one, what the client gets of it, what is booked, what is cancelled."""

import json
import time

import pytest

from conftest import openai_provider
from fakes import answers
from fakes.answers import chunk, event
from fakes.provider import Gate, good, send, silence
from fakes.raw_http import chat_request, wait_until

PRICE = {"input": 10, "output": 20}


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def stream(request):
    return request.param


@pytest.fixture
def house(a, b, weir_with, stream):
    """Knows how long a's calls take: fifty of them were made."""
    a.reset_scripts()
    a.answer_by(good("from a"))
    b.reset_scripts()
    b.answer_by(good("from b"))
    weir = weir_with(
        {
            "threads": 1,  # each thread learns by itself
            "providers": {"a": openai_provider(a.base_url), "b": openai_provider(b.base_url)},
            "models": {
                "first": {"provider": "a", "price": PRICE},
                "second": {"provider": "b", "price": PRICE},
                "dear": {"provider": "b", "price": {"input": 10, "output": 1000}},
            },
            "routes": {
                "hedged": {"model": "first", "fallback": ["second"], "hedge": {"max_extra_cost": "0.02 USD"}},
                "too-dear": {"model": "first", "fallback": ["dear"], "hedge": {"max_extra_cost": "0.02 USD"}},
                "plain": {"model": "first", "fallback": ["second"]},
            },
        }
    )
    for _ in range(50):
        assert ask(weir, "hedged", stream, "warm").status == 200
    return weir


def body_of(route, stream, name):
    return {"model": route, "content": name} | ({"stream": True} if stream else {})


def ask(house, route, stream, name):
    return house.chat(body_of(route, stream, name), fields=[("x-request-id", name), ("x-weir-task", name[-60:])])


def asked(provider, name):
    """What came there of that call. (On a busy machine a call of the warm-up may have been hedged too, and its second
    attempt be seen here late.)"""
    return [one for one in list(provider.requests) if one.json()["messages"][0]["content"] == name]


def wait_closed(provider, name):
    (request,) = wait_until(lambda: asked(provider, name), "the attempt")
    provider.wait_closed(request.connection)


def test_a_slow_first_attempt_is_outrun_and_booked_as_wasted(house, a, b, model, stream):
    a.answer_next(silence())
    started = time.monotonic()
    response = ask(house, "hedged", stream, model)
    assert time.monotonic() - started < 60, "nobody waited for the silent one"
    assert response.status == 200 and b"from b" in response.body and b"from a" not in response.body
    assert len(asked(b, model)) == 1
    assert response.header("x-weir-provider") == "b" and response.header("x-weir-attempts") == "2"
    wait_closed(a, model)
    entry = house.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["attempts"], entry["provider"]) == ("ok", 2, "b"), entry
    lost, won = entry["tried"]
    assert (lost["provider"], lost["failure"]) == ("a", "gateway.outrun"), entry
    assert (won["provider"], won["failure"]) == ("b", "none"), entry
    assert lost["cost_usd"] > 0 and entry["wasted_usd"] == pytest.approx(lost["cost_usd"])
    assert entry["cost_usd"] == pytest.approx(lost["cost_usd"] + won["cost_usd"])
    page = house.metrics()
    assert page.value("weir_attempts_total", provider="a", failure="gateway.outrun") >= 1
    assert page.value("weir_requests_total", task=model[-60:], outcome="ok") == 1
    (call,) = json.loads(house.admin(f"/api/calls/{model}").body)["calls"]
    assert [one["booked"] for one in call["attempts"]] == ["wasted", "served"]


def test_the_first_may_still_answer_first(house, a, b, model, stream):
    gate = Gate()
    a.answer_next(gate, *(good("late a")(a.requests[-1])))
    b.answer_always(silence())
    client = house.connect()
    client.send(chat_request(body_of("hedged", stream, model), [("x-request-id", model)]))
    wait_until(lambda: asked(b, model), "the second attempt")
    gate.open()
    response = client.read_response()
    assert response.status == 200 and b"late a" in response.body and response.header("x-weir-provider") == "a"
    wait_closed(b, model)
    entry = house.wait_for_call(request_id=model)
    assert [one["failure"] for one in entry["tried"]] == ["gateway.outrun", "none"], entry
    assert [one["provider"] for one in entry["tried"]] == ["b", "a"], entry
    client.close()


def test_a_client_that_leaves_ends_both(house, a, b, model, stream):
    a.answer_next(silence())
    b.answer_always(silence())
    client = house.connect()
    client.send(chat_request(body_of("hedged", stream, model), [("x-request-id", model)]))
    wait_until(lambda: asked(b, model), "the second attempt")
    client.close()
    wait_closed(a, model)
    wait_closed(b, model)
    entry = house.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["attempts"]) == ("client_left", 2), entry
    assert {one["failure"] for one in entry["tried"]} == {"client.left"}, entry


@pytest.mark.parametrize("route", ["too-dear", "plain"])
def test_no_second_attempt_where_it_is_not_wanted_or_too_dear(house, a, b, model, stream, route):
    gate = Gate()
    a.answer_next(gate, *(good("late a")(a.requests[-1])))
    client = house.connect()
    client.send(chat_request(body_of(route, stream, model), [("x-request-id", model)]))
    gate.wait_reached()
    time.sleep(1)
    gate.open()
    assert b"late a" in client.read_response().body
    assert not asked(b, model)
    assert house.wait_for_call(request_id=model)["attempts"] == 1
    client.close()


@pytest.mark.parametrize("stream", [True], indirect=True)
def test_nothing_starts_after_content(house, a, b, model, stream):
    def attempts(name):
        gate = Gate()
        a.answer_next(
            send(answers.stream_head() + answers.one_chunk(event(chunk({"content": "Hello"})))),
            gate,
            send(answers.one_chunk(event(chunk({}, "stop")) + answers.SSE_DONE) + b"0\r\n\r\n"),
        )
        with house.connect() as client:
            client.send(chat_request(body_of("hedged", True, name), [("x-request-id", name)]))
            client.read_until(b'"content"')
            time.sleep(0.5)
            gate.open()
            client.read_until(b"[DONE]")
        return house.wait_for_call(request_id=name)["attempts"]

    # A machine that stands still may hold a's content up until the second attempt is due, and then it is right to start:
    # that says nothing. After content it would start each time, for the gate is held far longer than it waits.
    assert any(attempts(f"{model}-{i}") == 1 for i in range(10)), "a second attempt beside content each time"
