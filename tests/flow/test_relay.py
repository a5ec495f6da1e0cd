"""A pure relay: the bytes of requests and answers are the client's and the provider's, but for the named patches."""

import json
import random

import pytest

from conftest import openai_provider
from fakes import answers, expect
from fakes.answers import chunk, dumps, event
from fakes.provider import Gate, close, send, send_pieces
from fakes.raw_http import chat_body, chat_request, request_bytes

SMALL = dumps({"choices": [{"index": 0, "message": {"content": "é"}, "finish_reason": "stop"}]})
SMALL_STREAM = [
    event(b'{"choices":[{"index":0,"delta":{"content":"\xc3\xa9"}}],"usage":null}'),
    event(b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}'),
    event(b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'),
    answers.SSE_DONE,
]
ASKED = {"stream": True, "stream_options": {"include_usage": True}}


def play(provider, framing, pieces):
    provider.answer_next(send_pieces(pieces), *([close()] if framing == "close" else []))


# Answers.


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_reply_is_relayed_byte_for_byte(weir, provider, framing):
    body = (
        b'{ "id":"x",\n\t"choices" : [{"index":0,"message":{"role":"assistant","content":"\\u00e9 \xf0\x9f\x98\x80"},\n'
    )
    body += (
        b'"finish_reason":"stop"}], "usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"x":1.50e+2 }\n'
    )
    play(provider, framing, [answers.reply(body, framing=framing, chunk_size=11)])
    response = weir.chat()
    assert (response.status, response.body) == (200, body)
    assert response.framing == "length"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_reply_cut_at_every_byte(weir, provider, framing):
    whole = answers.reply(SMALL, framing=framing, chunk_size=20)
    with weir.connect() as client:
        for cut in range(1, len(whole)):
            play(provider, framing, [whole[:cut], whole[cut:]])
            response = client.send(chat_request()).read_response()
            assert (response.status, response.body) == (200, SMALL), cut


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_a_stream_cut_at_every_byte(weir, provider, framing):
    whole = answers.stream_reply(SMALL_STREAM, framing)
    with weir.connect() as client:
        for cut in range(1, len(whole)):
            play(provider, framing, [whole[:cut], whole[cut:]])
            response = client.send(chat_request(ASKED)).read_response()
            assert (response.status, response.body) == (200, b"".join(SMALL_STREAM)), cut


def test_a_stream_cut_at_every_byte_with_the_usage_stripped(weir, provider):
    whole = answers.stream_reply(SMALL_STREAM)
    wanted = b"".join(answers.without_usage(SMALL_STREAM))
    with weir.connect() as client:
        for cut in range(1, len(whole)):
            play(provider, "chunked", [whole[:cut], whole[cut:]])
            response = client.send(chat_request({"stream": True})).read_response()
            assert (response.status, response.body) == (200, wanted), cut


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not-asked"])
@pytest.mark.parametrize("seed", range(6))
def test_a_stream_in_random_pieces(weir, provider, seed, asked):
    dice = random.Random(seed)
    words = ["".join(dice.choices('aé€😀"\\\n{}[]: ,', k=dice.randrange(0, 40))) for _ in range(60)]
    events = answers.stream_events(words)
    whole = answers.stream_reply(events, dice.choice(["chunked", "close"]))
    cuts = [0, *sorted(dice.sample(range(1, len(whole)), 40)), len(whole)]
    pieces = [whole[a:b] for a, b in zip(cuts, cuts[1:])]
    play(provider, "close" if b"Connection: close" in whole else "chunked", pieces)
    response = weir.chat(ASKED if asked else {"stream": True})
    assert response.body == b"".join(events if asked else answers.without_usage(events))


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"".join(SMALL_STREAM).replace(b"\n", b"\r\n"), id="crlf"),
        pytest.param(b"".join(SMALL_STREAM).replace(b"\n", b"\r"), id="cr"),
        pytest.param(b"".join(SMALL_STREAM).replace(b"data: ", b"data:"), id="no-space-after-the-colon"),
        pytest.param(b": hello\n\n" + b"".join(SMALL_STREAM), id="comment-first"),
        pytest.param(b"\xef\xbb\xbf" + b"".join(SMALL_STREAM), id="byte-order-mark"),
        pytest.param(b"event: message\nid: 7\nretry: 10\n" + b"".join(SMALL_STREAM), id="other-fields"),
        pytest.param(b"".join(SMALL_STREAM)[:-1], id="last-event-without-a-blank-line"),
    ],
)
@pytest.mark.parametrize("gap", [False, True], ids=["whole", "bytewise"])
def test_every_spelling_of_event_streams_passes(weir, provider, stream, gap):
    head = answers.stream_head("close")
    pieces = [head, *(stream[i : i + 1] for i in range(len(stream)))] if gap else [head + stream]
    provider.answer_next(send_pieces(pieces, gap=0.0003), close())
    response = weir.chat(ASKED)
    assert response.status == 200
    # The CR ends the last event: weir need not wait for the LF behind it.
    assert response.body in (stream, stream[:-1] if stream.endswith(b"\r\n") else stream)


def test_an_event_of_several_data_lines_keeps_its_meaning(weir, provider):
    """It may be joined to one line, which is the same event."""
    first = b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"a"}}]}\n\n'
    joined = b'data: {"choices":[{"index":0, "delta":{"content":"a"}}]}\n\n'
    provider.answer_next(send(answers.stream_reply([first, *SMALL_STREAM])))
    rest = b"".join(SMALL_STREAM)
    assert weir.chat(ASKED).body in (first + rest, joined + rest)


def test_events_leave_as_they_arrive(weir, provider):
    """The client has each event before the provider sends the next one."""
    events = answers.stream_events(["one ", "two ", "three "])
    gates = [Gate() for _ in events]
    steps = [send(answers.stream_head())]
    for one, gate in zip(events, gates):
        steps += [send(answers.one_chunk(one)), gate]
    provider.answer_next(*steps, send(b"0\r\n\r\n"))
    with weir.connect() as client:
        client.send(chat_request(ASKED))
        gates[0].open()  # the first event has no content yet: it may be held
        head = client.read_head()
        assert head.status == 200 and head.header("content-type").startswith("text/event-stream")
        seen = b""
        for word, gate in zip([b"one ", b"two ", b"three "], gates[1:]):
            seen += client.read_body_until(b'"content":"' + word)
            gate.open()
        for gate in gates:
            gate.open()
        seen += client.read_body(head).body
    assert seen == b"".join(events)


def test_the_head_of_a_stream(weir, provider):
    provider.answer_next(send(answers.stream_reply(SMALL_STREAM)))
    response = weir.chat(ASKED)
    assert response.framing == "chunked"
    assert response.header("content-type").startswith("text/event-stream")
    assert response.header("content-length") is None


# Requests.

ODD = (
    b' {"temperature" : 1.0, "top_p":1e-1,"seed":12345678901234567890, "unknown_field":{"a":[1E+2,-0,0.10,{}]},\r\n'
    b'\t"messages":[{"role":"user","content":"\\u0048i \\ud83d\\ude00 \\/ \xc3\xa9","name":null}] , "model":"%s" } \n'
)


def test_a_request_is_forwarded_byte_for_byte(weir, provider, model):
    body = ODD % model.encode()
    weir.chat(body)
    assert provider.requests[-1].body == body


def test_a_chunked_request_is_forwarded_with_the_same_body(weir, provider, model):
    body = ODD % model.encode()
    fields = [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")]
    assert weir.call(request_bytes(body=answers.chunked(body, 13), fields=fields)).status == 200
    assert provider.requests[-1].body == body
    assert provider.requests[-1].header("content-length") == str(len(body))


@pytest.mark.parametrize(
    "before, after",
    [
        (b'{"model":"', b'","messages":[]}'),
        (b'{"messages":[],"model" :\n "', b'" }'),
        (b'{"messages":[{"role":"user","content":"renamed"}],"x":"renamed","model":"', b'","user":"renamed"}'),
    ],
)
def test_only_the_model_changes_where_the_settings_name_an_id(weir, provider, before, after):
    weir.chat(before + b"renamed" + after)
    assert provider.requests[-1].body == before + b"upstream-name" + after


def test_a_model_name_with_escapes_is_understood_and_renamed(weir, provider):
    weir.chat(b'{"model":"ren\\u0061med","messages":[]}')
    assert provider.requests[-1].body == b'{"model":"upstream-name","messages":[]}'


def test_a_provider_prefix_is_taken_off(weir, provider):
    weir.chat(b'{"model":"up/vendor/name","messages":[]}')
    assert provider.requests[-1].body == b'{"model":"vendor/name","messages":[]}'


def test_usage_is_not_asked_for_without_a_stream(weir, provider, model):
    for more in ({}, {"stream": False}, {"stream": None}):
        body = chat_body(model, **more)
        weir.chat(body)
        assert provider.requests[-1].body == body


@pytest.mark.parametrize(
    "options, expected",
    [
        pytest.param(None, None, id="absent"),
        pytest.param(b"{}", b'{"include_usage":true}', id="empty"),
        pytest.param(b"null", b'{"include_usage":true}', id="null"),
        pytest.param(b'{"include_usage":false}', b'{"include_usage":true}', id="false"),
        pytest.param(b'{ "include_usage" : null }', b'{ "include_usage" : true }', id="null-member"),
        pytest.param(b'{"include_obfuscation":false}', None, id="another-option"),
        pytest.param(b'{"include_usage":true}', b'{"include_usage":true}', id="asked"),
    ],
)
def test_usage_is_asked_for_in_streams(weir, provider, model, options, expected):
    start = b'{"model":"%s","messages":[],"stream":true' % model.encode()
    middle = b',"stream_options":' + options if options else b""
    original = start + middle + b',"n":1}'
    provider.answer_next(send(answers.stream_reply(SMALL_STREAM)))
    weir.chat(original)
    sent = provider.requests[-1].body
    parsed = json.loads(sent)
    assert parsed["stream_options"]["include_usage"] is True
    want = json.loads(original)
    want["stream_options"] = (want.get("stream_options") or {}) | {"include_usage": True}
    assert parsed == want
    if expected is None:
        expect.inserted(original, sent)
    else:
        assert sent == start + b',"stream_options":' + expected + b',"n":1}'


def test_a_client_that_did_not_ask_sees_no_usage(weir, provider):
    """SEMANTICS 1: neither `usage: null` nor the last chunk."""
    events = answers.stream_events(["Hello", " there"])
    provider.answer_next(send(answers.stream_reply(events)))
    response = weir.chat({"stream": True})
    assert response.body == b"".join(answers.without_usage(events))
    assert b"usage" not in response.body


def test_a_client_that_asked_sees_both(weir, provider):
    events = answers.stream_events(["Hello", " there"])
    provider.answer_next(send(answers.stream_reply(events)))
    response = weir.chat(ASKED)
    assert response.body == b"".join(events)


def test_usage_in_a_chunk_with_choices_loses_only_the_usage(weir, provider):
    events = [
        event(chunk({"content": "a"})),
        event(
            b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,'
            b'"total_tokens":3},"x":1}'
        ),
        answers.SSE_DONE,
    ]
    provider.answer_next(send(answers.stream_reply(events)))
    response = weir.chat({"stream": True})
    assert response.body == (
        events[0] + event(b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x":1}') + answers.SSE_DONE
    )


def test_the_word_usage_in_a_text_is_not_touched(weir, provider):
    text = '"usage":null,"choices":[],'
    events = [event(chunk({"content": text}, usage=None)), event(chunk({}, "stop", usage=None)), answers.SSE_DONE]
    provider.answer_next(send(answers.stream_reply(events)))
    got = weir.chat({"stream": True}).events()
    assert json.loads(got[0])["choices"][0]["delta"]["content"] == text
    assert "usage" not in json.loads(got[0])


def test_a_stream_without_usage_passes_as_it_is(weir, provider):
    events = answers.stream_events(["a", "b"], with_usage=False)
    provider.answer_next(send(answers.stream_reply(events)))
    assert weir.chat({"stream": True}).body == b"".join(events)


@pytest.mark.parametrize(
    "original, patched",
    [
        (b'{"metadata":{"task_type":"t"},"model":"M","messages":[]}', b'{"model":"M","messages":[]}'),
        (b'{"model":"M","metadata":{"task_type":"t"},"messages":[]}', b'{"model":"M","messages":[]}'),
        (b'{"model":"M","messages":[],"metadata":{"task_type":"t"}}', b'{"model":"M","messages":[]}'),
        (b'{"model":"M","messages":[],"metadata":{}}', b'{"model":"M","messages":[]}'),
        (b'{"model":"M","messages":[],"metadata":null}', b'{"model":"M","messages":[]}'),
        (b'{"model":"M","messages":[],"metadata":{"own":"x"}}', b'{"model":"M","messages":[]}'),
        (
            b'{"model":"M","metadata":{"a":"b"},"messages":[],"store":false}',
            b'{"model":"M","messages":[],"store":false}',
        ),
        (b'{"model":"M","metadata":{"a":"b"},"messages":[],"store":null}', b'{"model":"M","messages":[],"store":null}'),
        (
            b'{"store":true,"model":"M","metadata":{"task_type":"t","own":"x","user_id":"u"},"messages":[]}',
            b'{"store":true,"model":"M","metadata":{"own":"x"},"messages":[]}',
        ),
        (
            b'{"model":"M","metadata":{"own":"x","task_type":"t"},"messages":[],"store":true}',
            b'{"model":"M","metadata":{"own":"x"},"messages":[],"store":true}',
        ),
        (
            b'{"model":"M","metadata":{"task_type":"t","user_id":"u"},"messages":[],"store":true}',
            b'{"model":"M","messages":[],"store":true}',
        ),
        (
            b'{"model":"M","metadata":{"own":"x"},"messages":[],"store":true}',
            b'{"model":"M","metadata":{"own":"x"},"messages":[],"store":true}',
        ),
    ],
    ids=range(12),
)
def test_metadata_is_removed(weir, provider, model, original, patched):
    """SEMANTICS 38, RULINGS 15."""
    assert weir.chat(original.replace(b'"M"', b'"%s"' % model.encode())).status == 200
    assert provider.requests[-1].body == patched.replace(b'"M"', b'"%s"' % model.encode())


def test_metadata_with_white_space_leaves_good_json_and_all_else(weir, provider):
    original = b'{ "model" : "renamed" ,\n "metadata" : { "task_type" : "t" } ,\n "messages" : [ ] , "x" : 1.0 }'
    weir.chat(original)
    sent = provider.requests[-1].body
    assert json.loads(sent) == {"model": "upstream-name", "messages": [], "x": 1.0}
    expect.only_changed(original, sent, b'{ "model" : ', b'"messages" : [ ] , "x" : 1.0 }')


def test_three_patches_at_once_keep_all_bytes_between(weir, provider):
    original = b'{"n":1,"model":"renamed","a":1.50,"metadata":{"task_type":"t"},"messages":[],"b":[1,2],"stream":true,"c":"\\u00e9"}'
    provider.answer_next(send(answers.stream_reply(SMALL_STREAM)))
    weir.chat(original)
    between = expect.only_changed(
        original,
        provider.requests[-1].body,
        b'{"n":1,"model":',
        b',"a":1.50,',
        b'"messages":[],"b":[1,2],"stream":true,"c":"\\u00e9"',
        b"}",
    )
    assert between == [b'"upstream-name"', b"", b',"stream_options":{"include_usage":true}']


# Headers.


def test_headers_on_the_way_up_are_an_allow_list(weir, provider):
    passed = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Accept", "application/json"),
        ("OpenAI-Beta", "x=y"),
        ("Idempotency-Key", "key-1"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ]
    dropped = [
        ("Authorization", "Bearer the clients own"),
        ("Cookie", "a=b"),
        ("Accept-Encoding", "gzip, br"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Weir-Task", "t"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("TE", "trailers"),
        ("X-Stainless-Lang", "python"),
    ]
    assert weir.call(request_bytes(body=chat_body(), fields=passed + dropped)).status == 200
    request = provider.requests[-1]
    for name, value in passed:
        assert request.headers(name) == [value], name
    assert request.headers("authorization") == ["Bearer sk-test-secret"]
    assert request.headers("host") == [f"127.0.0.1:{provider.port}"]
    assert request.header("accept-encoding") in (None, "identity")
    for name in (
        "cookie",
        "x-forwarded-for",
        "x-weir-task",
        "x-hop",
        "keep-alive",
        "proxy-authorization",
        "te",
        "x-stainless-lang",
    ):
        assert request.header(name) is None, name
    assert b"the clients own" not in request.raw


def test_headers_on_the_way_down(weir, provider):
    fields = [
        ("Set-Cookie", "a=b"),
        ("openai-organization", "org-secret"),
        ("openai-processing-ms", "12"),
        ("x-ratelimit-remaining-requests", "1"),
        ("x-request-id", "req_provider"),
        ("Connection", "keep-alive"),
        ("Server", "theirs"),
    ]
    provider.answer_next(send(answers.reply(SMALL, fields=fields)))
    response = weir.chat()
    for name in ("set-cookie", "openai-organization", "x-ratelimit-remaining-requests", "server"):
        assert response.header(name) is None, name
    assert response.header("x-request-id") not in (None, "req_provider")


def test_the_models_name_in_the_reply_is_the_providers(weir, provider):
    provider.answer_next(send(answers.reply(answers.completion(model="what-served-2024"))))
    assert weir.chat({"model": "renamed"}).json()["model"] == "what-served-2024"


@pytest.mark.parametrize("suffix", ["", "/"], ids=["plain", "trailing-slash"])
@pytest.mark.parametrize("base", ["/v1", "", "/deep/path/v1"])
def test_the_upstream_path_is_base_url_plus_path_without_v1(weir_with, provider, base, suffix):
    """RULINGS 16."""
    url = f"http://127.0.0.1:{provider.port}{base}{suffix}"
    weir = weir_with({"providers": {"up": openai_provider(url)}, "default": "up"})
    weir.chat()
    assert provider.requests[-1].target == f"{base}/chat/completions"
