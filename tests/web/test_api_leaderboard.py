import pytest

ROW = {
    *("rank", "tied_with_leader", "rank_low", "rank_high", "team", "members", "score", "low"),
    *(
        "high",
        "entries",
        "last_at",
        "is_baseline",
        "is_me",
        "change",
        "tie_group",
        "medal",
        "others",
    ),
}


@pytest.fixture
def board(api, factory, predictions):
    """A board where bob is before cy."""
    factory.competition()
    for handle, correct in (("bob-01", 20), ("cy-01", 5)):
        factory.submit(factory.member(handle), predictions(correct))
    api.judge()
    return api


@pytest.fixture
def ada(board, factory, predictions):
    """Who is second on it."""
    caller = factory.member("ada-01")
    factory.submit(caller, predictions(10))
    board.judge()
    return board.as_(caller)


def test_the_board_lists_teams_from_best_to_worst(ada, api):
    page = api.get("/competitions/toy/leaderboard").get_json()
    assert [(row["rank"], row["team"]) for row in page["items"]] == [
        (1, "bob-01"),
        (2, "ada-01"),
        (3, "cy-01"),
    ]
    assert all(set(row) == ROW for row in page["items"])
    assert (page["total"], page["pages"], page["mine"]) == (3, 1, None)


def test_the_own_row_comes_with_every_page(ada):
    page = ada.get("/competitions/toy/leaderboard?per_page=1&page=3").get_json()
    assert [row["team"] for row in page["items"]] == ["cy-01"]
    assert (page["mine"]["team"], page["mine"]["rank"]) == ("ada-01", 2)
    assert page["mine"]["is_me"] is True


def test_nothing_is_sent_again_until_the_board_changes(board, factory, predictions):
    path = "/competitions/toy/leaderboard"
    etag = board.get(path).headers["ETag"]
    again = board.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert board.get(f"{path}?per_page=1", headers={"If-None-Match": etag}).status_code == 200
    factory.submit(factory.member("dee-01"), predictions(1))
    board.judge()
    assert board.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_the_private_board_is_for_hosts_until_it_is_revealed(board, factory, error_of):
    path = "/competitions/toy/leaderboard?split=private"
    assert error_of(board.get(path), 403)["code"] == "not_revealed"
    error_of(board.as_(factory.person("eve-01", "instructor")).get(path), 403)
    answer = board.as_(factory.person("root-01", "admin")).get(path)
    assert answer.get_json()["split"] == "private"
