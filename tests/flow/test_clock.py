"""A wall clock that jumps by hours while weir serves (issue 4): libfaketime moves it, the steady clock goes on."""

import csv
import datetime
import hashlib
import io
import threading
from pathlib import Path

import pytest

from conftest import openai_provider
from fakes import answers
from fakes.provider import Gate, send
from fakes.raw_http import wait_until
from fakes.weir_process import is_sanitized, run_weir

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)  # of the package faketime (scripts/setup)


class MovedClock:
    """How many hours a process's wall clock is ahead of ours."""

    def __init__(self, folder):
        self.file = folder / "clock"
        assert LIBRARY, "no libfaketime: apt-get install faketime"
        self.move(0)
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def move(self, hours):
        beside = self.file.with_suffix(".new")
        beside.write_text(f"{hours * 3600:+d}\n")
        beside.replace(self.file)


def bearer(text):
    return [("Authorization", f"Bearer {text}")]


def key(name, text, **more):
    return {"name": name, "hash": "sha256:" + hashlib.sha256(text.encode()).hexdigest()} | more


def at(hours):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer must be loaded first")
def test_a_clock_that_jumps_loses_no_call_and_cuts_none(weir_with, provider, tmp_path):
    clock = MovedClock(tmp_path)
    weir = weir_with(
        {
            "providers": {"up": openai_provider(provider.base_url)},
            "default": "up",
            "models": {"m": {"provider": "up"}},
            "keys": [key("always", "wr_always"), key("short", "wr_short", expires=at(2))],
            "stores": {"ledger": "file"},
        },
        environment=clock.environment,
    )

    def ask(text="wr_always"):
        return weir.chat({"model": "m"}, fields=bearer(text)).status

    # One answer is under way through all of it: no time limit of it follows the wall clock.
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion("held"))))
    held = {}
    thread = threading.Thread(target=lambda: held.update(status=ask()))
    thread.start()
    gate.wait_reached()
    ended = 0
    for hours, short_comes_in in ((0, True), (5, False), (-9, True), (24, False), (0, True)):
        clock.move(hours)
        for _ in range(5):
            assert ask() == 200
        assert ask("wr_short") == (200 if short_comes_in else 401), hours
        ended += 6 if short_comes_in else 5
        # They are written down as ever, whatever the wall clock does.
        wait_until(lambda: weir.metrics().value("weir_ledger_calls_total") == ended, "rows of all but the held call")
    gate.open()
    thread.join(10)
    assert held["status"] == 200

    def calls_by(by):
        done = run_weir("report", "costs", "--since", at(-48), "--until", at(48), "--by", by, "--format", "csv",
                        "--config", weir.settings_file)
        assert done.returncode == 0, done.stderr
        return {row[by]: int(row["calls"]) for row in csv.DictReader(io.StringIO(done.stdout))}

    wait_until(lambda: sum(calls_by("model").values()) == ended + 1, "every call once")
    by_hour = calls_by("hour")
    assert sum(by_hour.values()) == ended + 1 and len(by_hour) >= 4
    assert sum(calls_by("user").values()) == ended + 1
    assert "error" not in weir.messages()
