import csv
import io
import json
import time
import zipfile

import pytest
from sqlalchemy import select

from podium import checkup, competitions
from podium.models import Submission

pytestmark = pytest.mark.usefixtures("scorer")

ROWS = "".join(f"{n % 10},{(n * 7) % 10},{int(n % 10 > (n * 7) % 10)}\n" for n in range(2000))
TABLE = f"x,y,larger\n{ROWS}"


@pytest.fixture
def teacher(factory, signed_in):
    return signed_in(factory.course(student=("ada-01", "bob-01"))["teacher-01"])


@pytest.fixture
def checked(installation, factory, teacher):
    """A draft of the table in the course, with a baseline, checked."""
    words = ["--target", "larger", "--metric", "accuracy", "--course", "dl", "--seed", "4"]
    file = teacher.write("table.csv", TABLE)
    made = teacher.run("competitions", "create", "mine", "--file", file, *words)
    assert made.returncode == 0, made.stderr
    blocked = teacher.run("competitions", "publish", "mine")
    assert blocked.returncode == 2
    assert "cannot be published yet" in blocked.stderr
    said = ["id,larger"]
    for line in _file(installation, "test.csv")[1:]:
        id_, x, y = line.split(",")
        said.append(f"{id_},{int(int(x) > int(y)) if int(id_) % 5 else 0}")
    baseline = teacher.write("rule.csv", "\n".join(said) + "\n")
    handed = teacher.run("competitions", "baseline", "mine", baseline, "--name", "Rule")
    assert handed.returncode == 0, handed.stderr
    _wait_for_scores(installation)
    while not checkup.work(installation):
        pass
    return "mine"


def _wait_for_scores(installation):
    """The worker of these tests scores by itself: two at once would take it from each other."""
    states = {"queued"}
    while states != {"scored"}:
        time.sleep(0.02)
        with installation.database.reading() as session:
            states = set(session.scalars(select(Submission.state)))


def _file(installation, name):
    with installation.database.reading() as session:
        challenge = competitions.find(session, "mine").challenge
        key = next(one.file_key for one in challenge.files if one.name == name)
    with installation.storage.open(key) as file:
        return file.read().decode().splitlines()


def test_a_table_is_hosted_checked_published_closed_and_exported(teacher, checked):
    shown = json.loads(teacher.run("competitions", "checks", "mine", "--format", "json").stdout)
    assert (shown["stage"], shown["blockers"]) == ("checked", [])
    assert shown["scores"]["perfect"] == {"public": 1.0, "private": 1.0}
    assert "mine is open" in teacher.run("competitions", "open", "mine").stderr
    edited = ["--set", "daily_limit=3", "--set", "late_percent=10"]
    assert teacher.run("competitions", "edit", "mine", *edited).returncode == 0
    assert "mine is closed" in teacher.run("competitions", "close", "mine").stderr
    exported = teacher.run("competitions", "export", "mine")
    assert "keep it to yourself" in exported.stderr
    with zipfile.ZipFile(teacher.folder / "mine.zip") as archive:
        assert "private/answers.csv" in archive.namelist()
        archive.extractall(teacher.folder / "folder")
    again = ["challenges", "publish", "folder", "--slug", "again", "--course", "dl"]
    # The folder's name is not the challenge's: it is told, then named as it should be.
    assert teacher.run(*again).returncode == 2
    (teacher.folder / "folder").rename(teacher.folder / "mine")
    done = teacher.run("challenges", "publish", "mine", *again[3:])
    assert done.returncode == 0, done.stderr
    assert "again is a draft" in done.stderr


def test_students_neither_host_nor_export(factory, signed_in, checked):
    ada = signed_in(factory.person("ada-01"))
    for words in (["export", "mine"], ["checks", "mine"], ["publish", "mine"]):
        assert ada.run("competitions", *words).returncode in (3, 4)


def test_grades_are_ruled_released_and_exported_into_a_list(
    installation, factory, teacher, signed_in, checked
):
    teacher.run("competitions", "open", "mine")
    answers = [line.rpartition(",")[0] for line in _answers(installation)]
    ada = factory.as_now(factory.person("ada-01"))
    with installation.database.writing() as session:
        competitions.join(session, competitions.find(session, "mine"), ada)
    factory.judge(factory.submit(ada, "\n".join(answers) + "\n", "mine"))
    teacher.run("competitions", "close", "mine")
    assert teacher.run("competitions", "reveal", "mine").returncode == 0
    points = ["--point", "sample=0.5=0", "--point", "baseline=@Rule=60", "--point", "top=1=100"]
    assert teacher.run("grades", "rule", "mine", *points).returncode == 0
    email = "bob-01@example.org"
    by_hand = teacher.run("grades", "override", "mine", email, "--percent", "55", "--note", "ill")
    assert by_hand.returncode == 0
    assert "2 students see" in teacher.run("grades", "release", "mine").stderr
    file = teacher.write(
        "canvas.csv", "Student,SIS Login ID\nAda,ada-01@example.org\nGuest,guest@example.org\n"
    )
    words = ["--style", "canvas", "--class-list", file, "-o", "grades.csv"]
    done = teacher.run("grades", "export", "mine", *words)
    assert "Line 3 of the list matches nobody: guest@example.org" in done.stderr
    assert f"Not in the list: {email}" in done.stderr
    rows = list(csv.reader(io.StringIO((teacher.folder / "grades.csv").read_text())))
    assert rows[1] == ["Ada", "ada-01@example.org", "100.00"]
    mine = signed_in(ada).run("grades", "mine", "mine", "--format", "json")
    assert json.loads(mine.stdout)["percent"] == 100.0
    assert signed_in(ada).run("grades", "show", "mine").returncode == 3


def _answers(installation):
    with installation.database.reading() as session:
        key = competitions.find(session, "mine").challenge.answers_key
    with installation.storage.open(key) as file:
        return file.read().decode().splitlines()


def test_a_home_is_backed_up_and_restored_into_an_empty_one(
    installation, factory, factory_of, shell, checked
):
    home = {
        "PODIUM_DATABASE_URL": installation.config.database,
        "PODIUM_STORAGE_URL": installation.config.storage,
    }
    operator = type(shell)(shell.folder, shell.url, home)
    done = operator.run("backup", "all.tar")
    assert done.returncode == 0, done.stderr
    empty = type(shell)(shell.folder, shell.url, {})
    restored = empty.run("restore", "all.tar", "--home", "new")
    assert restored.returncode == 0, restored.stderr
    assert restored.stderr.split(" are there")[0] == done.stderr.split(" were written")[0]
    again = empty.run("restore", "all.tar", "--home", "new")
    assert again.returncode == 2
    assert "people in this database already" in again.stderr


def test_three_files_are_hosted_and_their_faults_told_with_places(teacher, installation):
    train = "key,x,kind\n" + "".join(f"t{n},{n % 10},{int(n % 10 > 4)}\n" for n in range(300))
    test = "key,x\n" + "".join(f"q{n},{n % 10}\n" for n in range(100))
    answers = "key,truth\n" + "".join(f"q{n},{int(n % 10 > 4)}\n" for n in range(100))
    files = {
        name: teacher.write(f"{name}.csv", content)
        for name, content in (("train", train), ("test", test), ("answers", answers))
    }
    words = [word for name, file in files.items() for word in (f"--{name}", file)]
    named = ["--target", "kind", "--answer-column", "truth", "--metric", "accuracy"]
    create = ["competitions", "create", "three", *named]
    missing = teacher.run(*create, *words[:2])
    assert missing.returncode == 2
    assert "together" in missing.stderr
    bad = teacher.write("bad.csv", answers.replace("q7,1", "q7000,1"))
    wrong = teacher.run(*create, *words[:4], "--answers", bad)
    assert wrong.returncode == 2
    assert "The answers, line 9, column key: expected an id of the test file" in wrong.stderr
    made = teacher.run(*create, *words)
    assert made.returncode == 0, made.stderr
    with installation.database.reading() as session:
        challenge = competitions.find(session, "three").challenge
        key = next(one.file_key for one in challenge.files if one.name == "test.csv")
    with installation.storage.open(key) as file:
        assert file.read().decode() == test


def test_a_host_announces_changes_and_takes_back(teacher, checked):
    said = teacher.write("said.md", "The *last* day is Monday.\n")
    assert teacher.run("announcements", "post", "mine", "Dates", "-f", said).returncode == 0
    (told,) = json.loads(teacher.run("announcements", "list", "mine", "--format", "json").stdout)
    assert (told["title"], told["text"], told["is_pinned"]) == (
        "Dates",
        "The *last* day is Monday.",
        True,
    )
    number = str(told["id"])
    assert teacher.run("announcements", "edit", "mine", number).returncode == 2
    assert teacher.run("announcements", "edit", "mine", number, "--no-pin").returncode == 0
    (told,) = json.loads(teacher.run("announcements", "list", "mine", "--format", "json").stdout)
    assert (told["title"], told["is_pinned"]) == ("Dates", False)
    assert teacher.run("announcements", "remove", "mine", number).returncode == 0
    assert teacher.run("announcements", "list", "mine", "--format", "json").stdout == "[]\n"
    assert teacher.run("competitions", "text", "mine", "-f", said).returncode == 0
    assert "The *last* day" in teacher.run("competitions", "show", "mine").stdout


def test_staff_lists_everybodys_submissions_and_participants(
    teacher, checked, factory, installation
):
    assert teacher.run("competitions", "open", "mine").returncode == 0
    ada = factory.as_now(factory.person("ada-01"))
    with installation.database.writing() as session:
        competitions.join(session, competitions.find(session, "mine"), ada)
    number = factory.submit(ada, "id,larger\n0,9\n", "mine")
    factory.judge(number)
    listed = teacher.run("submissions", "mine", "--all", "--state", "invalid", "--format", "json")
    (one,) = json.loads(listed.stdout)
    assert (one["id"], one["team"], one["private"]) == (number, "ada-01", None)
    wrong = teacher.run("submissions", "mine", "--all", "--state", "none")
    assert wrong.returncode == 2
    assert "There is no state 'none'" in wrong.stderr
    assert teacher.run("submissions", "mine", "--state", "invalid").returncode == 2
    people = teacher.run("competitions", "participants", "mine", "--format", "json")
    assert [one["email"] for one in json.loads(people.stdout)] == ["ada-01@example.org"]
