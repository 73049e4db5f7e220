"""Readers of each format: what is harmless, what is refused and where, what stays bounded."""

import io
import json
import resource
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from podium_scoring import ChallengeError, SubmissionError
from podium_scoring.column import Column
from podium_scoring.schema import Schema
from podium_scoring.tables import form_of, names_usage, read_answers, read_form, read_predictions

ID = Column("id", "integer")
LABEL = Column("label", "integer", 0, 9)
IMAGE = Column("image", "integer", 0, 2, shape=(2, 3))
TEXT = Column("text", "string")
BOXES = Schema.of(
    {
        "format": "coco",
        "id": {"name": "image_id", "type": "integer"},
        "columns": [{"name": "category_id", "type": "integer", "allowed": ["1", "2"]}],
    }
)


def read(data, schema, ids=(0, 1, 2)):
    ids = np.array(ids, object if isinstance(ids[0], str) else np.int64)
    return read_predictions(data, form_of(schema, ids)).columns


def refusal(data, schema, ids=(0, 1, 2)):
    with pytest.raises(SubmissionError) as caught:
        read(data, schema, ids)
    detail = caught.value.details[0]
    return (detail.line, detail.column, detail.expected, detail.got), caught.value.message


def packed(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8), **options).save(file, "PNG")
    return file.getvalue()


JSONL = Schema(ID, (LABEL,), "jsonl")
TEXTS = Schema(ID, (TEXT,), "jsonl")


def test_json_lines_may_come_in_any_order_with_blanks_between():
    data = b'\xef\xbb\xbf{"label": 2, "id": 1}\r\n\n {"id": 0, "label": 1} \n{"id":2,"label":3}'
    assert read(data, JSONL)["label"].tolist() == [1, 2, 3]


JSON_FAULTS = {
    "no JSON": ('{"id": 0 "label": 1}', (1, None, "JSON"), "Expecting ',' delimiter"),
    "a list": ("[0, 1]", (1, None, "an object"), "'[0, 1]'"),
    "two objects": (
        '{"id": 0, "label": 1} {"id": 1, "label": 1}',
        (1, None, "one object"),
        "after",
    ),
    "a missing key": ('{"id": 0}', (1, "label", "the key 'label'"), "no such key"),
    "a strange key": ('{"id": 0, "label": 1, "x": 2}', (1, None, "the keys id, label"), "'x'"),
    "a double key": ('{"id": 0, "id": 1, "label": 1}', (1, "id", "each key once"), "2 times"),
    "a text": ('{"id": 0, "label": "1"}', (1, "label", "an integer from 0 to 9"), '"1"'),
    "a fraction": ('{"id": 0, "label": 1.0}', (1, "label", "an integer from 0 to 9"), "1.0"),
    "a truth": ('{"id": 0, "label": true}', (1, "label", "an integer from 0 to 9"), "true"),
    "a NaN": ('{"id": 0, "label": NaN}', (1, None, "finite numbers"), "NaN"),
    "null": ('{"id": 0, "label": null}', (1, "label", "an integer from 0 to 9"), "null"),
    "a huge number": ('{"id": 0, "label": 1' + "0" * 5000 + "}", (1, None, "numbers of"), "digits"),
    "deep brackets": ('{"id": 0, "label": ' + "[" * 99_999, (1, None, "brackets"), "hundreds"),
}


@pytest.mark.parametrize("case", JSON_FAULTS)
def test_a_fault_of_json_lines_is_told_with_its_place(case):
    text, (line, column, expected), got = JSON_FAULTS[case]
    rest = '\n{"id": 1, "label": 1}\n{"id": 2, "label": 1}\n'
    found, message = refusal((text + rest).encode(), JSONL)
    assert found[:2] == (line, column)
    assert found[2].startswith(expected)
    assert got in message


def test_half_a_character_is_no_text():
    lines = '{"id": 0, "text": "\\ud800"}\n{"id": 1, "text": "b"}\n{"id": 2, "text": "c"}'
    found, _ = refusal(lines.encode(), TEXTS)
    assert found == (1, "text", "text of at most 10000 characters", '"\\ud800"')


def test_a_text_of_endless_length_is_refused():
    data = b'{"id": 0, "text": "a"}\n{"id": 1, "text": "b"}\n{"id": 2, "text": "' + b"c" * 10_001
    found, _ = refusal(data + b'"}\n', TEXTS)
    assert found[:3] == (3, "text", "text of at most 10000 characters")


NPZ = Schema(ID, (IMAGE,), "npz")
GOOD = {"id": np.arange(3), "image": np.ones((3, 2, 3), np.uint8)}


def test_arrays_keep_their_type_and_come_in_the_order_of_ids():
    image = np.arange(18).reshape(3, 2, 3).astype(np.uint8) % 3
    found = read(saved(id=np.array([2, 0, 1]), image=image[[2, 0, 1]]), NPZ)["image"]
    assert found.dtype == np.uint8
    assert (found == image).all()
    fortran = read(saved(id=np.arange(3), image=np.asfortranarray(image)), NPZ)["image"]
    assert (fortran == image).all()


NPZ_FAULTS = {
    "objects": ({"image": np.array([None, 1, 2], object)}, "image", "Python objects"),
    "another shape": ({"image": np.ones((3, 3, 2), np.uint8)}, "image", "shape (3, 3, 2)"),
    "fractions": ({"image": np.ones((3, 2, 3))}, "image", "type float64"),
    "fewer rows": ({"image": np.ones((2, 2, 3), np.uint8)}, "image", "2 rows"),
    "out of range": ({"image": np.full((3, 2, 3), 3, np.uint8)}, "image", "values 3 to 3"),
    "another array": ({"other": np.ones(3)}, "other", "'other' besides"),
    "far too many rows": ({"id": np.zeros(9999, int)}, "id", "9999 rows"),
}


@pytest.mark.parametrize("case", NPZ_FAULTS)
def test_a_fault_of_arrays_is_told_with_its_array(case):
    change, column, got = NPZ_FAULTS[case]
    found, _ = refusal(saved(**GOOD | change), NPZ)
    assert found[1] == column
    assert got in found[3]


def test_declared_rows_need_no_ids_and_no_sample():
    schema = Schema(ID, (IMAGE,), "npz", rows=3)
    form = read_form(b"", schema)
    found = read_predictions(saved(image=GOOD["image"]), form)
    assert found.columns["image"].shape == (3, 2, 3)


PNG = Schema(ID, (IMAGE,), "png")
PIXELS = [[0, 1, 2], [2, 1, 0]]


def test_images_are_read_grey_or_by_palette_from_any_folder():
    palette = Image.fromarray(np.array(PIXELS, np.uint8), "P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    file = io.BytesIO()
    palette.save(file, "PNG")
    members = {
        "masks/1.png": png(PIXELS),
        "masks/0.PNG": file.getvalue(),
        "masks/2.png": png([[0] * 3] * 2),
        "__MACOSX/masks/._1.png": b"x",
        "masks/.DS_Store": b"x",
    }
    found = read(packed(members), PNG)["image"]
    assert found[:2].tolist() == [PIXELS, PIXELS]


PNG_FAULTS = {
    "another size": (png([[0, 1]]), "1 x 2 of 8 bits"),
    "colour": (png(np.zeros((2, 3, 3))), "mode RGB"),
    "no image": (b"GIF89a" + bytes(99), "no PNG image"),
    "a cut image": (png(PIXELS)[:-30], "a damaged image"),
    "a value that is not allowed": (png([[9, 0, 0], [0, 0, 0]]), "values 0 to 9"),
}


@pytest.mark.parametrize("case", PNG_FAULTS)
def test_a_fault_of_an_image_is_told_with_its_name(case):
    content, got = PNG_FAULTS[case]
    found, _ = refusal(packed({"0.png": png(PIXELS), "1.png": content, "2.png": png(PIXELS)}), PNG)
    assert found[:2] == (2, "1.png")
    assert got in found[3]


def test_a_name_that_is_no_id_is_told():
    found, _ = refusal(packed({"first.png": png(PIXELS)}), PNG)
    assert found == (1, None, "a whole number, then .png", "'first.png'")


def bomb():
    """A PNG of the right size on its face, whose data go on for 128 MiB."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)
    squeeze = zlib.compressobj(1)
    data = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(128)) + squeeze.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def lying(name, size):
    """An archive of 128 MiB of zeros whose directory says that it is small, or not."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(name, "w") as member:
            for _ in range(128):
                member.write(bytes(1 << 20))
        if size is not None:
            archive.filelist[0].file_size = size
    return file.getvalue()


def test_what_would_unpack_to_far_more_is_refused_within_bounded_memory():
    header = saved(**GOOD)
    cases = [
        (packed({"0.png": bomb()}), PNG),
        (lying("0.png", None), PNG),
        (lying("0.png", 100), PNG),
        (lying("image.npy", None), NPZ),
        (lying("image.npy", 200), NPZ),
        (header[:-30] + b"PK\x01\x02" * 300_000, NPZ),
        (b'{"id":' * 1_000_000, JSONL),
        (b"[" * 5_000_000, BOXES),
        (b"[[" + b"1," * 2_000_000, BOXES),
        (b"\n" * 20_000_000, Schema(ID, (LABEL,))),
        (b"id,label\n" + b"1,1\n" * 5_000_000, Schema(ID, (LABEL,))),
        (b'id,label\n"' + b"1\n" * 8_000_000, Schema(ID, (LABEL,))),
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for data, schema in cases:
        refusal(data, schema)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 90 * 1024  # KiB


ARCHIVE_FAULTS = {
    "no archive": (b"id,label\n1,2\n", "no whole zip archive"),
    "empty": (packed({}), "empty"),
    "cut": (saved(**GOOD)[:-40], "no whole zip archive"),
    "a rare method": (packed({"id.npy": b"x"}, zipfile.ZIP_BZIP2), "rare way"),
}


@pytest.mark.parametrize("case", ARCHIVE_FAULTS)
def test_a_fault_of_an_archive_is_told(case):
    content, words = ARCHIVE_FAULTS[case]
    assert words in refusal(content, NPZ)[1]


PARQUET = Schema(ID, (Column("x", "number"),), "parquet")


def parquet(**columns):
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def test_parquet_is_read_by_name_and_id():
    found = read(parquet(x=[2.5, 0.5, 1.5], id=[2, 0, 1]), PARQUET)
    assert found["x"].tolist() == [0.5, 1.5, 2.5]


PARQUET_FAULTS = {
    "text": ({"x": ["a", "b", "c"]}, (None, "x"), "type string"),
    "nothing": ({"x": [1.0, None, 2.0]}, (2, "x"), "nothing"),
    "a NaN": ({"x": [1.0, float("nan"), 2.0]}, (2, "x"), "nan"),
    "an index": ({"__index_level_0__": [0, 1, 2]}, (None, "__index_level_0__"), "index=False"),
}


@pytest.mark.parametrize("case", PARQUET_FAULTS)
def test_a_fault_of_parquet_is_told_with_its_column(case):
    change, place, got = PARQUET_FAULTS[case]
    found, _ = refusal(parquet(**{"id": [0, 1, 2], "x": [1.0, 2.0, 3.0]} | change), PARQUET)
    assert found[:2] == place
    assert got in found[3]


BOX = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 3.5, 4], "score": 0.5}


def test_boxes_may_be_many_for_an_image_and_carry_more_keys():
    data = json.dumps([BOX, BOX | {"area": 12}, BOX | {"image_id": 0}]).encode()
    found = read_predictions(data, form_of(BOXES, np.arange(3)))
    assert found.owner.tolist() == [1, 1, 0]
    assert found.columns["bbox"].tolist() == [[1, 2, 3.5, 4]] * 3


BOX_FAULTS = {
    "a short box": (BOX | {"bbox": [1, 2, 3]}, "bbox", "[1, 2, 3]"),
    "a negative width": (BOX | {"bbox": [1, 2, -3, 4]}, "bbox", "[1, 2, -3, 4]"),
    "a text": (BOX | {"score": "0.5"}, "score", '"0.5"'),
    "no score": (
        {key: BOX[key] for key in ("image_id", "category_id", "bbox")},
        "score",
        "nothing",
    ),
    "a fractional id": (BOX | {"image_id": 1.0}, "image_id", "1.0"),
    "an unknown image": (BOX | {"image_id": 7}, "image_id", "7"),
    "an unknown category": (BOX | {"category_id": 3}, "category_id", "3"),
    "no object": ([1, 2], None, "[1, 2]"),
}


@pytest.mark.parametrize("case", BOX_FAULTS)
def test_a_fault_of_a_box_is_told_with_its_number(case):
    box, column, got = BOX_FAULTS[case]
    found, message = refusal(json.dumps([BOX, box]).encode(), BOXES)
    assert (found[0], found[1], found[3]) == (2, column, got)
    assert message.startswith("Box 2")


def test_a_damaged_list_of_boxes_is_told_with_its_line():
    found, _ = refusal(b'[\n{"image_id": 1,\n oops}]', BOXES)
    assert found[0] == 3


ANSWERS = b"id,label,Usage\n0,1,Public\n1,2,Private\n2,3,Public\n"
HOST_FAULTS = {
    "no Usage": (b"id,label\n0,1\n", "lacks Usage"),
    "a strange Usage": (ANSWERS.replace(b"Private", b"Secret"), "one of Public, Private"),
    "a double id": (ANSWERS + b"2,3,Public\n", "occurs twice"),
    "a bad label": (ANSWERS.replace(b"0,1,", b"0,11,"), "an integer from 0 to 9"),
}


@pytest.mark.parametrize("case", HOST_FAULTS)
def test_faults_of_answers_are_the_hosts(case):
    data, words = HOST_FAULTS[case]
    with pytest.raises(ChallengeError, match=words):
        read_answers(data, Schema(ID, (LABEL,)))


def test_answers_know_their_splits_and_whether_they_have_any():
    schema = Schema(ID, (LABEL,))
    assert {key: rows.tolist() for key, rows in read_answers(ANSWERS, schema).splits.items()} == {
        "public": [0, 2],
        "private": [1],
    }
    assert names_usage(ANSWERS, schema)
    assert not names_usage(b"id,label\n0,1\n", schema)


def test_an_id_of_two_splits_is_the_hosts_fault():
    schema = Schema(Column("user"), (Column("item"),), repeated=True)
    with pytest.raises(ChallengeError, match="Public and Private"):
        read_answers(b"user,item,Usage\na,x,Public\na,y,Private\n", schema)


def test_a_list_that_names_an_item_twice_is_refused_with_its_line():
    schema = Schema(Column("user"), (Column("item"),), repeated=True, distinct=True)
    found, _ = refusal(b"user,item\na,x\nb,x\na,y\na,x\n", schema, ("a", "b"))
    assert found == (5, "item", "each value once for an id", "x again")


def test_masks_in_run_lengths_are_checked_as_they_are_read():
    schema = Schema(ID, (Column("mask", "runs", shape=(2, 2)),))
    found, _ = refusal(b"id,mask\n0,1 2\n1,3 9\n2,1 1\n", schema)
    assert found == (3, "mask", "starts and lengths in turn, of a mask of 2 x 2", "'3 9'")


def test_at_most_twenty_places_are_told_and_the_rest_counted():
    rows = "".join(f"{i},99\n" for i in range(100))
    with pytest.raises(SubmissionError) as caught:
        read(b"id,label\n" + rows.encode(), Schema(ID, (LABEL,)), range(100))
    assert (len(caught.value.details), caught.value.more) == (20, 80)
    assert caught.value.message.endswith("There are 99 more faults.")
