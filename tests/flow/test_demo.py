"""The built-in provider: a newcomer's first answer, and failures on demand by the model's name."""

import json

import pytest

from fakes import answers, expect
from fakes.raw_http import chat_request
from fakes.weir_process import Weir


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    settings = {"providers": {"demo": {"protocol": "demo"}}, "default": "demo"}
    with Weir(tmp_path_factory.mktemp("demo"), settings) as process:
        yield process


def test_the_answer_says_that_it_is_a_demo(demo):
    response = demo.chat()
    reply = response.json()
    assert response.status == 200 and reply["object"] == "chat.completion"
    (choice,) = reply["choices"]
    assert choice["message"]["role"] == "assistant" and choice["message"]["content"].startswith("[demo]")
    assert choice["finish_reason"] == "stop"
    assert response.header("x-weir-provider") == "demo"


def test_usage_is_reported_and_adds_up(demo):
    usage = demo.chat().json()["usage"]
    assert usage["prompt_tokens"] > 0 and usage["completion_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_same_request_gets_the_same_answer(demo):
    def stable(response):
        return {name: value for name, value in response.json().items() if name not in ("created", "id")}

    assert stable(demo.chat()) == stable(demo.chat())


@pytest.mark.parametrize("asked", [True, False], ids=["usage-asked", "not-asked"])
def test_a_stream_has_the_same_text(demo, asked):
    whole = demo.chat().json()["choices"][0]["message"]["content"]
    more = {"stream_options": {"include_usage": True}} if asked else {}
    events = demo.chat({"stream": True, **more}).events()
    assert events[-1] == "[DONE]"
    chunks = [json.loads(one) for one in events[:-1]]
    text = "".join(one["choices"][0]["delta"].get("content") or "" for one in chunks if one["choices"])
    assert text.startswith("[demo]")
    assert len(text.split()) == len(whole.split())
    assert [one["choices"][0]["finish_reason"] for one in chunks if one["choices"]][-1] == "stop"
    assert (chunks[-1].get("usage") is not None) == asked
    assert asked or not any("usage" in one for one in chunks)


def test_cost_is_booked_under_the_demo(demo):
    """RULINGS 22: the catalogue's price of the asked name."""
    before = demo.metrics()
    response = demo.chat({"model": "gpt-4o-mini"})
    assert float(response.header("x-weir-cost-usd")) > 0
    after = demo.metrics()
    grown = after.value("weir_cost_usd_total", provider="demo") - before.value("weir_cost_usd_total", provider="demo")
    assert grown == pytest.approx(float(response.header("x-weir-cost-usd")))


@pytest.mark.parametrize(
    "status, wanted, failure",
    [
        (400, 400, "client.malformed"),
        (401, 502, "upstream.credentials"),
        (404, 404, "upstream.model_missing"),
        (429, 429, "limit.rate"),
        (500, 502, "upstream.error"),
        (503, 503, "upstream.overloaded"),
        (529, 503, "upstream.overloaded"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_it_fails_on_demand(demo, status, wanted, failure, stream):
    response = demo.chat({"model": f"demo/fail-{status}", "stream": stream})
    expect.refused(response, wanted, (f"{failure}/await_headers", f"{failure}/body"))


def test_it_times_out_on_demand(tmp_path):
    settings = {
        "providers": {"demo": {"protocol": "demo", "timeouts": {"first_byte": "200ms"}}},
        "default": "demo",
    }
    with Weir(tmp_path, settings) as weir:
        expect.refused(weir.chat({"model": "demo/fail-timeout"}), 504, "upstream.timeout.first_byte/await_headers")


def test_it_cuts_a_stream_on_demand(demo):
    with demo.connect() as client:
        client.send(chat_request({"model": "demo/cut", "stream": True}))
        response = client.read_head()
        assert response.status == 200
        raw = client.read_to_end()
    assert b"[demo]" in raw and b'data: {"error"' in raw and b"[DONE]" not in raw
    assert answers.dechunk(raw) is None or b"error" in answers.dechunk(raw)[0]


def test_it_is_slow_on_demand(demo):
    assert demo.chat({"model": "demo/slow"}).status == 200
    assert demo.metrics().value("weir_request_seconds_sum", provider="demo") >= 2


def test_a_settable_speed(tmp_path):
    settings = {"providers": {"demo": {"protocol": "demo", "speed": 500}}, "default": "demo"}
    with Weir(tmp_path, settings) as weir:
        response = weir.chat({"stream": True, "stream_options": {"include_usage": True}})
        tokens = json.loads(response.events()[-2])["usage"]["completion_tokens"]
        assert weir.metrics().value("weir_request_seconds_sum") >= 0.8 * (tokens - 1) / 500


def test_leaving_a_demo_stream(tmp_path):
    settings = {"providers": {"demo": {"protocol": "demo", "speed": 5}}, "default": "demo"}
    with Weir(tmp_path, settings) as weir:
        with weir.connect() as client:
            client.send(chat_request({"stream": True}, fields=[("x-request-id", "gone")]))
            client.read_until(b"[demo]")
        assert weir.wait_for_call(request_id="gone")["outcome"] == "client_left"
