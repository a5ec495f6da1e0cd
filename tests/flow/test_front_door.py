"""What comes in at the front door: well-formed requests of every shape are served, all others refused and kept out."""

import pytest

from conftest import plain_settings
from fakes import answers, expect
from fakes.provider import Gate, ScriptedProvider, send
from fakes.raw_http import TIMEOUT, RawClient, call, chat_body, chat_request, request_bytes, wait_until
from fakes.weir_process import Weir

BODY = chat_body()
LINE = b"POST /v1/chat/completions HTTP/1.1"
HOST = b"Host: weir.test"
TYPE = b"Content-Type: application/json"
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
WHOLE = answers.chunked(BODY)


def raw(*lines, body=BODY):
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def with_length(value):
    return raw(LINE, HOST, TYPE, b"Content-Length:" + value)


def with_coding(value, body=WHOLE):
    return raw(LINE, HOST, TYPE, b"Transfer-Encoding:" + value, body=body)


def with_chunks(body):
    return raw(LINE, HOST, TYPE, CHUNKED, body=body)


def with_line(line):
    return raw(LINE, HOST, TYPE, LENGTH, line)


def with_request_line(line):
    return raw(line, HOST, TYPE, LENGTH)


def with_target(target):
    return with_request_line(b"POST " + target + b" HTTP/1.1")


# name → (bytes, allowed statuses). SEMANTICS 37 and ARCHITECTURE section 4: 400 unless another status says it better.
MALFORMED = {
    # the body's length
    "two-lengths": (raw(LINE, HOST, LENGTH, b"Content-Length: 5"), (400,)),
    "two-equal-lengths": (raw(LINE, HOST, LENGTH, LENGTH), (400,)),
    "a-list-of-lengths": (with_length(b" %d, %d" % (len(BODY), len(BODY))), (400,)),
    "negative-length": (with_length(b" -1"), (400,)),
    "signed-length": (with_length(b" +%d" % len(BODY)), (400,)),
    "hexadecimal-length": (with_length(b" 0x10"), (400,)),
    "fractional-length": (with_length(b" 10.0"), (400,)),
    "empty-length": (with_length(b""), (400,)),
    "length-with-a-space-inside": (with_length(b" 1 0"), (400,)),
    "length-past-64-bits": (with_length(b" 99999999999999999999999"), (400, 413)),
    "length-and-chunked": (raw(LINE, HOST, LENGTH, CHUNKED, body=WHOLE), (400,)),
    "chunked-and-length": (raw(LINE, HOST, CHUNKED, LENGTH, body=WHOLE), (400,)),
    "chunked-and-length-0": (raw(LINE, HOST, CHUNKED, b"Content-Length: 0", body=WHOLE), (400,)),
    "length-with-underscore": (with_line(b"Content_Length: 5"), (400,)),
    # transfer codings
    "coding-gzip": (with_coding(b" gzip"), (400, 501)),
    "coding-gzip-chunked": (with_coding(b" gzip, chunked"), (400, 501)),
    "coding-chunked-identity": (with_coding(b" chunked, identity"), (400,)),
    "coding-chunked-twice": (with_coding(b" chunked, chunked"), (400,)),
    "coding-in-two-lines": (raw(LINE, HOST, CHUNKED, CHUNKED, body=WHOLE), (400,)),
    "coding-xchunked": (with_coding(b" xchunked"), (400, 501)),
    "coding-chunked-with-parameter": (with_coding(b" chunked;q=1"), (400,)),
    "coding-identity": (with_coding(b" identity"), (400, 501)),
    "coding-empty": (with_coding(b""), (400,)),
    "coding-with-vertical-tab": (with_coding(b" \x0bchunked"), (400,)),
    "coding-in-quotes": (with_coding(b' "chunked"'), (400, 501)),
    "coding-with-underscore": (raw(LINE, HOST, b"Transfer_Encoding: chunked", body=WHOLE), (400,)),
    "coding-in-http-1.0": (raw(LINE.replace(b"1.1", b"1.0"), HOST, CHUNKED, body=WHOLE), (400,)),
    # Host
    "no-host": (raw(LINE, TYPE, LENGTH), (400,)),
    "two-hosts": (raw(LINE, HOST, HOST, LENGTH), (400,)),
    "two-different-hosts": (raw(LINE, HOST, b"Host: other", LENGTH), (400,)),
    "empty-host": (raw(LINE, b"Host:", LENGTH), (400,)),
    "host-with-space": (raw(LINE, b"Host: a b", LENGTH), (400,)),
    "host-with-path": (raw(LINE, b"Host: a/b", LENGTH), (400,)),
    "host-with-user": (raw(LINE, b"Host: a@b", LENGTH), (400,)),
    "host-list": (raw(LINE, b"Host: a, b", LENGTH), (400,)),
    # header lines
    "folded-line": (with_line(b"X-A: b\r\n c"), (400,)),
    "folded-with-tab": (with_line(b"X-A: b\r\n\tc"), (400,)),
    "folded-first-line": (raw(LINE, b" X-A: b", HOST, LENGTH), (400,)),
    "space-before-the-colon": (with_line(b"X-A : b"), (400,)),
    "space-before-the-colon-of-length": (raw(LINE, HOST, b"Content-Length : 5"), (400,)),
    "space-before-the-colon-of-coding": (raw(LINE, HOST, b"Transfer-Encoding : chunked", body=WHOLE), (400,)),
    "tab-before-the-colon": (with_line(b"X-A\t: b"), (400,)),
    "line-without-colon": (with_line(b"nonsense"), (400,)),
    "empty-name": (with_line(b": b"), (400,)),
    "space-in-a-name": (with_line(b"X A: b"), (400,)),
    "control-character-in-a-name": (with_line(b"X\x01A: b"), (400,)),
    "non-ascii-name": (with_line(b"X-\xc3\xa9: b"), (400,)),
    "bracket-in-a-name": (with_line(b"X[A]: b"), (400,)),
    "nul-in-a-value": (with_line(b"X-A: b\0c"), (400,)),
    "control-character-in-a-value": (with_line(b"X-A: b\x01c"), (400,)),
    "delete-in-a-value": (with_line(b"X-A: b\x7fc"), (400,)),
    "bare-cr-in-a-value": (with_line(b"X-A: b\rX-B: c"), (400,)),
    "bare-cr-at-the-end": (with_line(b"X-A: b\r"), (400,)),
    "bare-lf-between-lines": (with_line(b"X-A: b\nX-B: c"), (400,)),
    "bare-lf-everywhere": (raw(LINE, HOST, LENGTH).replace(b"\r\n", b"\n"), (400,)),
    "bare-lf-at-the-heads-end": (LINE + b"\r\n" + HOST + b"\r\n" + LENGTH + b"\r\n\n" + BODY + b"\r\n\r\n", (400,)),
    # request line
    "two-spaces": (with_request_line(b"POST  /v1/chat/completions HTTP/1.1"), (400,)),
    "space-at-the-end": (with_request_line(LINE + b" "), (400,)),
    "tabs": (with_request_line(b"POST\t/v1/chat/completions\tHTTP/1.1"), (400,)),
    "no-version": (with_request_line(b"POST /v1/chat/completions"), (400,)),
    "lower-case-version": (with_request_line(b"POST /v1/chat/completions http/1.1"), (400, 505)),
    "version-2.0": (with_request_line(b"POST /v1/chat/completions HTTP/2.0"), (400, 505)),
    "version-1.2": (with_request_line(b"POST /v1/chat/completions HTTP/1.2"), (400, 505)),
    "version-1.10": (with_request_line(b"POST /v1/chat/completions HTTP/1.10"), (400, 505)),
    "space-before-the-method": (with_request_line(b" " + LINE), (400,)),
    "lower-case-method": (with_request_line(LINE.replace(b"POST", b"post")), (400, 501)),
    "unknown-method": (with_request_line(LINE.replace(b"POST", b"FETCH")), (400, 405, 501)),
    "method-with-control-character": (with_request_line(b"PO\x01ST /v1/chat/completions HTTP/1.1"), (400,)),
    "connect": (with_request_line(b"CONNECT weir.test:443 HTTP/1.1"), (400, 405, 501)),
    "trace": (with_request_line(b"TRACE / HTTP/1.1"), (400, 405, 501)),
    "http-2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 405, 501, 505)),
    "two-empty-lines-first": (b"\r\n\r\n" + chat_request(), (400,)),
    "a-tls-hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400,)),
    "not-http": (b"EHLO mail.test\r\n\r\n", (400,)),
    # target
    "target-without-slash": (with_target(b"v1/chat/completions"), (400,)),
    "whole-url": (with_target(b"http://elsewhere.test/v1/chat/completions"), (400,)),
    "asterisk": (with_target(b"*"), (400,)),
    "nul-in-the-target": (with_target(b"/v1/chat\0/completions"), (400,)),
    "non-ascii-target": (with_target(b"/v1/chat/\xc3\xa9"), (400,)),
    "fragment": (with_target(b"/v1/chat/completions#x"), (400,)),
    "quote-in-the-target": (with_target(b'/v1/"chat'), (400,)),
    "broken-escape": (with_target(b"/v1/files/%zz"), (400,)),
    "half-an-escape": (with_target(b"/v1/files/%4"), (400,)),
    "dot-segments": (with_target(b"/v1/files/../../admin"), (400,)),
    "single-dot-segment": (with_target(b"/v1/./files"), (400,)),
    "escaped-dot-segments": (with_target(b"/v1/files/%2e%2E/x"), (400,)),
    "too-long-target": (with_target(b"/v1/" + b"a" * 20000), (400, 414, 431)),
    # chunks
    "chunk-size-not-hex": (with_chunks(b"zz\r\n" + BODY), (400,)),
    "chunk-size-negative": (with_chunks(b"-1\r\n" + BODY), (400,)),
    "chunk-size-0x": (with_chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-size-signed": (with_chunks(b"+5\r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-size-empty": (with_chunks(b"\r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-size-with-space": (with_chunks(b"5 \r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-size-with-space-first": (with_chunks(b" 5\r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-size-past-64-bits": (with_chunks(b"fffffffffffffffff\r\n" + BODY), (400, 413)),
    "chunk-longer-than-its-size": (with_chunks(b"3\r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-line-with-bare-lf": (with_chunks(b"5\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-data-with-bare-lf": (with_chunks(b"5\r\nhello\n0\r\n\r\n"), (400,)),
    "chunk-extension-with-bare-lf": (with_chunks(b"5;a=b\nx\r\nhello\r\n0\r\n\r\n"), (400,)),
    "chunk-extension-without-end": (with_chunks(b"5;" + b"a" * 100_000), (400,)),
    "trailer-without-colon": (with_chunks(answers.one_chunk(BODY) + b"0\r\nnonsense\r\n\r\n"), (400,)),
    "trailer-with-control-character": (with_chunks(answers.one_chunk(BODY) + b"0\r\nX-A: \x01\r\n\r\n"), (400,)),
    "folded-trailer": (with_chunks(answers.one_chunk(BODY) + b"0\r\nX-A: b\r\n c\r\n\r\n"), (400,)),
    "trailer-of-70-kb": (
        with_chunks(answers.one_chunk(BODY) + b"0\r\nX-A: " + b"b" * 70_000 + b"\r\n\r\n"),
        (400, 431),
    ),
    # understood, but not taken
    "compressed-body": (with_line(b"Content-Encoding: gzip"), (415,)),
    "unknown-expectation": (with_line(b"Expect: 200-maybe"), (417,)),
    "too-many-lines": (raw(LINE, HOST, LENGTH, *[b"X-%d: y" % i for i in range(300)]), (400, 431)),
    "too-large-head": (with_line(b"X-A: " + b"b" * 40_000), (400, 431)),
}


@pytest.fixture(scope="module")
def origin():
    """A provider that must never be asked."""
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def gate_keeper(origin, tmp_path_factory):
    with Weir(tmp_path_factory.mktemp("gate"), plain_settings(origin.base_url)) as process:
        yield process


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_is_refused_and_the_connection_closed(gate_keeper, origin, name):
    """SEMANTICS 37: refused, closed, and nothing of it reaches the upstream."""
    request, statuses = MALFORMED[name]
    with gate_keeper.connect() as client:
        client.send_as_far_as_it_goes(request)
        response = client.read_response()
        expect.refused(response, statuses)
        assert response.header("x-weir-failure").startswith("client.")
        assert (response.header("connection") or "").lower() == "close"
        assert client.at_end()
    assert origin.received_bytes == 0


def test_there_are_many_kinds_of_malformed():
    assert len(MALFORMED) >= 60


def test_nothing_of_any_malformed_request_reaches_the_origin_even_with_a_good_one_behind_it(tmp_path):
    """Each is followed by a good request in the same write: whoever read on would forward that."""
    with ScriptedProvider() as origin, Weir(tmp_path, plain_settings(origin.base_url)) as weir:
        for name, (request, _) in MALFORMED.items():
            with weir.connect() as client:
                client.send_as_far_as_it_goes(request + chat_request({"model": "smuggled"}))
                assert client.read_response().status >= 400, name
                assert b"HTTP/1.1 200" not in client.read_to_end(), name
        good = chat_body("good-one")
        assert weir.chat(good).status == 200
        assert [request.body for request in origin.requests] == [good]
        assert sum(len(one.received) for one in origin.connections) == len(origin.requests[0].raw)


def test_a_good_request_before_a_malformed_one_is_answered(weir, provider):
    mark = provider.mark()
    with weir.connect() as client:
        client.send(chat_request() + MALFORMED["two-lengths"][0])
        assert client.read_response().status == 200
        expect.refused(client.read_response(), 400, "client.malformed/none")
        assert client.at_end()
    assert len(provider.since(mark)) == 1


def test_a_malformed_request_cut_at_every_byte_is_refused_the_same(gate_keeper, origin):
    request = raw(LINE, HOST, b"X-A : b", LENGTH)
    for cut in range(1, request.index(b"X-A :")):
        with gate_keeper.connect() as client:
            client.send(request[:cut]).send(request[cut:])
            assert client.read_response().status == 400
    assert origin.received_bytes == 0


# Well-formed ones.


def test_keep_alive_serves_many_calls_on_one_connection(weir):
    with weir.connect() as client:
        for _ in range(20):
            response = client.send(chat_request()).read_response()
            assert response.status == 200
            assert (response.header("connection") or "keep-alive").lower() == "keep-alive"


def test_connection_close_is_honoured(weir):
    with weir.connect() as client:
        response = client.send(chat_request(fields=[("Connection", "close")])).read_response()
        assert response.status == 200 and response.header("connection").lower() == "close"
        assert client.at_end()


@pytest.mark.parametrize("count", [2, 3, 5])
def test_pipelined_requests_are_answered_in_order(weir, provider, count):
    provider.answer_by(
        lambda request: [send(answers.reply(answers.completion(request.json()["messages"][0]["content"])))]
    )
    with weir.connect() as client:
        client.send(b"".join(chat_request({"content": f"call {i}"}) for i in range(count)))
        texts = [client.read_response().json()["choices"][0]["message"]["content"] for _ in range(count)]
    assert texts == [f"call {i}" for i in range(count)]


def test_pipelined_requests_of_every_kind(weir, provider):
    """Streams, refusals that keep the connection and other endpoints in one write."""
    events = answers.stream_events(["x"])
    provider.answer_by(
        lambda request: [
            send(answers.stream_reply(events) if request.json().get("stream") else answers.reply(answers.completion()))
        ]
    )
    with weir.connect() as client:
        client.send(
            chat_request({"stream": True})
            + request_bytes("GET", "/healthz")
            + chat_request()
            + request_bytes("GET", "/v1/models")
            + chat_request({"stream": True})
        )
        responses = [client.read_response() for _ in range(5)]
    assert [response.status for response in responses] == [200] * 5
    assert responses[0].body == responses[4].body == b"".join(answers.without_usage(events))
    assert responses[3].json()["object"] == "list"


@pytest.mark.parametrize("early", [100, 3_000, 5_000, 40_000, 300_000])
def test_bytes_that_come_early_do_not_disturb_the_call_under_way(weir, provider, model, early):
    """Pipelined bytes arrive while weir waits for the provider: what it knows of the first request stays whole."""
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion("first"))))
    second = chat_request({"content": "y" * early})
    fields = [("x-request-id", model), ("x-weir-task", "early_bytes")]
    with weir.connect() as client:
        client.send(chat_request({"model": model, "content": "x" * 2000}, fields=fields))
        gate.wait_reached()
        for at in range(0, len(second), 4096):
            client.send(second[at : at + 4096])
        # Another call on each thread shows that weir has had the time to read them.
        for _ in range(4):
            assert weir.chat().status == 200
        gate.open()
        response = client.read_response()
        assert response.json()["choices"][0]["message"]["content"] == "first"
        assert response.header("x-request-id") == model
        assert response.header("x-weir-model") == model
        assert response.header("x-weir-task") == "early_bytes"
        assert client.read_response().status == 200
    entry = weir.wait_for_call(request_id=model)
    assert (entry["model"], entry["task"], entry["outcome"]) == (model, "early_bytes", "ok")
    assert provider.requests[-1].json()["messages"][0]["content"] == "y" * early


def test_a_request_cut_at_every_byte(weir, provider):
    request = chat_request({"model": "gpt-4o-mini"})
    with weir.connect() as client:
        for cut in range(1, len(request), 3):
            client.send(request[:cut]).send(request[cut:])
            assert client.read_response().status == 200


def test_chunked_bodies_with_extensions_and_trailers(weir, provider):
    body = chat_body()
    coded = (
        b"5;name=value\r\n"
        + body[:5]
        + b'\r\n%X;a="b"\r\n' % len(body[5:])
        + body[5:]
        + b"\r\n000\r\nX-Check: sum\r\n\r\n"
    )
    with weir.connect() as client:
        for _ in range(2):
            client.send(request_bytes(body=coded, fields=[("Transfer-Encoding", "chunked")]))
            assert client.read_response().status == 200
            assert provider.requests[-1].body == body
            assert provider.requests[-1].header("x-check") is None


def test_transfer_encoding_is_read_without_regard_to_case(weir, provider):
    assert weir.call(request_bytes(body=WHOLE, fields=[("transfer-encoding", "Chunked")])).status == 200
    assert provider.requests[-1].body == BODY


def test_expect_100_continue(weir):
    body = chat_body()
    with weir.connect() as client:
        client.send(request_bytes(body=b"", fields=[("Expect", "100-continue"), ("Content-Length", str(len(body)))]))
        interim = client.read_head()
        assert interim.status == 100
        assert client.send(body).read_response().status == 200


def test_expect_100_continue_with_the_body_there_needs_no_100(weir):
    with weir.connect() as client:
        client.send(chat_request(fields=[("Expect", "100-continue")]))
        response = client.read_response()
        assert response.status == 200


def test_a_refusal_comes_instead_of_100(weir):
    """RULINGS 24."""
    with weir.connect() as client:
        client.send(request_bytes(fields=[("Expect", "100-continue"), ("Content-Length", str(1 << 30))]))
        response = client.read_response()
        assert response.status == 413 and not response.interim


def test_http_1_0_is_answered_and_closed(weir):
    with weir.connect() as client:
        response = client.send(chat_request(version="HTTP/1.0")).read_response()
        assert response.status == 200 and response.framing in ("length", "close")
        assert client.at_end()


def test_http_1_0_streams_are_not_chunked(weir, provider):
    events = answers.stream_events(["a", "b"])
    provider.answer_next(send(answers.stream_reply(events)))
    response = weir.chat({"stream": True}, version="HTTP/1.0")
    assert response.framing == "close"
    assert response.body == b"".join(answers.without_usage(events))


def test_empty_header_values_are_legal(weir):
    assert weir.chat(fields=[("X-Empty", ""), ("OpenAI-Beta", ""), ("X-Request-Id", "")]).status == 200


def test_a_bearer_key_may_contain_spaces(weir):
    """SEMANTICS 34; weir without keys looks at no key."""
    assert weir.chat(fields=[("Authorization", "Bearer a key  with spaces")]).status == 200


def test_one_empty_line_before_the_request_is_skipped(weir):
    """RFC 9112 section 2.2."""
    assert weir.call(b"\r\n" + chat_request()).status == 200


@pytest.mark.parametrize("size", [1_000_000, 1_200_000, 5_000_000], ids=["1MB", "1.2MB", "5MB"])
def test_bodies_past_one_megabyte_pass_whole(weir, provider, size):
    """SEMANTICS 29."""
    body = chat_body(content="é" * (size // 2))
    assert weir.chat(body).status == 200
    assert provider.requests[-1].body == body


def test_a_large_reply_passes_whole(weir, provider):
    body = answers.completion("x" * 5_000_000)
    provider.answer_next(send(answers.reply(body)))
    assert weir.chat().body == body


def test_a_reply_past_16_mib_passes_whole(weir, provider):
    """RULINGS 3: relayed as it arrives, without cost headers."""
    body = answers.completion("x" * (17 << 20))
    provider.answer_next(send(answers.reply(body)))
    response = weir.chat()
    assert response.body == body
    assert response.header("x-weir-cost-usd") is None


# Request ids.


def test_a_good_request_id_is_echoed(weir):
    for good in ("abc", "A.b_c:d-1", "x" * 128):
        assert weir.chat(fields=[("X-Request-Id", good)]).header("x-request-id") == good


def test_a_bad_request_id_is_replaced(weir):
    seen = set()
    for bad in ("", "x" * 129, "with space", 'quo"te', "semi;colon"):
        got = weir.chat(fields=[("X-Request-Id", bad)]).header("x-request-id")
        assert got and got != bad
        seen.add(got)
    assert len(seen) == 5


def test_errors_carry_a_request_id_too(weir):
    assert weir.chat(b"{", fields=[("X-Request-Id", "mine")]).header("x-request-id") == "mine"
    assert weir.chat(b"{").header("x-request-id")


# Limits.


@pytest.fixture(scope="module")
def narrow(provider, tmp_path_factory):
    limits = {"body": "64KiB", "head": "4KiB"}
    with Weir(tmp_path_factory.mktemp("narrow"), plain_settings(provider.base_url) | {"limits": limits}) as process:
        yield process


@pytest.fixture(scope="module")
def impatient(provider, tmp_path_factory):
    """Apart from `narrow`: what is to be refused for its size must not be too slow for it."""
    limits = {"head_time": "300ms", "body_time": "300ms", "idle": "2s"}
    with Weir(tmp_path_factory.mktemp("impatient"), plain_settings(provider.base_url) | {"limits": limits}) as process:
        yield process


def test_too_large_a_body_is_refused_and_names_the_limit(narrow, provider):
    mark = provider.mark()
    response = narrow.chat({"content": "x" * 70_000})
    expect.refused(response, 413, "client.too_large/none", says="limits.body")
    assert not provider.since(mark)


def test_too_large_a_chunked_body_is_refused_while_it_comes(narrow, provider):
    mark = provider.mark()
    body = answers.chunked(chat_body(content="x" * 200_000), 5000)
    with narrow.connect() as client:
        client.send_as_far_as_it_goes(request_bytes(body=body, fields=[("Transfer-Encoding", "chunked")]))
        expect.refused(client.read_response(), 413, "client.too_large/none", says="limits.body")
    assert not provider.since(mark)


def test_a_body_at_the_limit_passes(narrow):
    content = "x" * (65536 - len(chat_body(content="")))
    assert len(chat_body(content=content)) == 65536
    assert narrow.chat({"content": content}).status == 200
    assert narrow.chat({"content": content + "x"}).status == 413


def test_too_large_a_head_is_431(narrow):
    expect.refused(narrow.chat(fields=[("X-A", "b" * 5000)]), 431)


def test_too_slow_a_head_is_408(impatient):
    with impatient.connect() as client:
        client.send(LINE + b"\r\nHost: we")
        expect.refused(client.read_response(), 408, says="head_time")
        assert client.at_end()


def test_a_head_that_drips_is_no_less_slow(impatient):
    """The limit counts from the request's first byte, not from the last one."""
    with impatient.connect() as client:
        client.sock.settimeout(0.05)
        for i in range(0, 200):
            client.send_as_far_as_it_goes(
                b"P" if i == 0 else b"OST /v1/chat/completions HTTP/1.1\r\n" if i == 1 else b"X"
            )
            try:
                if client.receive_some():
                    break
            except TimeoutError:
                continue
        client.sock.settimeout(TIMEOUT)
        assert client.read_response().status == 408


def test_too_slow_a_body_is_408(impatient, provider):
    mark = provider.mark()
    with impatient.connect() as client:
        client.send(chat_request()[:-5])
        expect.refused(client.read_response(), 408, says="body_time")
        assert client.at_end()
    assert not provider.since(mark)


def test_an_idle_connection_is_closed_without_a_word(impatient):
    with impatient.connect() as client:
        assert client.at_end()
    with impatient.connect() as client:
        client.send(chat_request()).read_response()
        assert client.at_end()


def test_the_idle_limit_does_not_count_while_an_answer_is_awaited(impatient, provider):
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with impatient.connect() as client:
        client.send(chat_request())
        gate.wait_reached()
        with impatient.connect() as idle:
            assert idle.at_end()  # the idle limit has passed
        gate.open()
        assert client.read_response().status == 200


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9], ids=["in-the-request-line", "in-the-head", "in-the-body"])
def test_half_a_request_leaves_no_trace_at_the_origin(gate_keeper, origin, kept):
    request = chat_request()
    with gate_keeper.connect() as client:
        client.send(request[: int(len(request) * kept)]).half_close()
        left = client.read_to_end()
        assert b"HTTP/1.1 200" not in left
    assert origin.received_bytes == 0


# Paths and methods.


def test_healthz_on_the_data_port(weir):
    assert weir.get("/healthz").status == 200


@pytest.mark.parametrize("path", ["/", "/foo", "/v2/chat/completions", "/metrics", "/api/calls/1", "/readyz", "/batch"])
def test_an_unknown_path_is_404(weir, provider, path):
    mark = provider.mark()
    expect.refused(weir.get(path), 404, "client.not_found/none")
    assert not provider.since(mark)


def test_an_unknown_path_keeps_the_connection(weir):
    with weir.connect() as client:
        assert client.send(request_bytes("GET", "/foo")).read_response("GET").status == 404
        assert client.send(chat_request()).read_response().status == 200


def test_connections_past_the_limit_wait_or_are_refused_and_come_back(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url) | {"limits": {"connections": 4}})
    held = [RawClient(weir.port) for _ in range(4)]
    for client in held:
        assert client.send(chat_request()).read_response().status == 200
    for client in held:
        client.close()

    # As soon as weir has seen them go there is room again.
    def served():
        try:
            return call(weir.port, chat_request()).status == 200
        except (AssertionError, OSError):
            return False

    assert wait_until(served, "room for a connection")
