"""The processes that scripts/bench starts: any program of it, and weir or nginx with its worker's CPU time and memory."""
import hashlib
import os
import random
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = Path(__file__).resolve().parent.parent / "nginx.conf.in"
GATEWAY_CPU, REST_CPU = {0}, {1}  # the gateway has a processor of its own, provider and client share the other
PINNED = {0, 1} <= os.sched_getaffinity(0)


def free_port():
    """Below the range that the kernel gives to outgoing connections: it must still be free when a gateway restarts."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    low, high = (10240, first) if first > 12000 else (1024, first)
    for port in random.sample(range(low, high), 100):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise RuntimeError("no free port")


class Program:
    """One process that we started, on the given processors; ended by its own id."""

    def __init__(self, command, cpus, log):
        self.log = Path(log)
        place = (lambda: os.sched_setaffinity(0, cpus)) if PINNED else None
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, preexec_fn=place)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def wait_for_port(self, port):
        for _ in range(100):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-600:] if self.log.exists() else ""
        raise RuntimeError(f"{self.process.args[0]} does not answer on port {port}:\n{tail}")


class Gateway:
    """weir or nginx: started fresh, with its worker's CPU time and memory."""

    def __init__(self, name, bench):
        self.name, self.bench = name, bench
        self.port, self.admin = free_port(), free_port()
        self.program = None

    def start(self):
        folder = self.bench.folder / self.name
        folder.mkdir(exist_ok=True)
        command = self.weir_command(folder) if self.name == "weir" else self.nginx_command(folder)
        self.program = Program(command, GATEWAY_CPU, folder / "output.log")
        self.program.wait_for_port(self.port)
        self.pid = self.program.process.pid if self.name == "weir" else self.nginx_worker()
        return self

    def stop(self):
        if self.program:
            self.program.stop()
            self.program = None

    def weir_command(self, folder):
        settings = folder / "weir.yaml"
        settings.write_text(
            f"listen: 127.0.0.1:{self.port}\nadmin: {{listen: 127.0.0.1:{self.admin}}}\nthreads: 1\n"
            f"providers:\n  mock: {{protocol: openai, base_url: http://127.0.0.1:{self.bench.mock_port}/v1, api_key: sk-bench}}\n"
            f"default: mock\nlog: {{to: {folder}/calls.log}}\n"
            # Each call is let in by its key, counted, logged, and booked in the ledger (weir.db in this folder).
            f"keys: [{{name: bench, hash: \"sha256:{hashlib.sha256(b'sk-client').hexdigest()}\"}}]\n")
        return [str(self.bench.weir), "serve", "--config", str(settings)]

    def nginx_command(self, folder):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        words = {"DIR": folder, "PORT": self.port, "MOCK": self.bench.mock_port, "CONNECTIONS": min(limit, 20000),
                 "HEADER_BUFFER": self.bench.options.nginx_header_buffer,
                 "USER": "user root;" if os.geteuid() == 0 else ""}
        text = CONFIGURATION.read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        (folder / "nginx.conf").write_text(text)
        return [self.bench.nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx-error.log")]

    def nginx_worker(self):
        master = self.program.process.pid
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(entry.read_text().rsplit(")", 1)[1].split()[1]) == master:
                    return int(entry.parent.name)
            except (OSError, ValueError):
                pass
        raise RuntimeError("nginx has no worker")

    def cpu_us(self):
        """User and system time of all its threads, ended ones too: the process's CPU clock (see clock_getcpuclockid)."""
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1000

    def memory(self, field):
        """VmRSS or VmHWM (the peak since forget_peak) in bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        return 0

    def forget_peak(self):
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def leave_processor(self):
        """For measures in which it may use more than one processor."""
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), os.sched_getaffinity(0))
