"""Heads and bodies out of all proportion, lengths that lie, and a network that delays, loses and cuts: what each costs
and what the client and the books see of it."""

import json

import pytest

from conftest import HASTY, HASTY_BETWEEN, HASTY_TOTAL, PATIENT, openai_provider
from fakes import answers, expect
from fakes.answers import chunk, event
from fakes.faulty_relay import FaultyRelay
from fakes.provider import close, drip, good, repeat, send, silence
from fakes.raw_http import chat_request, wait_until

PRICE = {"input": 10, "output": 20}
STREAM_HEAD = answers.stream_head()
ROLE = answers.one_chunk(event(chunk({"role": "assistant", "content": ""})))
CONTENT = answers.one_chunk(event(chunk({"content": "Hello"})))
MIB = 1 << 20
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def relay(a):
    with FaultyRelay(a.port) as made:
        yield made


@pytest.fixture
def start(a, b, relay, weir_with):
    """Starts a house with these time limits for `a`: the one that is to fire is the only short one."""
    relay.mend()
    a.reset_scripts()
    a.answer_by(good("from a"))
    b.reset_scripts()
    b.answer_by(good("from b"))

    def start(timeouts=PATIENT):
        return weir_with(
            {
                "providers": {
                    "a": openai_provider(relay.base_url, timeouts=timeouts),
                    "b": openai_provider(b.base_url),
                },
                "models": {"first": {"provider": "a", "price": PRICE}, "second": {"provider": "b", "price": PRICE}},
                "routes": {"both": {"model": "first", "fallback": ["second"]}, "alone": {"model": "first"}},
            }
        )

    return start


@pytest.fixture
def house(start):
    return start()


def ask(house, route, stream, model):
    body = {"model": route} | ({"stream": True} if stream else {})
    return house.chat(body, fields=[("x-request-id", model), ("x-weir-task", model[-60:])])


def fell_back(house, b, mark, response, model, failure):
    """b answered what a could not, and a's attempt is booked as wasted."""
    assert response.status == 200 and b"from b" in response.body and b"from a" not in response.body
    assert len(b.since(mark)) == 1 and response.header("x-weir-attempts") == "2"
    entry = house.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["attempts"]) == ("ok", 2), entry
    first, second = entry["tried"]
    assert (first["provider"], first["failure"], second["failure"]) == ("a", failure, "none"), entry
    assert first["cost_usd"] > 0 and entry["wasted_usd"] == pytest.approx(first["cost_usd"]), entry
    page = house.metrics()
    assert page.value("weir_attempts_total", provider="a", failure=failure) == 1
    assert page.value("weir_attempts_total", provider="b", failure="none") == 1
    assert page.value("weir_requests_total", task=model[-60:], outcome="ok", provider="b") == 1
    (call,) = json.loads(house.admin(f"/api/calls/{model}").body)["calls"]
    assert [one["booked"] for one in call["attempts"]] == ["wasted", "served"]


def cut(house, b, mark, response, model, failure):
    """Content had left: one attempt, and an honest end."""
    assert not b.since(mark), "nothing follows content"
    entry = house.wait_for_call(request_id=model)
    assert (entry["outcome"], entry["failure"], entry["attempts"]) == ("cut", failure, 1), entry
    assert entry["cost_usd"] > 0 and entry["wasted_usd"] == pytest.approx(entry["cost_usd"]), entry
    assert house.metrics().value("weir_requests_total", task=model[-60:], outcome="cut", provider="a") == 1


# Heads.


@BOTH
def test_a_providers_head_of_8_mb_ends_the_attempt(house, a, b, model, stream):
    mark = b.mark()
    a.answer_next(send(b"HTTP/1.1 200 OK\r\nX-Large: "), repeat(lambda _: b"y" * 65536, 8 * MIB // 65536), send(b"\r\n\r\n"))
    fell_back(house, b, mark, ask(house, "both", stream, model), model, "upstream.protocol")
    a.wait_closed()
    assert len(a.connections[-1].received) < MIB


@BOTH
def test_a_clients_head_of_8_mb_is_refused_and_not_kept(house, a, model, stream):
    mark = a.mark()
    before = house.metrics().value("weir_requests_total", outcome="client_error")
    client = house.connect()
    line = b"X-Large: " + b"y" * 8 * MIB + b"\r\n"
    request = chat_request({"model": "alone"} | ({"stream": True} if stream else {}))
    client.send_as_far_as_it_goes(request.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n", 1))
    response = client.read_response()
    assert response.status == 431 and response.header("x-weir-failure").startswith("client.")
    assert not a.since(mark)
    wait_until(lambda: house.metrics().value("weir_requests_total", outcome="client_error") == before + 1, "the count")
    assert ask(house, "alone", stream, model).status == 200


# Bodies.


def test_an_endless_whole_answer_is_relayed_until_its_time_is_over(start, a, b, model):
    """RULINGS 3: past 16 MiB it cannot be held; a part has left then, and nothing is tried again."""
    for total in ("3s", "15s", "60s"):  # more on a machine so slow that its time is over before 16 MiB have come
        house = start(PATIENT | {"total": total})
        mark = b.mark()
        a.answer_next(
            send(answers.head(200, fields=[("Transfer-Encoding", "chunked")])),
            repeat(lambda _: answers.one_chunk(b" " * 65536)),
        )
        client = house.connect()
        client.send(chat_request({"model": "both"}, [("x-request-id", model), ("x-weir-task", model[-60:])]))
        head = client.read_head()
        if head.status != 504:
            break
        client.close()
    assert head.status == 200 and head.header("x-weir-cost-usd") is None
    while client.receive_some():
        del client.buffer[:-10]
    assert not client.buffer.endswith(b"0\r\n\r\n"), "the missing end is the sign"
    client.close()
    cut(house, b, mark, None, model, "upstream.timeout.total")
    a.wait_closed()


def test_an_endless_event_is_no_event(house, a, b, model):
    mark = b.mark()
    a.answer_next(send(STREAM_HEAD), send(answers.one_chunk(b"data: ")), repeat(lambda _: answers.one_chunk(b"y" * 65536)))
    fell_back(house, b, mark, ask(house, "both", True, model), model, "upstream.protocol")
    a.wait_closed()


def test_an_endless_stream_of_nothing_is_cut_when_its_time_is_over(start, a, b, model):
    """Past 16 KiB the events are no longer held (RULINGS 13), and the client gets an honest error event."""
    house = start(HASTY_TOTAL)
    mark = b.mark()
    a.answer_next(send(STREAM_HEAD + ROLE * 100), drip(ROLE * 100_000, len(ROLE) * 100, gap=0.01))
    response = ask(house, "both", True, model)
    assert response.status == 200 and b"upstream.timeout.total" in response.body[-2000:]
    assert b"[DONE]" not in response.body
    cut(house, b, mark, response, model, "upstream.timeout.total")
    a.wait_closed()


def lying(length, body, content_type="application/json"):
    return send(answers.head(200, content_type, [("Content-Length", length)]) + body)


WHOLE = answers.completion("from a")
EVENTS = event(chunk({"role": "assistant", "content": ""})) + event(chunk({"content": "Hello"}))
LYING = {
    "too-long": [lying(len(WHOLE) + 1000, WHOLE), close()],
    "too-long-and-silent": [lying(len(WHOLE) + 1000, WHOLE), silence()],
    "too-short": [lying(len(WHOLE) - 10, WHOLE)],
    "beyond-numbers": [lying(10**30, WHOLE)],
}


@BOTH
@pytest.mark.parametrize("name", LYING)
def test_a_length_that_lies_spoils_a_whole_answer(start, a, b, model, name, stream):
    house = start(HASTY_BETWEEN if name.endswith("silent") else PATIENT)
    mark = b.mark()
    a.answer_next(*LYING[name])
    failure = "upstream.timeout.between_bytes" if name.endswith("silent") else "upstream.protocol"
    fell_back(house, b, mark, ask(house, "both", stream, model), model, failure)
    # What came after a length that was too short is nobody's answer.
    again = ask(house, "both", stream, model + "2")
    assert again.status == 200
    assert b"from a" in again.body or name.endswith("silent")  # its short limit holds for this call too


def test_a_length_that_cuts_a_stream_before_its_content(house, a, b, model):
    mark = b.mark()
    a.answer_next(lying(len(event(chunk({"role": "assistant", "content": ""}))), EVENTS, "text/event-stream"))
    fell_back(house, b, mark, ask(house, "both", True, model), model, "upstream.protocol")


def test_a_length_that_cuts_a_stream_after_its_content(house, a, b, model):
    mark = b.mark()
    a.answer_next(lying(len(EVENTS), EVENTS, "text/event-stream"))
    response = ask(house, "both", True, model)
    if b"Hello" in response.body:
        assert b'"error"' in response.body and b"from b" not in response.body
        cut(house, b, mark, response, model, "upstream.protocol")
    else:  # its end came with it, in one read: nothing had left
        fell_back(house, b, mark, response, model, "upstream.protocol")


# The network.


@BOTH
def test_delay_and_loss_make_an_answer_late_and_nothing_else(house, a, relay, model, stream):
    relay.delay, relay.loss, relay.repeat_after, relay.piece = 0.005, 0.3, 0.03, 200
    for i in range(8):
        response = ask(house, "alone", stream, f"{model}-{i}")
        assert response.status == 200 and b"from a" in response.body
        assert (not stream) or response.body.endswith(b"data: [DONE]\n\n")
        entry = house.wait_for_call(request_id=f"{model}-{i}")
        assert (entry["outcome"], entry["attempts"]) == ("ok", 1) and entry["wasted_usd"] == 0, entry
    assert relay.lost > 0
    assert house.metrics().value("weir_attempts_total", failure="none") == 8


@BOTH
def test_a_delay_beyond_the_first_bytes_limit_is_a_timeout(start, a, b, relay, model, stream):
    house = start(HASTY)
    relay.delay = 0.6
    mark = b.mark()
    fell_back(house, b, mark, ask(house, "both", stream, model), model, "upstream.timeout.first_byte")


@BOTH
@pytest.mark.parametrize("after, failure", [(0, "upstream.timeout.first_byte"), (200, "upstream.timeout.between_bytes")])
def test_a_network_that_swallows_the_answer(start, a, b, relay, model, after, failure, stream):
    house = start(HASTY if after == 0 else HASTY_BETWEEN)
    relay.black_hole_after = after
    mark = b.mark()
    fell_back(house, b, mark, ask(house, "both", stream, model), model, failure)


@BOTH
@pytest.mark.parametrize("after", [1, 200])
def test_a_network_that_resets_the_answer(house, a, b, relay, model, after, stream):
    relay.reset_after = after
    mark = b.mark()
    fell_back(house, b, mark, ask(house, "both", stream, model), model, "upstream.protocol")


def test_a_network_that_swallows_the_rest_of_a_stream(start, a, b, relay, model):
    house = start(HASTY_BETWEEN)
    relay.black_hole_after = len(STREAM_HEAD + ROLE + CONTENT)
    a.answer_next(send(STREAM_HEAD + ROLE + CONTENT), send(CONTENT * 3), silence())
    mark = b.mark()
    response = ask(house, "both", True, model)
    assert response.status == 200 and response.body.count(b"Hello") == 1
    assert b"upstream.timeout.between_bytes" in response.body and b"[DONE]" not in response.body
    cut(house, b, mark, response, model, "upstream.timeout.between_bytes")
