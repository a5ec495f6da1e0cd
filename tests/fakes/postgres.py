"""A real PostgreSQL server of a test's own: its own folder, its own port on loopback, stopped with the test."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fakes.weir_process import free_port


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "no PostgreSQL server: scripts/setup test installs it"
    return found[-1].parent


class Postgres:
    """`url` for settings; stop() as an operator would, start() again with all its data."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="weir-postgres-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        # PostgreSQL refuses to run as root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "--no-sync")

    def _run(self, program, *arguments):
        command = [*self._as, programs() / program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=60)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-o", options, "start")
        return self

    def stop(self):
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def ask(self, sql):
        """Rows as lists of texts."""
        out = self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-At", "-F", "\t", "-c", sql)
        return [line.split("\t") for line in out.splitlines()]
