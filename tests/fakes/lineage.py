"""A weir and those that took over from it."""

import ctypes
import os
import re
import signal
import time
from pathlib import Path

from fakes.raw_http import wait_until
from fakes.weir_process import STOP_TIMEOUT, run_weir

PR_SET_CHILD_SUBREAPER = 36


class Lineage:
    """All processes of one weir through its upgrades; each must have ended well when the test ends."""

    def __init__(self, weir):
        # A process whose parent ended becomes a child of ours, so that its exit code is seen.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.weir = weir
        self.pids = [weir.process.pid]
        self.codes = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.end()
        finally:
            for pid in self.pids:
                if pid not in self.codes:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass

    @property
    def pid(self):
        return self.pids[-1]

    def ask(self, *arguments):
        return run_weir("upgrade", *(arguments or ("--pid", self.pid)))

    def upgrade(self, *arguments):
        done = self.ask(*arguments)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.weir.messages()}"
        self.pids.append(int(re.search(r"pid (\d+) serves", done.stdout).group(1)))
        return self.pid

    def wait_exit(self, pid, timeout=STOP_TIMEOUT):
        """Only of the first, or of one whose parent has ended."""
        end = time.monotonic() + timeout
        while pid not in self.codes:
            if pid == self.weir.process.pid:
                if (code := self.weir.process.poll()) is not None:
                    self.codes[pid] = code
            else:
                try:
                    found, status = os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    found, status = 0, 0  # its parent has not ended yet
                if found:
                    self.codes[pid] = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, f"pid {pid} did not end; {self.weir.messages()}"
            time.sleep(0.005)
        return self.codes[pid]

    def end(self):
        if self.pid not in self.codes:
            os.kill(self.pid, signal.SIGTERM)
        for pid in self.pids:
            assert self.wait_exit(pid) == 0, f"pid {pid} ended with {self.codes[pid]}: {self.weir.messages()}"
        assert "Sanitizer" not in self.weir.messages(), self.weir.messages()


def open_files(pid):
    """What each descriptor of a process is, without its number."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(re.sub(r"\.calls-[0-9a-f]{16}|\d+", "N", os.readlink(entry)))  # the ledger's count: one a process
        except FileNotFoundError:
            pass
    return sorted(links)


def children_of(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_for_child(pid):
    return wait_until(lambda: children_of(pid), f"a child of {pid}")[0]
