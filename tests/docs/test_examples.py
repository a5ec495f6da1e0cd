"""Every command and example of the documentation is run, in the page's order."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from fakes import answers
from fakes.provider import send
from fakes.weir_process import ROOT, Weir, binary, clean_environment, free_port, run_weir
from fenced import blocks_of, pages

PAGES = ["README.md", "docs/operations.md", "docs/failures.md", "docs/reports.md", "docs/keys.md"]
NODE_MODULES = ROOT / "tests/sdk/node/node_modules"
PORTS = {8080: "clients", 9090: "operators"}


class Stage:
    """A folder in which one page's blocks are run, with `weir` in the path and what settings refer to beside it."""

    def __init__(self, folder, authority):
        self.folder = folder
        programs = folder / "programs"
        programs.mkdir(parents=True)
        (programs / "weir").symlink_to(binary())
        self.path = f"{programs}:{os.environ['PATH']}"
        certificate = authority.issue("localhost", label="docs")
        shutil.copy(certificate.certificate, folder / "cert.pem")
        shutil.copy(certificate.key, folder / "key.pem")
        shutil.copy(authority.certificate, folder / "internal-ca.pem")
        (folder / "openai").write_text("sk-not-real\n")
        self.weir = Weir(folder / "weir", {})
        self.alone_ports = (free_port(), free_port())
        self.last_output = ""

    def fitted(self, text, ports):
        for port, own in zip(PORTS, ports):
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{own}")
        return text.replace("/run/secrets/", f"{self.folder}/")

    def run(self, command, serving):
        ports = (self.weir.port, self.weir.admin_port) if serving else self.alone_ports
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=150,
            cwd=self.folder,
            env=clean_environment(PATH=self.path),
        )
        assert done.returncode == 0, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        output = done.stdout.replace("\r", "")
        for port, own in zip(PORTS, ports):
            output = output.replace(f":{own}/", f":{port}/")
        self.last_output = output

    def shell(self, block, serving):
        ports = (self.weir.port, self.weir.admin_port) if serving else self.alone_ports
        for file in settings_files(block.page):
            (self.folder / file.file).write_text(self.fitted(file.text, self.alone_ports))
        text = self.fitted(block.text, ports)
        if serving:  # whose settings say where its ledger is
            text = text.replace("--config weir.yaml", f"--config {self.weir.settings_file}")
        self.run(["bash", "-euo", "pipefail", "-c", text], serving)

    def script(self, block, name, program):
        file = self.folder / name
        file.write_text(self.fitted(block.text, (self.weir.port, self.weir.admin_port)))
        self.run([*program, file], serving=True)
        assert "[demo]" in self.last_output, f"{block.place} printed {self.last_output}"


def settings_files(page):
    return [block for block in blocks_of(page) if block.language == "yaml" and block.file]


def expect_output(block, output):
    rest = iter(output.splitlines())
    for line in block.lines:
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        assert any(pattern.fullmatch(have) for have in rest), f"{block.place}: no line {line!r} (in this order) in:\n{output}"


def check_program(block):
    for line in block.lines:
        words = [word for word in line.split("#")[0].split() if not re.match(r"^[A-Z_]+=", word)]
        if not words:
            continue
        if words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), f"{block.place}: {words[0]} is no program"
        for flag, value in zip(words, words[1:]):
            if flag == "-f":
                assert (ROOT / value).exists(), f"{block.place}: there is no {value}"


def run_block(block, stage):
    kind = (block.language, block.marks[0] if block.marks else "")
    if kind == ("sh", "run"):
        stage.shell(block, serving=True)
    elif kind == ("sh", "alone"):
        stage.shell(block, serving=False)
    elif kind in (("sh", "command"), ("sh", "image")):
        check_program(block)
    elif kind == ("python", "run"):
        stage.script(block, "example.py", [sys.executable])
    elif kind == ("js", "run"):
        if shutil.which("node") and NODE_MODULES.exists():
            if not (stage.folder / "node_modules").exists():
                (stage.folder / "node_modules").symlink_to(NODE_MODULES)
            stage.script(block, "example.mjs", ["node"])
        else:
            assert not os.environ.get("CI"), "node, or its packages, are missing"
    elif kind == ("text", "output"):
        expect_output(block, stage.last_output)
    elif kind == ("text", "metrics"):
        have = stage.weir.metrics().text.splitlines()
        for line in block.lines:
            assert line in have, f"{block.place}: the metrics page has no line\n{line}"
    elif kind == ("json", "log"):
        shown = json.loads(block.text)
        written = stage.weir.wait_for_call(request_id=shown["request_id"])
        assert list(shown) == list(written), f"{block.place} shows other fields than the log has"
        assert set(shown["tokens"]) == set(written["tokens"])
    else:
        assert block.language not in ("sh", "python", "js", "json"), f"{block.place}: the block says not what to do with it"


@pytest.mark.parametrize("page", PAGES)
def test_a_pages_examples(page, tmp_path, authority):
    stage = Stage(tmp_path, authority)
    with stage.weir:
        for block in blocks_of(page):
            run_block(block, stage)


def test_no_page_has_commands_that_nobody_runs():
    """But for the image's, which needs an engine, and measuring, which needs minutes."""
    others = {"docs/container.md", "tests/bench/README.md"}
    for page in set(pages()) - set(PAGES) - others:
        for block in blocks_of(page):
            assert block.language not in ("sh", "bash", "console", "python", "js"), f"{block.place} is not run by any test"


def known_settings():
    return set(json.loads(run_weir("schema").stdout)["properties"])


@pytest.mark.parametrize("page", [page for page in pages() if any(b.language == "yaml" for b in blocks_of(page))])
def test_settings_in_a_page_pass_the_check(page, tmp_path, authority):
    """Whatever YAML has a key of ours is settings; other YAML (compose, Kubernetes) is none of this test's."""
    stage = Stage(tmp_path, authority)
    known = known_settings()
    for number, block in enumerate(block for block in blocks_of(page) if block.language == "yaml"):
        parts = list(yaml.safe_load_all(block.text))
        if len(parts) != 1 or not isinstance(parts[0], dict) or not known & set(parts[0]):
            continue
        file = tmp_path / f"settings-{number}.yaml"
        file.write_text(stage.fitted(block.text, stage.alone_ports))
        done = run_weir("check", file)
        assert done.returncode == 0, f"{block.place}:\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("file", ["config/weir.example.yaml", "docker/weir.yaml"])
def test_shipped_settings_pass_the_check(file):
    done = run_weir("check", ROOT / file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_settings_forward_real_calls(provider, weir_with):
    """Its settings file with a scripted provider in place of the local server and of OpenAI."""
    (file,) = settings_files("README.md")
    settings = yaml.safe_load(file.text)
    for entry in settings["providers"].values():
        entry["base_url"] = provider.base_url
    weir = weir_with(settings, environment={"OPENAI_API_KEY": "sk-from-the-environment"})

    provider.answer_next(send(answers.reply(answers.completion())))
    assert weir.chat({"model": "support"}).header("x-weir-task") == "support"
    assert provider.requests[-1].json()["model"] == "gpt-4o-mini"
    assert provider.requests[-1].header("authorization") == "Bearer sk-from-the-environment"

    provider.answer_next(send(answers.reply(answers.completion())))
    assert weir.chat({"model": "own"}).status == 200
    assert provider.requests[-1].json()["model"] == "qwen3:8b"
    assert provider.requests[-1].header("authorization") is None


def test_a_key_in_the_environment_is_enough():
    done = run_weir("check", OPENAI_API_KEY="sk-not-real")
    assert done.returncode == 0, done.stdout + done.stderr
