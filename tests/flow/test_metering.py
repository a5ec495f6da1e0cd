"""What is booked: tokens by kind, cost to the nano-dollar, task, labels, response headers and the page of metrics."""

import functools
import json
from decimal import Decimal

import pytest
import yaml

from conftest import openai_provider, plain_settings
from fakes import answers
from fakes.provider import Gate, send, silence
from fakes.raw_http import chat_body, chat_request, request_bytes, wait_until
from fakes.weir_process import ROOT, run_weir

NANO = Decimal(10) ** 9


@functools.cache
def price_file():
    # Nine hundred models: seconds without libyaml's loader.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((ROOT / "config/prices.yaml").read_text(), Loader=loader)


def price_of(model):
    """Nano-dollars per token, from the file that is built in."""
    price = price_file()["models"][model]["price"]
    return {kind: Decimal(str(value)) * 1000 for kind, value in price.items()}


def nano(dollars):
    return round(Decimal(str(dollars)) * NANO)


def usage(prompt, completion, cached=0, reasoning=0):
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def cost_of(model, prompt, completion, cached=0):
    price = price_of(model)
    return int((prompt - cached) * price["input"] + cached * price["cache_read"] + completion * price["output"])


@pytest.fixture
def fresh(weir_with, provider):
    """A weir that has counted nothing yet."""
    settings = plain_settings(provider.base_url)
    settings["models"] |= {
        "own-price": {"provider": "up", "price": {"input": 1.5, "output": 3, "cache_read": 0.5}},
        "aliased": {"provider": "up", "id": "gpt-4o"},
    }
    return weir_with(settings)


def answer(provider, stream, figures, model="gpt-4o-mini-2024-07-18"):
    if stream:
        provider.answer_next(send(answers.stream_reply(answers.stream_events(usage=figures, model=model))))
    else:
        provider.answer_next(send(answers.reply(answers.completion(model=model, usage=figures))))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_tokens_by_kind_and_cost_are_exact(fresh, provider, stream):
    answer(provider, stream, usage(1000, 300, cached=200, reasoning=64))
    response = fresh.chat({"stream": stream}, fields=[("x-request-id", "r1"), ("x-weir-task", "t1")])
    assert response.status == 200
    wanted = cost_of("gpt-4o-mini", 1000, 300, 200)
    assert wanted == 800 * 150 + 200 * 75 + 300 * 600
    labels = {"route": "none", "task": "t1", "model": "gpt-4o-mini", "provider": "up"}
    page = fresh.metrics()
    tokens = {
        kind: page.value("weir_tokens_total", kind=kind, **labels)
        for kind in ("uncached", "cache_read", "cache_write", "output", "reasoning")
    }
    assert tokens == {"uncached": 800, "cache_read": 200, "cache_write": 0, "output": 236, "reasoning": 64}
    assert page.value("weir_tokens_total") == 1300
    assert nano(page.value("weir_cost_usd_total", kind="served", **labels)) == wanted
    assert page.value("weir_cost_usd_total", kind="wasted") == 0
    assert page.value("weir_requests_total", outcome="ok", **labels) == 1
    assert page.value("weir_attempts_total", provider="up", model="gpt-4o-mini", failure="none", phase="none") == 1
    entry = fresh.wait_for_call(request_id="r1")
    assert nano(entry["cost_usd"]) == wanted
    assert (entry["task"], entry["model"], entry["provider"], entry["status"]) == ("t1", "gpt-4o-mini", "up", 200)
    assert (entry["outcome"], entry["failure"], entry["phase"], entry["attempts"]) == ("ok", "none", "none", 1)
    assert entry["tokens"] == tokens | {"estimated": False}
    if not stream:
        assert nano(response.header("x-weir-cost-usd")) == wanted


def test_cost_adds_up_over_many_calls_without_rounding(fresh, provider):
    total = 0
    for i in range(40):
        answer(provider, i % 2 == 1, usage(7 + i, 3 + i, cached=i % 5))
        fresh.chat({"stream": i % 2 == 1})
        total += cost_of("gpt-4o-mini", 7 + i, 3 + i, i % 5)
    assert nano(fresh.metrics().value("weir_cost_usd_total")) == total


def test_booked_before_the_last_byte_is_out(fresh, provider):
    """RULINGS 5: whoever has read the answer finds it in the metrics."""
    for i in range(10):
        answer(provider, i % 2 == 1, usage(10, 10))
        with fresh.connect() as client:
            client.send(chat_request({"stream": i % 2 == 1}))
            client.read_until(b"[DONE]" if i % 2 else b'"usage"')
            assert fresh.metrics().value("weir_requests_total") == i + 1


@pytest.mark.parametrize(
    "asked, served, priced",
    [
        pytest.param("own-price", "gpt-4o-mini", None, id="override-wins"),
        pytest.param("gpt-4o-mini", "gpt-4o", "gpt-4o", id="the-model-that-served"),
        pytest.param("x", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", id="dated-name"),
        pytest.param("x", "gpt-4o-mini-20240718", "gpt-4o-mini", id="date-without-dashes"),
        pytest.param("x", "gpt-4o-mini-latest", "gpt-4o-mini", id="latest"),
        pytest.param("aliased", "something-unlisted", "gpt-4o", id="the-targets-id"),
        pytest.param("gpt-4o-mini", "something-unlisted", "gpt-4o-mini", id="the-configured-name"),
    ],
)
def test_which_price(fresh, provider, asked, served, priced):
    """RULINGS 22."""
    answer(provider, False, usage(100, 10, cached=20), served)
    response = fresh.chat({"model": asked})
    wanted = 80 * 1500 + 20 * 500 + 10 * 3000 if priced is None else cost_of(priced, 100, 10, 20)
    assert nano(response.header("x-weir-cost-usd")) == wanted
    assert fresh.metrics().value("weir_price_unknown_total") == 0


def test_an_unknown_price_is_counted_and_adds_nothing(fresh, provider):
    answer(provider, False, usage(100, 10), "something-unlisted")
    assert fresh.chat({"model": "never-heard-of"}).status == 200
    page = fresh.metrics()
    assert page.value("weir_price_unknown_total", model="never-heard-of") == 1
    assert page.value("weir_cost_usd_total") == 0
    assert page.value("weir_tokens_total", model="never-heard-of") == 110


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_without_reported_usage_the_text_is_counted(fresh, provider, stream):
    """Output = bytes of text / 4, marked as estimated; the prompt from the request's bytes."""
    text = "x" * 400
    if stream:
        provider.answer_next(
            send(answers.stream_reply(answers.stream_events([text[:200], text[200:]], with_usage=False)))
        )
    else:
        provider.answer_next(send(answers.reply(answers.completion(text, usage=None))))
    fresh.chat({"stream": stream, "content": "y" * 4000}, fields=[("x-request-id", "r1")])
    page = fresh.metrics()
    assert page.value("weir_tokens_total", kind="output") == 100
    assert 900 <= page.value("weir_tokens_total", kind="uncached") <= 1200
    assert page.value("weir_cost_usd_total", kind="served") > 0
    entry = fresh.wait_for_call(request_id="r1")
    assert entry["tokens"]["estimated"] is True and entry["tokens"]["output"] == 100


def test_a_failed_call_costs_nothing_that_was_served(fresh, provider):
    provider.answer_always(send(answers.reply(answers.error_body(), 500)))
    fresh.chat()
    assert fresh.metrics().value("weir_cost_usd_total", kind="served") == 0


# Task types.


@pytest.mark.parametrize(
    "model, header, metadata, wanted",
    [
        ("gpt-4o-mini", None, None, "none"),
        ("gpt-4o-mini", None, "from_metadata", "from_metadata"),
        ("gpt-4o-mini", "from_header", None, "from_header"),
        ("gpt-4o-mini", "from_header", "from_metadata", "from_header"),
        ("support", None, None, "support_task"),
        ("support", None, "from_metadata", "from_metadata"),
        ("support", "from_header", "from_metadata", "from_header"),
        ("bare_route", None, None, "none"),
    ],
)
def test_the_task_is_the_headers_then_metadata_then_the_routes(fresh, model, header, metadata, wanted):
    """RULINGS 23."""
    body = {"model": model} | ({"metadata": {"task_type": metadata}} if metadata else {})
    response = fresh.chat(body, fields=[("x-request-id", "r1"), *([("x-weir-task", header)] if header else [])])
    assert (response.header("x-weir-task") or "none") == wanted
    assert fresh.wait_for_call(request_id="r1")["task"] == wanted
    route = model if model in ("support", "bare_route") else "none"
    assert fresh.metrics().value("weir_requests_total", task=wanted, route=route) == 1


# Response headers.


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_response_headers(fresh, provider, stream):
    answer(provider, stream, usage(10, 10))
    response = fresh.chat({"model": "renamed", "stream": stream}, fields=[("x-weir-task", "t")])
    assert response.header("x-request-id")
    assert response.header("x-weir-model") == "renamed"
    assert response.header("x-weir-provider") == "up"
    assert response.header("x-weir-task") == "t"
    assert response.header("x-weir-attempts") == "1"
    assert response.header("x-weir-failure") is None
    assert response.header("x-weir-cache") is None  # no route has a cache yet (RULINGS 23)
    assert (response.header("x-weir-cost-usd") is None) == stream


def test_the_model_label_is_never_the_dated_name(fresh, provider):
    answer(provider, False, usage(1, 1), "gpt-4o-mini-2024-07-18")
    fresh.chat({"model": "renamed"})
    fresh.chat({"model": "up/some-id"})
    page = fresh.metrics()
    assert page.value("weir_requests_total", model="renamed") == 1
    assert page.value("weir_requests_total", model="some-id") == 1
    assert "2024-07-18" not in page.text


@pytest.mark.parametrize("asked", [True, False], ids=["usage-asked-too", "cost-only"])
def test_the_cost_in_the_last_chunk_of_a_stream(fresh, provider, asked):
    """`x-weir-include: cost` implies include_usage for the client (RULINGS 14)."""
    figures = usage(1000, 300, cached=200)
    events = answers.stream_events(["x"], usage=figures)
    provider.answer_next(send(answers.stream_reply(events)))
    more = {"stream_options": {"include_usage": True}} if asked else {}
    response = fresh.chat({"stream": True, **more}, fields=[("x-weir-include", "cost")])
    got = response.events()
    assert got[-1] == "[DONE]" and response.body.startswith(b"".join(events[:-2]))
    last = json.loads(got[-2])
    cost = last["usage"].pop("weir")
    assert last == json.loads(events[-2][6:])
    assert nano(cost["cost_usd"]) == cost_of("gpt-4o-mini", 1000, 300, 200)


# The page.

COUNTERS = {
    "weir_requests_total": {"route", "task", "model", "provider", "outcome"},
    "weir_cost_usd_total": {"route", "task", "model", "provider", "kind"},
    "weir_tokens_total": {"route", "task", "model", "provider", "kind"},
    "weir_attempts_total": {"provider", "model", "failure", "phase"},
}
HISTOGRAMS = {
    "weir_upstream_phase_seconds": {"provider", "phase"},
    "weir_request_seconds": {"route", "task", "provider"},
    "weir_first_token_seconds": {"route", "task", "provider"},
    "weir_overhead_seconds": set(),
}


def test_the_metrics_have_the_names_and_labels_of_the_contract(fresh, provider):
    answer(provider, True, usage(10, 10))
    fresh.chat({"stream": True})
    fresh.chat()
    page = fresh.metrics()
    for name, labels in COUNTERS.items():
        assert page.types[name] == "counter"
        series = page.series(name)
        assert series and all(set(have) == labels for have, _ in series), (name, series)
    for name, labels in HISTOGRAMS.items():
        assert page.types[name] == "histogram"
        series = page.series(f"{name}_count")
        assert series and all(set(have) == labels for have, _ in series), (name, series)
        assert all(set(have) == labels | {"le"} for have, _ in page.series(f"{name}_bucket"))
    assert page.types["weir_inflight"] == "gauge"
    assert page.value("weir_request_seconds_count") == 2
    assert page.value("weir_first_token_seconds_count", provider="up") >= 1
    assert not any(have.get("kind") == "total" for _, have, _ in page.samples)


def test_the_inflight_gauge(fresh, provider):
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    assert fresh.metrics().value("weir_inflight") == 0
    with fresh.connect() as client:
        client.send(chat_request())
        gate.wait_reached()
        assert fresh.metrics().value("weir_inflight") == 1
        gate.open()
        client.read_response()
    assert fresh.metrics().value("weir_inflight") == 0


def test_a_flood_of_task_names_ends_in_other(fresh, provider):
    """At most 10,000 series, beyond it `other`: neither memory nor the page grows without end."""
    with fresh.connect() as client:
        for start in range(0, 3000, 50):
            client.send(b"".join(chat_request(fields=[("x-weir-task", f"t{i}")]) for i in range(start, start + 50)))
            for _ in range(50):
                assert client.read_response().status == 200
    page = fresh.metrics()
    assert page.value("weir_requests_total") == 3000
    assert page.value("weir_requests_total", task="other") > 0
    assert len(page.samples) < 40_000


def test_no_text_no_secret_and_no_query_in_metrics_and_log(fresh, provider):
    prompt, reply, key = "my very secret prompt", "an equally secret answer", "the-callers-own-key"
    provider.answer_next(send(answers.reply(answers.completion(reply))))
    fresh.chat({"content": prompt}, fields=[("Authorization", f"Bearer {key}"), ("x-request-id", "r1")])
    fresh.call(request_bytes("GET", "/v1/files?secret=query-text", fields=[("x-request-id", "r2")]), "GET")
    fresh.wait_for_call(request_id="r1")
    fresh.wait_for_call(request_id="r2")
    for text in (fresh.log_text(), fresh.messages(), fresh.metrics().text):
        for hidden in (prompt, reply, key, "query-text", "sk-test-secret"):
            assert hidden not in text


# The log.


def test_one_line_per_call_with_all_that_the_contract_names(fresh, provider):
    answer(provider, True, usage(10, 10))
    fresh.chat({"model": "support", "stream": True}, fields=[("x-request-id", "mine")])
    entry = fresh.wait_for_call(request_id="mine")
    for name in (
        "id",
        "route",
        "task",
        "model",
        "provider",
        "status",
        "outcome",
        "failure",
        "phase",
        "attempts",
        "tokens",
        "cost_usd",
        "phases_ms",
    ):
        assert name in entry, name
    assert entry["route"] == "support" and entry["id"] != "mine"
    assert isinstance(entry["tokens"], dict) and isinstance(entry["phases_ms"], dict)
    assert len(fresh.calls()) == 1


def test_the_providers_request_id_is_in_the_log(fresh, provider):
    """SEMANTICS 18."""
    provider.answer_next(send(answers.reply(answers.completion(), fields=[("x-request-id", "req_theirs")])))
    fresh.chat(fields=[("x-request-id", "mine")])
    assert fresh.wait_for_call(request_id="mine")["provider_request_id"] == "req_theirs"


def test_the_last_calls_by_id_on_the_admin_port(fresh, provider):
    """RULINGS 20."""
    fresh.chat(fields=[("x-request-id", "mine")])
    entry = fresh.wait_for_call(request_id="mine")
    for name in ("mine", entry["id"]):
        response = fresh.admin(f"/api/calls/{name}")
        assert response.status == 200, response
        (call,) = response.json()["calls"]
        assert call["id"] == entry["id"] and call["request_id"] == "mine" and call["outcome"] == "ok"
        (attempt,) = call["attempts"]
        assert attempt["provider"] == "up" and attempt["status"] == 200


def test_a_log_in_which_no_call_is_lost(fresh, provider):
    with fresh.connect() as client:
        for _ in range(20):
            client.send(chat_request() * 25)
            for _ in range(25):
                client.read_response()
    wait_until(lambda: len(fresh.calls()) >= 500, "500 lines")
    assert len({entry["id"] for entry in fresh.calls()}) == len(fresh.calls()) == 500


def test_monthly_price_is_refused_until_it_is_spread_over_tokens(tmp_path):
    """Taken and not acted on, it would book a hosted model at somebody else's price."""
    file = tmp_path / "weir.yaml"
    file.write_text("models:\n  own: {provider: demo, price: {monthly: 600 USD}}\n")
    checked = run_weir("check", str(file))
    assert checked.returncode == 1
    assert "models.own.price.monthly" in checked.stderr and "not supported yet" in checked.stderr


def test_two_entries_for_one_provider_are_two_labels(weir_with, provider):
    settings = plain_settings(provider.base_url)
    settings["providers"]["again"] = openai_provider(provider.base_url)
    weir = weir_with(settings)
    weir.chat({"model": "again/m"})
    weir.chat({"model": "up/m"})
    page = weir.metrics()
    assert page.value("weir_requests_total", provider="again") == page.value("weir_requests_total", provider="up") == 1


def test_a_call_that_timed_out_is_in_the_histograms_too(fresh, provider):
    provider.answer_next(silence())
    fresh.chat(chat_body("hasty/m"))
    assert fresh.metrics().value("weir_request_seconds_count", provider="hasty") == 1
