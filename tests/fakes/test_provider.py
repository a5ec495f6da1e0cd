"""The scripted provider does what its scripts say, and the raw client reads it strictly."""

import ssl

import pytest

from fakes import answers
from fakes.certificates import Authority
from fakes.metrics_page import MetricsPage
from fakes.provider import Gate, ScriptedProvider, close, drip, half_close, repeat, reset, send, send_pieces, silence
from fakes.raw_http import ConnectionEnded, RawClient, call, chat_request, request_bytes, wait_until


@pytest.fixture
def provider():
    with ScriptedProvider() as scripted:
        yield scripted
        assert not scripted.errors


def test_every_byte_received_is_recorded(provider):
    request = chat_request({"content": "Grüße"}, fields=[("X-Empty", ""), ("X-One", "a b")])
    call(provider.port, request)
    assert bytes(provider.connections[0].received) == request
    assert provider.requests[0].raw == request
    assert provider.requests[0].header("x-empty") == ""
    assert provider.requests[0].json()["messages"][0]["content"] == "Grüße"


def test_chunked_request_bodies_are_decoded(provider):
    body = b'{"a":1}'
    call(provider.port, request_bytes(body=answers.chunked(body, 3), fields=[("Transfer-Encoding", "chunked")]))
    assert provider.requests[0].body == body


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_one_answer_in_each_framing(provider, framing):
    body = answers.completion()
    steps = [send(answers.reply(body, framing=framing, chunk_size=7))]
    provider.answer_next(*steps, *([close()] if framing == "close" else []))
    response = call(provider.port, chat_request())
    assert (response.body, response.framing) == (body, framing)


def test_an_answer_cut_at_every_byte_is_the_same_answer(provider):
    whole = answers.reply(b'{"x":1}', framing="chunked", chunk_size=3)
    with RawClient(provider.port) as client:
        for cut in range(1, len(whole)):
            provider.answer_next(send_pieces([whole[:cut], whole[cut:]], gap=0))
            assert client.send(chat_request()).read_response().body == b'{"x":1}'
    assert [request.nth_on_connection for request in provider.requests] == list(range(len(whole) - 1))


def test_scripts_are_played_in_order_then_the_standing_one(provider):
    provider.answer_always(send(answers.reply(b"standing")))
    provider.answer_next(send(answers.reply(b"first")))
    assert [call(provider.port, chat_request()).body for _ in range(3)] == [b"first", b"standing", b"standing"]
    provider.answer_by(lambda request: [send(answers.reply(request.target.encode()))])
    assert call(provider.port, request_bytes("GET", "/where"), method="GET").body == b"/where"


def test_pipelined_requests_are_taken_one_by_one(provider):
    with RawClient(provider.port) as client:
        client.send(chat_request() * 3)
        assert [client.read_response().status for _ in range(3)] == [200] * 3


def test_reset_and_close_and_half_close(provider):
    for step in (reset(), close(), half_close()):
        provider.answer_next(send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), step)
        with pytest.raises(ConnectionEnded):
            call(provider.port, chat_request())


def test_reset_on_accept(provider):
    provider.on_accept_next(reset())
    try:
        with RawClient(provider.port) as client:
            assert client.at_end()
    except ConnectionResetError:
        pass  # came so early that connect() told it
    provider.wait_for_connections(1)
    assert not provider.requests


def test_a_gate_holds_the_answer_and_the_clients_leaving_is_seen(provider):
    gate = Gate()
    provider.answer_next(send(b"HTTP/1.1 200 OK\r\n"), gate, send(b"Content-Length: 0\r\n\r\n"))
    with RawClient(provider.port) as client:
        client.send(chat_request())
        gate.wait_reached()
        assert client.read_until(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
        gate.open()
        client.read_until(b"\r\n\r\n")
    provider.answer_next(silence())
    with RawClient(provider.port) as client:
        client.send(chat_request())
        provider.wait_for_requests(2)
    provider.wait_closed()


def test_sends_block_while_the_client_does_not_read(provider):
    provider.answer_next(send(answers.stream_head("close")), repeat(lambda _: b"x" * 65536))
    with RawClient(provider.port, receive_buffer=16384) as client:
        client.send(chat_request())
        provider.wait_for_requests(1)

        def stands_still():
            before = provider.connections[0].sent_bytes
            try:
                wait_until(lambda: provider.connections[0].sent_bytes != before, "", timeout=0.2)
            except AssertionError:
                return before > 0
            return False

        assert wait_until(stands_still, "the sends to stand still")
        assert provider.connections[0].sent_bytes < 16 << 20


def test_drip_ends_when_the_client_goes(provider):
    provider.answer_next(drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000, gap=0.001))
    with RawClient(provider.port) as client:
        client.send(chat_request())
        client.read_until(b"HTTP")
    provider.wait_closed()


def test_tls_server_name_and_failed_handshake(tmp_path):
    authority = Authority(tmp_path)
    with ScriptedProvider(tls=authority.issue("localhost").server_context()) as provider:
        assert provider.base_url.startswith("https://")
        assert call(provider.port, chat_request(), tls=authority.client_context()).status == 200
        assert provider.server_names == ["localhost"]
        with pytest.raises(ssl.SSLError):
            call(provider.port, chat_request(), tls=ssl.create_default_context())


def test_stream_events_and_what_a_client_sees_that_did_not_ask_for_usage():
    events = answers.stream_events(["a"])
    assert sum(b'"usage":null' in one for one in events) == 3
    seen = answers.without_usage(events)
    assert b"usage" not in b"".join(seen)
    assert seen[-1] == answers.SSE_DONE and len(seen) == len(events) - 1


def test_metrics_page_is_read():
    page = MetricsPage('# HELP a b\n# TYPE a counter\na{x="1",y="q\\"{}"} 2\na{x="2"} 3e0\nb 7\n')
    assert page.value("a") == 5 and page.value("a", x="1") == 2 and page.value("b") == 7
    assert page.types == {"a": "counter"}
    assert page.series("a", x="1")[0][0]["y"] == 'q\\"{}'
