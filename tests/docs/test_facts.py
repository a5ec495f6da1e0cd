"""What the documentation states, compared with the program and the code."""

import json
import re

from fakes.weir_process import ROOT, run_weir
from fenced import blocks_of, text_of


def rows(page, heading):
    """The first table behind a heading, as lists of cells."""
    lines = iter(text_of(page).splitlines())
    assert any(re.fullmatch(rf"#+ {re.escape(heading)}", line) for line in lines), f"{page} has no heading {heading}"
    table = []
    for line in lines:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip("|").split("|")])
        elif table:
            break
    return table[2:]


def test_the_failure_table_is_the_codes():
    code = (ROOT / "include/weir/exchange/failure.hpp").read_text()
    outcome = r"Outcome::(\w+)"
    pattern = rf'FailureRow\{{Failure::\w+,\s*"([^"]+)",\s*(\d+),\s*"[^"]*",\s*Policy::\w+,\s*{outcome}'
    coded = {name: (status, outcome) for name, status, outcome in re.findall(pattern, code) if name != "none"}
    table = rows("docs/failures.md", "How a call can fail")
    told = {name.strip("`"): (status.replace("the provider's", "0"), outcome) for name, status, outcome, _ in table}
    assert len(coded) > 15 and told == coded
    assert [row[0].strip("`") for row in table] == list(coded), "in the code's order"


def test_the_commands_are_the_programs():
    said = run_weir("--help").stdout
    commands = re.findall(r"^ +([a-z]+) {2,}(.*)$", said[said.index("ubcommands:") :], re.M)
    built = {name for name, what in commands if "not supported" not in what}
    later = {name for name, what in commands} - built
    told = {row[0].split()[1].strip("`") for row in rows("docs/operations.md", "Commands")}
    assert built and told == built
    assert all(f"weir {name}" in text_of("docs/roadmap.md") for name in later - {"train", "batch"})


def test_commands_that_are_not_built_end_with_2():
    done = run_weir("replay")
    assert done.returncode == 2 and "docs/roadmap.md" in done.stdout + done.stderr


def test_the_exit_codes_are_the_codes():
    code = (ROOT / "src/app/app.hpp").read_text()
    coded = re.findall(r"= (\d)", re.search(r"enum class ExitCode[^{]*\{([^}]*)\}", code).group(1))
    assert [row[0] for row in rows("docs/operations.md", "Exit codes")] == coded


def test_each_log_field_is_explained():
    (shown,) = [block for block in blocks_of("docs/operations.md") if block.language == "json"]
    told = {name for row in rows("docs/operations.md", "The call log") for name in re.findall(r"`(\w+)`", row[0])}
    assert set(json.loads(shown.text)) - {"event"} == told


def test_messages_in_the_troubleshooting_table_are_the_codes():
    """Each literal piece of a message between … and figures stands in some source file."""
    sources = [*ROOT.glob("src/**/*.[ch]pp"), *ROOT.glob("include/**/*.hpp")]
    code = "\n".join(path.read_text() for path in sources)
    code = re.sub(r'"\s*\n\s*"', "", code)
    for shown, *_ in rows("docs/operations.md", "When something is wrong"):
        for message in re.findall(r"`([^`]+)`", shown):
            for piece in re.split(r"…|\d[\d.:]*|weir\.yaml|\"\w+\"|/", message):
                piece = piece.strip(" .:?()")
                assert piece in code or piece.startswith("weir_"), f"no message has {piece!r} (of {message!r})"


def test_the_changelog_has_this_version():
    version = re.search(r"\d+\.\d+\.\d+", run_weir("version").stdout).group()
    headings = re.findall(r"^## (.*)$", text_of("CHANGELOG.md"), re.M)
    assert headings and version in headings[0], headings
    assert f"VERSION {version}" in (ROOT / "CMakeLists.txt").read_text()


def test_each_room_has_its_page():
    for room in [path for path in (ROOT / "src").iterdir() if path.is_dir() and path.name != "dialects"]:
        page = room / "README.md"
        assert page.exists(), f"{page} is missing"
        assert len(page.read_text().splitlines()) < 60, f"{page} is longer than a page"
        assert f"]({room.name}/README.md)" in text_of("src/README.md")
        assert f"](../src/{room.name}/README.md)" in text_of("docs/architecture.md")


def test_each_decision_is_dated_and_says_what_was_not_chosen():
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert decisions
    for page in decisions:
        text = page.read_text()
        assert re.search(r"^20\d\d-\d\d", text, re.M) and "## What we did not choose" in text, page.name


def test_each_dependency_is_explained():
    """Every package that the set-up installs and every library that CMake asks for."""
    told = text_of("docs/dependencies.md")
    for line in re.findall(r"^\w+_packages=\(([^)]*)\)", (ROOT / "scripts/setup").read_text(), re.M):
        for package in line.split():
            if package not in ("python3", "python3-venv"):
                assert f"`{package}`" in told, f"{package} has no reason"
