"""Links lead somewhere, named files and tests are there."""

import re

import pytest

from fenced import ROOT, pages, prose_of, text_of

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TOP = ("src", "include", "tests", "docs", "scripts", "config", "docker", "cmake", ".ci")


def slug(heading):
    """As GitHub makes anchors of headings."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m.group(1) or "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page):
    return {slug(line.lstrip("#")) for line in prose_of(page) if line.startswith("#")}


@pytest.mark.parametrize("page", pages())
def test_relative_links_resolve(page):
    for number, line in enumerate(prose_of(page), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            found = (ROOT / page).parent / path if path else ROOT / page
            assert found.exists(), f"{page}:{number}: {target} leads nowhere"
            if anchor:
                there = str(found.resolve().relative_to(ROOT))
                assert anchor in anchors(there), f"{page}:{number}: {there} has no heading #{anchor}"


@pytest.mark.parametrize("page", pages())
def test_files_that_are_named_exist(page):
    for number, line in enumerate(prose_of(page), 1):
        for name in re.findall(r"`([^`\s]+)`", line):
            name = name.split("::")[0]
            if "/" not in name or name.split("/")[0] not in TOP or "<" in name or "…" in name:
                continue
            if "*" in name:
                found = any(ROOT.glob(name))
            else:
                found = any((ROOT / (name + ending)).exists() for ending in ("", ".hpp", ".cpp"))
            assert found, f"{page}:{number}: there is no {name}"


def test_the_rooms_pages_name_files_that_exist():
    """First cells name concerns, second cells files: with or without ending."""
    for page in [page for page in pages() if page.startswith("src/") and page != "src/README.md"]:
        room = (ROOT / page).parent
        for number, line in enumerate(prose_of(page), 1):
            if not line.startswith("| ") or line.count("|") < 3:
                continue
            for name in re.findall(r"`([\w./]+)`", line.split("|")[2]):
                roots = (room, ROOT / "include/weir" / room.relative_to(ROOT / "src"), ROOT, ROOT / "src")
                found = any((root / (name + ending)).exists() for root in roots for ending in ("", ".hpp", ".cpp"))
                assert found or name[0].isupper() or name == "Meter", f"{page}:{number}: there is no {name}"


def test_the_threat_models_tests_exist():
    text = text_of("docs/threat-model.md")
    named = re.findall(r"`((?:flow|sdk|unit|fuzz|tidy)/[\w/.]+)(?:::([\w.]+))?`", text)
    assert len(named) > 50
    for path, test in named:
        file = ROOT / "tests" / path
        assert file.exists(), f"there is no tests/{path}"
        if not test:
            continue
        code = file.read_text()
        if path.endswith(".py"):
            assert f"def {test}(" in code, f"tests/{path} has no {test}"
        else:
            suite, name = test.split(".")
            assert re.search(rf"TEST(_F|_P)?\({suite},\s*{name}\)", code), f"tests/{path} has no {test}"


def test_every_threat_is_shown_by_a_test():
    lines = [line for line in prose_of("docs/threat-model.md") if line.startswith("| ") and line.count("|") == 4]
    threats = [line for line in lines if not line.startswith(("| threat", "| boundary", "| ("))]
    assert len(threats) > 20
    for line in threats:
        assert "`" in line.split("|")[3], f"no test is named for: {line}"


@pytest.mark.parametrize("page", pages())
def test_prose_is_plain(page):
    text = "\n".join(prose_of(page)).lower()
    for word in ("simply", "seamless", "blazing", "powerful", "effortless", "just works"):
        assert word not in text, f"{page} says {word!r}"
