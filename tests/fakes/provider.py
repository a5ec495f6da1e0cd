"""A provider that plays byte-exact answers, cut anywhere, and faults; and records every byte it received.

An answer is a script: a list of steps, each an `async def step(connection)`. One script is played per request, in the
order of `answer_next()`; requests beyond those get the script of `answer_always()`. `on_accept_next()` plays a script
before the first byte of a connection was read. Everything runs on one thread with its own event loop; the methods here
may be called from the test's thread.
"""

import asyncio
import concurrent.futures
import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Awaitable, Callable

from fakes import answers

Step = Callable[["Connection"], Awaitable[None]]
DEFAULT_TIMEOUT = 60.0


@dataclass
class Request:
    """One request as it arrived."""

    connection: int
    raw: bytes
    method: str
    target: str
    fields: list
    body: bytes
    nth_on_connection: int

    def header(self, name):
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return values[0] if values else None

    def headers(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)


class Gate:
    """A step waits for it, the test opens it."""

    def __init__(self):
        self._future = concurrent.futures.Future()
        self._reached = threading.Event()

    def open(self):
        if not self._future.done():
            self._future.set_result(None)

    def wait_reached(self, timeout=DEFAULT_TIMEOUT):
        assert self._reached.wait(timeout), "the script did not come to this gate"

    async def __call__(self, connection):
        self._reached.set()
        await asyncio.wrap_future(self._future)


def send(data):
    async def step(connection):
        await connection.write(data)

    return step


def send_pieces(pieces, gap=0.001):
    """Each piece in a write of its own; the gap lets the reader take them one by one (no event tells that it did)."""

    async def step(connection):
        for index, piece in enumerate(pieces):
            if index and gap:
                await asyncio.sleep(gap)
            await connection.write(piece)

    return step


def drip(data, size=1, gap=0.05):
    """Slowly and for ever on; ends when all was sent or the other side closed."""
    return send_pieces([data[i : i + size] for i in range(0, len(data), size)], gap)


def close():
    async def step(connection):
        connection.transport_close()

    return step


def half_close():
    async def step(connection):
        connection.half_closed = True
        connection.writer.write_eof()

    return step


def reset():
    """A TCP reset instead of an orderly end."""

    async def step(connection):
        connection.reset()

    return step


def silence():
    """Not a byte until the other side closes."""

    async def step(connection):
        await connection.ended.wait()

    return step


def repeat(make_bytes, count=None):
    """Sends make_bytes(i) for i = 0, 1, …; for ever without a count."""

    async def step(connection):
        i = 0
        while count is None or i < count:
            await connection.write(make_bytes(i))
            i += 1

    return step


class Connection:
    def __init__(self, provider, index, reader, writer):
        self.provider = provider
        self.index = index
        self.reader = reader
        self.writer = writer
        self.received = bytearray()
        self.requests = []
        self.sent_bytes = 0
        self.closed = threading.Event()
        self.ended = asyncio.Event()
        self.ended_how = None
        self.half_closed = False
        self._taken = 0
        self._news = asyncio.Event()

    async def write(self, data):
        if self.ended_how == "reset" or self.half_closed:
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()
        self.sent_bytes += len(data)

    def transport_close(self):
        self.writer.close()

    def reset(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def pump(self):
        """Reads all the time, so that the other side's leaving is seen in every phase."""
        try:
            while data := await self.reader.read(1 << 18):
                self.received += data
                self._news.set()
            self.ended_how = self.ended_how or "eof"
        except (ConnectionError, OSError):
            self.ended_how = "reset"
        finally:
            self.ended.set()
            self._news.set()
            self.closed.set()
            self.provider._changed()

    async def _until(self, find):
        while True:
            found = find()
            if found is not None:
                return found
            if self.ended.is_set():
                return None
            self._news.clear()
            await self._news.wait()

    async def next_request(self):
        start = self._taken

        def head_end():
            at = self.received.find(b"\r\n\r\n", start)
            return None if at < 0 else at + 4

        end = await self._until(head_end)
        if end is None:
            return None
        lines = bytes(self.received[start : end - 4]).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        fields = [(line.split(":", 1)[0], line.split(":", 1)[1].strip()) for line in lines[1:]]
        by_name = {name.lower(): value for name, value in fields}
        if by_name.get("transfer-encoding", "").lower() == "chunked":
            result = await self._until(lambda: answers.dechunk(self.received, end))
            if result is None:
                return None
            body, self._taken = result
        else:
            size = int(by_name.get("content-length", "0"))
            if await self._until(lambda: True if len(self.received) >= end + size else None) is None:
                return None
            body, self._taken = bytes(self.received[end : end + size]), end + size
        raw = bytes(self.received[start : self._taken])
        request = Request(self.index, raw, method, target, fields, body, len(self.requests))
        self.requests.append(request)
        return request


def _good_answer(_request):
    return [send(answers.reply(answers.completion()))]


def good(text):
    """For answer_by: the text as a whole reply or a stream, as it is asked for."""

    def answer(request):
        if request.json().get("stream"):
            chunks = [answers.chunk({"content": text}), answers.chunk({}, "stop")]
            return [send(answers.stream_reply([*map(answers.event, chunks), answers.SSE_DONE]))]
        return [send(answers.reply(answers.completion(text)))]

    return answer


@dataclass
class _Scripts:
    queue: list = field(default_factory=list)
    on_accept: list = field(default_factory=list)
    always: Callable = _good_answer


class ScriptedProvider:
    """`with ScriptedProvider() as provider:` listens on a free port of 127.0.0.1."""

    def __init__(self, tls=None):
        self._tls = tls
        self._scripts = _Scripts()
        self._news = threading.Condition()
        self.connections = []
        self.requests = []
        self.failed_handshakes = 0
        self.server_names = []
        self.errors = []

    def __enter__(self):
        started = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), daemon=True)
        self._thread.start()
        self.port = started.result(DEFAULT_TIMEOUT)
        scheme = "https" if self._tls else "http"
        self.base_url = f"{scheme}://127.0.0.1:{self.port}/v1"
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEFAULT_TIMEOUT)

    # What it will do.

    def answer_next(self, *steps):
        self._scripts.queue.append(list(steps))

    def answer_always(self, *steps):
        self._scripts.always = lambda _request: steps

    def answer_by(self, function):
        """function(request) → steps."""
        self._scripts.always = function

    def on_accept_next(self, *steps):
        self._scripts.on_accept.append(list(steps))

    def reset_scripts(self):
        """Back to a plain good answer for everything; the record stays."""
        self.settle()
        self._scripts = _Scripts()

    def settle(self):
        """Takes what has arrived: a call that weir gave up may be seen late, and would take the script of another one."""
        for _ in range(20):  # accepted, read, parsed, answered: each in a turn of the loop
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(DEFAULT_TIMEOUT)

    # What happened.

    @property
    def received_bytes(self):
        return sum(len(connection.received) for connection in self.connections)

    def wait_until(self, condition, what, timeout=DEFAULT_TIMEOUT):
        with self._news:
            assert self._news.wait_for(condition, timeout), f"the provider waited {timeout} s for {what}"

    def wait_for_requests(self, count, timeout=DEFAULT_TIMEOUT):
        self.wait_until(lambda: len(self.requests) >= count, f"{count} requests, had {len(self.requests)}", timeout)
        return self.requests

    def wait_for_connections(self, count, timeout=DEFAULT_TIMEOUT):
        self.wait_until(lambda: len(self.connections) >= count, f"{count} connections", timeout)
        return self.connections

    def wait_closed(self, connection=-1, timeout=DEFAULT_TIMEOUT):
        """Waits until the other side has closed that connection."""
        self.wait_until(lambda: self.connections[connection].closed.is_set(), "the connection's end", timeout)

    def mark(self):
        self.settle()
        return len(self.requests)

    def since(self, mark):
        return self.requests[mark:]

    # The event loop's side.

    def _changed(self):
        with self._news:
            self._news.notify_all()

    async def _run(self, started):
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._on_loop_error)
        self._stop = asyncio.Event()
        if self._tls is not None:
            self._tls.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
        self._tasks = set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, backlog=1024, limit=1 << 20)
        started.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_loop_error(self, _loop, context):
        if isinstance(context.get("exception"), (OSError, asyncio.TimeoutError)):
            self.failed_handshakes += 1  # a handshake that failed ends here and nowhere else
            self._changed()
            return
        self.errors.append(context)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        # Not 0: asyncio's TLS takes an empty buffer for one that is too full then, every other time it looks.
        writer.transport.set_write_buffer_limits(high=1, low=0)
        connection = Connection(self, len(self.connections), reader, writer)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pump = asyncio.ensure_future(connection.pump())
        self._tasks.add(pump)
        pump.add_done_callback(self._tasks.discard)
        try:
            self.connections.append(connection)
            self._changed()
            if self._scripts.on_accept:
                for step in self._scripts.on_accept.pop(0):
                    await step(connection)
            while (request := await connection.next_request()) is not None:
                script = self._script_for(request)
                self.requests.append(request)
                self._changed()
                for step in script:
                    await step(connection)
                if writer.transport.is_closing():
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        except Exception as error:  # a broken script must fail the test, not hang it
            self.errors.append(error)
        finally:
            pump.cancel()
            writer.close()
            connection.closed.set()
            self._tasks.discard(task)
            self._changed()

    def _script_for(self, request):
        if self._scripts.queue:
            return self._scripts.queue.pop(0)
        return self._scripts.always(request)
