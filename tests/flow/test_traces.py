"""Spans of calls and attempts at a scripted collector: what is in them, which calls have some, and a collector's bad days."""

import json
import re
import uuid

import pytest

from conftest import plain_settings
from fakes import answers
from fakes.provider import ScriptedProvider, send, silence
from fakes.raw_http import wait_until
from fakes.weir_process import Weir, free_port


def client_parent(sampled=True):
    trace, span = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    return trace, span, f"00-{trace}-{span}-{'01' if sampled else '00'}"


class Collector(ScriptedProvider):
    """Takes OTLP over HTTP; any provider's script can stand in for its answers."""

    def __enter__(self):
        super().__enter__()
        self.answer_always(send(answers.reply(b"{}")))
        return self

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def spans(self, **wanted):
        """Of all posts so far, those with these attributes (dots written as __), each with its attributes as a dict."""
        found = {}
        for request in list(self.requests):
            for resource in request.json()["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        span["is"] = {
                            one["key"]: next(iter(one["value"].values())) for one in span.get("attributes", [])
                        }
                        found[span["spanId"]] = span
        wanted = {name.replace("__", "."): value for name, value in wanted.items()}
        return [span for span in found.values() if wanted.items() <= span["is"].items()]

    def wait_for_call(self, task=None, **wanted):
        """A call's span and those of its attempts, found by the task's name or what else is wanted."""
        wanted = {"weir__task": task} if task else wanted
        wait_until(lambda: self.spans(**wanted), f"a span with {wanted}")
        (call,) = self.spans(**wanted)
        attempts = [span for span in self.spans() if span.get("parentSpanId") == call["spanId"]]
        return call, attempts


@pytest.fixture(scope="module")
def collector():
    with Collector() as scripted:
        yield scripted
        assert not scripted.errors, scripted.errors


@pytest.fixture(scope="module")
def traced(provider, collector, tmp_path_factory):
    settings = plain_settings(provider.base_url) | {
        "defaults": {"retry": {"attempts": 1}},
        "traces": {"endpoint": collector.endpoint, "headers": {"x-collector-key": "hunter2-for-the-collector"}}
    }
    with Weir(tmp_path_factory.mktemp("traced"), settings) as process:
        yield process


@pytest.fixture
def task():
    return "t-" + uuid.uuid4().hex[:10]


def chat(weir, task, fields=(), **body):
    return weir.chat({"model": "gpt-4o-mini"} | body, [("x-weir-task", task), *fields])


def test_a_call_and_its_attempt(traced, provider, collector, task):
    provider.answer_next(send(answers.reply(answers.completion(), fields=[("x-request-id", "req_17")])))
    assert chat(traced, task).status == 200
    call, (attempt,) = collector.wait_for_call(task)
    entry = traced.wait_for_call(task=task)

    assert call["kind"] == 2 and call["name"] == "chat gpt-4o-mini" and "parentSpanId" not in call
    assert call["traceId"] == entry["id"].replace("-", ""), "a trace that begins here has the call's id"
    assert call["is"]["weir.call_id"] == entry["id"] and call["is"]["weir.outcome"] == "ok"
    assert call["is"]["http.response.status_code"] == "200" and call["is"]["weir.attempts"] == "1"
    assert call["is"]["weir.cost_usd"] == pytest.approx(entry["cost_usd"]) and call["status"] == {}

    assert attempt["kind"] == 3 and attempt["traceId"] == call["traceId"]
    assert attempt["is"]["gen_ai.operation.name"] == "chat" and attempt["is"]["gen_ai.provider.name"] == "up"
    assert attempt["is"]["gen_ai.request.model"] == "gpt-4o-mini"
    assert attempt["is"]["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18"
    assert attempt["is"]["gen_ai.usage.input_tokens"] == "1000"
    assert attempt["is"]["gen_ai.usage.output_tokens"] == "300"
    assert attempt["is"]["gen_ai.usage.cache_read.input_tokens"] == "200"
    assert attempt["is"]["gen_ai.usage.reasoning.output_tokens"] == "64"
    assert attempt["is"]["weir.provider_request_id"] == "req_17"
    phases = [event["name"] for event in attempt["events"]]
    assert phases[-3:] == ["weir.send", "weir.await_headers", "weir.body"]
    times = [int(event["timeUnixNano"]) for event in attempt["events"]]
    assert times == sorted(times)
    assert int(call["startTimeUnixNano"]) <= int(attempt["startTimeUnixNano"]) <= int(attempt["endTimeUnixNano"])
    for span in (call, attempt):
        assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"]) and re.fullmatch(r"[0-9a-f]{16}", span["spanId"])


def test_a_stream_tells_when_its_first_content_left(traced, provider, collector, task):
    provider.answer_next(send(answers.stream_reply(answers.stream_events())))
    assert chat(traced, task, stream=True).status == 200
    call, _ = collector.wait_for_call(task)
    assert call["is"]["weir.stream"] is True
    assert [event["name"] for event in call["events"]] == ["weir.first_content"]


def test_the_post_is_otlp_over_http(traced, collector, task):
    assert chat(traced, task).status == 200
    collector.wait_for_call(task)
    request = collector.requests[-1]
    assert (request.method, request.target) == ("POST", "/v1/traces")
    assert request.header("content-type") == "application/json"
    assert request.header("x-collector-key") == "hunter2-for-the-collector"
    resource = request.json()["resourceSpans"][0]["resource"]
    assert {"key": "service.name", "value": {"stringValue": "weir"}} in resource["attributes"]
    wait_until(lambda: traced.metrics().value("weir_traces_exported_total") >= 2, "exported spans on the page")
    assert traced.metrics().value("weir_traces_dropped_total") == 0


def test_a_clients_trace_is_continued(traced, provider, collector, task):
    trace, span, header = client_parent()
    assert chat(traced, task, [("traceparent", header)]).status == 200
    call, (attempt,) = collector.wait_for_call(task)
    assert (call["traceId"], call["parentSpanId"]) == (trace, span)
    assert provider.requests[-1].headers("traceparent") == [f"00-{trace}-{attempt['spanId']}-01"]


def test_a_client_that_does_not_sample_is_obeyed(traced, provider, collector, task):
    _, _, header = client_parent(sampled=False)
    assert chat(traced, task, [("traceparent", header)]).status == 200
    assert provider.requests[-1].headers("traceparent") == [header], "as it was"
    later = task + "-later"
    assert chat(traced, later).status == 200
    collector.wait_for_call(later)
    assert not collector.spans(weir__task=task)


@pytest.mark.parametrize(
    "header", ["rubbish", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "ff-" + "1" * 32 + "-" + "1" * 16 + "-01"]
)
def test_an_invalid_traceparent_is_ignored(traced, provider, collector, task, header):
    assert chat(traced, task, [("traceparent", header)]).status == 200
    call, (attempt,) = collector.wait_for_call(task)
    assert "parentSpanId" not in call
    assert provider.requests[-1].headers("traceparent") == [f"00-{call['traceId']}-{attempt['spanId']}-01"]


def test_a_failure_is_an_error_of_both_spans(traced, provider, collector, task):
    provider.answer_next(send(answers.reply(answers.error_body("down"), status=500)))
    assert chat(traced, task).status == 502
    call, attempts = collector.wait_for_call(task)
    assert call["status"] == {"code": 2, "message": "upstream.error"}
    assert call["is"]["weir.outcome"] == "upstream_error" and call["is"]["error.type"] == "upstream.error"
    assert attempts[0]["status"]["code"] == 2 and attempts[0]["is"]["http.response.status_code"] == "500"


def test_a_refusal_is_a_span_without_an_error(traced, collector, task):
    assert traced.chat(b'{"model":', [("x-request-id", task)]).status == 400
    call, attempts = collector.wait_for_call(weir__request_id=task)
    assert call["is"]["weir.outcome"] == "client_error" and call["status"] == {} and attempts == []


def test_nothing_of_the_texts_or_secrets_is_in_a_span(traced, provider, collector, task):
    provider.answer_next(send(answers.reply(answers.completion("the-answers-text"))))
    fields = [("Authorization", "Bearer hunter2-of-the-client")]
    body = {"messages": [{"role": "user", "content": "the-prompts-text"}], "metadata": {"user_id": "the-user"}}
    assert chat(traced, task, fields, **body).status == 200
    raw = traced.get("/v1/files/the-files-name?token=hunter2-in-the-query")
    assert raw.status == 200
    collector.wait_for_call(task)
    last = task + "-last"
    chat(traced, last)
    collector.wait_for_call(last)
    sent = b"".join(request.body for request in collector.requests).decode()
    for secret in ("the-prompts-text", "the-answers-text", "hunter2", "sk-test-secret", "the-files-name", "the-user"):
        assert secret not in sent


def test_without_an_endpoint_nothing_changes(weir, provider, model):
    _, _, header = client_parent()
    assert weir.chat({"model": model}, [("traceparent", header)]).status == 200
    assert provider.requests[-1].headers("traceparent") == [header]
    assert weir.chat({"model": model}).status == 200
    assert provider.requests[-1].headers("traceparent") == []
    assert weir.metrics().value("weir_traces_exported_total") == 0


# Bad days.


def traced_settings(provider, endpoint, **more):
    return plain_settings(provider.base_url) | {"traces": {"endpoint": endpoint} | more}


def test_a_collector_that_is_away_is_said_once_and_calls_go_on(weir_with, provider):
    weir = weir_with(traced_settings(provider, f"http://127.0.0.1:{free_port()}/v1/traces"))
    for number in range(3):
        assert chat(weir, f"away-{number}").status == 200
    weir.wait_for_message(r"traces.endpoint: cannot send spans to 127\.0\.0\.1:\d+: connecting to .*refused")
    assert chat(weir, "away-again").status == 200
    weir.stop()
    assert weir.messages().count("cannot send spans") == 1


def test_spans_wait_for_a_collector_that_comes_back(weir_with, provider):
    with Collector() as collector:
        collector.answer_next(send(answers.reply(b"", status=503, fields=[("Retry-After", "1")])))
        weir = weir_with(traced_settings(provider, collector.endpoint))
        assert chat(weir, "patient").status == 200
        weir.wait_for_message("cannot send spans to .*: it answered 503")
        weir.wait_for_message("sending spans to .* works again")
        collector.wait_for_call("patient")
        assert len(collector.requests) == 2 and collector.requests[0].body == collector.requests[1].body
        wait_until(lambda: weir.metrics().value("weir_traces_exported_total") == 2, "both spans exported")
        assert weir.metrics().value("weir_traces_dropped_total") == 0


def test_what_a_collector_refuses_or_rejects_is_counted(weir_with, provider):
    with Collector() as collector:
        partial = json.dumps({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}).encode()
        collector.answer_next(send(answers.reply(b"{}", status=400)))
        weir = weir_with(traced_settings(provider, collector.endpoint))
        chat(weir, "refused")
        wait_until(lambda: weir.metrics().value("weir_traces_dropped_total") == 2, "two spans dropped")
        collector.answer_next(send(answers.reply(partial)))
        chat(weir, "partly")
        wait_until(lambda: weir.metrics().value("weir_traces_dropped_total") == 3, "one more rejected")
        wait_until(lambda: weir.metrics().value("weir_traces_exported_total") == 1, "the other one exported")


def test_a_silent_collector_holds_nobody_up(weir_with, provider):
    with Collector() as collector:
        collector.answer_always(silence())
        weir = weir_with(traced_settings(provider, collector.endpoint))
        chat(weir, "first")
        wait_until(lambda: collector.requests, "a post")
        for number in range(20):
            assert chat(weir, f"silent-{number}").status == 200
        weir.stop()  # within its time, though the post is still open


def test_spans_at_hand_are_sent_at_the_end(weir_with, provider):
    with Collector() as collector:
        weir = weir_with(traced_settings(provider, collector.endpoint))
        chat(weir, "last-words")
        weir.stop()
        call, attempts = collector.wait_for_call("last-words")
        assert len(attempts) == 1


def test_a_share_of_zero_takes_only_what_clients_ask_for(weir_with, provider):
    with Collector() as collector:
        weir = weir_with(traced_settings(provider, collector.endpoint, sample=0))
        for number in range(5):
            chat(weir, f"unsampled-{number}")
        assert provider.requests[-1].headers("traceparent") == []
        trace, _, header = client_parent()
        chat(weir, "asked-for", [("traceparent", header)])
        call, _ = collector.wait_for_call("asked-for")
        assert call["traceId"] == trace
        weir.stop()
        assert len(collector.spans()) == 2


def test_a_changed_endpoint_needs_a_restart(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url))
    weir.write_settings(traces={"endpoint": "http://127.0.0.1:4318/v1/traces"})
    weir.wait_for_message("reload .* refused.*traces.endpoint can only change with a restart")
