"""`weir report` and `weir explain` on the command line: exit codes and what their errors say."""

import pytest

from conftest import openai_provider
from fakes import answers
from fakes.provider import ScriptedProvider, send
from fakes.raw_http import wait_until
from fakes.weir_process import run_weir


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["cots"], 'Did you mean "costs"?'),
        (["costs", "--by", "modle"], 'Did you mean "model"?'),
        (["costs", "--format", "jsn"], 'Did you mean "json"?'),
        (["costs", "--since", "yesterday"], "--since yesterday: must be a time back from now"),
        (["costs", "--since", "1d", "--until", "2d"], "must be before --until"),
        (["tasks", "--reprice"], "tasks is not supported with --reprice"),
        (["drift"], "give --from and --to"),
        (["drift", "--from", "2026-11-01", "--to", "soon"], "--to soon: must be a day"),
    ],
)
def test_a_wrong_option_ends_with_2_and_says_what_there_is(arguments, said):
    done = run_weir("report", *arguments)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", [["report"], ["report", "costs", "--format", "json"], ["explain", "order-17"]])
def test_without_a_ledger_it_ends_with_1_and_names_the_place(command, tmp_path):
    done = run_weir(*command, HOME=str(tmp_path))
    assert done.returncode == 1 and done.stdout == ""
    assert f"{tmp_path}/.local/state/weir/weir.db" in done.stderr and "weir serve" in done.stderr
    assert list(tmp_path.iterdir()) == [], "a reader makes nothing"

    settings = tmp_path / "weir.yaml"
    settings.write_text("providers: {demo: {protocol: demo}}\n")
    done = run_weir(*command, "--config", settings)
    assert done.returncode == 1 and f"{tmp_path}/weir.db" in done.stderr


def test_wrong_settings_end_with_1(tmp_path):
    settings = tmp_path / "weir.yaml"
    settings.write_text("providrs: {}\n")
    done = run_weir("report", "--config", settings)
    assert done.returncode == 1 and 'Did you mean "providers"?' in done.stderr


def test_explain_tells_the_story_of_a_call_with_a_fallback(weir_with, provider, model):
    with ScriptedProvider() as other:
        weir = weir_with(
            {
                "providers": {"a": openai_provider(provider.base_url), "b": openai_provider(other.base_url)},
                "models": {"first": {"provider": "a"}, "second": {"provider": "b"}},
                "routes": {"both": {"model": "first", "fallback": ["second"]}},
            }
        )
        provider.answer_next(send(answers.reply(answers.error_body("It broke.", "api_error"), 500)))
        other.answer_always(send(answers.reply(answers.completion("Kirschbaum"))))
        assert weir.chat({"model": "both"}, fields=[("x-request-id", model)]).status == 200

        def told():
            return run_weir("explain", model, "--config", weir.settings_file)

        wait_until(lambda: told().returncode == 0, "the ledger")
        story = told().stdout
        assert "a" in story and "answered 500: upstream.error" in story
        assert "tried again elsewhere: it says nothing about other targets" in story
        assert "well, at attempt 2" in story and "200, the whole answer" in story
        assert story.index("upstream.error") < story.index("tried again elsewhere") < story.index("at attempt 2")
        assert "Kirschbaum" not in story and "sk-" not in story, "neither text nor keys"
