"""The books: what is in them after calls, after kill -9, and while disk or database are in trouble."""

import json
import os
import signal
import sqlite3
import threading
from decimal import Decimal

import pytest

from conftest import plain_settings
from fakes import answers
from fakes.postgres import Postgres
from fakes.provider import send
from fakes.raw_http import chat_request, wait_until
from fakes.weir_process import Weir, run_weir


def rows(weir, sql="select count(*) from calls"):
    with sqlite3.connect(f"file:{weir.folder / 'weir.db'}?mode=ro", uri=True) as database:
        return database.execute(sql).fetchall()


def report(weir, *arguments):
    done = run_weir("report", *arguments, "--format", "json", "--config", weir.settings_file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_float=Decimal)


def booked(weir, count):
    wait_until(lambda: rows(weir)[0][0] >= count, f"{count} calls in the ledger")
    assert rows(weir)[0][0] == count


@pytest.fixture
def own(weir_with, provider):
    return weir_with(plain_settings(provider.base_url))


def test_ledger_metrics_and_provider_say_the_same(own, provider):
    mark = len(provider.requests)
    for number in range(6):
        stream = number % 2 == 1
        assert own.chat({"stream": stream}, [("x-weir-task", f"task-{number % 3}")]).status == 200
    provider.answer_next(send(answers.reply(answers.error_body("no"), status=400)))
    assert own.chat(fields=[("x-weir-task", "task-0")]).status == 400
    booked(own, 7)
    assert len(provider.requests) - mark == 7
    found = report(own, "tasks", "--since", "1d")
    assert found["total"]["calls"] == 7 and found["total"]["attempts"] == 7
    assert {row["task"]: row["calls"] for row in found["rows"]} == {"task-0": 3, "task-1": 2, "task-2": 2}
    page = own.metrics()
    cost = Decimal(str(page.value("weir_cost_usd_total")))
    assert found["total"]["cost_usd"] == cost.quantize(Decimal("0.000000001"))
    for kind, tokens in found["total"]["tokens"].items():
        assert tokens == page.value("weir_tokens_total", kind=kind), kind
    wait_until(lambda: own.metrics().value("weir_ledger_calls_total") == 7, "the ledger's own count")


def test_the_admin_port_reports_and_finds_calls_after_a_restart(own):
    answer = own.chat(fields=[("x-request-id", "order-17"), ("x-weir-tags", "team=blue")])
    assert answer.status == 200
    booked(own, 1)
    own.stop()
    own.start()
    found = json.loads(own.admin("/api/calls/order-17").body)["calls"]
    assert len(found) == 1 and found[0]["request_id"] == "order-17" and len(found[0]["attempts"]) == 1
    assert json.loads(own.admin(f"/api/calls/{found[0]['id']}").body)["calls"] == found
    assert json.loads(own.admin("/api/calls").body)["calls"] == found
    total = json.loads(own.admin("/api/report?kind=tasks&since=1d&by=tag:team").body)
    assert [row["tag:team"] for row in total["rows"]] == ["blue"]
    explained = run_weir("explain", "order-17", "--config", own.settings_file)
    assert explained.returncode == 0 and "order-17" in explained.stdout
    assert own.admin("/api/report?kind=nonsense").status == 400


def test_no_text_is_kept_unless_the_route_says_so(weir_with, provider):
    settings = plain_settings(provider.base_url)
    settings["routes"]["kept"] = {"model": "gpt-4o-mini", "keep_text": "1h"}
    weir = weir_with(settings)
    for model in ("gpt-4o-mini", "kept"):
        body = {"model": model, "content": f"the-secret-prompt-of-{model}"}
        provider.answer_next(send(answers.reply(answers.completion(f"the-answer-to-{model}"))))
        assert weir.chat(body).status == 200
    booked(weir, 2)
    weir.stop()
    held = b"".join(file.read_bytes() for file in weir.folder.glob("weir.db*"))
    assert b"the-secret-prompt-of-kept" in held and b"the-answer-to-kept" in held
    assert b"the-secret-prompt-of-gpt" not in held and b"the-answer-to-gpt" not in held
    assert oct(os.stat(weir.folder / "weir.db").st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("round_number", range(3))
def test_kill_9_under_load_reconciles(weir_with, provider, round_number):
    """Rows and the counted loss are the calls that ended; a client that has its answer is booked or counted as lost."""
    weir = weir_with(plain_settings(provider.base_url))
    mark = len(provider.requests)
    clients, answered, stop = 6, [0] * 6, threading.Event()

    def ask(index):
        while not stop.is_set():
            try:
                with weir.connect() as client:
                    while not stop.is_set():
                        if client.send(chat_request()).read_response().status == 200:
                            answered[index] += 1
            except (OSError, AssertionError):
                return

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    wait_until(lambda: sum(answered) > 60 + 40 * round_number, "some load")
    weir.process.send_signal(signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    weir.process.wait()
    reached = len(provider.requests) - mark
    weir.start()
    written, lost = rows(weir)[0][0], int(weir.metrics().value("weir_ledger_lost"))
    # Every call that ended is a row or counted as lost; at most one per client had not ended.
    assert sum(answered) <= written + lost <= reached <= written + lost + clients
    # The roll-up that reports read was kept with the rows.
    assert report(weir, "tasks", "--since", "1d")["total"]["calls"] == written
    assert sqlite3.connect(weir.folder / "weir.db").execute("pragma integrity_check").fetchall() == [("ok",)]


def test_a_locked_ledger_delays_no_call_and_loses_none(own):
    assert own.chat().status == 200
    booked(own, 1)
    with sqlite3.connect(own.folder / "weir.db", isolation_level=None) as other:
        other.execute("begin immediate")
        for _ in range(5):
            assert own.chat().status == 200
        assert rows(own)[0][0] == 1
        other.execute("rollback")
    booked(own, 6)
    assert own.metrics().value("weir_ledger_dropped_total") == 0


def test_a_ledger_that_cannot_be_written_is_said_at_the_start(tmp_path, provider):
    for name, place, says in (
        ("nowhere", "/proc/nowhere/weir.db", "stores.ledger"),
        ("foreign", "foreign.db", "stores.ledger"),
        ("scheme", "mysql://x/y", "stores.ledger"),
    ):
        weir = Weir(tmp_path / name, plain_settings(provider.base_url) | {"stores": {"ledger": place}})
        (weir.folder / "foreign.db").write_text("this is no database, whatever its name says " * 50)
        weir.write_settings()
        weir.launch()
        assert weir.wait_exit() == 1
        assert says in weir.messages(), weir.messages()


def test_without_a_ledger_calls_go_and_reports_say_why_not(weir_with, provider):
    weir = weir_with(plain_settings(provider.base_url) | {"stores": {"ledger": "off"}})
    assert weir.chat().status == 200
    assert weir.admin("/api/report").status == 404
    refused = run_weir("report", "--config", weir.settings_file)
    assert refused.returncode == 1 and "the ledger is off" in refused.stderr
    assert not list(weir.folder.glob("weir.db*"))


def test_a_model_without_a_price_is_unknown_and_never_free(own, provider, model):
    provider.answer_next(send(answers.reply(answers.completion(model=model))))
    assert own.chat({"model": model}).status == 200
    booked(own, 1)
    assert report(own, "models", "--since", "1d")["total"]["price_unknown_calls"] == 1
    assert own.metrics().value("weir_price_unknown_total", model=model) == 1


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as server:
        yield server


def test_postgres_takes_calls_spools_while_it_is_away_and_books_each_once(weir_with, provider, postgres):
    settings = plain_settings(provider.base_url) | {"stores": {"ledger": postgres.url}}
    weir = weir_with(settings)
    count = lambda: int(postgres.ask("select count(*) from weir_calls")[0][0])
    for _ in range(3):
        assert weir.chat(fields=[("x-weir-task", "pg")]).status == 200
    wait_until(lambda: count() == 3, "three calls in PostgreSQL")
    found = report(weir, "tasks", "--since", "1d")
    assert found["rows"][0]["task"] == "pg" and found["total"]["calls"] == 3
    postgres.stop()
    for _ in range(4):
        assert weir.chat(fields=[("x-weir-task", "away")]).status == 200
    wait_until(lambda: weir.metrics().value("weir_ledger_spooled") == 4, "four calls in the spool")
    assert weir.admin("/healthz").status == 200
    # A weir that starts while the database is away serves too.
    weir.stop()
    weir.start()
    assert weir.chat(fields=[("x-weir-task", "away")]).status == 200
    postgres.start()
    made = 8

    def all_are_there():
        """A call that finds the database back takes the waiting ones with it. (Without one they wait for the upkeep, up
        to a minute, and longer where the database was tried just before.)"""
        nonlocal made
        if count() == made:
            return True
        assert weir.chat(fields=[("x-weir-task", "back")]).status == 200
        made += 1
        return False

    wait_until(all_are_there, "all of them, once", timeout=120, every=1)
    weir.stop()
    assert count() == made
    assert "postgres@" not in weir.messages() + weir.log_text()
