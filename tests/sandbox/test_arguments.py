"""The command line of bubblewrap: what each mode must and must never ask for."""

from pathlib import Path

import pytest

from podium.sandbox import Bind, Job, Limits
from podium.sandbox.arguments import command_line
from podium.sandbox.environment import Environment, packages
from podium.sandbox.job import Device

HOME = Environment(Path("/tmp/project/.venv"), Path("/home/ada/python"))
LIMITS = Limits(disk_mib=3, output_mib=2)


def line(uid=None, **job):
    words = command_line(
        Job(("program", "--flag"), LIMITS, **job), HOME, uid=uid, filter_fd=7, info_fd=8, block_fd=9
    )
    return words[1:]


def at(words, *part):
    """Where these words stand one after the other."""
    [found] = [
        index for index in range(len(words)) if tuple(words[index : index + len(part)]) == part
    ]
    return found


def test_root_never_makes_a_user_namespace_and_becomes_the_user_of_its_slot():
    words = line(uid=60005)
    assert not {"--unshare-user", "--unshare-user-try", "--unshare-all", "--uid"} & set(words)
    inside = words[words.index("--") + 1 :]
    assert inside[:3] == ["setpriv", "--reuid=60005", "--regid=60005"]
    assert {"--clear-groups", "--no-new-privs", "--bounding-set=-all"} <= set(inside)
    assert inside[-2:] == ["program", "--flag"]


def test_others_make_one_user_namespace_and_no_further():
    words = line()
    assert at(words, "--unshare-user", "--disable-userns") > 0
    assert "setpriv" not in words


@pytest.mark.parametrize("uid", [None, 60001])
def test_every_namespace_is_new_in_both_modes(uid):
    assert {"--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"} <= set(line(uid))
    assert {"--new-session", "--die-with-parent", "--clearenv"} <= set(line(uid))


@pytest.mark.parametrize(
    ("folder", "size"), [("/tmp", 3), ("/scratch", 3), ("/dev/shm", 3), ("/out", 2)]
)
def test_every_folder_that_can_be_written_has_a_size(folder, size):
    assert at(line(), "--size", str(size << 20), "--tmpfs", folder) > 0


def test_what_hides_comes_before_what_is_shown_below_it():
    words = line(binds=(Bind(Path("/srv/x"), "/tmp/a/b"),))
    hides = at(words, "--tmpfs", "/tmp")
    assert hides < at(words, "--ro-bind", "/tmp/project/.venv", "/tmp/project/.venv")
    assert hides < at(words, "--ro-bind", "/srv/x", "/tmp/a/b")


def test_folders_above_a_bind_may_be_entered():
    words = line(binds=(Bind(Path("/srv/x"), "/a/b/c"),))
    shown = at(words, "--ro-bind", "/srv/x", "/a/b/c")
    for parent in ("/a", "/a/b", "/home", "/home/ada"):
        assert at(words, "--perms", "0755", "--dir", parent) < len(words)
    assert at(words, "--perms", "0755", "--dir", "/a/b") < shown


def test_graphics_cards_come_after_dev_and_before_it_is_closed():
    words = line(gpus=(Device(0, 1),))
    card = at(words, "--dev-bind-try", "/dev/nvidia1", "/dev/nvidia1")
    assert at(words, "--dev", "/dev") < card < at(words, "--remount-ro", "/dev")
    assert at(words, "--ro-bind", "/sys", "/sys") < at(words, "--remount-ro", "/")
    assert "/dev/nvidia0" not in words
    assert "/sys" not in line()


def test_the_root_is_closed_last():
    words = line(uid=60001)
    assert at(words, "--remount-ro", "/") > max(
        index for index, word in enumerate(words) if word in ("--ro-bind", "--tmpfs", "--dir")
    )


def test_the_environment_is_what_we_say_and_what_the_job_adds():
    words = line(env={"WORLD": "x"})
    names = {words[index + 1] for index, word in enumerate(words) if word == "--setenv"}
    assert names == {
        *("PATH", "HOME", "USER", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "WORLD"),
    }


def test_the_published_environment_lists_packages_with_versions():
    assert packages()["numpy"][0].isdigit()
