"""docker/: the dashboard is one that Grafana takes, every expression parses, every metric exists or is planned, alerts fire.

Grafana itself cannot be installed from a registry; its types can (npm's @grafana/schema), so the dashboard is compiled
against them.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from fakes.weir_process import ROOT
from fenced import text_of
from test_links import anchors

DASHBOARD = "docker/grafana/dashboards/weir.json"
RULES = "docker/prometheus/rules.yml"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}

NODE = ROOT / "tests/sdk/node/node_modules"

TYPE_CHECK = """
import type * as S from '%s';
type Loose<T> =
  T extends string ? (string extends T ? string : `${T}`) :
  T extends number ? (number extends T ? number : T | number) :
  T extends (infer U)[] ? Loose<U>[] :
  T extends object ? { [K in keyof T]: Loose<T[K]> } : T;
type Target = { refId: string, datasource: S.DataSourceRef, expr: string, legendFormat: string,
  instant?: boolean, range?: boolean, format?: "table" };
type Panel = Omit<S.Panel, "type" | "targets"> & { type: "timeseries" | "stat" | "table", targets: Target[] };
type Row = Omit<S.RowPanel, "panels"> & { panels: Panel[] };
type Board = Omit<S.Dashboard, "panels"> & { panels: (Panel | Row)[] };
export const dashboard: Loose<Board> = %s;
"""

UNITS = {"currencyUSD", "short", "percentunit", "s", "none", "reqps"}

# What Grafana puts in place of its own variables and ours before Prometheus reads an expression.
FILLED = {"$__rate_interval": "1m", "$__range": "6h", "$route": ".*", "$task": ".*", "$model": ".*", "$provider": ".*"}


def dashboard():
    return json.loads(text_of(DASHBOARD))


def rows_and_panels():
    """All of them, folded rows' panels too."""
    for panel in dashboard()["panels"]:
        yield panel
        yield from panel.get("panels", [])


def panels():
    return [panel for panel in rows_and_panels() if panel["type"] != "row"]


def expressions():
    """Expressions of the dashboard, as Prometheus would read them."""
    for panel in panels():
        for target in panel["targets"]:
            filled = target["expr"]
            for name, value in FILLED.items():
                filled = filled.replace(name, value)
            assert "$" not in filled, f"{panel['title']}: an unknown variable in {target['expr']}"
            yield panel["title"], filled


def rules():
    return [rule for group in yaml.safe_load(text_of(RULES))["groups"] for rule in group["rules"]]


def promtool(*arguments):
    program = shutil.which("promtool")
    assert program, "promtool is missing: scripts/setup test"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=150, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metric_names(text):
    return set(re.findall(r"\bweir_[a-z0-9_]+", text))


# The dashboard.


def test_grafanas_own_types_take_it(tmp_path):
    """Unknown fields, missing ones and wrong kinds do not compile. Enumerations are written as their values."""
    compiler = NODE / "typescript/bin/tsc"
    if not (shutil.which("node") and compiler.exists()):
        assert not os.environ.get("CI"), "node, or its packages, are missing"
        pytest.skip("scripts/setup test installs node's packages")
    types = NODE / "@grafana/schema/dist/types/raw/dashboard/x/types.gen"
    file = tmp_path / "dashboard.ts"
    file.write_text(TYPE_CHECK % (types, text_of(DASHBOARD)))
    command = ["node", compiler, "--noEmit", "--strict", "--skipLibCheck", "--target", "es2020", "--moduleResolution", "node"]
    done = subprocess.run([*command, file], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout


def test_what_types_do_not_tell():
    board = dashboard()
    assert board["id"] is None, "an id is of one Grafana; uid is what links and provisioning go by"
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"]) and board["title"]
    assert 36 <= board["schemaVersion"] <= 42


def test_ids_and_titles_are_unique():
    ids = [panel["id"] for panel in rows_and_panels()]
    assert len(ids) == len(set(ids)) and all(isinstance(number, int) and number > 0 for number in ids)
    where = [(panel["title"], panel["type"] == "row") for panel in rows_and_panels()]
    assert len(where) == len(set(where))


def test_no_panel_lies_on_another():
    taken = {}
    for panel in rows_and_panels():
        place = panel["gridPos"]
        assert set(place) == {"h", "w", "x", "y"}
        assert place["h"] > 0 and place["w"] > 0 and place["x"] >= 0 and place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"], f"{panel['title']} covers {taken[x, y]}"


def test_a_folded_row_holds_its_panels_and_an_open_one_none():
    for row in [panel for panel in dashboard()["panels"] if panel["type"] == "row"]:
        assert bool(row["panels"]) == row["collapsed"], row["title"]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_panel(panel):
    assert panel["description"] and panel["datasource"] == SOURCE
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    steps = defaults.get("thresholds", {}).get("steps", [{"value": None}])
    assert steps[0]["value"] is None, "the first threshold is the floor"
    assert [step["value"] for step in steps[1:]] == sorted(step["value"] for step in steps[1:])
    references = [target["refId"] for target in panel["targets"]]
    assert references and len(references) == len(set(references))
    for target in panel["targets"]:
        assert target["datasource"] == SOURCE


def test_variables():
    variables = {entry["name"]: entry for entry in dashboard()["templating"]["list"]}
    assert list(variables) == ["datasource", "route", "task", "model", "provider"]
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    for name, entry in variables.items():
        if name != "datasource":
            assert entry["type"] == "query" and entry["datasource"] == SOURCE
            assert entry["query"]["query"] == f"label_values(weir_requests_total, {name})"


def test_legends_name_labels_that_the_expression_keeps():
    for panel in panels():
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), f"{panel['title']}: {label} is summed away"


# Expressions.


def test_each_expression_parses(tmp_path):
    made = [{"record": f"dashboard:expression_{i}", "expr": expr} for i, (_, expr) in enumerate(expressions())]
    assert len(made) > 40
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": made}]}))
    assert f"{len(made)} rules found" in promtool("check", "rules", file)


def test_promtool_takes_rules_and_configuration():
    promtool("check", "rules", RULES)
    promtool("check", "config", "docker/prometheus.yml")


def test_alerts_fire_and_stay_quiet():
    promtool("test", "rules", "tests/docs/alert_rules.yaml")


def test_each_alert_is_tried_both_ways_and_explained():
    tried = {True: set(), False: set()}
    for case in yaml.safe_load(text_of("tests/docs/alert_rules.yaml"))["tests"]:
        for one in case["alert_rule_test"]:
            tried[bool(one.get("exp_alerts"))].add(one["alertname"])
    alerts = [rule for rule in rules() if "alert" in rule]
    assert {rule["alert"] for rule in alerts} == tried[True] == tried[False]
    for rule in alerts:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
        page, anchor = re.search(r"\((docs/[\w.]+)#([\w-]+)\)", rule["annotations"]["runbook"]).groups()
        assert anchor == rule["alert"].lower() and anchor in anchors(page)


# Metrics.


def planned_metrics():
    """Names in the roadmap's table of metrics to come."""
    section = text_of("docs/roadmap.md").split("## Metrics to come")[1].split("\n## ")[0]
    return metric_names(section)


def told_metrics():
    return set(re.findall(r"^### `(weir_\w+)", text_of("docs/metrics.md"), re.M))


def base_name(name):
    return re.sub(r"_(bucket|sum|count)$", "", name)


def used_metrics():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = set()
    for expr in [expr for _, expr in expressions()] + [rule["expr"] for rule in rules()]:
        for name in re.findall(r"\b\w*:\w+(?::\w+)?", expr):
            assert name in recorded, f"no rule records {name}"
            expr = expr.replace(name, "")
        used |= {base_name(name) for name in metric_names(expr)}
    return used


def test_each_metric_is_told_of_or_planned():
    missing = used_metrics() - told_metrics() - planned_metrics()
    assert not missing, f"neither in docs/metrics.md nor planned in docs/roadmap.md: {missing}"
    assert not told_metrics() & planned_metrics(), "what is told of is there: take it off the roadmap"


def test_each_told_metric_is_on_the_dashboard():
    shown = {base_name(name) for _, expr in expressions() for name in metric_names(expr)}
    assert told_metrics() <= shown


def test_what_is_not_planned_is_on_the_page(weir, provider, model):
    assert weir.chat({"model": model}).status == 200
    page = weir.metrics()
    missing = used_metrics() - planned_metrics() - set(page.types)
    assert not missing, f"not on the page of a running weir: {missing}"
    for name, type_of in page.types.items():
        used_as_counter = any(re.search(rf"(rate|increase)\({name}\b", expr) for _, expr in expressions())
        assert type_of != "gauge" or not used_as_counter, f"{name} is a gauge"
