"""The sandbox as its callers use it: what they hand in, what they hear, how they end it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from podium.sandbox import Bind, Cause, Job, Limits, Sandbox, SandboxError, cgroups, run
from podium.sandbox.bubblewrap import end_orphans

SLEEPS = "import time\nprint('here', end='', flush=True)\ntime.sleep(60)"


def test_a_run_tells_status_time_memory_and_log(python):
    outcome = run(python("print('hello'); held = bytearray(64 << 20); raise SystemExit(3)"))
    assert (outcome.cause, outcome.exit_status, outcome.log) == (Cause.EXCEPTION, 3, "hello\n")
    assert 0 < outcome.wall_s < 30
    assert outcome.peak_memory_mib < 512


def test_memory_and_processor_time_are_measured(python):
    lines = "import time\nheld = bytearray(b'x' * (96 << 20))\nend = time.process_time() + 0.3\n"
    outcome = run(python(lines + "while time.process_time() < end: pass"))
    assert 90 < outcome.peak_memory_mib < 250
    assert 0.25 < outcome.cpu_s < 3


def test_the_log_is_heard_while_the_program_runs(python):
    heard = []
    stop = threading.Event()

    def listen(text):
        heard.append(text)
        stop.set()  # it would sleep for a minute

    outcome = run(python(SLEEPS), on_log=listen, stop=stop)
    assert "".join(heard) == "here"
    assert outcome.cause is Cause.CANCELLED


def test_letters_that_are_cut_by_a_read_are_heard_whole(python):
    heard = []
    lines = r"""
import os, time
for byte in 'ä€'.encode():
    os.write(1, bytes([byte]))
    time.sleep(0.05)
"""
    run(python(lines), on_log=heard.append)
    assert "".join(heard) == "ä€"


def test_a_run_is_cancelled_from_another_thread(python):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    begin = time.monotonic()
    outcome = run(python(SLEEPS), stop=stop)
    assert outcome.cause is Cause.CANCELLED
    assert time.monotonic() - begin < 10


def test_what_a_listener_raises_ends_the_run_and_comes_back(python):
    def listen(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(python(SLEEPS), on_log=listen)


def test_files_come_out_and_inputs_go_in(python, tmp_path):
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    for folder in (inputs, outputs):
        folder.mkdir()
        folder.chmod(0o755)
    (inputs / "x.txt").write_text("21")
    tmp_path.chmod(0o755)
    lines = "x = int(open('/data/x.txt').read())\nopen('/out/y.txt', 'w').write(str(2 * x))"
    outcome = run(python(lines), binds=[Bind(inputs, "/data")], outputs=outputs)
    assert outcome.files == ("y.txt",)
    assert (outputs / "y.txt").read_text() == "42"


def test_a_bind_below_tmp_is_not_hidden_and_its_parents_can_be_entered(python, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "x.txt").write_text("seen")
    (tmp_path / "x.txt").chmod(0o644)
    outcome = run(
        python("print(open('/tmp/a/b/c/x.txt').read())"), binds=[Bind(tmp_path, "/tmp/a/b/c")]
    )
    assert outcome.log == "seen\n"


def test_two_sandboxes_at_once_may_each_use_all_their_processes(python, runner):
    lines = """
import os, time
for _ in range(40):
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
print('all forked', end='', flush=True)
time.sleep(30)
"""
    job = Job(tuple(python(lines)), Limits(processes=48))
    heard = [[], []]
    with Sandbox(job, runner) as one, Sandbox(job, runner) as other:
        for sandbox, texts in zip((one, other), heard, strict=True):
            sandbox.begin(on_log=texts.append)
        _until(lambda: all(heard), limit_s=60)
    assert ["".join(texts) for texts in heard] == ["all forked"] * 2


def test_a_sandbox_outlives_the_thread_that_started_it(python, runner):
    started = []
    job = Job(tuple(python("import time\ntime.sleep(1)\nprint('still here')")))
    thread = threading.Thread(target=lambda: started.append(Sandbox(job, runner)))
    thread.start()
    thread.join()
    with started[0] as sandbox:
        sandbox.begin()
        assert sandbox.wait().log == "still here\n"


def test_a_command_that_is_not_there_is_an_exception(runner):
    outcome = run(["/no/such/program"])
    assert outcome.cause is Cause.EXCEPTION
    assert "/no/such/program" in outcome.log


def test_a_bind_without_a_source_is_told_and_nothing_runs(python):
    with pytest.raises(SandboxError, match="/no/such/folder"):
        run(python("print(1)"), binds=[Bind(Path("/no/such/folder"), "/data")])


@pytest.mark.parametrize("target", ["data", "/", "/a/../b", "/a//b", "/a/."])
def test_a_bind_goes_to_a_plain_absolute_path(target):
    with pytest.raises(ValueError, match="plain path"):
        Bind(Path("/tmp"), target)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_limit_is_a_positive_number(wrong):
    with pytest.raises(ValueError, match="memory_mib"):
        Limits(memory_mib=wrong)


SUPERVISOR = """
import sys
from podium.sandbox import Bubblewrap, Limits, run
program = '''
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
time.sleep(600)
'''
print("up", flush=True)
run([Bubblewrap.here().python, "-I", "-c", program, sys.argv[1]], Limits(wall_s=600))
"""


def _with_mark(mark):
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words and int(file.parent.name) != os.getpid():
            found.append(int(file.parent.name))
    return found


def _until(is_met, limit_s=10.0):
    end = time.monotonic() + limit_s
    while not is_met():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_killing_the_supervisor_leaves_no_process_and_its_group_goes_at_the_next_start(tmp_path):
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    command = [sys.executable, "-c", SUPERVISOR, mark]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as supervisor:
        _until(lambda: len(_with_mark(mark)) >= 6)  # itself, bubblewrap, init and four programs
        os.kill(supervisor.pid, signal.SIGKILL)
    begin = time.monotonic()
    _until(lambda: _with_mark(mark) == [])
    assert time.monotonic() - begin < 5

    def left():
        place = cgroups.find()
        folders = place.folders.values() if place else ()
        return [group for folder in folders for group in folder.glob(f"podium-{supervisor.pid}-*")]

    _until(lambda: left() == [])  # a group is busy until the last process has been waited for


STARTING = """
import sys
from podium.sandbox import Bubblewrap, run
runner = Bubblewrap.here()
print("up", flush=True)
while True:
    run(["/bin/sleep", sys.argv[1]], runner=runner)
"""


def test_supervisors_killed_while_sandboxes_start_leave_nothing_that_the_next_does_not_end():
    mark = f"0.0{os.getpid()}"  # what `sleep` is told, and known by
    for moment_s in (0.0, 0.004, 0.009, 0.015, 0.03):
        command = [sys.executable, "-c", STARTING, mark]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as supervisor:
            assert supervisor.stdout.readline() == b"up\n"
            time.sleep(moment_s)
            supervisor.kill()

    def is_clean():
        end_orphans()  # as `Bubblewrap.here` does at every start
        return _with_mark(mark) == []

    _until(is_clean)


def test_a_running_sandbox_is_no_orphan(python, runner):
    with Sandbox(Job(tuple(python(SLEEPS))), runner) as sandbox:
        sandbox.begin()
        end_orphans()
        time.sleep(0.1)
        assert not sandbox.has_ended
