"""Coloring over HTTP: what is answered, in which form, and what is refused."""

import base64
import io
import re
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from coloring_kit import (
    NAMES,
    SCAN,
    SIZE,
    TEMPERATURE,
    Service,
    detail,
    file_of,
    photograph,
    pixels,
)
from PIL import Image

from photochrom import __version__
from photochrom.web.filenames import disposition, stem_of

TYPES = {"png": "PNG", "jpeg": "JPEG", "tiff": "TIFF", "webp": "WEBP"}


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Return linear luminance (IEC 61966-2-1), 0..1."""
    values = rgb / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    found: np.ndarray = linear @ np.array([0.2126, 0.7152, 0.0722])
    return found


def colorfulness(rgb: np.ndarray) -> float:
    return float(np.ptp(rgb.astype(int), axis=2).mean())


def test_a_photograph_is_colored_and_keeps_its_luminance(service: Service) -> None:
    response = service.post()
    rgb, gray = pixels(response), np.asarray(photograph().convert("RGB"))
    assert rgb.shape == gray.shape
    assert colorfulness(rgb) > 40
    assert np.abs(luminance(rgb) - luminance(gray)).max() < 0.01
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-photochrom-model"] == NAMES[0]
    assert 0 <= int(response.headers["x-photochrom-milliseconds"]) < 60_000
    assert response.headers["content-disposition"] == 'attachment; filename="scan-color.png"'
    assert "x-photochrom-notes" not in response.headers
    assert service.left_behind() == []


def test_the_models_and_the_limits_are_told(service: Service) -> None:
    found = service.client.get("/models").json()
    likely, plain = found["models"]
    assert likely == {
        "name": "likely",
        "origin": "trained",
        "study": "likely study",
        "parameters": likely["parameters"],
        "size": SIZE,
        "temperature": TEMPERATURE,
        "default": True,
    }
    assert (plain["name"], plain["temperature"], plain["default"]) == ("plain", None, False)
    assert found["limits"] == {
        "megabytes": 64.0,
        "megapixels": 50.0,
        "seconds": 60.0,
        "variants": 16,
        "saturation": 4.0,
        "temperature": [0.05, 10.0],
        "size": [16, 1024],
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "plain"},
        {"saturation": "0.3"},
        {"temperature": "3"},
        {"variant": "2"},
        {"size": "64"},
    ],
)
def test_options_change_the_picture(service: Service, fields: dict[str, str]) -> None:
    assert not np.array_equal(pixels(service.post(**fields)), pixels(service.post()))


def test_without_saturation_it_stays_gray(service: Service) -> None:
    gray = pixels(service.post(saturation="0"))
    assert np.array_equal(gray, np.asarray(photograph().convert("RGB")))


def test_empty_fields_count_as_left_out(service: Service) -> None:
    empty = dict.fromkeys(("model", "size", "temperature", "saturation", "format"), "")
    assert service.post(**empty).content == service.post().content


def test_equal_requests_have_equal_answers(service: Service) -> None:
    assert len({service.post(temperature="0.3").content for _ in range(3)}) == 1


@pytest.mark.parametrize("form", TYPES)
def test_the_format_is_chosen_or_the_photographs_own(service: Service, form: str) -> None:
    own = service.post(data=file_of(photograph(), TYPES[form]))
    for response in (own, service.post(format=form)):
        assert response.headers["content-type"] == f"image/{form}"
        assert Image.open(io.BytesIO(response.content)).format == TYPES[form]
        ending = {"jpeg": "jpg"}.get(form, form)
        assert f'"scan-color.{ending}"' in response.headers["content-disposition"]


def test_a_format_that_is_only_read_becomes_png(service: Service) -> None:
    response = service.post(data=file_of(photograph(), "BMP"), name="scan.bmp")
    assert response.headers["content-type"] == "image/png"


def test_a_format_that_cannot_hold_the_photograph(service: Service) -> None:
    response = service.post(data=file_of(photograph(17_000, 1)), format="webp")
    assert response.status_code == 422
    assert "WebP" in detail(response)


def test_notes_are_told_in_a_header(service: Service) -> None:
    frames = [photograph(seed=seed) for seed in (1, 2)]
    data = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert service.post(data=data).headers["x-photochrom-notes"].endswith(".")


def test_variants_are_given_likeliest_first(service: Service) -> None:
    found = service.post("/variants").json()
    assert found["model"] == NAMES[0]
    shares = [one["share"] for one in found["variants"]]
    assert [one["variant"] for one in found["variants"]] == list(range(1, len(shares) + 1))
    assert len(shares) >= 2
    assert shares == sorted(shares, reverse=True)
    assert {one["type"] for one in found["variants"]} == {"image/jpeg"}
    pictures = [base64.b64decode(one["picture"]) for one in found["variants"]]
    assert len(set(pictures)) == len(pictures)
    chosen = [service.post(variant=str(number + 1), format="jpeg") for number in range(2)]
    assert [one.content for one in chosen] == pictures[:2]


def test_the_first_variant_is_the_usual_coloring(service: Service) -> None:
    assert service.post(variant="1").content == service.post().content


def test_at_most_as_many_variants_as_asked_for(service: Service) -> None:
    assert len(service.post("/variants", variants="1").json()["variants"]) == 1


def test_a_variant_that_is_not_there(service: Service) -> None:
    response = service.post(variant="16")
    assert response.status_code == 422
    assert re.search(r"set it from 1 to \d+", detail(response))


@pytest.mark.parametrize(
    ("path", "fields", "status", "words"),
    [
        ("/colorize", {"model": "nobody"}, 404, "there are likely, plain"),
        ("/colorize", {"model": "../likely"}, 404, "there are"),
        ("/colorize", {"size": "5"}, 422, "from 16 to 1024"),
        ("/colorize", {"size": "x"}, 422, "size"),
        ("/colorize", {"temperature": "0"}, 422, "temperature"),
        ("/colorize", {"temperature": "nan"}, 422, "temperature"),
        ("/colorize", {"temperature": "1", "model": "plain"}, 422, "temperature"),
        ("/colorize", {"saturation": "-1"}, 422, "saturation"),
        ("/colorize", {"saturation": "inf"}, 422, "saturation"),
        ("/colorize", {"format": "gif"}, 422, "format"),
        ("/colorize", {"variant": "0"}, 422, "variant"),
        ("/colorize", {"variant": "99"}, 422, "variant"),
        ("/colorize", {"variants": "3"}, 422, "variants"),
        ("/colorize", {"temprature": "1"}, 422, "temprature"),
        ("/variants", {"variants": "17"}, 422, "variants"),
        ("/variants", {"variants": "2", "model": "plain"}, 422, "1 variant"),
        ("/variants", {"format": "png"}, 422, "format"),
        ("/colorize", {"a\u202eb": "1"}, 422, "no field ab: there are photograph, model"),
    ],
)
def test_options_that_cannot_be_used(
    service: Service, path: str, fields: dict[str, str], status: int, words: str
) -> None:
    response = service.post(path, **fields)
    assert response.status_code == status
    assert words in detail(response)


FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
FILE = PART % (b"photograph", b'; filename="a.png"', SCAN)
END = b"--b--\r\n"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", FORM, 400),
        (END, FORM, 422),
        (b"nothing of a form", FORM, 400),
        (FILE, "multipart/form-data", 400),
        (FILE + END, "text/plain", 400),
        (b"photograph=x", "application/x-www-form-urlencoded", 400),
        (b'{"photograph": "x"}', "application/json", 400),
        (FILE[:-30], FORM, 400),
        (FILE, FORM, 400),
        (PART % (b"photograph", b"", b"text") + END, FORM, 422),
        (PART % (b"other", b'; filename="a"', SCAN) + END, FORM, 422),
        (FILE + FILE + END, FORM, 400),
        (FILE + 2 * (PART % (b"size", b"", b"32")) + END, FORM, 422),
        (FILE + PART % (b"model", b"", b"x" * 5000) + END, FORM, 400),
        (FILE + b"".join(PART % (b"f%d" % n, b"", b"") for n in range(99)) + END, FORM, 400),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, FORM, 400),
        (b"--b\r\n" + b"X-Long: %b\r\n" % (b"x" * 100_000) + b"\r\n\r\n" + END, FORM, 400),
    ],
)
def test_a_request_that_is_no_such_form(
    service: Service, body: bytes, kind: str, status: int
) -> None:
    response = service.client.post("/colorize", content=body, headers={"Content-Type": kind})
    assert response.status_code == status
    assert "photograph" in detail(response) or "size" in detail(response)
    assert service.left_behind() == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_form_however_it_is_sent(service: Service, chunked: bool) -> None:
    body = FILE + PART % (b"model", b"", b"plain") + END
    content = iter([body[:9], body[9:]]) if chunked else body
    response = service.client.post("/colorize", content=content, headers={"Content-Type": FORM})
    assert response.headers["x-photochrom-model"] == "plain"


NAMED = [
    ("../../etc/passwd", "passwd"),
    ("/etc/shadow", "shadow"),
    ("C:\\scans\\grandma 1923.tif", "grandma 1923"),
    ("..", "photograph"),
    ("...png", "png"),
    (".htaccess", "htaccess"),
    ("", "photograph"),
    ("a/b/", "photograph"),
    ("x\0y.png", "xy"),
    ('a"; filename="b.exe', "a filename=b"),
    ("line\r\nX-Evil: 1.png", "lineX-Evil 1"),
    ("\u202egnp.exe", "gnp"),
    ("\u200fOma.jpg", "Oma"),
    ("Größe & Maß.tif", "Größe & Maß"),
    ("写真.jpg", "写真"),
    ("~/.ssh/id_rsa", "id_rsa"),
    ("-rf.png", "rf"),
    ("a" * 5000 + ".png", "a" * 100),
    ("tar.gz", "tar"),
    ("%2e%2e%2fpasswd", "2e2e2fpasswd"),
]


@pytest.mark.parametrize(("name", "stem"), NAMED)
def test_of_a_files_name_only_a_clean_stem_is_used(name: str, stem: str) -> None:
    assert stem_of(name) == stem
    header = disposition(f"{stem}-color", ".png")
    assert re.fullmatch(
        r'attachment; filename="[^"\\/\r\n\0]+"(; filename\*=UTF-8\'\'\S+)?', header
    )
    assert header.isascii()
    named = re.search(r"filename\*=UTF-8''(\S+)", header) or re.search(r'filename="(.*?)"', header)
    assert named is not None
    assert unquote(named[1]) == f"{stem}-color.png"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "x\0y.png", "a" * 2000, "写真.png", "a\r\nb: c"]
)
def test_no_name_reaches_a_header_or_the_disk(service: Service, name: str) -> None:
    response = service.post(name=name)
    assert response.status_code == 200
    said = response.headers["content-disposition"]
    assert said.startswith("attachment; filename=")
    assert not set("/\\\r\n\0") & set(said)
    assert len(said) < 400
    assert service.left_behind() == []


def test_a_name_longer_than_any_disk_takes(service: Service) -> None:
    response = service.post(name="a" * 5000)
    assert response.status_code == 400
    assert "photograph" in detail(response)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://elsewhere.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    ],
)
@pytest.mark.parametrize("path", ["/colorize", "/variants"])
def test_pages_of_other_sites_are_refused(
    service: Service, path: str, headers: dict[str, str]
) -> None:
    response = service.post(path, headers=headers)
    assert response.status_code == 403
    assert "another site" in detail(response)


def test_the_own_page_is_not_refused(service: Service) -> None:
    browsers = [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": service.address},
    ]
    assert [service.post(headers=one).status_code for one in browsers] == [200] * 3


def test_headers_that_protect_stand_on_every_answer(service: Service) -> None:
    answers = [
        service.client.get("/"),
        service.client.get("/models"),
        service.client.get("/nowhere"),
        service.client.get("/colorize"),
        service.post(),
        service.post("/variants"),
        service.post(model="nobody"),
        service.post(data=b"no photograph"),
        service.post(headers={"Host": "elsewhere.test"}),
        service.post(headers={"Sec-Fetch-Site": "cross-site"}),
    ]
    assert [one.status_code for one in answers] == [
        200,
        200,
        404,
        405,
        200,
        200,
        404,
        415,
        400,
        403,
    ]
    for one in answers:
        assert one.headers["content-security-policy"].startswith("default-src 'none'")
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["x-frame-options"] == "DENY"
        assert one.headers["cache-control"] == "no-store"
        assert one.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_is_at_the_root_and_its_files_below_page(service: Service) -> None:
    page = service.client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    parts = re.findall(r'(?:src|href)="(/page/[^"]+)"', page.text)
    assert parts
    for part in parts:
        assert service.client.get(part).status_code == 200
    assert service.client.get("/page/colorize.html").status_code == 404
    assert service.client.get("/page/../app.py").status_code == 404


def test_an_address_with_nothing_names_what_there_is(service: Service) -> None:
    response = service.client.get("/study")
    assert response.status_code == 404
    assert "photographs is at /" in detail(response)
    assert "study is" not in detail(response)
    elsewhere = service.client.get("/", headers={"Host": "elsewhere.test"})
    assert "`photochrom serve`" in detail(elsewhere)


def test_openapi_describes_the_service(service: Service) -> None:
    found = service.client.get("/openapi.json").json()
    assert found["info"] == {"title": "Photochrom", "version": __version__}
    assert set(found["paths"]) == {"/models", "/colorize", "/variants"}
    colorize = found["paths"]["/colorize"]["post"]
    fields = fields_of(colorize)
    assert {"photograph", "model", "size", "temperature", "saturation"} < set(fields)
    assert {"variant", "format"} < set(fields)
    assert fields["photograph"]["format"] == "binary"
    assert (fields["size"]["minimum"], fields["size"]["maximum"]) == (16, 1024)
    assert (fields["variant"]["minimum"], fields["variant"]["maximum"]) == (1, 16)
    assert set(colorize["responses"]["200"]["content"]) == {f"image/{form}" for form in TYPES}
    refusals = {"400", "403", "404", "408", "413", "415", "422", "500", "503", "504"}
    assert set(colorize["responses"]) == {"200", *refusals}
    for status in refusals:
        schema = colorize["responses"][status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Refusal"}
    variants = found["paths"]["/variants"]["post"]
    assert {"variants"} == set(fields_of(variants)) - set(fields)
    assert service.client.get("/docs").status_code == 404


def fields_of(route: dict[str, Any]) -> dict[str, Any]:
    schema = route["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["photograph"]
    found: dict[str, Any] = schema["properties"]
    return found
