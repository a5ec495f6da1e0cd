"""Hot restart: every request is handled by the old process or the new one (RULINGS 17)."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from conftest import openai_provider, plain_settings
from fakes import answers
from fakes.lineage import Lineage, children_of, open_files, wait_for_child
from fakes.provider import Gate, send
from fakes.raw_http import ConnectionEnded, RawClient, call, chat_request, request_bytes, wait_until
from fakes.weir_process import Weir, binary, clean_environment, free_port, is_sanitized, run_weir

# 20 in scripts/soak --restarts.
ROUNDS = int(os.environ.get("WEIR_RESTARTS", "5"))


@pytest.fixture
def start(tmp_path, provider):
    """Starts a weir whose processes are ended when the test ends."""
    lines = []

    def start(settings=None, **more):
        weir = Weir(tmp_path / f"weir-{len(lines)}", settings or plain_settings(provider.base_url), **more).start()
        lines.append(Lineage(weir).__enter__())
        return weir, lines[-1]

    yield start
    for line in lines:
        line.__exit__(None)


@pytest.fixture
def own_binary(tmp_path, monkeypatch):
    """The program at a path of the test's own, to be replaced by another one."""
    path = tmp_path / "bin" / "weir"
    path.parent.mkdir()
    shutil.copy2(binary(), path)
    monkeypatch.setenv("WEIR_BINARY", str(path))

    def replace(text):
        beside = path.with_suffix(".new")
        if text is None:
            shutil.copy2(original, beside)
        else:
            beside.write_text(text)
            beside.chmod(0o755)
        beside.replace(path)

    original = path.with_suffix(".good")
    shutil.copy2(path, original)
    replace.path, replace.original = path, original
    yield replace


def ask_with(program, pid):
    """`weir upgrade` by a program that is still good."""
    return subprocess.run([program, "upgrade", "--pid", str(pid)], capture_output=True, text=True, timeout=120)


def begin_stream(client, provider, gate, events):
    provider.answer_next(
        send(answers.stream_head() + b"".join(answers.one_chunk(one) for one in events[:2])),
        gate,
        send(b"".join(answers.one_chunk(one) for one in events[2:]) + b"0\r\n\r\n"),
    )
    client.send(chat_request({"stream": True}))
    head = client.read_head()
    gate.wait_reached()
    return head


# One upgrade.


def test_the_new_process_serves_and_the_old_one_ends(start):
    weir, line = start()
    assert weir.chat().status == 200
    old, new = line.pid, line.upgrade()
    assert new != old
    assert weir.chat().status == 200
    assert line.wait_exit(old) == 0
    assert weir.ready() and weir.chat().status == 200
    assert weir.metrics().value("weir_requests_total", outcome="ok") >= 1
    weir.wait_for_message(f"pid {new} is ready and takes over")
    weir.wait_for_message("took over")


def test_it_is_found_by_its_admin_port(start):
    weir, line = start()
    line.upgrade("--admin", f"http://127.0.0.1:{weir.admin_port}")
    assert weir.chat().status == 200


def test_sigusr2_does_the_same(start):
    weir, line = start()
    old = line.pid
    os.kill(old, signal.SIGUSR2)
    new = int(weir.wait_for_message(r"pid (\d+) is ready and takes over").group(1))
    line.pids.append(new)
    assert line.wait_exit(old) == 0 and weir.chat().status == 200


def test_a_stream_of_the_old_process_is_not_cut(start, provider):
    weir, line = start()
    events = answers.stream_events(["Hello", " there"])
    gate = Gate()
    with weir.connect() as client:
        head = begin_stream(client, provider, gate, events)
        old = line.pid
        line.upgrade()
        assert weir.chat().status == 200
        assert weir.process.poll() is None
        gate.open()
        assert client.read_body(head).body == b"".join(answers.without_usage(events))
        # Its head had not said that the connection closes: one more request is answered, and that answer says so.
        response = client.send(chat_request()).read_response()
        assert response.status == 200 and response.header("connection") == "close" and client.at_end()
    assert line.wait_exit(old) == 0


def test_an_idle_connection_gets_one_more_answer(start):
    weir, line = start()
    with weir.connect() as used, weir.connect() as fresh:
        assert used.send(chat_request()).read_response().status == 200
        old = line.pid
        line.upgrade()
        for client in (used, fresh):
            response = client.send(chat_request()).read_response()
            assert response.status == 200 and response.header("connection") == "close" and client.at_end()
    assert line.wait_exit(old) == 0


def test_an_idle_connection_ends_with_its_idle_limit(start, provider):
    weir, line = start(plain_settings(provider.base_url) | {"limits": {"idle": "2s"}})
    with weir.connect() as client:
        assert client.send(chat_request()).read_response().status == 200
        old = line.pid
        line.upgrade()
        assert client.at_end()
    assert line.wait_exit(old) == 0


def test_an_idle_connection_is_no_cut_call_at_the_end_of_the_drain(start, provider):
    weir, line = start(plain_settings(provider.base_url) | {"drain": "0s"})
    with weir.connect() as client:
        assert client.send(chat_request()).read_response().status == 200
        old = line.pid
        line.upgrade()
        assert client.at_end()
    assert line.wait_exit(old) == 0


def test_pipelined_requests_are_all_answered(start, provider):
    weir, line = start()
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with weir.connect() as client:
        client.send(chat_request() * 5)
        gate.wait_reached()
        line.upgrade()
        gate.open()
        responses = [client.read_response() for _ in range(5)]
        assert [one.status for one in responses] == [200] * 5
        assert [one.header("connection") for one in responses] == [None] * 4 + ["close"]
        assert client.at_end()


def test_tls_listeners_move_too(start, provider, authority):
    issued = authority.issue("localhost", label="upgrade", addresses=["127.0.0.1"])
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(issued.certificate), "key": str(issued.key)}}
    weir, line = start(settings, tls=authority.client_context())
    with weir.connect() as kept:
        assert kept.send(chat_request()).read_response().status == 200
        line.upgrade()
        assert weir.chat().status == 200
        response = kept.send(chat_request()).read_response()
        assert response.status == 200 and response.header("connection") == "close"


def test_restart_only_settings_change_with_it(start):
    """More threads, another address, another admin address, a limit; what stays is inherited."""
    weir, line = start()
    second, admin = free_port(), free_port()
    weir.write_settings(
        threads=3,
        listen=[f"127.0.0.1:{weir.port}", f"127.0.0.1:{second}"],
        admin={"listen": f"127.0.0.1:{admin}"},
        limits={"in_flight": 7},
    )
    weir.wait_for_message(r"refused.*can only change with a restart; weir upgrade")
    old, old_admin = line.pid, weir.admin_port
    line.upgrade()
    weir.admin_port = admin
    assert weir.chat().status == 200 and call(second, chat_request()).status == 200
    weir.wait_for_message("on 3 threads")
    assert line.wait_exit(old) == 0
    weir.write_settings(listen=f"127.0.0.1:{second}", admin={"listen": f"127.0.0.1:{old_admin}"})
    line.upgrade()
    weir.admin_port = old_admin
    assert weir.ready() and call(second, chat_request()).status == 200
    line.wait_exit(line.pids[-2])
    with pytest.raises(ConnectionRefusedError):
        call(weir.port, chat_request())


def test_a_scraper_moves_to_the_new_process(start, provider):
    """A kept connection to the admin port is answered once more, then closed."""
    weir, line = start()
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    request = request_bytes("GET", "/healthz", host=f"127.0.0.1:{weir.admin_port}")
    with weir.connect() as busy, RawClient(weir.admin_port) as scraper:
        busy.send(chat_request())
        gate.wait_reached()
        assert scraper.send(request).read_response("GET").header("connection") is None
        line.upgrade()
        response = scraper.send(request).read_response("GET")
        assert response.status == 200 and response.header("connection") == "close" and scraper.at_end()
        gate.open()
        assert busy.read_response().status == 200


# Again and again.


class Clients:
    """Threads that call without a pause; whatever goes wrong is kept."""

    def __init__(self, weir):
        self.weir = weir
        self.ended = threading.Event()
        self.errors = []
        self.answered = 0
        self.lock = threading.Lock()
        self.threads = []

    def add(self, count, step):
        for _ in range(count):
            self.threads.append(threading.Thread(target=self._run, args=(step,)))
            self.threads[-1].start()

    def _run(self, step):
        state = {}
        while not self.ended.is_set():
            try:
                answered = step(self.weir, state)
                with self.lock:
                    self.answered += answered
            except Exception as error:
                self.errors.append(f"{step.__name__}: {type(error).__name__}: {error}")
                state.clear()

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(120)


def new_connections(weir, _):
    assert weir.chat().status == 200
    return 1


def kept_connections(weir, state):
    client = state.get("client") or state.setdefault("client", weir.connect())
    response = client.send(chat_request()).read_response()
    assert response.status == 200
    if response.header("connection") == "close":
        state.pop("client").close()
    return 1


def pipelines(weir, state):
    """Three at once; those behind a `Connection: close` are asked again, as RFC 9112, 9.6 has it."""
    client = state.get("client") or state.setdefault("client", weir.connect())
    client.send(chat_request() * 3)
    for answered in range(1, 4):
        response = client.read_response()
        assert response.status == 200
        if response.header("connection") == "close":
            state.pop("client").close()
            return answered
    return 3


def streams(weir, _):
    with weir.connect() as client:
        body = client.send(chat_request({"model": "demo/slow", "stream": True})).read_response().body
    assert body.endswith(b"data: [DONE]\n\n"), body[-200:]
    return 1


def scrapes(weir, _):
    assert weir.admin("/readyz").status in (200, 503)  # 503: accepted by the old one in the moment of the change
    assert weir.admin("/metrics").status == 200
    return 0


def test_no_call_is_lost_in_restarts_and_reloads(start, provider):
    settings = plain_settings(provider.base_url) | {"drain": "250s"}
    settings["providers"] = settings["providers"] | {"demo": {"protocol": "demo"}}
    weir, line = start(settings)
    clients = Clients(weir)
    events = answers.stream_events(["Hello", " there"])
    gate = Gate()
    with weir.connect() as long_stream:
        head = begin_stream(long_stream, provider, gate, events)
        for count, step in [(2, new_connections), (2, kept_connections), (1, pipelines), (3, streams), (1, scrapes)]:
            clients.add(count, step)
        try:
            for i in range(ROUNDS):
                before = clients.answered
                weir.write_settings(
                    models=weir.settings["models"] | {f"model-{i}": {"provider": "up"}}, threads=1 + i % 3
                )
                line.upgrade()
                weir.write_settings(models=weir.settings["models"] | {f"other-{i}": {"provider": "up"}})
                os.kill(line.pid, signal.SIGHUP)
                wait_until(lambda: clients.answered > before + 20 or clients.errors, "calls to go on")
        finally:
            clients.stop()
        assert weir.process.poll() is None, "the first process still has its stream"
        gate.open()
        assert long_stream.read_body(head).body == b"".join(answers.without_usage(events))
    print(f"{ROUNDS} restarts and {ROUNDS} reloads, {clients.answered} calls, {len(clients.errors)} errors")
    assert not clients.errors, clients.errors[:5]
    line.end()
    # Lines of several processes in one file are whole, and each call has one. (A pipelined request behind a close was
    # not answered, and is not counted there.)
    assert len(weir.calls(outcome="ok")) == clients.answered + 1
    ids = [one["id"] for one in weir.calls()]
    assert len(ids) == len(set(ids))


def test_nothing_is_left_over_from_restarts(start):
    """Each process holds what the first one held: no descriptor of a call, no memory that was handed down."""
    weir, line = start()
    with weir.connect() as held:
        held.send(chat_request()).read_response()
        line.upgrade()
        line.upgrade()
        held.send(chat_request()).read_response()
    line.wait_exit(line.pids[1])

    def settled():
        """The fewest for a while: connections of calls that have just ended are not among them."""
        weir.chat()
        seen = []
        for _ in range(20):
            seen.append(open_files(line.pid))
            time.sleep(0.02)
        return min(seen, key=len)

    settled()  # a call on each worker: both have their connection to the provider
    first, memory = settled(), resident(line.pid)
    for _ in range(ROUNDS):
        line.upgrade()
        line.wait_exit(line.pids[-2])
    wait_until(lambda: not Counter(settled()) - Counter(first), f"no more than {first}, not {open_files(line.pid)}")
    assert is_sanitized() or resident(line.pid) < memory * 1.2 + 1024


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def test_it_can_be_done_while_older_ones_drain(start, provider):
    weir, line = start()
    gate = Gate()
    events = answers.stream_events(["Hello", " there"])
    clients, heads = [], []
    for _ in range(3):
        clients.append(weir.connect())
        heads.append(begin_stream(clients[-1], provider, gate, events))
        line.upgrade()
    assert all(Path(f"/proc/{pid}").exists() for pid in line.pids)
    refused = line.ask("--pid", line.pids[1])
    assert refused.returncode == 1 and f"has handed over and drains; upgrade pid {line.pids[2]}" in refused.stderr
    gate.open()
    for client, head in zip(clients, heads):
        assert client.read_body(head).body == b"".join(answers.without_usage(events))
        client.close()
    for pid in line.pids[:-1]:
        assert line.wait_exit(pid) == 0
    assert weir.chat().status == 200


# What can go wrong.


@pytest.mark.parametrize(
    "program, why",
    [
        ("#!/bin/sh\nexit 7\n", "exit code 7"),
        ("#!/bin/sh\nkill -SEGV $$\n", "signal 11"),
        ("no program at all\n", "Exec format error"),
        ("#!/no/such/interpreter\n", "No such file"),
    ],
)
def test_a_bad_program_leaves_the_old_one_serving(start, own_binary, program, why):
    weir, line = start()
    own_binary(program)
    done = ask_with(own_binary.original, line.pid)
    assert done.returncode == 1 and why in done.stderr, done.stderr
    weir.wait_for_message(f"upgrade failed, this weir goes on serving: .*{why}")
    assert weir.chat().status == 200 and weir.ready() and not children_of(line.pid)
    own_binary(None)
    line.upgrade()
    assert weir.chat().status == 200


def test_a_program_that_never_gets_ready_is_ended(start, own_binary):
    weir, line = start()
    own_binary("#!/bin/sh\nexec sleep 100\n")
    done = ask_with(own_binary.original, line.pid)
    assert done.returncode == 1 and "was not ready within 15 s" in done.stderr
    assert weir.chat().status == 200 and not children_of(line.pid)


def test_a_missing_program_leaves_the_old_one_serving(start, own_binary):
    weir, line = start()
    own_binary.path.unlink()
    done = ask_with(own_binary.original, line.pid)
    assert done.returncode == 1 and "cannot start" in done.stderr
    assert weir.chat().status == 200


def test_bad_settings_leave_the_old_one_serving(start):
    weir, line = start()
    good = weir.settings_file.read_text()
    weir.write_settings_text(good.replace("routes:", "ruotes:"))
    done = line.ask()
    assert done.returncode == 1 and "weir.yaml:" in done.stderr and "ruotes" in done.stderr
    weir.wait_for_message("upgrade failed, this weir goes on serving: .*ruotes")
    assert weir.chat().status == 200 and not children_of(line.pid)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        weir.write_settings(listen=f"127.0.0.1:{port}")
        done = line.ask()
    assert done.returncode == 1 and f"port {port}" in done.stderr and "in use" in done.stderr
    assert weir.chat().status == 200
    weir.write_settings(listen=f"127.0.0.1:{weir.port}")
    line.upgrade()


def test_sigterm_in_the_middle_ends_both(start, own_binary):
    weir, line = start()
    own_binary("#!/bin/sh\nexec sleep 100\n")
    asked = subprocess.Popen(
        [own_binary.original, "upgrade", "--pid", str(line.pid)], stderr=subprocess.PIPE, text=True
    )
    child = wait_for_child(line.pid)
    os.kill(line.pid, signal.SIGTERM)
    assert line.wait_exit(line.pid) == 0
    assert not Path(f"/proc/{child}").exists()
    assert asked.wait(60) == 1 and "given up" in asked.stderr.read()
    asked.stderr.close()
    weir.wait_for_message("given up")


def test_a_second_sigusr2_in_the_middle_is_refused(start, own_binary):
    weir, line = start()
    own_binary("#!/bin/sh\nexec sleep 100\n")
    os.kill(line.pid, signal.SIGUSR2)
    child = wait_for_child(line.pid)
    os.kill(line.pid, signal.SIGUSR2)
    weir.wait_for_message(rf"upgrade refused: one is under way \(pid {child}\)")
    os.kill(child, signal.SIGKILL)
    weir.wait_for_message("upgrade failed.*signal 9")
    assert weir.chat().status == 200


def test_signals_to_one_that_has_handed_over(start, provider):
    """The first closes idle connections and lets calls finish, the second cuts them off; the new one never notices."""
    weir, line = start()
    gate = Gate()
    events = answers.stream_events(["Hello", " there"])
    with weir.connect() as idle, weir.connect() as client:
        idle.send(chat_request()).read_response()
        begin_stream(client, provider, gate, events)
        old = line.pid
        line.upgrade()
        os.kill(old, signal.SIGTERM)
        assert idle.at_end()
        assert weir.process.poll() is None
        os.kill(old, signal.SIGTERM)
        assert line.wait_exit(old) == 3
        gate.open()
        with pytest.raises(ConnectionEnded):
            client.read_until(b"[DONE]")
    assert weir.chat().status == 200
    line.pids.remove(old)


def test_a_draining_one_refuses(start, provider):
    weir, line = start()
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with weir.connect() as client:
        client.send(chat_request())
        gate.wait_reached()
        os.kill(line.pid, signal.SIGTERM)
        weir.wait_for_message("draining")
        done = line.ask()
        assert done.returncode == 1 and "is draining and will end" in done.stderr
        gate.open()
        assert client.read_response().status == 200
    assert line.wait_exit(line.pid) == 0


def test_pid_1_refuses(tmp_path, provider):
    if subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode != 0:
        pytest.skip("no rights for a PID namespace")
    weir = Weir(tmp_path / "weir", plain_settings(provider.base_url))
    weir.write_settings()
    process = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", binary(), "serve", "--config", weir.settings_file],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        wait_until(weir.ready, "weir as PID 1", timeout=60)
        (inner,) = children_of(process.pid)
        done = subprocess.run(
            ["nsenter", "--target", str(inner), "--pid", "--mount", binary(), "upgrade", "--pid", "1"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1 and "PID 1" in done.stderr and "SIGTERM drains" in done.stderr, done.stderr
        assert weir.chat().status == 200
        os.kill(inner, signal.SIGTERM)
        assert process.wait(60) == 0
        assert b"roll the container; SIGTERM drains" in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_who_cannot_be_asked():
    mine = run_weir("upgrade", "--pid", os.getppid())
    assert mine.returncode == 1 and "is no weir that serves" in mine.stderr
    nobody = run_weir("upgrade", "--admin", f"http://127.0.0.1:{free_port()}")
    assert nobody.returncode == 1 and "--pid" in nobody.stderr
    assert "write it as" in run_weir("upgrade", "--admin", "nonsense").stderr


# systemd.


class ServiceManager:
    """A socket as systemd's: who says what."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(60)

    def next(self):
        data, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(12))
        return int.from_bytes(control[0][2][:4], "little"), data.decode()


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_told(start, tmp_path, abstract):
    name = f"@weir-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager = ServiceManager(name)
    weir, line = start(environment={"NOTIFY_SOCKET": name})
    old = line.pid
    assert manager.next() == (old, "READY=1")
    os.kill(old, signal.SIGHUP)
    pid, state = manager.next()
    assert pid == old and re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", state)
    assert int(state.split("=")[-1]) <= time.monotonic_ns() // 1000
    assert manager.next() == (old, "READY=1")
    new = line.upgrade()
    assert manager.next()[1].startswith("RELOADING=1\n")
    assert manager.next() == (old, f"MAINPID={new}")
    assert manager.next() == (new, "READY=1")
    assert line.wait_exit(old) == 0
    weir.write_settings_text("nonsense")
    assert line.ask().returncode == 1
    assert manager.next()[1].startswith("RELOADING=1\n")
    assert manager.next() == (new, "READY=1")
    os.kill(new, signal.SIGTERM)
    assert manager.next() == (new, "STOPPING=1")
    assert line.wait_exit(new) == 0
    manager.socket.close()
