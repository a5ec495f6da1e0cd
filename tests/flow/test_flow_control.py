"""Back-pressure from the client to the provider, and many streams at once."""

import asyncio

from conftest import plain_settings
from fakes import answers, expect
from fakes.answers import chunk, event
from fakes.provider import Gate, repeat, send
from fakes.raw_http import chat_request, request_bytes, wait_until
from fakes.weir_process import is_sanitized

STREAMS = 200


def stands_still(read, seconds=0.3):
    """True when the value does not change for that long (looked at often: this is about something not happening)."""
    before = read()
    try:
        wait_until(lambda: read() != before, "", timeout=seconds)
    except AssertionError:
        return True
    return False


def test_a_slow_reader_holds_the_provider_back(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url))
    weir.chat()
    events = event(chunk({"content": "x" * 60_000}))
    total = 64 << 20
    count = total // len(events)
    one = answers.one_chunk(events)
    end = answers.one_chunk(event(chunk({}, "stop"))) + answers.one_chunk(answers.SSE_DONE) + b"0\r\n\r\n"
    provider.answer_next(send(answers.stream_head()), repeat(lambda _: one, count), send(end))
    mark = provider.mark()
    before = weir.resident_kib()
    with weir.connect(receive_buffer=65536) as client:
        client.send(chat_request({"stream": True}))
        head = client.read_head()
        upstream = provider.connections[provider.wait_for_requests(mark + 1)[mark].connection]
        wait_until(lambda: stands_still(lambda: upstream.sent_bytes), "the provider's sends to be held back")
        assert upstream.sent_bytes < total // 2
        assert weir.resident_kib() - before < 16 << 10 or is_sanitized()
        body = client.read_body(head).body
    assert body == events * count + event(chunk({}, "stop")) + answers.SSE_DONE


def test_a_slow_reader_of_a_raw_answer_holds_the_provider_back(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url))
    weir.chat()
    block, count = bytes(range(256)) * 256, 1024
    head = answers.head(200, "application/octet-stream", [("Content-Length", len(block) * count)])
    provider.answer_next(send(head), repeat(lambda _: block, count))
    mark = provider.mark()
    before = weir.resident_kib()
    with weir.connect(receive_buffer=65536) as client:
        client.send(request_bytes("GET", "/v1/files/f/content"))
        response = client.read_head()
        upstream = provider.connections[provider.wait_for_requests(mark + 1)[mark].connection]
        wait_until(lambda: stands_still(lambda: upstream.sent_bytes), "the provider's sends to be held back")
        assert upstream.sent_bytes < len(block) * count // 2
        assert weir.resident_kib() - before < 16 << 10 or is_sanitized()
        assert client.read_body(response, "GET").body == block * count


def test_many_slow_streams_at_once_lose_no_byte(weir_with, provider):
    """Each stream is told apart by its words; all are under way at the same time."""
    weir = weir_with(plain_settings(provider.base_url))
    under_way = set()
    all_under_way = asyncio.Event()

    def words(name):
        return [f"{name}-{i} é€😀 " for i in range(30)]

    def script(request):
        name = request.json()["messages"][0]["content"]
        events = [answers.one_chunk(one) for one in answers.stream_events(words(name))]

        async def wait_for_all(_connection):
            under_way.add(name)
            if len(under_way) == STREAMS:
                all_under_way.set()
            await all_under_way.wait()

        async def slowly(connection):
            for one in events[5:]:
                await connection.write(one)
                await asyncio.sleep(0.01)

        return [send(answers.stream_head() + b"".join(events[:5])), wait_for_all, slowly, send(b"0\r\n\r\n")]

    provider.answer_by(script)

    async def read_one(name):
        reader, writer = await asyncio.open_connection("127.0.0.1", weir.port)
        writer.write(chat_request({"stream": True, "content": name, "model": "many"}))
        data = b""
        while b"\r\n0\r\n\r\n" not in data:
            more = await asyncio.wait_for(reader.read(1 << 16), 60)
            assert more, f"{name} ended after {data[-200:]!r}"
            data += more
        writer.close()
        body, _ = answers.dechunk(data, data.index(b"\r\n\r\n") + 4)
        return name, body

    async def read_all():
        return await asyncio.gather(*(read_one(f"stream-{i}") for i in range(STREAMS)))

    for name, body in asyncio.run(read_all()):
        assert body == b"".join(answers.without_usage(answers.stream_events(words(name)))), name
    page = weir.metrics()
    assert page.value("weir_requests_total", model="many", outcome="ok") == STREAMS
    assert page.value("weir_inflight") == 0
    wait_until(lambda: len(weir.calls(model="many")) == STREAMS, "a line for each")


def test_a_large_body_does_not_stall_other_calls(weir_with, provider):
    """While 10 MB of numbers are checked and forwarded, small calls go on."""
    weir = weir_with(plain_settings(provider.base_url) | {"threads": 1})
    large = b'{"model":"gpt-4o-mini","messages":[],"x":[' + b"1.5," * 2_500_000 + b"1]}"
    with weir.connect() as big, weir.connect() as small:
        big.send(chat_request(large))
        for _ in range(20):
            assert small.send(chat_request()).read_response().status == 200
        assert big.read_response().status == 200
    assert any(request.body == large for request in provider.requests)


def test_calls_beyond_limits_in_flight_are_refused_at_once(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url) | {"limits": {"in_flight": 1}})
    gate = Gate()
    mark = provider.mark()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with weir.connect() as first:
        first.send(chat_request())
        wait_until(lambda: provider.since(mark), "the first call at the provider")
        refused = weir.chat()
        expect.refused(refused, 503, "gateway.busy/none", code="gateway_busy", says="limits.in_flight")
        assert refused.header("retry-after") == "1" and refused.header("x-should-retry") is None
        gate.open()
        assert first.read_response().status == 200
    assert weir.chat().status == 200
    assert len(provider.since(mark)) == 2
