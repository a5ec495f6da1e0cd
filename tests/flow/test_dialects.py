"""The front door in each client's dialect: what weir says itself, before any provider is asked."""

import hashlib
import json

import pytest

from fakes import answers
from fakes.provider import send
from fakes.raw_http import request_bytes

JSON = [("Content-Type", "application/json")]
ANTHROPIC = [*JSON, ("anthropic-version", "2023-06-01"), ("x-api-key", "any")]
PATHS = {"anthropic": "/v1/messages", "responses": "/v1/responses", "completions": "/v1/completions"}
BODIES = {
    "anthropic": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    "responses": {"model": "m", "input": "Hi"},
    "completions": {"model": "m", "prompt": "Hi"},
}


def post(weir, path, body, fields=JSON):
    return weir.call(request_bytes("POST", path, body if isinstance(body, bytes) else answers.dumps(body), fields))


def error_in(dialect, response):
    """The error's type and message, in the dialect's shape and with its headers."""
    body = response.json()
    assert response.header("x-request-id")
    if dialect == "anthropic":
        assert list(body) == ["type", "error", "request_id"] and body["type"] == "error"
        assert body["request_id"] == response.header("request-id") == response.header("x-request-id")
        assert set(body["error"]) == {"type", "message"}
    else:
        assert list(body) == ["error"] and set(body["error"]) == {"message", "type", "param", "code"}
        assert response.header("request-id") is None
    return body["error"]["type"], body["error"]["message"]


REFUSED = {
    "no-json": (b'{"model":', 400, "not JSON"),
    "no-model": (b'{"messages":[],"input":"x"}', 400, "names no model"),
    "model-twice": (b'{"model":"a","model":"b","messages":[]}', 400, "once, in lower case"),
    "stream-in-capitals": (b'{"model":"a","Stream":true,"messages":[]}', 400, "once, in lower case"),
    "task-with-a-blank": (b'{"model":"a","messages":[],"metadata":{"task_type":"a b"}}', 400, "metadata.task_type"),
}


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_in_the_clients_dialect(weir, provider, dialect, name):
    body, status, says = REFUSED[name]
    mark = provider.mark()
    for path in (PATHS[dialect], PATHS[dialect].removeprefix("/v1"), PATHS[dialect] + "?beta=true"):
        response = post(weir, path, body)
        assert response.status == status
        kind, message = error_in(dialect, response)
        assert kind == "invalid_request_error" and says in message
        assert response.header("x-weir-failure") == "client.malformed/none"
        assert response.header("x-should-retry") == "false"
    assert not provider.since(mark)


@pytest.mark.parametrize("dialect", PATHS)
def test_a_bad_header_is_refused_in_the_clients_dialect(weir, dialect):
    response = post(weir, PATHS[dialect], BODIES[dialect], [*JSON, ("x-weir-task", "a b")])
    assert response.status == 400 and "x-weir-task" in error_in(dialect, response)[1]
    body = BODIES[dialect] | {"stream": True}
    response = post(weir, PATHS[dialect], body, [*JSON, ("x-weir-include", "cost")])
    assert response.status == 400 and "x-weir-include" in error_in(dialect, response)[1]


@pytest.mark.parametrize("dialect", PATHS)
def test_an_unknown_model_is_refused_in_the_clients_dialect(weir_with, provider, dialect):
    up = {"protocol": "openai", "base_url": provider.base_url, "api_key": "k"}
    two = weir_with({"providers": {"a": up, "b": up}, "models": {"gpt-4o-mini": {"provider": "a"}}})
    response = post(two, PATHS[dialect], BODIES[dialect] | {"model": "gpt-4o-min"})
    assert response.status == 404
    kind, message = error_in(dialect, response)
    assert kind == ("not_found_error" if dialect == "anthropic" else "invalid_request_error")
    assert "gpt-4o-mini" in message


def test_a_large_body_is_read_by_the_same_rules(weir, provider):
    filler = "x" * 400_000
    body = b'{"model":"a","messages":[{"role":"user","content":"%s"}],"model":"b"}' % filler.encode()
    response = post(weir, "/v1/messages", body)
    assert response.status == 400 and "once, in lower case" in error_in("anthropic", response)[1]


def test_a_body_past_the_limit_is_an_anthropic_413(weir_with, provider):
    small = weir_with(
        {"providers": {"up": {"protocol": "openai", "base_url": provider.base_url}}, "limits": {"body": "16KiB"}}
    )
    response = post(small, "/v1/messages", BODIES["anthropic"] | {"system": "x" * 20_000})
    assert response.status == 413
    assert error_in("anthropic", response)[0] == "request_too_large"


@pytest.mark.parametrize("dialect", PATHS)
def test_the_demo_fails_in_the_clients_dialect(weir_with, dialect):
    demo = weir_with({"providers": {"demo": {"protocol": "demo"}}})
    response = post(demo, PATHS[dialect], BODIES[dialect] | {"model": "fail-429"})
    assert response.status == 429
    assert error_in(dialect, response)[0] in ("rate_limit_error", "demo_error")


def test_models_in_anthropics_shape(weir):
    listed = weir.call(request_bytes("GET", "/v1/models?limit=1000", fields=ANTHROPIC))
    body = listed.json()
    assert set(body) == {"data", "has_more", "first_id", "last_id"} and body["has_more"] is False
    ids = [model["id"] for model in body["data"]]
    assert {"gpt-4o-mini", "renamed", "support"} <= set(ids)
    assert (body["first_id"], body["last_id"]) == (ids[0], ids[-1])
    assert all(set(model) == {"type", "id", "display_name", "created_at"} for model in body["data"])
    assert listed.header("request-id")
    one = weir.call(request_bytes("GET", "/v1/models/renamed", fields=ANTHROPIC)).json()
    assert (one["type"], one["id"]) == ("model", "renamed")
    missing = weir.call(request_bytes("GET", "/v1/models/renamee", fields=ANTHROPIC))
    assert missing.status == 404 and error_in("anthropic", missing)[0] == "not_found_error"
    assert weir.get("/v1/models").json()["object"] == "list"


def test_tokens_are_estimated_where_nobody_can_count_them(weir_with):
    demo = weir_with({"providers": {"demo": {"protocol": "demo"}}})
    body = answers.dumps(BODIES["anthropic"])
    for path in ("/v1/messages/count_tokens", "/messages/count_tokens?beta=true"):
        response = post(demo, path, body, ANTHROPIC)
        assert response.status == 200 and response.json() == {"input_tokens": (len(body) + 3) // 4}
        assert response.header("x-weir-estimated") == "true"
    assert demo.metrics().value("weir_price_unknown_total", model="m") in (None, 0)
    refused = post(demo, "/v1/messages/count_tokens", b'{"model":"m"}', ANTHROPIC)
    assert refused.status == 400 and "messages" in error_in("anthropic", refused)[1]


EMBEDDED = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": "AAAAPwAAgD4="}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 1000, "total_tokens": 1000},
}


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_embeddings_are_metered_and_their_bytes_are_not_touched(weir, provider, framing):
    body = b'{ "model":"text-embedding-3-small","input":["a"] , "dimensions":2.0,"encoding_format":"base64"}'
    answer = answers.dumps(EMBEDDED)
    provider.answer_next(send(answers.reply(answer, framing=framing, chunk_size=7)))
    name = f"embeddings-{framing}"
    response = post(weir, "/v1/embeddings", body, [*JSON, ("x-request-id", name)])
    assert provider.requests[-1].body == body and provider.requests[-1].target == "/v1/embeddings"
    assert response.body == answer
    entry = weir.wait_for_call(request_id=name)
    assert (entry["outcome"], entry["model"]) == ("ok", "text-embedding-3-small")
    assert json.dumps(entry).count("1000") >= 1


def test_a_key_for_certain_models_may_embed_with_them(weir_with, provider):
    hashed = "sha256:" + hashlib.sha256(b"wr_narrow").hexdigest()
    keyed = weir_with(
        {
            "providers": {"up": {"protocol": "openai", "base_url": provider.base_url, "api_key": "k"}},
            "keys": [{"name": "narrow", "hash": hashed, "models": ["text-embedding-3-small"]}],
        }
    )
    bearer = [*JSON, ("Authorization", "Bearer wr_narrow")]
    asked = lambda model: post(keyed, "/v1/embeddings", {"model": model, "input": "x"}, bearer).status
    assert asked("text-embedding-3-small") == 200
    assert asked("text-embedding-3-large") == 403
