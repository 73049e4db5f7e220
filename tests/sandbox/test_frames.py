"""Frames carry arrays whole, and hostile bytes end in one error only."""

import contextlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from podium.sandbox.inside import frames
from podium.sandbox.inside.frames import ANSWER, FAILED, FrameError, pack, unpack
from podium.sandbox.link import BrokenError, GoneError, LateError, Link, ToldError

ARRAYS = st.sampled_from(frames.DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0))
)


def body_of(kind, **fields):
    return b"".join(pack(kind, fields))[4:]


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text("abc_", min_size=1, max_size=9), ARRAYS | st.text(), max_size=5))
def test_what_is_packed_is_unpacked(fields):
    kind, found = unpack(body_of(ANSWER, **fields))
    assert kind == ANSWER
    assert found.keys() == fields.keys()
    for name, value in fields.items():
        if isinstance(value, str):
            assert found[name] == value.encode(errors="replace").decode()
        else:
            assert found[name].dtype == value.dtype
            np.testing.assert_array_equal(found[name], value)


def test_rows_that_do_not_lie_one_after_the_other_are_sent_as_they_read():
    value = np.arange(20_000).reshape(100, 200)[::2, ::3]
    np.testing.assert_array_equal(unpack(body_of(ANSWER, x=value))[1]["x"], value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_hostile_bytes_are_a_frame_or_an_error(content):
    with contextlib.suppress(FrameError):
        kind, fields = unpack(content)
        assert b"".join(pack(kind, fields))[4:5] == content[:1]


@pytest.mark.parametrize(
    "value",
    [np.array(["left"]), np.array([1j]), np.array([object()]), np.array("2026-01-01", "M8[D]")],
)
def test_what_no_frame_carries_is_refused(value):
    with pytest.raises(FrameError, match="can be sent"):
        pack(ANSWER, {"action": value})


def test_a_shape_larger_than_its_bytes_is_refused():
    content = bytearray(body_of(ANSWER, x=np.zeros(2)))
    assert content[13:17] == (2).to_bytes(4, "little")
    content[13:17] = (1 << 20).to_bytes(4, "little")
    with pytest.raises(FrameError, match="its description says 8388608"):
        unpack(content)


@pytest.fixture
def ends():
    """A link, and the two ends of a program: what it reads from and what it writes to."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    held = [theirs_in, ours_out, ours_in, theirs_out]
    yield Link(ours_out, ours_in, most_bytes=1 << 22), theirs_in, theirs_out, held
    for fd in held:
        os.close(fd)


def test_an_answer_in_pieces_is_put_together(ends):
    link, _, out, _ = ends
    content = b"".join(pack(ANSWER, {"x": np.arange(3)})) * 2
    os.write(out, content[:3])
    os.write(out, content[3:])
    for _ in range(2):
        np.testing.assert_array_equal(link.expect(ANSWER, 1)["x"], [0, 1, 2])


def test_silence_is_late(ends):
    with pytest.raises(LateError, match=r"within 0\.05 s"):
        ends[0].receive(0.05)


def test_half_a_frame_is_late(ends):
    link, _, out, _ = ends
    os.write(out, b"".join(pack(ANSWER, {"x": np.zeros(1000)}))[:500])
    with pytest.raises(LateError):
        link.receive(0.05)


def test_a_closed_end_is_gone(ends):
    link, _, out, held = ends
    os.close(out)
    held.remove(out)
    with pytest.raises(GoneError):
        link.receive(1)


def test_a_giant_announcement_is_refused_before_anything_is_made_of_it(ends):
    link, _, out, _ = ends
    os.write(out, b"\xff\xff\xff\xff")
    with pytest.raises(BrokenError, match="4,294,967,295 bytes"):
        link.receive(1)


def test_nonsense_is_broken(ends):
    link, _, out, _ = ends
    os.write(out, (5).to_bytes(4, "little") + b"hello")
    with pytest.raises(BrokenError, match="frame"):
        link.receive(1)


def test_a_frame_of_another_kind_is_broken(ends):
    link, _, out, _ = ends
    os.write(out, b"".join(pack(77, {})))
    with pytest.raises(BrokenError, match="kind 77"):
        link.expect(ANSWER, 1)


def test_what_the_script_tells_comes_as_told(ends):
    link, _, out, _ = ends
    os.write(out, b"".join(pack(FAILED, {"message": "KeyError: 'x'"})))
    with pytest.raises(ToldError, match="KeyError: 'x'"):
        link.receive(1)


def test_a_program_that_never_reads_does_not_hold_us(ends):
    link = ends[0]
    link.post(ANSWER, {"x": np.zeros(5 << 20, np.uint8)})
    with pytest.raises(LateError):
        link.receive(0.05)
