"""The study over HTTP: what is answered, what is refused, and that nothing tells the truth."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from study_kit import SIDE, names_shown, sessions_begun
from web_kit import EXPOSURE, MODELS, Site, serving, votes, write_study

from photochrom.study.store import LONGEST, StudyError, StudyStore
from photochrom.web.app import create_app
from photochrom.web.guard import LARGEST_BODY

Ballot = dict[str, object]
TOTAL = 8
SECRETS = (*MODELS, "gold", "trial/", "practice/", ".png", "scene")
ANSWERS = {"real_or_fake": 1, "naturalness": 0, "pick_real": 5, "preference": 0}


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.address, timeout=30) as opened:
        yield opened


def begin(client: httpx.Client) -> str:
    response = client.post("/study/api/sessions", json={})
    assert response.status_code == 201
    token: str = response.json()["token"]
    return token


def trial(client: httpx.Client, token: str) -> dict[str, Any]:
    response = client.get(f"/study/api/sessions/{token}/trial")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def ballot(number: int, protocol: str) -> Ballot:
    score = 3 if protocol == "naturalness" else None
    return {"number": number, "answer": ANSWERS[protocol], "score": score, "milliseconds": 640}


def vote(client: httpx.Client, token: str, body: Ballot) -> httpx.Response:
    return client.post(f"/study/api/sessions/{token}/votes", json=body)


def session(client: httpx.Client, token: str) -> Iterator[tuple[dict[str, Any], httpx.Response]]:
    """Answer every trial; yield it with what its vote was answered with."""
    while "finished" not in (showing := trial(client, token)):
        yield showing, vote(client, token, ballot(showing["number"], showing["protocol"]))


def test_a_session_from_begin_to_end(site: Site, client: httpx.Client) -> None:
    token = begin(client)
    progress = f"/study/api/sessions/{token}"
    assert client.get(progress).json() == {"answered": 0, "total": TOTAL}
    for number, (showing, response) in enumerate(session(client, token), 1):
        pictures = showing.pop("pictures")
        protocol = showing["protocol"]
        assert len(pictures) == {"naturalness": 1, "pick_real": 6}.get(protocol, 2)
        assert showing == {
            "number": number,
            "total": TOTAL,
            "protocol": protocol,
            "practice": number % 2 == 1,
            "exposure": EXPOSURE if protocol == "real_or_fake" else None,
            "side": SIDE,
        }
        assert response.status_code == 200
        assert client.get(progress).json() == {"answered": number, "total": TOTAL}
    assert trial(client, token) == {"finished": True}
    assert [row[1] for row in votes(site.study)] == list(range(1, TOTAL + 1))


def truthful(protocol: str, names: list[str]) -> int:
    if protocol == "naturalness":
        return int(names == ["truth"])
    return names.index("gold" if protocol == "real_or_fake" else "truth")


def test_practice_alone_is_told_what_was_right(site: Site, client: httpx.Client) -> None:
    token = begin(client)
    for showing, response in session(client, token):
        if not showing["practice"]:
            assert response.json() == {"right": None, "told": None}
            continue
        protocol = showing["protocol"]
        told = truthful(protocol, names_shown(site.study, token, showing["number"]))
        assert response.json() == {"right": ANSWERS[protocol] == told, "told": told}


def test_a_vote_sent_again_changes_nothing(site: Site, client: httpx.Client) -> None:
    token = begin(client)
    first = trial(client, token)
    body = ballot(1, first["protocol"])
    told = vote(client, token, body)
    kept = votes(site.study)
    again = vote(client, token, body | {"answer": 0, "milliseconds": 9})
    assert (again.status_code, again.json()) == (200, told.json())
    assert votes(site.study) == kept
    assert len(kept) == 1


def detail(response: httpx.Response) -> str:
    found = response.json()
    assert set(found) == {"detail"}
    assert found["detail"].endswith(".")
    assert "\n" not in found["detail"]
    sentence: str = found["detail"]
    return sentence


@pytest.mark.parametrize("path", ["", "/trial"])
def test_a_session_that_is_not_there(client: httpx.Client, path: str) -> None:
    response = client.get(f"/study/api/sessions/nobody{path}")
    assert response.status_code == 404
    assert "no such session" in detail(response)


def test_a_picture_or_page_that_is_not_there(client: httpx.Client) -> None:
    for path in ("/study/pictures/none", "/study/page/none.js", "/docs", "/redoc", "/study/"):
        response = client.get(path, follow_redirects=True)
        assert response.status_code == (200 if path == "/study/" else 404)
        if path != "/study/":
            detail(response)


def test_a_method_that_an_address_does_not_take(client: httpx.Client) -> None:
    response = client.get("/study/api/sessions")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    detail(response)


def test_a_vote_out_of_turn(site: Site, client: httpx.Client) -> None:
    token = begin(client)
    showing = trial(client, token)
    response = vote(client, token, ballot(2, showing["protocol"]))
    assert response.status_code == 409
    assert "Trial 1 is next" in detail(response)
    assert votes(site.study) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"answer": 6}, "answer"),
        ({"answer": -1}, "answer"),
        ({"answer": "1"}, "answer"),
        ({"answer": True}, "answer"),
        ({"answer": None}, "answer"),
        ({"score": 9}, "score"),
        ({"milliseconds": -1}, "milliseconds"),
        ({"milliseconds": LONGEST + 1}, "milliseconds"),
        ({"milliseconds": 1.5}, "milliseconds"),
        ({"number": 0}, "number"),
        ({"name": "somebody"}, "name"),
    ],
)
def test_a_bad_vote(
    site: Site, client: httpx.Client, changes: dict[str, object], named: str
) -> None:
    token = begin(client)
    showing = trial(client, token)
    response = vote(client, token, ballot(1, showing["protocol"]) | changes)
    assert response.status_code == 422
    assert named in detail(response)
    assert votes(site.study) == []


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"{", "application/json", "not valid JSON"),
        (b'{"\xff', "application/json", "cannot be read"),
        (b"[]", "application/json", "cannot be used"),
        (b"{}", "text/plain", "cannot be used"),
        (b"", "application/json", "cannot be used"),
    ],
)
def test_a_body_that_is_no_vote(client: httpx.Client, body: bytes, kind: str, words: str) -> None:
    response = client.post(
        f"/study/api/sessions/{begin(client)}/votes", content=body, headers={"Content-Type": kind}
    )
    assert response.status_code in (400, 422)
    assert words in detail(response)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_long(site: Site, client: httpx.Client, chunked: bool) -> None:
    token = begin(client)
    showing = trial(client, token)
    vote_of = json.dumps(ballot(1, showing["protocol"])).encode()
    url = f"/study/api/sessions/{token}/votes"
    json_type = {"Content-Type": "application/json"}

    def sent(length: int) -> httpx.Response:
        body = vote_of.ljust(length)
        content = iter([body[:100], body[100:]]) if chunked else body
        return client.post(url, content=content, headers=json_type)

    response = sent(LARGEST_BODY + 1)
    assert response.status_code == 413
    assert str(LARGEST_BODY) in detail(response)
    assert votes(site.study) == []
    assert sent(LARGEST_BODY).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}],
)
def test_pages_of_other_sites_cannot_begin_a_session(
    site: Site, client: httpx.Client, headers: dict[str, str]
) -> None:
    """These are what a browser sends for them without asking; for JSON it asks, and is refused."""
    for body in (b"", b"{}"):
        response = client.post("/study/api/sessions", content=body, headers=headers)
        assert response.status_code == 415
        assert "application/json" in detail(response)
    asked = {"Origin": "http://elsewhere.test", "Access-Control-Request-Method": "POST"}
    answer = client.options("/study/api/sessions", headers=asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert sessions_begun(site.study) == []


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_session_begins_with_json_however_it_is_written(client: httpx.Client, kind: str) -> None:
    response = client.post("/study/api/sessions", content=b"{}", headers={"Content-Type": kind})
    assert response.status_code == 201


@pytest.mark.parametrize(
    "host", ["elsewhere.test", "127.0.0.1.elsewhere.test", "localhost.x:80", ""]
)
def test_under_a_name_of_others_nothing_is_answered(client: httpx.Client, host: str) -> None:
    """Their name may lead here; what it asks for is then none of theirs."""
    for path in ("/study", "/study/page/study.js", "/nowhere"):
        response = client.get(path, headers={"Host": host})
        assert response.status_code == 400
        assert "open the one that" in detail(response)
        check_headers(response)
    begun = client.post("/study/api/sessions", json={}, headers={"Host": host})
    assert begun.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]", "[::1]:9"])
def test_this_machine_may_be_called_by_any_of_its_names(client: httpx.Client, host: str) -> None:
    assert client.get("/study", headers={"Host": host}).status_code == 200


def test_whoever_serves_to_others_answers_under_any_name(tmp_path: Path) -> None:
    with (
        serving(write_study(tmp_path / "study.db"), hosts=("*",)) as site,
        httpx.Client(base_url=site.address) as client,
    ):
        assert client.get("/study", headers={"Host": "elsewhere.test"}).status_code == 200


def test_a_fault_of_the_server_shows_no_trace(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: StudyStore, token: str) -> None:
        raise ZeroDivisionError("a secret of the server")

    monkeypatch.setattr(StudyStore, "upcoming", fail)
    response = client.get("/study/api/sessions/x/trial")
    assert response.status_code == 500
    assert "Try again" in detail(response)
    assert "secret" not in response.text
    check_headers(response)


def test_a_file_that_cannot_be_used_now_is_worth_another_try(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: StudyStore, token: str) -> None:
        raise StudyError("The file cannot be used now: try again in a moment.")

    monkeypatch.setattr(StudyStore, "upcoming", fail)
    response = client.get("/study/api/sessions/x/trial")
    assert response.status_code == 503
    assert "try again" in detail(response)


def test_no_application_without_a_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="photochrom study trials"):
        create_app(tmp_path / "study.db")


def check_headers(response: httpx.Response) -> None:
    parts = response.headers["content-security-policy"].split(";")
    policy = dict(part.strip().split(" ", 1) for part in parts)
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["img-src"] == "'self' blob:"
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["cache-control"] == "no-store"


def test_headers_stand_on_every_answer(client: httpx.Client) -> None:
    token = begin(client)
    showing = trial(client, token)
    for path in (
        "/study",
        "/study/page/study.js",
        "/study/page/study.css",
        "/nowhere",
        "/openapi.json",
        f"/study/api/sessions/{token}",
        f"/study/api/sessions/{token}/trial",
        "/study/api/sessions/nobody",
        showing["pictures"][0],
    ):
        check_headers(client.get(path))
    check_headers(vote(client, token, {}))


def test_the_page_asks_nobody_else(client: httpx.Client) -> None:
    page = client.get("/study")
    assert page.headers["content-type"].startswith("text/html")
    names = [
        "study.css",
        "study.svg",
        *(f"{name}.js" for name in ("study", "server", "screen", "protocols", "grid", "exposure")),
    ]
    parts = [client.get(f"/study/page/{name}") for name in names]
    assert all(part.status_code == 200 for part in parts)
    for part in [page, *parts]:
        text = part.text.replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text
        assert "https:" not in text
        assert "//cdn" not in text


def test_nothing_sent_to_the_browser_names_what_is_shown(client: httpx.Client) -> None:
    """Names of models and of photographs, in bodies, headers and addresses alike."""
    token = begin(client)
    seen = [client.get(path) for path in ("/study", "/openapi.json")]
    told = [client.get(f"/study/api/sessions/{token}")]
    for showing, response in session(client, token):
        told += [response, client.get(f"/study/api/sessions/{token}/trial")]
        told += [client.get(address) for address in showing["pictures"]]
    for response in seen + told:
        assert not [name for name in SECRETS if name.encode() in everything(response)]
    for response in told:
        assert b"truth" not in everything(response)


def everything(response: httpx.Response) -> bytes:
    head = f"{response.url} {response.headers}".replace("image/png", "")
    return head.encode() + response.content


def addresses(client: httpx.Client) -> list[str]:
    """Return the addresses of all pictures of a new session, in order."""
    return [
        address for showing, _ in session(client, begin(client)) for address in showing["pictures"]
    ]


def test_all_pictures_are_answered_alike(client: httpx.Client) -> None:
    """The same headers, dates apart, and the same length: only the pixels differ."""
    answers = [client.get(address) for address in addresses(client)]
    heads = {
        tuple((key, value) for key, value in answer.headers.items() if key != "date")
        for answer in answers
    }
    assert len(heads) == 1
    assert len({len(answer.content) for answer in answers}) == 1
    assert answers[0].headers["content-type"] == "image/png"
    assert len({answer.content for answer in answers}) > 1


def test_two_people_get_different_addresses_for_the_same_pictures(tmp_path: Path) -> None:
    with (
        serving(write_study(tmp_path / "study.db", sessions=1)) as site,
        httpx.Client(base_url=site.address) as client,
    ):
        one, other = (addresses(client) for _ in range(2))
        assert [client.get(path).content for path in one] == [
            client.get(path).content for path in other
        ]
    assert len(set(one + other)) == len(one + other)
