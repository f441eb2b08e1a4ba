"""The command line as a user meets it: exit codes, messages, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli
from harness.config import parse_choices
from harness.failures import UsageError, failure_from
from harness.texts import printable
from tests.harness.conftest import Call, Install


def test_help_and_lists_import_nothing_heavy() -> None:
    heavy = ("torch", "pandas", "datasets", "transformers", "numpy", "rich", "yaml")
    script = f"""
import sys
from harness import cli
for arguments in (["--help"], ["run", "--help"], ["list", "tasks"], ["list", "models"], ["list", "judges"]):
    sys.argv = ["harness", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        assert not end.code, end.code
print("imported:", [name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported: []"


def test_lists_for_programs(call: Call) -> None:
    tasks = json.loads(call("list", "tasks", "--json").out)
    assert set(tasks["suites"]["asr"]) <= set(tasks["tasks"])
    assert {"vita15", "vita15-tiny", "echo"} <= set(json.loads(call("list", "models", "--json").out)["models"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "vita51", "--tasks", "mme"], "Did you mean vita15"),
        (["--model", "echo", "--tasks", "mmee"], "Did you mean mme"),
        (["--model", "echo", "--tasks", "asr", "--data", "no-such-folder"], "data folder does not exist"),
        (["--model", "echo", "--tasks", "mme", "--data", "mini", "--profile", "nope"], "has a profile 'nope'"),
        (["--model", "echo", "--tasks", "mme", "--data", "mini", "--profile", "mme=nope"], "no profile 'nope'"),
        (["--model", "echo", "--tasks", "mme", "--data", "mini", "--profile", "asr=kimi"], "this run does not have"),
        (["--model", "echo", "--tasks", "mme", "--data", "mini", "--prompt", "nope"], "has a prompt 'nope'"),
        (["--model", "echo"], "tasks: is missing"),
        (["--model", "echo", "--tasks", "mme", "--limit", "0"], "limit: Expected `int` >= 1"),
        (["--model", "echo", "--tasks", "mme", "--device", "gpu"], "device: "),
        (["--model", "echo", "--tasks", ","], "no task named"),
        (["--model", "echo", "--tasks", "mme", "--ablate", "pictures"], "'pictures'; there are "),
    ],
)
def test_what_the_caller_can_mend_is_one_message_and_exit_2(call: Call, arguments: list[str], said: str) -> None:
    found = call("run", *arguments)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "nowhere"], 2, "nowhere"),
        (["show", "nowhere", "--no-such-flag"], 2, "--no-such-flag"),
        (["ask", "--model", "echo", "--text", "x", "--stream"], 2, "cannot stream"),
        (["ask", "--model", "echo", "--text", "   "], 2, "nothing is asked"),
    ],
)
def test_a_program_reads_what_went_wrong(call: Call, arguments: list[str], code: int, said: str) -> None:
    told = call(*arguments, "--json")
    failed = json.loads(told.out)
    assert (told.code, failed["exit_code"]) == (code, code)
    assert said in failed["error"] and said in told.err


def test_a_name_that_no_disk_takes_is_one_message(toys: None, call: Call, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 256)
    assert "File name too long" in (told := call("show", long)).err and told.code == 2
    named = call("run", "--model", "toy-model", "--tasks", "toy", "--out", tmp_path / "\udcff")
    assert named.code == 2 and "no UTF-8" in named.err


@pytest.mark.parametrize("log", ["2>&-", "2>/dev/full"])
def test_a_log_that_takes_no_line_stops_no_run(tmp_path: Path, log: str) -> None:
    run = f"{sys.executable} -m harness run --model echo --tasks mme --data mini --limit 2 --out {tmp_path}/run"
    assert subprocess.run(["sh", "-c", f"{run} {log}"], capture_output=True).returncode == 0
    assert (tmp_path / "run" / "finished.json").is_file()


@pytest.mark.parametrize("buffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_message(buffered: str) -> None:
    shown = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m harness list tasks --json >/dev/full"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": buffered},
    )
    assert shown.returncode == 2 and shown.stderr == "error: No space left on device\n"


def test_yaml_file_with_the_same_names_and_flags_win(toys: None, call: Call, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("\ufeffmodel: toy-model\ntasks: [toy]\ndata: mini\nlimit: 9\nseed: 5\n")
    found = call("run", "--config", config, "--limit", "4", "--out", tmp_path / "run", "--json")
    assert found.code == 0
    stored = json.loads((tmp_path / "run" / "manifest.json").read_text())["config"]
    assert (stored["limit"], stored["seed"], stored["tasks"]) == (4, 5, ["toy"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("model: [", "not YAML"),
        ("- a\n- b\n", "must hold a mapping"),
        ("modle: x\n", "modle: no such field"),
        ("limit: 3\nlimit: 300\n", "the key 'limit' occurs twice"),
        ("data: 2026-13-45\n", "not YAML"),
    ],
)
def test_bad_yaml_is_told(call: Call, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "run.yaml").write_text(content)
    found = call("run", "--config", tmp_path / "run.yaml", "--model", "echo", "--tasks", "mme")
    assert found.code == 2
    assert said in found.err


TOY = ("--model", "toy-model", "--tasks", "toy", "--data", "mini")


def test_dry_run_shows_prompts_and_sizes_and_writes_nothing(
    toys: None, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    found = call("run", *TOY, "--dry-run", "--json")
    plan = json.loads(found.out)
    assert found.code == 0
    assert (plan["samples"], plan["groups"]) == (40, 1)
    assert plan["tasks"][0]["first"] == "user: what is 0?"
    assert list(Path.cwd().iterdir()) == []
    text = call("run", *TOY, "--dry-run").out
    assert "40 answers" in text and "what is 0?" in text
    heard = call("run", *TOY, "--tasks", "toy,latency_spoken", "--dry-run", "--skip-unable").out
    assert "40 answers" in heard and "latency_spoken: left out, as the model has no speech output" in heard


def test_run_show_resume_score_report(toys: None, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "run"
    done = call("run", *TOY, "--out", path)
    assert done.code == 0
    assert "accuracy" in done.out and "40/40" in done.out
    assert call("show", path).code == 0
    assert json.loads(call("show", path, "--json").out)["tasks"]["toy"]["n_scored"] == 40
    assert call("resume", path).code == 0
    assert call("score", path, "--profile", "loose").code == 0
    assert json.loads((path / "results.json").read_text())["tasks"]["toy"]["profile"] == "loose"
    page = call("report", path, "-o", tmp_path / "site")
    assert Path(page.out.strip()).is_file()


def test_an_invalid_run_exits_with_4(toys: None, call: Call, tmp_path: Path) -> None:
    arguments = ("--model", "toy-model", "--tasks", "toy_broken", "--data", "mini", "--out", tmp_path / "run")
    assert call("run", *arguments).code == 4
    assert json.loads(call("show", tmp_path / "run", "--json").out)["tasks"]["toy_broken"]["n_failed"] == 1


def test_showing_an_unfinished_run_says_how_far_it_is(toys: None, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "run"
    call("run", *TOY, "--out", path)
    (path / "finished.json").unlink()
    found = call("show", path)
    assert found.code == 4
    assert "is not finished" in found.out and "40 of 40 samples answered" in found.out
    assert json.loads(call("show", path, "--json").out)["tasks"]["toy"] == {"answered": 40, "planned": 40}
    log = path / "samples" / "toy.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    assert call("score", path).code == 2
    log.write_bytes(whole)
    assert call("score", path).code == 0 and (path / "finished.json").is_file(), "all answers were there"


MME = {"question_id": "scene/1", "category": "scene", "question": "Is it day? Please answer yes or no."}


def test_saved_responses_are_scored_without_a_model(call: Call, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "doc": MME | {"answer": "Yes"}, "response": "The answer is yes."},
        {"id": "2", "doc": MME | {"answer": "No"}, "response": "no"},
    ]
    path = tmp_path / "responses.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scene = {
        profile: channels[""]["groups"]["category"]["scene"]["metrics"]["score"]["value"]
        for profile, channels in json.loads(call("score", "--task", "mme", "--responses", path, "--json").out)[
            "scores"
        ].items()
    }
    assert scene == {"vlmevalkit_vita": 200, "vlmevalkit": 200, "lmms_eval": 50, "robust": 200}

    rows = [{"id": 1, "doc": {"text": "MISTER BROWN"}, "response": "mr. brown"}, {"id": 2, "doc": {"text": "A B C"}}]
    rows[1]["response"] = None  # type: ignore[assignment]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = call("score", "--task", "librispeech_test_clean", "--responses", path, "--profile", "whisper", "--json")
    result = json.loads(found.out)
    assert found.code == 4, "a missing answer leaves the run under 99 % coverage"
    assert result["profile"] == "whisper"
    assert result["scores"]["whisper"][""]["metrics"]["wer"]["value"] == pytest.approx(100 * 3 / 5)
    assert result["samples"][0]["shown"] == ["mister brown", "mister brown"]
    assert result["n_failed"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{broken\n", "line 1: JSON is malformed"),
        ('{"id": "1", "response": "x"}\n', '"doc" (an object)'),
        ('{"id": "1", "doc": {}}\n', "missing required field `response`"),
        ('{"doc": {}, "response": "x"}\n', "missing required field `id`"),
        ('{"id": 1, "doc": {}, "response": "x"}\n{"id": "1", "doc": {}, "response": "y"}\n', "occurs twice"),
        ("", "holds no lines"),
    ],
)
def test_bad_responses_files_are_told(call: Call, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "r.jsonl").write_text(content)
    found = call("score", "--task", "mme", "--responses", tmp_path / "r.jsonl")
    assert found.code == 2
    assert said in found.err


def test_a_profile_is_for_the_tasks_that_have_it() -> None:
    known = {"librispeech": ("qwen2", "kimi"), "aishell1": ("kimi",), "mme": ("lmms_eval",)}
    chosen = parse_choices("profile", ["kimi", "librispeech=qwen2"], known)
    assert chosen == {"librispeech": "qwen2", "aishell1": "kimi"}
    with pytest.raises(UsageError, match="there are kimi, lmms_eval, qwen2"):
        parse_choices("profile", ["nope"], known)


def test_control_characters_do_not_reach_the_terminal_and_wide_spaces_stay() -> None:
    assert printable("a\x1b[2J\u3000b\n\u202ec\ud800") == "a\ufffd[2J\u3000b\n\ufffdc\ufffd"


def test_a_terminal_that_is_not_utf8_prints_with_replacements(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness", "ask", "--model", "echo", "--text", "猫 é \x1b[2J"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=True)
    assert done.stdout.strip() == b"? ? ?[2J"


def test_a_folder_of_ones_own_that_hides_a_package_is_named(tmp_path: Path) -> None:
    """As where the harness is installed as a wheel: an editable install finds its modules in spite of it."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").touch()
    root = Path(cli.__file__).parents[1]
    script = f"""
import sys
sys.meta_path = [finder for finder in sys.meta_path if "Editable" not in repr(finder)]
sys.path[:0] = [{str(tmp_path)!r}, {str(root)!r}]
sys.argv = ["harness", "run", "--model", "echo", "--tasks", "mme", "--data", "mini"]
from harness import cli
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert f"is hidden by {tmp_path / 'tasks'}" in done.stderr and "Traceback" not in done.stderr


def test_a_plugin_with_a_wrong_address_is_one_message(install: Install, call: Call) -> None:
    install({"tasks": {"theirs": "no_such_module:TASK"}, "models": {"theirs": "harness:nothing"}})
    for arguments in (("--model", "echo", "--tasks", "theirs"), ("--model", "theirs", "--tasks", "mme")):
        found = call("run", *arguments, "--data", "mini")
        assert found.code == 2
        assert "of another package cannot be loaded" in found.err and "entry point" in found.err


@pytest.mark.parametrize("field", ["--weights", "--data"])
def test_credentials_are_refused_where_they_would_be_kept_and_never_printed(
    call: Call, field: str, tmp_path: Path
) -> None:
    found = call("run", "-m", "echo", "-t", "mme", field, "https://user:s3cret@host/x", "--out", tmp_path / "run")
    assert found.code == 2
    assert "holds credentials" in found.err and "HF_TOKEN" in found.err
    assert "s3cret" not in found.err + found.out
    assert not (tmp_path / "run").exists()


def test_credentials_in_an_error_reach_neither_message_nor_record() -> None:
    failure = failure_from(ConnectionError("cannot reach https://user:s3cret@hub.example/api"), "load")
    assert failure.message == "ConnectionError: cannot reach https://***@hub.example/api"
