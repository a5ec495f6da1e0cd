"""More calls than there are places: refused at once or in a short line; those inside and the operators go on."""

import time

import pytest

from conftest import PATIENT, openai_provider, plain_settings
from fakes import answers, expect
from fakes.provider import Gate, repeat, send
from fakes.raw_http import RawClient, chat_request, request_bytes, wait_until
from fakes.weir_process import is_sanitized


def reply():
    return send(answers.reply(answers.completion()))


def limited(provider, queue=None, **limits):
    settings = plain_settings(provider.base_url) | {"limits": limits}
    return settings | ({"queue": {"max": queue}} if queue else {})


class Busy:
    """Fills places with calls that wait at the provider until the end of the block."""

    def __init__(self, weir, provider, count=1):
        self.weir, self.provider, self.count = weir, provider, count
        self.gate = Gate()
        self.clients = []

    def __enter__(self):
        mark = self.provider.mark()
        for _ in range(self.count):
            self.provider.answer_next(self.gate, reply())
            self.clients.append(self.weir.connect())
            self.clients[-1].send(chat_request())
        self.provider.wait_for_requests(mark + self.count)
        return self

    def leave(self):
        self.gate.open()
        for client in self.clients:
            assert client.read_response().status == 200
            client.close()
        self.clients = []

    def __exit__(self, *_):
        self.leave()


def waiting(weir):
    return weir.metrics().value("weir_queue_waiting")


# Without a queue.


def test_calls_beyond_the_places_are_refused_and_counted(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=3))
    with Busy(weir, provider, 3):
        mark = provider.mark()
        for _ in range(5):
            refused = weir.chat()
            expect.refused(refused, 503, "gateway.busy/none", code="gateway_busy", says="limits.in_flight allows (3)")
            assert refused.header("retry-after") == "1"
        assert not provider.since(mark)
    page = weir.metrics()
    assert page.value("weir_requests_total", outcome="gateway_error") == 5
    assert page.value("weir_requests_total", outcome="ok") == 3
    wait_until(lambda: len(weir.calls(failure="gateway.busy")) == 5, "a line for each")
    assert weir.chat().status == 200


def test_a_body_that_has_not_come_is_not_waited_for(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1))
    with Busy(weir, provider):
        for fields in ([("Content-Length", "1000000")], [("Transfer-Encoding", "chunked")]):
            with weir.connect() as client:
                client.send(request_bytes(fields=fields))
                refused = client.read_response()
                assert refused.status == 503 and refused.header("connection") == "close"
        with weir.connect() as client:
            client.send(request_bytes(fields=[("Content-Length", "100"), ("Expect", "100-continue")]))
            assert client.read_response().interim == [], "no 100 before a refusal"
        # One whose body came with its head keeps its connection.
        with weir.connect() as client:
            for _ in range(3):
                refused = client.send(chat_request()).read_response()
                assert refused.status == 503 and refused.header("connection") is None


def test_a_client_that_is_slow_to_send_holds_no_place(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1))
    request = chat_request(fields=[("Expect", "100-continue")])
    head_end = request.index(b"\r\n\r\n") + 4
    with weir.connect() as slow:
        slow.send(request[:head_end])
        # The sign that weir waits for its body: were the head read only while another call has the place, it would be
        # refused at once, as the test above wants it.
        assert slow.read_head().status == 100
        slow.send(request[head_end:-10])
        for _ in range(3):
            assert weir.chat().status == 200
        assert slow.send(request[-10:]).read_response().status == 200


def test_health_models_and_operators_are_answered_when_all_is_full(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1, connections=2))
    with Busy(weir, provider), weir.connect() as second:
        assert second.send(request_bytes("GET", "/healthz")).read_response("GET").status == 200
        assert second.send(request_bytes("GET", "/v1/models")).read_response("GET").status == 200
        with weir.connect() as third:
            refused = third.read_response()  # past limits.connections
            assert refused.status == 503 and "limits.connections" in refused.body.decode()
        for path in ("/healthz", "/readyz", "/metrics", "/api/calls/x"):
            assert weir.admin(path).status == 200


def test_pass_throughs_have_places_too(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1))
    with Busy(weir, provider):
        assert weir.get("/v1/files").status == 503
    provider.answer_next(send(answers.head(200, "application/json", [("Content-Length", 2)]) + b"{}"))
    assert weir.get("/v1/files").status == 200


# With one.


def test_a_call_waits_for_a_place(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1, queue="60s"))
    busy = Busy(weir, provider)
    with busy, weir.connect() as client:
        client.send(chat_request())
        wait_until(lambda: waiting(weir) == 1, "the call to wait")
        busy.leave()
        assert client.read_response().status == 200
    assert waiting(weir) == 0


def test_a_call_that_waited_long_enough_is_refused(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1, queue="300ms"))
    with Busy(weir, provider):
        began = time.monotonic()
        refused = weir.chat()
        assert time.monotonic() - began >= 0.3
        expect.refused(refused, 503, "gateway.busy/none", code="gateway_busy", says="limits.in_flight")
        assert refused.header("retry-after") == "1"


def test_the_line_is_first_come_first_served_over_all_threads(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1, queue="60s") | {"threads": 2})
    count = 12
    busy = Busy(weir, provider)
    with busy:
        clients = []
        for i in range(count):
            clients.append(weir.connect().send(chat_request({"content": f"call {i}"})))
            wait_until(lambda i=i: waiting(weir) == i + 1, "its turn in the line")
        mark = provider.mark()
        busy.leave()
        for client in clients:
            assert client.read_response().status == 200
            client.close()
    came = [request.json()["messages"][0]["content"] for request in provider.since(mark)]
    assert came == [f"call {i}" for i in range(count)]


def test_a_client_that_leaves_the_line_makes_room(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1, queue="60s"))
    busy = Busy(weir, provider)
    with busy:
        mark = provider.mark()
        gone = weir.connect().send(chat_request())
        wait_until(lambda: waiting(weir) == 1, "the call to wait")
        stays = weir.connect().send(chat_request({"model": "stays"}))
        wait_until(lambda: waiting(weir) == 2, "both to wait")
        gone.close()
        wait_until(lambda: waiting(weir) == 1, "the line to be shorter")
        assert weir.wait_for_call(outcome="client_left")["attempts"] == 0
        busy.leave()
        assert stays.read_response().status == 200
        stays.close()
    assert [request.json()["model"] for request in provider.since(mark)] == ["stays"]


def test_the_queue_changes_with_a_reload(weir_with, provider):
    weir = weir_with(limited(provider, in_flight=1))
    with Busy(weir, provider):
        assert weir.chat().status == 503
        weir.write_settings(queue={"max": "60s"})
        weir.wait_for_message("reloaded")

        def waits():
            with weir.connect() as client:
                client.send(chat_request())
                try:
                    wait_until(lambda: waiting(weir) == 1, "", timeout=1)
                except AssertionError:
                    return False
                return True

        wait_until(waits, "calls to wait")


# Memory and slow clients.


def test_large_bodies_share_a_bounded_memory(weir_with, provider):
    weir = weir_with(limited(provider, body="2MiB", bodies="2MiB"))
    large = chat_request({"content": "x" * 1_500_000})
    gate = Gate()
    mark = provider.mark()
    provider.answer_next(gate, reply())
    with weir.connect() as first:
        first.send(large)
        provider.wait_for_requests(mark + 1)
        refused = weir.chat({"content": "x" * 1_500_000})
        expect.refused(refused, 503, "gateway.busy/none", code="gateway_busy", says="limits.bodies")
        assert refused.header("retry-after") == "1"
        assert weir.chat().status == 200  # a small one costs nothing there
        gate.open()
        assert first.read_response().status == 200
    # Its bytes are given back when its last ones have left, a moment after the client has them.
    wait_until(lambda: weir.chat({"content": "x" * 1_500_000}).status == 200, "room for another large one")


def test_memory_stays_within_bounds_in_a_flood_of_bodies(weir_with, provider):
    weir = weir_with(limited(provider, body="8MiB", bodies="16MiB"))
    weir.chat()
    before = weir.resident_kib()
    gate = Gate()
    provider.answer_by(lambda _: [gate, reply()])
    clients = []
    for _ in range(12):
        client = RawClient(weir.port)
        client.send_as_far_as_it_goes(chat_request({"content": "x" * 4_000_000}))
        clients.append(client)
    refused = 0
    wait_until(lambda: weir.metrics().value("weir_requests_total", outcome="gateway_error") >= 8, "refusals")
    assert is_sanitized() or weir.resident_kib() - before < 48 << 10
    gate.open()
    for client in clients:
        refused += client.read_response().status == 503
        client.close()
    assert refused == 8  # four of 4 MB fit into 16 MiB


def test_a_stalled_client_ends_its_provider_connection_with_the_calls_time(weir_with, provider):
    """limits::client_write_time (60 s, see server_session_test) ends who takes nothing; `total` ends who takes a little."""
    settings = plain_settings(provider.base_url)
    settings["providers"]["up"] = openai_provider(
        provider.base_url, timeouts=PATIENT | {"total": "1500ms"}
    )
    weir = weir_with(settings)
    event = answers.one_chunk(answers.event(answers.chunk({"content": "x" * 60_000})))
    provider.answer_next(send(answers.stream_head()), repeat(lambda _: event))
    mark = provider.mark()
    with weir.connect(receive_buffer=4096) as client:
        client.send(chat_request({"stream": True, "model": "stalled"}))
        client.read_head()
        upstream = provider.connections[provider.wait_for_requests(mark + 1)[mark].connection]
        end = time.monotonic() + 60
        while not upstream.closed.is_set():
            try:
                client.sock.recv(100)  # a little now and then: it has not left
            except ConnectionResetError:
                pass  # weir has ended the call: the provider's end may be seen a moment later
            assert time.monotonic() < end, "the provider's connection is held"
            time.sleep(0.05)


@pytest.mark.parametrize("value", ["2MiB", "auto"])
def test_the_limits_in_force_are_said(weir_with, provider, value):
    weir = weir_with(limited(provider, body="1MiB", bodies=value, in_flight="auto" if value == "auto" else 5))
    said = weir.wait_for_message(r"at most (\d+) calls at once \(limits.in_flight\) and (\d+) MiB")
    calls, mebibytes = map(int, said.groups())
    assert (calls, mebibytes) == (5, 2) if value != "auto" else calls >= 16 and mebibytes >= 64
