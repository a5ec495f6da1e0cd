"""A client that sends exactly the bytes it is given and reads answers strictly."""

import json
import socket
import time

from fakes import answers

TIMEOUT = 60.0  # costs time only where a test fails: a machine that stands still for a moment fails none


class ConnectionEnded(AssertionError):
    """The other side closed before the answer was whole; `received` is what had come."""

    def __init__(self, what, received):
        super().__init__(f"the connection ended {what}; received: {bytes(received[-500:])!r}")
        self.received = bytes(received)


class Response:
    def __init__(self, status, reason, fields, head_raw):
        self.status = status
        self.reason = reason
        self.fields = fields
        self.head_raw = head_raw
        self.body = b""
        self.framing = None
        self.interim = []
        self.complete = False

    def header(self, name):
        values = self.headers(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    def headers(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The data of each event of a stream, as text."""
        return [line[6:] for line in self.body.decode().split("\n") if line.startswith("data: ")]

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r}>"


class RawClient:
    """One connection. Blocking, every wait bounded."""

    def __init__(self, port, tls=None, server_name="localhost", host="127.0.0.1", receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=server_name)
        self.buffer = bytearray()
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data)
        return self

    def send_as_far_as_it_goes(self, data):
        """For requests that are refused while they are still being sent."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def receive_some(self):
        """More bytes into the buffer; False at the end."""
        try:
            data = self.sock.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self.ended = True
            return False
        self.buffer += data
        return True

    def read_until(self, mark):
        """Takes everything up to and with `mark`, as it came over the wire."""
        while mark not in self.buffer:
            if not self.receive_some():
                raise ConnectionEnded(f"before {mark!r}", self.buffer)
        end = self.buffer.index(mark) + len(mark)
        taken = bytes(self.buffer[:end])
        del self.buffer[:end]
        return taken

    def read_to_end(self):
        while self.receive_some():
            pass
        taken = bytes(self.buffer)
        self.buffer.clear()
        return taken

    def read_head(self):
        raw = self.read_until(b"\r\n\r\n")
        lines = raw[:-4].decode("latin-1").split("\r\n")
        version, status, *reason = lines[0].split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), raw
        fields = []
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name and name == name.strip(), raw
            fields.append((name, value.strip()))
        return Response(int(status), reason[0] if reason else "", fields, raw)

    def read_response(self, method="POST"):
        """One whole answer, 1xx before it in `interim`."""
        interim = []
        while (response := self.read_head()).status < 200:
            interim.append(response)
        response.interim = interim
        return self.read_body(response, method)

    def read_body(self, response, method="POST"):
        lengths = response.headers("content-length")
        coding = response.header("transfer-encoding")
        assert not (lengths and coding), "two framings"
        if method == "HEAD" or response.status in (204, 304):
            response.framing = "none"
        elif coding:
            assert coding == "chunked", coding
            response.framing = "chunked"
            response.body = self._read_chunks()
        elif lengths:
            assert len(lengths) == 1, lengths
            response.framing = "length"
            size = int(lengths[0])
            while len(self.buffer) < size:
                if not self.receive_some():
                    raise ConnectionEnded("within a body of known length", self.buffer)
            response.body = bytes(self.buffer[:size])
            del self.buffer[:size]
        else:
            response.framing = "close"
            response.body = self.read_to_end()
        response.complete = True
        return response

    def _read_one_chunk(self):
        size = int(self.read_until(b"\r\n")[:-2], 16)
        while len(self.buffer) < size + 2:
            if not self.receive_some():
                raise ConnectionEnded("within a chunk", self.buffer)
        piece = bytes(self.buffer[:size])
        assert self.buffer[size : size + 2] == b"\r\n", "a chunk without its CR LF"
        del self.buffer[: size + 2]
        return piece

    def _read_chunks(self):
        pieces = []
        while piece := self._read_one_chunk():  # weir sends no trailers: the last chunk is an empty one
            pieces.append(piece)
        return b"".join(pieces)

    def read_body_until(self, mark):
        """Decoded bytes of a chunked body until `mark` was seen in them."""
        body = b""
        while mark not in body:
            body += self._read_one_chunk()
        return body

    def at_end(self):
        """True when the other side has closed and nothing more came."""
        return not self.buffer and not self.receive_some()


def request_bytes(
    method="POST", path="/v1/chat/completions", body=b"", fields=(), version="HTTP/1.1", host="weir.test"
):
    """A well-formed request; Content-Length is set where there is a body and no own framing."""
    names = [name.lower() for name, _ in fields]
    lines = [f"{method} {path} {version}"]
    if "host" not in names and host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in fields]
    if "content-length" not in names and "transfer-encoding" not in names and (body or method in ("POST", "PUT")):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chat_body(model="gpt-4o-mini", content="Hi", **more):
    return answers.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more})


def chat_request(body=None, fields=(), **more):
    if body is None or isinstance(body, dict):
        body = chat_body(**(body or {}))
    return request_bytes(body=body, fields=[("Content-Type", "application/json"), *fields], **more)


def call(port, request, tls=None, method="POST", **client):
    """One request on a connection of its own."""
    with RawClient(port, tls=tls, **client) as raw:
        return raw.send_as_far_as_it_goes(request).read_response(method)


def cut_off(connection, request, gate, seen):
    """The answer to a stream whose provider waits at the gate before it breaks off: opened when the client has `seen`.

    Were the end there together with the content, weir could still hold the content back and try again elsewhere."""
    with connection as client:
        response = client.send(request).read_head()
        response.body = client.read_body_until(seen)
        gate.open()
        raw = client.read_to_end()
    response.body += answers.dechunk(raw)[0]
    return response


def wait_until(condition, what, timeout=TIMEOUT, every=0.01):
    """For what no event tells: looks again and again. Returns the condition's value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {timeout} s for {what}"
        time.sleep(every)
