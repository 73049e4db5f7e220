"""Who may call what: every route of the API for every kind of caller."""

import re
from datetime import timedelta
from typing import Any

import pytest

from podium import competitions, courses, discussion
from podium.models import Submission
from podium.models.record import now

PEOPLE = ("anonymous", "not_joined", "joined", "other_team", "host", "other_host", "admin")
ANYONE = dict.fromkeys(PEOPLE, 200)
SIGNED_IN = ANYONE | {"anonymous": 401}
MEMBERS = SIGNED_IN | dict.fromkeys(("not_joined", "host", "other_host", "admin"), 403)
# A submission of the team "joined"; for all others it does not exist.
OWN = {"anonymous": 401, "joined": 200, "host": 200, "admin": 200} | dict.fromkeys(
    ("not_joined", "other_team", "other_host"), 404
)
HOSTS = {"host": 200, "admin": 200} | dict.fromkeys(
    ("anonymous", "not_joined", "joined", "other_team", "other_host"), 403
)
HOSTS_ONLY = HOSTS | {"anonymous": 401}
# For tokens of the scope `work`, which no sign-in and no person's own token carries.
NOBODY = dict.fromkeys(PEOPLE, 403) | {"anonymous": 401}
ADMINS = NOBODY | {"admin": 200}
NONE = dict.fromkeys(PEOPLE, 404) | {"anonymous": 401}
NOT_THEIR_PASSWORD = dict.fromkeys(PEOPLE, 400) | {"anonymous": 401}
CARD = {"name": "r1", "queue": "run", "host": "h", "pid": 1, "version": "1"}
NEW = {"handle": "new-01", "email": "new@example.org", "password": "correct horse"}

GRADERS = HOSTS_ONLY | {"host": 400, "admin": 400}
# Of the course "dl", whose instructor is the host; for all others it does not exist.
COURSE = {"anonymous": 401, "host": 200, "admin": 200} | dict.fromkeys(
    ("not_joined", "joined", "other_team", "other_host"), 404
)

# Method, path, what is sent, and the status for each kind of caller.
ROUTES: dict[tuple[str, str], tuple[dict[str, Any], dict[str, int]]] = {
    ("POST", "/users"): ({"json": NEW}, dict.fromkeys(PEOPLE, 201)),
    ("POST", "/tokens"): ({"json": {"handle": "x", "password": "y"}}, dict.fromkeys(PEOPLE, 401)),
    ("GET", "/tokens"): ({}, SIGNED_IN),
    ("DELETE", "/tokens/0"): ({}, dict.fromkeys(PEOPLE, 404) | {"anonymous": 401}),
    ("GET", "/me"): ({}, SIGNED_IN),
    ("POST", "/password-resets"): ({"json": {"email": "a@x.org"}}, dict.fromkeys(PEOPLE, 202)),
    ("POST", "/passwords"): (
        {"json": {"secret": "x", "password": "correct horse"}},
        dict.fromkeys(PEOPLE, 404),
    ),
    ("PUT", "/me/language"): (
        {"json": {"language": "de"}},
        dict.fromkeys(PEOPLE, 204) | {"anonymous": 401},
    ),
    ("POST", "/me/password"): (
        {"json": {"old_password": "x", "new_password": "correct horse"}},
        NOT_THEIR_PASSWORD,
    ),
    ("POST", "/me/address"): ({"json": {"email": "b@x.org", "password": "x"}}, NOT_THEIR_PASSWORD),
    ("POST", "/me/address/again"): ({}, dict.fromkeys(PEOPLE, 409) | {"anonymous": 401}),
    ("POST", "/me/address/confirm"): ({"json": {"secret": "x"}}, NONE),
    ("GET", "/me/sign-ins"): ({}, SIGNED_IN),
    ("DELETE", "/me/sign-ins"): ({}, dict.fromkeys(PEOPLE, 204) | {"anonymous": 401}),
    ("DELETE", "/me/sign-ins/0"): ({}, NONE),
    ("GET", "/me/export"): ({}, SIGNED_IN),
    ("GET", "/me/notifications"): ({}, SIGNED_IN),
    ("POST", "/me/notifications/read"): ({"json": {}}, SIGNED_IN),
    ("GET", "/me/notifications/preferences"): ({}, SIGNED_IN),
    ("PATCH", "/me/notifications/preferences"): ({"json": {"kinds": {}}}, SIGNED_IN),
    ("POST", "/me/deletion"): ({"json": {"password": "x"}}, NOT_THEIR_PASSWORD),
    ("GET", "/competitions"): ({}, ANYONE),
    ("GET", "/competitions/toy"): ({}, ANYONE),
    ("GET", "/competitions/toy/limits"): ({}, MEMBERS),
    ("GET", "/competitions/toy/files"): ({}, ANYONE),
    ("GET", "/competitions/toy/files/train.csv"): ({}, SIGNED_IN),
    ("POST", "/competitions/toy/submissions"): (
        {"file": True},
        {person: 201 if status == 200 else status for person, status in MEMBERS.items()},
    ),
    ("POST", "/competitions/toy/uploads"): (
        {"headers": {"Upload-Length": "5"}},
        {person: 201 if status == 200 else status for person, status in MEMBERS.items()},
    ),
    ("GET", "/competitions/toy/uploads"): ({}, SIGNED_IN),
    ("GET", "/uploads/x"): ({}, NONE),
    ("PATCH", "/uploads/x"): (
        {"headers": {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}},
        NONE,
    ),
    ("DELETE", "/uploads/x"): ({}, NONE),
    ("POST", "/competitions/toy/check"): ({"file": True}, SIGNED_IN),
    ("GET", "/competitions/toy/file-rules"): ({}, SIGNED_IN),
    ("GET", "/competitions/toy/submissions"): ({}, MEMBERS | {"host": 200, "admin": 200}),
    ("GET", "/competitions/toy/submissions/all"): ({}, HOSTS_ONLY),
    ("GET", "/competitions/toy/audit"): ({}, HOSTS_ONLY),
    ("POST", "/competitions/toy/submissions/retry"): ({"json": {}}, HOSTS_ONLY),
    ("GET", "/competitions/toy/announcements"): ({}, ANYONE),
    ("POST", "/competitions/toy/announcements"): (
        {"json": {"title": "Hello"}},
        HOSTS_ONLY | {"host": 201, "admin": 201},
    ),
    ("PATCH", "/competitions/toy/announcements/0"): (
        {"json": {"title": "Hello"}},
        HOSTS_ONLY | {"host": 404, "admin": 404},
    ),
    ("DELETE", "/competitions/toy/announcements/0"): ({}, HOSTS_ONLY | {"host": 404, "admin": 404}),
    ("PUT", "/competitions/toy/text"): (
        {"json": {"text": None}},
        HOSTS_ONLY | {"host": 204, "admin": 204},
    ),
    ("GET", "/competitions/toy/participants"): ({}, HOSTS_ONLY),
    ("POST", "/competitions/toy/submissions/acts"): (
        {"json": {"verb": "cancel", "submissions": [999]}},
        HOSTS_ONLY,
    ),
    ("GET", "/competitions/toy/requests"): ({}, HOSTS_ONLY),
    ("POST", "/competitions/toy/requests/0"): (
        {"json": {"accepts": True}},
        HOSTS_ONLY | {"host": 404, "admin": 404},
    ),
    ("GET", "/submissions/{id}"): ({}, OWN),
    ("GET", "/submissions/{id}/file"): ({}, OWN),
    ("GET", "/submissions/{id}/log"): ({}, OWN),
    ("GET", "/submissions/{id}/episodes"): ({}, OWN),
    # There is no episode here; test_api_episodes.py says who sees one.
    ("GET", "/episodes/0"): ({}, NONE),
    ("GET", "/episodes/0/replay"): ({}, NONE),
    ("GET", "/competitions/toy/environment"): ({}, ANYONE),
    ("GET", "/competitions/toy/leaderboard"): ({}, ANYONE),
    ("GET", "/competitions/toy/leaderboard?split=private"): ({}, HOSTS),
    ("GET", "/competitions/toy/history"): ({}, ANYONE),
    ("GET", "/competitions/toy/history?split=private"): ({}, HOSTS),
    ("GET", "/competitions/toy/shakeup"): ({}, HOSTS),
    ("GET", "/competitions/toy/matches"): ({}, SIGNED_IN),
    ("GET", "/competitions/toy/matrix"): ({}, SIGNED_IN),
    ("GET", "/competitions/toy/final"): ({}, ANYONE),
    ("GET", "/competitions/toy/team"): ({}, SIGNED_IN),
    ("GET", "/competitions/toy/finals"): ({}, MEMBERS),
    ("PUT", "/competitions/toy/finals"): ({"json": {"submissions": []}}, MEMBERS),
    ("POST", "/competitions/toy/team/invitations"): (
        {"json": {}},
        {person: 201 if status == 200 else status for person, status in MEMBERS.items()},
    ),
    ("DELETE", "/competitions/toy/team/invitations"): (
        {},
        {person: 204 if status == 200 else status for person, status in MEMBERS.items()},
    ),
    ("POST", "/competitions/toy/team/accept"): (
        {"json": {}},
        dict.fromkeys(PEOPLE, 404) | {"anonymous": 401},
    ),
    ("POST", "/competitions/toy/team/leave"): (
        {},
        {person: 409 if status == 200 else status for person, status in MEMBERS.items()},
    ),
    ("POST", "/competitions/toy/team/merge"): (
        {"json": {"team": "nobody"}},
        {person: 404 if status == 200 else status for person, status in MEMBERS.items()},
    ),
    ("POST", "/submissions/{id}/select"): ({}, OWN | {"host": 403, "admin": 403}),
    ("DELETE", "/submissions/{id}/select"): ({}, OWN | {"host": 403, "admin": 403}),
    ("GET", "/competitions/toy/board"): ({}, HOSTS_ONLY),
    ("PATCH", "/competitions/toy/board"): ({"json": {"finals": 2}}, HOSTS_ONLY),
    ("GET", "/competitions/toy/integrity"): ({}, HOSTS_ONLY),
    ("POST", "/competitions/toy/disqualifications"): (
        {"json": {"team": "joined-01", "lift": True}},
        HOSTS_ONLY | {"host": 409, "admin": 409},
    ),
    ("POST", "/competitions/toy/reveal"): (
        {"json": {}},
        HOSTS_ONLY | {"host": 403, "admin": 403},  # it is open
    ),
    ("GET", "/competitions/toy/rescoring"): ({}, HOSTS_ONLY | {"host": 404, "admin": 404}),
    ("POST", "/competitions/toy/rescoring"): (
        {"data": {"metric": "f1_macro"}},
        HOSTS_ONLY | {"host": 201, "admin": 201},
    ),
    ("POST", "/competitions/toy/rescoring/discard"): (
        {"json": {}},
        HOSTS_ONLY | {"host": 204, "admin": 204},
    ),
    ("POST", "/competitions/toy/rescoring/apply"): (
        {"json": {}},
        HOSTS_ONLY | {"host": 404, "admin": 404},
    ),
    ("POST", "/competitions/toy/grants"): (
        {"json": {"team": "joined-01", "submissions": 1}},
        HOSTS_ONLY,
    ),
    ("POST", "/competitions/toy/extensions"): (
        {"json": {"team": "joined-01", "until": "2100-01-01T00:00+00:00"}},
        HOSTS_ONLY,
    ),
    ("PATCH", "/competitions/toy"): ({"json": {"title": "Toy digits"}}, HOSTS_ONLY),
    ("POST", "/competitions"): (
        {"data": {"slug": "new", "challenge": "none"}},
        HOSTS_ONLY | dict.fromkeys(("host", "other_host", "admin"), 404),
    ),
    ("GET", "/competitions/toy/checks"): ({}, HOSTS_ONLY),
    ("POST", "/competitions/toy/checks"): ({}, HOSTS_ONLY),
    ("POST", "/competitions/toy/baselines"): (
        {"file": True},  # without a name
        HOSTS_ONLY | {"host": 400, "admin": 400},
    ),
    ("POST", "/competitions/toy/publish"): (
        {"json": {}},
        HOSTS_ONLY | {"host": 409, "admin": 409},  # it is no draft
    ),
    ("POST", "/competitions/toy/open"): ({"json": {}}, HOSTS_ONLY),
    ("POST", "/competitions/toy/clone"): (
        {"json": {"slug": "copy"}},
        HOSTS_ONLY | {"host": 201, "admin": 201},
    ),
    ("GET", "/competitions/toy/export"): ({}, HOSTS_ONLY),
    # Of no course: who may grade is told that there is nobody to grade.
    ("GET", "/competitions/toy/grades"): ({}, GRADERS),
    ("GET", "/competitions/toy/grades/mine"): (
        {},
        dict.fromkeys(PEOPLE, 404) | {"anonymous": 401},
    ),
    ("PUT", "/competitions/toy/grades/rule"): ({"json": {"points": []}}, GRADERS),
    ("PUT", "/competitions/toy/grades/override"): (
        {"json": {"email": "a@b.example", "percent": 1, "note": "x"}},
        GRADERS,
    ),
    ("POST", "/competitions/toy/grades/release"): ({"json": {}}, GRADERS),
    ("POST", "/competitions/toy/grades/export"): ({"data": {"style": "csv"}}, GRADERS),
    ("GET", "/seasons"): ({}, ANYONE),
    ("GET", "/seasons/none"): ({}, dict.fromkeys(PEOPLE, 404)),
    ("GET", "/people/nobody"): ({}, dict.fromkeys(PEOPLE, 404)),
    ("GET", "/courses"): ({}, SIGNED_IN),
    ("POST", "/courses"): (
        {"json": {"slug": "own", "title": "Own"}},
        HOSTS_ONLY | dict.fromkeys(("host", "other_host", "admin"), 201),
    ),
    ("POST", "/courses/join"): (
        {"json": {"code": "none"}},
        dict.fromkeys(PEOPLE, 404) | {"anonymous": 401},
    ),
    ("GET", "/courses/dl"): ({}, COURSE),
    ("PATCH", "/courses/dl"): ({"json": {"late_days": 1}}, COURSE),
    ("POST", "/courses/dl/code"): ({"json": {}}, COURSE),
    ("DELETE", "/courses/dl/code"): ({}, COURSE),
    ("GET", "/courses/dl/roster"): ({}, COURSE),
    ("POST", "/courses/dl/roster"): ({"file": True}, COURSE | {"host": 422, "admin": 422}),
    ("POST", "/courses/dl/people"): (
        {"json": {"handle": "host-01", "role": "instructor"}},
        COURSE | {"host": 201, "admin": 201},
    ),
    ("GET", "/courses/dl/requests"): ({}, COURSE),
    ("POST", "/courses/dl/requests/0"): (
        {"json": {"accepts": True}},
        COURSE | {"host": 404, "admin": 404},
    ),
    ("PATCH", "/courses/dl/people/0"): (
        {"json": {"role": "student"}},
        COURSE | {"host": 404, "admin": 404},
    ),
    ("DELETE", "/courses/dl/people/0"): ({}, COURSE | {"host": 404, "admin": 404}),
    ("POST", "/submissions/{id}/retry"): ({}, OWN | {"joined": 403, "host": 409, "admin": 409}),
    ("GET", "/operation/storage"): ({}, ADMINS),
    ("POST", "/operation/storage/count"): ({}, ADMINS),
    ("POST", "/operation/storage/prune"): ({"json": {"days": 30}}, ADMINS),
    ("GET", "/operation/settings"): ({}, ADMINS),
    ("POST", "/operation/submissions/{id}/release"): ({"json": {}}, ADMINS | {"admin": 409}),
    ("POST", "/work/workers"): ({"json": CARD}, NOBODY),
    ("DELETE", "/work/workers/train.csv"): ({}, NOBODY),
    ("POST", "/work/assignments"): ({"json": CARD}, NOBODY),
    ("POST", "/work/beats"): ({"json": {"card": CARD}}, NOBODY),
    ("GET", "/work/file"): ({}, NOBODY),
    ("GET", "/work/inputs/train.csv"): ({}, NOBODY),
    ("GET", "/work/opponents/{id}"): ({}, NOBODY),
    ("PUT", "/work/output"): ({"data": b"x"}, NOBODY),
    ("PUT", "/work/replays"): ({"data": b"x"}, NOBODY),
    ("POST", "/work/report"): ({"json": {"outcome": "ran"}}, NOBODY),
    ("GET", "/competitions/toy/threads"): ({}, ANYONE),
    ("POST", "/competitions/toy/threads"): (
        {"json": {"title": "A thread", "text": "of mine"}},
        dict.fromkeys(PEOPLE, 201) | {"anonymous": 401},
    ),
    ("GET", "/competitions/toy/threads/{thread}"): ({}, ANYONE),
    ("POST", "/competitions/toy/threads/{thread}/posts"): (
        {"json": {"text": "An answer"}},
        dict.fromkeys(PEOPLE, 201) | {"anonymous": 401},
    ),
    ("PATCH", "/competitions/toy/threads/{thread}"): ({"json": {"pinned": True}}, HOSTS_ONLY),
    # Of "joined": nobody else changes it, and only staff hides it.
    ("PATCH", "/competitions/toy/threads/posts/{post}"): (
        {"json": {"text": "Changed"}},
        NOBODY | {"joined": 200},
    ),
    ("POST", "/competitions/toy/threads/posts/{post}/hide"): (
        {"json": {"reason": "rude"}},
        HOSTS_ONLY,
    ),
    ("DELETE", "/competitions/toy/threads/posts/{post}"): ({}, NOBODY | {"joined": 204}),
    # What changes the answers of others comes last.
    ("POST", "/submissions/{id}/cancel"): ({}, OWN),
    ("POST", "/competitions/toy/join"): ({}, SIGNED_IN),
    ("POST", "/competitions/toy/team"): (
        {"json": {"name": "The same name"}},
        SIGNED_IN,
    ),
    ("POST", "/competitions/toy/close"): ({"json": {}}, HOSTS_ONLY),
}


@pytest.fixture
def callers(api, factory, predictions):
    """The API for every kind of caller, and the id of a submission of the one who joined."""
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id, closes_at=now() + timedelta(days=1))
    factory.offer("train.csv", b"x")
    with api.installation.database.writing() as session:
        courses.create(session, host, "dl", "Deep learning")
    joined = factory.member("joined-01")
    submission_id = factory.submit(joined, predictions(3))
    with api.installation.database.writing() as session:
        competition = competitions.find(session, "toy")
        thread = discussion.begin(session, competition, host, "A question", "to all")
        post = discussion.reply(session, competition, joined, thread.id, "An answer to it")
        own = (submission_id, thread.id, post.id)
    return own, {
        "anonymous": api,
        "not_joined": api.as_(factory.person("not-joined-01")),
        "joined": api.as_(joined),
        "other_team": api.as_(factory.member("other-01")),
        "host": api.as_(host),
        "other_host": api.as_(factory.person("host-02", "instructor")),
        "admin": api.as_(factory.person("root-01", "admin")),
    }


@pytest.mark.parametrize("person", PEOPLE)
def test_every_route_answers_every_kind_of_caller_as_declared(callers, predictions, person):
    (submission_id, thread_id, post_id), apis = callers
    answered = {}
    for (method, route), (sent, _) in ROUTES.items():
        path = route.format(id=submission_id, thread=thread_id, post=post_id)
        if sent.get("file"):
            answer = apis[person].send(predictions(2), path)
        else:
            answer = apis[person].call(method, path, **sent)
        answered[method, route] = answer.status_code
    assert answered == {route: expected[person] for route, (_, expected) in ROUTES.items()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scope", ["read", "submit", "host"])
def test_a_route_is_refused_exactly_without_the_scope_that_it_declares(
    app, api, callers, factory, predictions, scope
):
    (submission_id, thread_id, post_id), _ = callers
    admin = factory.person("scoped-01", "admin")
    others = api.as_(admin, *({"read", "submit", "host"} - {scope}))
    refused, declared = set(), set()
    for (method, route), (sent, _) in ROUTES.items():
        path = route.format(id=submission_id, thread=thread_id, post=post_id)
        if route.startswith("/work/"):
            continue
        rule, _ = app.url_map.bind("localhost").match(f"/api/v1{path.split('?')[0]}", method, True)
        described = re.sub(r"<(?:[^:>]*:)?(\w+)>", r"{\1}", rule.rule)
        needed = app.spec["paths"][described][method.lower()].get("security") or [{"token": []}]
        if scope in needed[0]["token"]:
            declared.add((method, described))
        if sent.get("file"):
            answer = others.send(predictions(2), path)
        else:
            answer = others.call(method, path, **sent)
        if answer.status_code == 403 and f"lacks the scope {scope!r}" in answer.text:
            refused.add((method, described))
    # What acts and shows the outcome needs `read` too, and says so when it is missing.
    assert declared <= refused if scope == "read" else declared == refused


def test_the_table_above_lists_every_route(app):
    declared = {(method, path.split("?")[0]) for method, path in ROUTES}
    names = {"slug": "toy", "name": "train.csv", "submission_id": "{id}"}
    names |= {"course": "dl", "place_id": "0", "season": "none", "handle": "nobody"}
    names |= {"announcement_id": "0", "request_id": "0"}
    names |= {"arrival_id": "x", "token_id": "0", "episode_id": "0", "sign_in_id": "0"}
    names |= {"thread_id": "{thread}", "post_id": "{post}"}
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "openapi.spec":
            path = rule.rule.removeprefix("/api/v1").replace("<int(max=2147483647):", "<")
            for name, value in names.items():
                path = path.replace(f"<{name}>", value)
            served |= {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert served == declared


def test_scopes_narrow_what_a_person_may_do(api, factory, predictions):
    host = factory.person("root-01", "admin")
    factory.competition()
    joined = factory.member("joined-01")
    submission_id = factory.submit(joined, predictions(3))
    no_host = api.as_(host, "read", "submit")
    assert no_host.get("/competitions/toy/leaderboard?split=private").status_code == 403
    assert no_host.get(f"/submissions/{submission_id}").status_code == 404
    reader = api.as_(joined, "read")
    assert reader.get(f"/submissions/{submission_id}").status_code == 200
    assert reader.post(f"/submissions/{submission_id}/cancel").status_code == 403
    assert reader.post("/competitions/toy/join").status_code == 403
    submitter = api.as_(joined, "submit")
    assert submitter.get("/me").status_code == 403
    with api.installation.database.reading() as session:
        assert session.get_one(Submission, submission_id).state == "queued"
