"""The program under test as a child process: settings in, ports, metrics, log and exit code out."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import yaml

from fakes import raw_http
from fakes.metrics_page import MetricsPage

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0


def binary():
    path = Path(os.environ.get("WEIR_BINARY", ROOT / "build/release/weir")).resolve()
    assert path.exists(), f"no program at {path}: build it, or set WEIR_BINARY"
    return path


def is_sanitized():
    """Whether the program carries a sanitizer, whose own memory makes ours unmeasurable."""
    program = binary().read_bytes()
    return b"__tsan_init" in program or b"__asan_init" in program


_given_ports = set()


def free_port():
    """Below the ephemeral range, so that no outgoing connection takes it meanwhile; none is given twice."""
    while True:
        port = random.randrange(12000, 30000)
        if port in _given_ports:
            continue
        _given_ports.add(port)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def clean_environment(**more):
    """Without the developer's own provider keys, which would make providers appear."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in keep if name in os.environ} | more


def run_weir(*arguments, timeout=60, cwd=None, **environment):
    """A command that ends by itself."""
    return subprocess.run(
        [binary(), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=cwd,
        env=clean_environment(**environment),
    )


class Weir:
    """One serving process. `settings` (a dict) is merged over listen, admin, threads, drain and log."""

    def __init__(self, folder, settings, tls=None, environment=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.admin_port = free_port(), free_port()
        self.log_file = self.folder / "calls.log"
        self.settings_file = self.folder / "weir.yaml"
        self.settings = {
            "listen": f"127.0.0.1:{self.port}",
            "admin": {"listen": f"127.0.0.1:{self.admin_port}"},
            "threads": 2,
            "drain": "10s",
            "log": {"to": str(self.log_file), "level": "info"},
        } | settings
        self.tls = tls
        self._environment = environment or {}
        self._messages = bytearray()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.end()
        else:
            self.kill()

    # Its life.

    def write_settings(self, **changes):
        """Whole at once, so that a reload never reads half a file."""
        self.settings = self.settings | changes
        self.write_settings_text(yaml.safe_dump(self.settings, sort_keys=False, width=10000))

    def write_settings_text(self, text):
        beside = self.settings_file.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.settings_file)

    def launch(self):
        self.process = subprocess.Popen(
            [binary(), "serve", "--config", str(self.settings_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=clean_environment(**self._environment),
        )
        self._reader = threading.Thread(target=self._read_messages, daemon=True)
        self._reader.start()

    def _read_messages(self):
        while data := self.process.stdout.read1(1 << 16):
            self._messages += data

    def start(self):
        self.write_settings()
        self.launch()
        end = time.monotonic() + START_TIMEOUT
        while not self.ready():
            assert self.process.poll() is None, self._said("weir ended before it was ready")
            assert time.monotonic() < end, self._said("weir was not ready in time")
            time.sleep(0.005)
        return self

    def ready(self):
        try:
            return self.admin("/readyz").status == 200
        except (OSError, raw_http.ConnectionEnded):
            return False  # not listening yet, or it ended in this moment: start() tells which

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, timeout=STOP_TIMEOUT):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(self._said(f"weir did not end within {timeout} s")) from None
        self._reader.join(30)
        return code

    def stop(self):
        """By SIGTERM; a clean end is part of every test (a sanitizer's finding changes the exit code)."""
        self.signal(signal.SIGTERM)
        code = self.wait_exit()
        assert code == 0, self._said(f"weir ended with {code}")

    def end(self, allowed=(0,)):
        """Stops it if it still runs; if not, it must have ended well."""
        if self.process.poll() is None:
            self.stop()
        else:
            self._reader.join(30)
            assert self.process.returncode in allowed, self._said(f"weir had ended with {self.process.returncode}")
        assert "Sanitizer" not in self.messages(), self.messages()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def messages(self):
        """What the daemon said on stdout and stderr."""
        return self._messages.decode(errors="replace")

    def wait_for_message(self, pattern, timeout=raw_http.TIMEOUT):
        try:
            return raw_http.wait_until(lambda: re.search(pattern, self.messages()), pattern, timeout)
        except AssertionError:
            raise AssertionError(self._said(f"no message {pattern!r}")) from None

    def _said(self, what):
        return f"{what}; it said:\n{self.messages()}"

    def resident_kib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    # Talking to it.

    def connect(self, **client):
        return raw_http.RawClient(self.port, tls=self.tls, **client)

    def call(self, request, method="POST"):
        return raw_http.call(self.port, request, tls=self.tls, method=method)

    def chat(self, body=None, fields=(), **more):
        """One chat call on a connection of its own; body as dict of additions to a plain one, or as bytes."""
        return self.call(raw_http.chat_request(body, fields, **more))

    def get(self, path, fields=()):
        return self.call(raw_http.request_bytes("GET", path, fields=fields), "GET")

    def admin(self, path, method="GET", fields=()):
        named = any(name.lower() == "host" for name, _ in fields)
        fields = [*([] if named else [("Host", f"127.0.0.1:{self.admin_port}")]), ("Connection", "close"), *fields]
        return raw_http.call(self.admin_port, raw_http.request_bytes(method, path, fields=fields), method=method)

    def url(self, path=""):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    # What it wrote down.

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=raw_http.TIMEOUT) as page:
            return MetricsPage(page.read().decode())

    def log_text(self):
        return self.log_file.read_text(errors="strict") if self.log_file.exists() else ""

    def calls(self, **wanted):
        """The log's calls so far that have these values."""
        found = []
        for line in self.log_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("event") == "call":
                if all(entry.get(name) == value for name, value in wanted.items()):
                    found.append(entry)
        return found

    def wait_for_call(self, **wanted):
        """The one call with these values (the log is written beside the calls: it may come a little later)."""
        raw_http.wait_until(lambda: self.calls(**wanted), f"a log line with {wanted} in:\n{self.log_text()[-2000:]}")
        found = self.calls(**wanted)
        assert len(found) == 1, f"booked {len(found)} times: {found}"
        return found[0]
