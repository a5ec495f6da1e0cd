"""Client keys: who comes in, what a key may ask, and what `weir keys` does while weir runs."""

import hashlib
import json
import re

import pytest

from conftest import openai_provider
from fakes import answers, expect
from fakes.provider import Gate, send
from fakes.raw_http import chat_request, request_bytes, wait_until
from fakes.weir_process import run_weir


def key(name, text, **more):
    return {"name": name, "hash": "sha256:" + hashlib.sha256(text.encode()).hexdigest()} | more


def bearer(text):
    return [("Authorization", f"Bearer {text}")]


@pytest.fixture
def keyed(weir_with, provider):
    return weir_with(
        {
            "providers": {"up": openai_provider(provider.base_url), "other": openai_provider(provider.base_url)},
            "default": "up",
            "models": {"gpt-4o-mini": {"provider": "up"}, "gpt-4o": {"provider": "up"}},
            "routes": {"support": {"model": "gpt-4o-mini"}, "own_key": {"model": "gpt-4o-mini", "key": "caller"}},
            "groups": {"acme": {}, "search": {"parent": "acme"}},
            "metrics": {"labels": ["group", "key"]},
            "keys": [
                key("wide", "wr_wide", group="search", may=["task", "tags", "route", "include"]),
                key("narrow", "wr_narrow", models=["gpt-4o-mini", "support"]),
                key("spaced", "acme support team"),
                key("old", "wr_old", expires="2020-01-01"),
            ],
        }
    )


def test_a_key_opens_and_is_not_sent_on(keyed, provider):
    for fields in (bearer("wr_wide"), [("x-api-key", "wr_wide")], bearer("acme support team")):
        assert keyed.chat(fields=fields).status == 200
        head = provider.requests[-1]
        assert head.header("authorization") == "Bearer sk-test-secret"
        assert head.header("x-api-key") is None


def test_without_a_key_nothing_reaches_the_provider_and_no_body_is_read(keyed, provider):
    before = len(provider.requests)
    for fields in ((), bearer("wr_unknown"), bearer("wr_old"), [("x-api-key", "sk-provider")]):
        response = keyed.chat(fields=fields)
        expect.refused(response, 401, "client.unauthorized/none")
        assert b"wr_" not in response.body and b"sk-provider" not in response.body
    # The refusal comes before a body that never arrives.
    with keyed.connect() as client:
        client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n")
        assert client.read_response().status == 401
    assert keyed.get("/v1/models").status == 401
    assert keyed.call(request_bytes("POST", "/v1/embeddings", body=b"{}")).status == 401
    assert keyed.get("/healthz").status == 200
    assert len(provider.requests) == before


def test_what_a_key_may_not_ask_is_403_and_names_the_setting(keyed, provider):
    before = len(provider.requests)
    response = keyed.chat({"model": "gpt-4o"}, fields=bearer("wr_narrow"))
    expect.refused(response, 403, "client.unauthorized/none", says=["models:", "narrow"])
    response = keyed.chat(fields=[*bearer("wr_narrow"), ("x-weir-task", "x")])
    expect.refused(response, 403, "client.unauthorized/none", says=["may:", "task"])
    response = keyed.call(request_bytes("POST", "/v1/embeddings", fields=bearer("wr_narrow"), body=b"{}"))
    expect.refused(response, 403, "client.unauthorized/none", says=["passthrough"])
    assert len(provider.requests) == before
    assert keyed.chat({"model": "support"}, fields=bearer("wr_narrow")).status == 200
    assert keyed.chat(fields=[*bearer("wr_wide"), ("x-weir-task", "x"), ("x-weir-tags", "team=a,env=b")]).status == 200


def test_the_list_of_models_is_the_callers(keyed):
    names = lambda text: {model["id"] for model in json.loads(keyed.get("/v1/models", bearer(text)).body)["data"]}
    assert names("wr_narrow") == {"gpt-4o-mini", "support"}
    assert names("wr_wide") == {"gpt-4o-mini", "gpt-4o", "support", "own_key"}
    assert keyed.get("/v1/models/gpt-4o", bearer("wr_narrow")).status == 404


def test_malformed_tags_are_400(keyed):
    for tags in ("team", "a=", "=b", "a=b,", "a=b c", ",".join(f"k{i}=v" for i in range(9))):
        response = keyed.chat(fields=[*bearer("wr_wide"), ("x-weir-tags", tags)])
        if tags == "a=b,":
            continue  # one comma too many says nothing wrong
        expect.refused(response, 400, "client.malformed/none", says=["x-weir-tags"])


def test_metrics_and_log_know_group_and_key(keyed, model):
    assert keyed.chat({"model": model}, fields=bearer("wr_wide")).status == 200
    page = keyed.metrics()
    assert page.value("weir_requests_total", model=model, group="search", key="wide", outcome="ok") == 1
    assert keyed.wait_for_call(model=model)["key"] == "wide"
    assert "wr_wide" not in keyed.log_text()


def test_a_route_may_pass_the_callers_own_provider_key(keyed, provider):
    fields = [("x-api-key", "wr_wide"), *bearer("sk-of the caller")]
    assert keyed.chat({"model": "own_key"}, fields=fields).status == 200
    assert provider.requests[-1].header("authorization") == "Bearer sk-of the caller"
    response = keyed.chat({"model": "own_key"}, fields=bearer("wr_wide"))
    expect.refused(response, 401, "client.unauthorized/none", says=["own_key", "own key"])
    assert "sk-of" not in keyed.log_text() + keyed.messages()


def test_revoke_and_rotate_at_run_time(keyed, provider):
    def keys(*arguments):
        return run_weir("keys", *arguments, "--admin", f"http://127.0.0.1:{keyed.admin_port}")

    listed = keys("list")
    assert listed.returncode == 0 and re.search(r"wide +search +active +never", listed.stdout), listed.stdout
    rotated = keys("rotate", "wide")
    new = re.match(r"wr_\w{42}", rotated.stdout).group()
    assert f"name: wide, hash: \"sha256:{hashlib.sha256(new.encode()).hexdigest()}\", group: search" in rotated.stdout
    wait_until(lambda: keyed.chat(fields=bearer(new)).status == 200, "the new key works")
    assert keyed.chat(fields=bearer("wr_wide")).status == 200, "the old one works for a while"
    assert keys("revoke", "wide").returncode == 0
    wait_until(lambda: keyed.chat(fields=bearer(new)).status == 401, "the key has ended")
    # Each worker learns of it by itself, within moments of the first.
    wait_until(lambda: keyed.chat(fields=bearer("wr_wide")).status == 401, "the old one too")
    assert "ended" in keys("list").stdout
    failed = keys("revoke", "nobody")
    assert failed.returncode == 1 and "no key called nobody" in failed.stderr
    keyed.wait_for_message(r"audit: POST /api/keys/wide/revoke by 127\.0\.0\.1:\d+ gave 200")
    assert new not in keyed.messages() + keyed.log_text() + (keyed.folder / "weir.keys").read_text()

    # A restart does not let it in again, nor does a reload.
    keyed.stop()
    keyed.start()
    assert keyed.chat(fields=bearer("wr_wide")).status == 401
    assert keyed.chat(fields=bearer(new)).status == 401


def test_a_key_that_is_revoked_in_mid_stream_ends_after_it(keyed, provider, model):
    gate = Gate()
    events = answers.stream_events()
    provider.answer_next(send(answers.stream_reply(events)[:-200]), gate, send(answers.stream_reply(events)[-200:]))
    with keyed.connect() as client:
        client.send(chat_request({"model": model, "stream": True}, fields=bearer("wr_wide")))
        wait_until(lambda: provider.requests and provider.requests[-1].json()["model"] == model, "the call is under way")
        assert run_weir("keys", "revoke", "wide", "--admin", f"http://127.0.0.1:{keyed.admin_port}").returncode == 0
        wait_until(lambda: keyed.chat(fields=bearer("wr_wide")).status == 401, "the key has ended")
        gate.open()
        assert b"[DONE]" in client.read_response().body
    assert keyed.wait_for_call(model=model)["outcome"] == "ok"


def test_a_new_key_is_pasted_and_works_without_a_restart(keyed):
    made = run_weir("keys", "new", "pasted", "--group", "search")
    text = re.match(r"wr_\w{42}", made.stdout).group()
    digest = re.search(r"sha256:[0-9a-f]{64}", made.stdout).group()
    keyed.write_settings(keys=[*keyed.settings["keys"], {"name": "pasted", "hash": digest, "group": "search"}])
    wait_until(lambda: keyed.chat(fields=bearer(text)).status == 200, "the pasted key works")
