import pytest

ADA = {"handle": "ada-01", "email": "ada@example.org", "password": "correct horse"}


@pytest.fixture
def ada(api):
    """Somebody who signed up by the API and took a token there."""
    assert api.post("/users", json=ADA).status_code == 201
    answer = api.post("/tokens", json={"handle": "ada-01", "password": ADA["password"]})
    api.headers["Authorization"] = f"Bearer {answer.get_json()['token']}"
    return api


def test_signing_up_gives_an_account_without_its_password(api):
    answer = api.post("/users", json=ADA)
    assert answer.status_code == 201
    assert set(answer.get_json()) == {"id", "handle", "email", "role", "created_at"}
    assert answer.get_json()["role"] == "student"


def test_a_taken_handle_is_a_conflict(api, error_of):
    api.post("/users", json=ADA)
    error = error_of(api.post("/users", json=ADA | {"email": "b@example.org"}), 409)
    assert error["details"][0]["column"] == "handle"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"handle": "Ada Lovelace"}, "handle"),
        ({"email": "ada"}, "email"),
        ({"password": "short"}, "password"),
        ({"handle": None}, "handle"),
        ({"handle": "x" * 201}, "handle"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_field_is_named(api, error_of, change, field):
    error = error_of(api.post("/users", json=ADA | change), 400)
    assert error["details"][0]["column"] == field


def test_a_bad_password_is_not_sent_back(api, error_of):
    answer = api.post("/users", json=ADA | {"password": ["a secret"]})
    error_of(answer, 400)
    assert "a secret" not in answer.text


def test_a_body_that_is_no_json_is_a_bad_request(api, error_of):
    error_of(api.post("/users", data=b"{", content_type="application/json"), 400)
    error_of(api.post("/users", json=[1]), 400)


def test_a_token_needs_the_right_password(api, error_of):
    api.post("/users", json=ADA)
    asked = {"handle": "ada-01", "password": "wrong horse"}
    answer = api.post("/tokens", json=asked)
    assert error_of(answer, 401)["code"] == "not_signed_in"
    unknown = api.post("/tokens", json=asked | {"handle": "nobody-1"})
    assert unknown.get_json() == answer.get_json()


def test_a_token_says_who_calls(ada):
    assert ada.get("/me").get_json()["handle"] == "ada-01"


def test_tokens_are_listed_without_their_text_and_can_be_revoked(ada, error_of):
    tokens = ada.get("/tokens").get_json()["items"]
    assert len(tokens) == 1
    assert "token" not in tokens[0]
    assert ada.call("DELETE", f"/tokens/{tokens[0]['id']}").status_code == 204
    assert error_of(ada.get("/me"), 401)["code"] == "not_signed_in"


def test_nobody_can_revoke_anothers_token(ada, factory, error_of):
    token_id = ada.get("/tokens").get_json()["items"][0]["id"]
    bob = ada.as_(factory.person("bob-01", "admin"))
    error_of(bob.call("DELETE", f"/tokens/{token_id}"), 404)
    assert ada.get("/me").status_code == 200


def test_a_made_up_token_is_refused_everywhere(api, error_of):
    api.headers["Authorization"] = "Bearer pod_nothing"
    error_of(api.get("/competitions"), 401)


def test_scopes_and_days_of_a_token_are_checked(api, error_of):
    api.post("/users", json=ADA)
    asked = {"handle": "ada-01", "password": ADA["password"]}
    assert error_of(api.post("/tokens", json=asked | {"scopes": ["all"]}), 400)["details"]
    assert error_of(api.post("/tokens", json=asked | {"days": 0}), 400)["details"]
    token = api.post("/tokens", json=asked | {"scopes": ["read"], "name": "notebook"}).get_json()
    assert (token["scopes"], token["name"]) == (["read"], "notebook")


def test_guessing_passwords_is_slowed_down_by_address(api, error_of):
    answers = [api.post("/tokens", json={"handle": "a", "password": "b"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert error_of(answers[-1], 429)["code"] == "rate_limited"
    assert answers[-1].headers["Retry-After"] == "60"
