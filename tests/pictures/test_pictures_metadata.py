"""What a file says of its photograph goes along, where it is still true, and damages nothing."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from files_kit import deep, encoded, oriented, picture, tiff
from photochrom.pictures.metadata import NO_EXIF
from photochrom.pictures.photograph import Metadata, Photograph
from photochrom.pictures.reading import FIRST_OF_SEVERAL, read_photograph
from photochrom.pictures.writing import write_photograph

FORMS = ("PNG", "JPEG", "TIFF", "WEBP")
XMP = (
    b'<?xpacket begin="" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
    b'<rdf:Description tiff:Orientation="6" dc:creator="A photographer"/></rdf:RDF></x:xmpmeta>'
)
TEXTS = {0x010E: "A street in spring", 0x010F: "Maker", 0x013B: "A photographer", 0x8298: "1931"}
INSIDE = {0xA434: "A lens", 0x9003: "1931:05:01 12:00:00", 0x829A: 0.004, 0x8827: 400}
PLACE = {1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (16.0, 22.0, 1.25)}


def full_exif() -> Image.Exif:
    exif = oriented(6)
    for tag, value in TEXTS.items():
        exif[tag] = value
    exif.get_ifd(ExifTags.IFD.Exif).update(INSIDE | {0xA001: 65535, 0xA002: 40, 0xA003: 28})
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(PLACE)
    written = Image.Exif()
    # Pillow writes the further directories into a TIFF only of EXIF that was read.
    written.load(exif.tobytes())
    return written


def write(photograph: Photograph, form: str) -> tuple[bytes, tuple[str, ...]]:
    file = io.BytesIO()
    notes = write_photograph(photograph, file, form)
    return file.getvalue(), notes


def through(data: bytes, form: str) -> Image.Image:
    """Read, write without a note, and open with Pillow."""
    written, notes = write(read_photograph(data), form)
    assert notes == ()
    image = Image.open(io.BytesIO(written))
    image.load()
    return image


# EXIF


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source", FORMS)
def test_exif_goes_from_every_format_to_every_other(source, form):
    image = through(encoded(picture(), source, exif=full_exif()), form)
    assert image.size == (28, 40)
    exif = image.getexif()
    assert {tag: exif[tag] for tag in TEXTS} == TEXTS
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    inside = exif.get_ifd(ExifTags.IFD.Exif)
    assert {tag: inside[tag] for tag in INSIDE} == pytest.approx(INSIDE)
    assert (inside[0xA001], inside[0xA002], inside[0xA003]) == (1, 28, 40)
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert place[1] == "N"
    assert [float(value) for value in place[4]] == [16.0, 22.0, 1.25]


def test_exif_in_tiff_is_read_by_tifffile_too():
    data, _ = write(read_photograph(encoded(picture(), "JPEG", exif=full_exif())), "TIFF")
    with tifffile.TiffFile(io.BytesIO(data)) as opened:
        tags = opened.pages.first.tags
        assert tags["Artist"].value == "A photographer"
        assert tags["ExifTag"].value["LensModel"] == "A lens"
        assert tags["GPSTag"].value["GPSLatitudeRef"] == "N"
        assert [tag.code for tag in tags] == sorted(tag.code for tag in tags)


def test_exif_of_sixteen_bits_stays_with_them():
    data = encoded(Image.fromarray(deep()), "TIFF", exif=full_exif())
    written, notes = write(read_photograph(data), "TIFF")
    assert notes == ()
    again = read_photograph(written)
    np.testing.assert_array_equal(again.pixels, np.rot90(deep(), -1))
    assert Image.open(io.BytesIO(written)).getexif()[0x013B] == "A photographer"


def test_how_the_old_file_was_stored_is_not_told_of_the_new_one():
    data = encoded(picture(), "TIFF", exif=full_exif())
    exif = Image.Exif()
    exif.load(read_photograph(data).metadata.exif)
    assert set(exif) - {274} == {*TEXTS, 0x8769, 0x8825}


def test_the_old_thumbnail_is_left_out():
    """A JPEG whose EXIF holds a small gray picture of the photograph before it was colored."""
    exif = full_exif().tobytes()
    small = encoded(picture("L", 10, 7), "JPEG")
    body, big = exif[6:], exif[6:8] == b"MM"
    order = ">" if big else "<"
    first = struct.unpack_from(f"{order}I", body, 4)[0]
    count = struct.unpack_from(f"{order}H", body, first)[0]
    link = first + 2 + 12 * count
    thumbnail = struct.pack(f"{order}H", 2)
    start = len(body) + 2 + 2 * 12 + 4
    thumbnail += struct.pack(f"{order}HHII", 0x0201, 4, 1, start)
    thumbnail += struct.pack(f"{order}HHII", 0x0202, 4, 1, len(small)) + bytes(4)
    linked = body[:link] + struct.pack(f"{order}I", len(body)) + body[link + 4 :]
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0" + linked + thumbnail + small)
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(small)
    written, _ = write(read_photograph(data), "JPEG")
    assert small not in written
    with Image.open(io.BytesIO(written)) as image:
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1) == {}
        assert image.getexif()[0x013B] == "A photographer"


@pytest.mark.parametrize("form", FORMS)
def test_without_metadata_none_is_made_up(form):
    image = through(encoded(picture(), "PNG"), form)
    assert dict(image.getexif()).keys().isdisjoint(TEXTS)
    assert "xmp" not in image.info
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("form", FORMS)
def test_exif_that_is_garbage_is_left_out_and_costs_nothing_else(form):
    broken = Photograph(np.zeros((4, 5, 3), np.uint8), metadata=Metadata(exif=b"Exif\0\0MM*garb"))
    written, _ = write(broken, form)
    assert read_photograph(written).size == (5, 4)


def test_exif_that_cannot_be_read_is_told(monkeypatch):
    def broken(*_):
        raise struct.error("damaged in a new way")

    monkeypatch.setattr(Image.Exif, "tobytes", broken)
    found = read_photograph(DATA_WITH_EXIF)
    assert found.notes == (NO_EXIF,)
    assert found.metadata.exif is None
    assert found.size == (28, 40)


DATA_WITH_EXIF = encoded(picture(), "JPEG", exif=full_exif())


def test_what_is_too_long_for_a_jpeg_is_left_out_with_a_note():
    long = Image.Exif()
    long[0x010E] = "a" * 70_000
    metadata = Metadata(exif=long.tobytes(), xmp=XMP + b" " * 70_000)
    photograph = Photograph(np.zeros((4, 5), np.uint8), metadata=metadata)
    written, notes = write(photograph, "JPEG")
    assert [note.split(" is too long")[0] for note in notes] == ["Its EXIF", "Its XMP"]
    assert read_photograph(written).metadata == Metadata(dpi=None)
    for form in ("PNG", "TIFF", "WEBP"):
        written, notes = write(photograph, form)
        assert notes == ()
        again = read_photograph(written).metadata
        assert again.xmp is not None
        assert again.xmp.startswith(XMP[:40])
        assert again.exif is not None


# XMP, resolution, frames


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source", ["JPEG", "WEBP", "TIFF"])
def test_xmp_goes_along_and_is_upright(source, form):
    options = {"xmp": XMP} if source != "TIFF" else {"tiffinfo": {700: XMP}}
    image = through(encoded(picture(), source, **options), form)
    # Of a TIFF, Pillow takes the orientation out of XMP as it turns it upright.
    turned = b"" if source == "TIFF" else b'tiff:Orientation="1"'
    assert image.info["xmp"] == XMP.replace(b'tiff:Orientation="6"', turned)


def test_xmp_of_png_goes_along():
    first, _ = write(read_photograph(encoded(picture(), "JPEG", xmp=XMP)), "PNG")
    assert through(first, "WEBP").info["xmp"].count(b"A photographer") == 1


def test_orientation_in_elements_of_xmp_is_upright_too():
    xmp = b"<x><tiff:Orientation>8</tiff:Orientation></x>"
    found = read_photograph(encoded(picture(), "WEBP", xmp=xmp)).metadata.xmp
    assert found == b"<x><tiff:Orientation>1</tiff:Orientation></x>"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("dpi", [(300, 300), (600, 1200)])
def test_resolution_goes_along(form, dpi):
    image = through(encoded(picture(), "JPEG", dpi=dpi), form)
    assert image.info["dpi"] == pytest.approx(dpi, abs=0.02)


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 1), (1e9, 1e9), ("a", "b"), 300])
def test_senseless_resolution_is_left_out(dpi):
    image = picture()
    image.info["dpi"] = dpi
    assert read_photograph(image).metadata.dpi is None


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_further_frames_are_told(kind):
    others = [Image.new("RGB", (40, 28), "blue")]
    data = encoded(picture(), kind, save_all=True, append_images=others)
    found = read_photograph(data)
    assert found.notes == (FIRST_OF_SEVERAL,)
    assert np.abs(found.pixels.astype(int) - np.asarray(picture())).mean() < 12
    assert read_photograph(encoded(picture(), kind)).notes == ()


def test_pages_that_lead_in_a_circle_end():
    """Its second page says that the next is the first."""
    data = bytearray(tiff(np.zeros((2, 8, 8), np.uint8), photometric="minisblack"))
    first = struct.unpack_from("<I", data, 4)[0]
    after = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    second = struct.unpack_from("<I", data, after)[0]
    assert second
    end = second + 2 + 12 * struct.unpack_from("<H", data, second)[0]
    struct.pack_into("<I", data, end, first)
    assert read_photograph(bytes(data)).size == (8, 8)


def test_the_preview_in_a_cameras_jpeg_is_no_further_picture():
    data = encoded(picture(), "MPO", save_all=True, append_images=[picture()])
    found = read_photograph(data)
    assert found.notes == ()
    assert found.format == "JPEG"
