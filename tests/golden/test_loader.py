"""Reading case files: both layouts, and every way to be unreadable."""

import io
import zipfile

import ml_dtypes
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golden.arrays import Declaration, describe
from golden.document import UnreadableError
from golden.loader import load

CASE = {"function": "kl_divergence", "inputs": {"mu": "f32[2]"}, "outputs": {"kl": "f32[]"}}
ARRAYS = {"kl/a/in/mu": np.float32([1, 2]), "kl/a/out/kl": np.float32(3)}


@pytest.fixture
def write(tmp_path):
    """Write a pair of files, and load it."""

    def write(content=None, arrays=ARRAYS, **case):
        if content is None:
            content = yaml.safe_dump({"groups": {"kl": {"a": CASE | case}}})
        (tmp_path / "theirs.yaml").write_text(content, encoding="utf-8")
        if arrays is not None:
            np.savez(tmp_path / "theirs.npz", **arrays)
        return load((tmp_path,))

    return write


def test_a_pair_of_files_is_read(write):
    (case,) = write(options={"seed": 1})
    assert (case.source, case.id, case.function) == ("theirs", "kl/a", "kl_divergence")
    assert case.options == {"seed": 1}
    np.testing.assert_array_equal(case.inputs["mu"], [1, 2])
    assert describe(case.outputs["kl"]) == "f32[]"


def test_the_other_layout_is_read_too(write):
    entry = {"call": "f(x)", "config": {"beta": 2}, "notes": "a word", "inputs": {}}
    entry["outputs"] = {"kl": "float32[]"}
    groups = {"groups": {"kl": {"description": "…", "cases": {"a": entry}}}}
    groups["provenance"] = {"implementation": "their-system (a wheel)"}
    (case,) = write(yaml.safe_dump(groups))
    assert (case.function, case.why) == ("their-system.kl", "a word")
    assert case.options == {"call": "f(x)", "config": {"beta": 2}}


def test_bfloat16_is_stored_as_its_bits(write):
    bits = np.float32([1, 2]).astype(ml_dtypes.bfloat16)
    arrays = ARRAYS | {"kl/a/in/mu": bits.view(np.uint16)}
    (case,) = write(arrays=arrays, inputs={"mu": "bf16[2]"})
    assert case.inputs["mu"].dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(case.inputs["mu"].astype(float), [1, 2])


def test_small_arrays_may_stand_in_the_yaml_file(write):
    inline = {"mu": {"dtype": "f64", "data": [[1, 2.5]]}}
    (case,) = write(arrays={"kl/a/out/kl": np.float32(3)}, inputs=inline)
    assert describe(case.inputs["mu"]) == "f64[1, 2]"


def test_only_what_the_filter_wants_is_read(tmp_path, write):
    write()
    assert load((tmp_path,), "kl/b*") == []
    assert len(load((tmp_path,), "theirs:kl/*")) == 1


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"inputs": {"mu": "f32[3]"}}, r"declared as f32\[3\], stored as float32\[2\]"),
        ({"inputs": {"mu": "f64[2]"}}, r"declared as f64\[2\], stored as float32\[2\]"),
        ({"inputs": {"mu": "f32"}}, r"declared as dtype\[shape\], like f32\[2, 3\], not 'f32'"),
        ({"inputs": {"mu": "f33[2]"}}, "unknown dtype 'f33'"),
        ({"inputs": {"mu": "f64[99999999999]"}}, "larger than"),
        ({"inputs": {"nu": "f32[2]"}}, "has no array kl/a/in/nu"),
        ({"inputs": {"mu": {"dtype": "f32", "data": [[1], [1, 2]]}}}, "inhomogeneous"),
        ({"inputs": {"mu": {"dtype": "f32", "data": ["x"]}}}, "data of f32 must be numbers"),
        ({"inputs": {"mu": {"dtype": "f32"}}}, "an array in place has a dtype and data, not dtype"),
        ({"inputs": [1, 2]}, "inputs must be a mapping"),
        ({"outputs": None}, "outputs must be a mapping"),
        ({"outputs": {}}, "outputs must be a mapping"),
    ],
)
def test_a_case_that_does_not_fit_its_arrays_is_named(write, case, words):
    with pytest.raises(UnreadableError, match=f"kl/a.*{words}") as error:
        write(**case)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1, 2]",
        "groups: 3",
        "groups: {kl: 3}",
        "groups: {kl: {a: 3}}",
        "a: [",
        "\t{",
        "date: 2026-13-45",
        "a: 0x_",
        "a: !!int ''",
        "a: !!bool foo",
        f"a: {'9' * 5000}",
        "a: !!python/object/apply:os.getcwd []",
    ],
)
def test_what_is_no_file_of_cases_is_refused(write, content):
    with pytest.raises(UnreadableError, match=r"theirs\.yaml: "):
        write(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: &x [1]\ngroups: {kl: {a: {function: f, outputs: *x}}}", r"aliases like \*x"),
        ("groups: {kl: {a: {outputs: {}}, a: {outputs: {}}}}", "'a' stands twice"),
        ("groups: {kl: {a: {function: [f], outputs: {x: 'f32[]'}}}}", "function must be a name"),
        ("groups: {kl: {a: {outputs: {1: 'f32[]'}}}}", "outputs must have names, not 1"),
    ],
)
def test_what_could_mislead_is_refused(write, content, words):
    with pytest.raises(UnreadableError, match=words):
        write(content)


@pytest.mark.parametrize(
    "array",
    [
        {"dtype": "u32", "data": [4294967296]},
        {"dtype": "u32", "data": [-1]},
        {"dtype": "u32", "data": [0.5]},
        {"dtype": "s64", "data": [2**70]},
        {"dtype": "f32", "data": None},
        {"dtype": "f32", "data": ["1.0"]},
        {"dtype": "f32", "data": [True]},
    ],
)
def test_data_in_place_is_never_changed_to_fit(write, array):
    with pytest.raises(UnreadableError, match="kl/a: data"):
        write(inputs={"mu": array})


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "cases.yaml").mkdir()
    with pytest.raises(UnreadableError, match="directory"):
        load((tmp_path,))


@given(st.integers(0, 10**6), st.integers(1, 255), st.booleans())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_broken_byte_is_noticed_or_harmless(tmp_path, write, place, change, cut):
    file = tmp_path / "theirs.npz"
    write()
    whole = bytearray(file.read_bytes())
    whole[place % len(whole)] ^= change
    file.write_bytes(whole[: place % len(whole)] if cut else whole)
    try:
        (case,) = load((tmp_path,))
    except UnreadableError as error:
        assert "\n" not in str(error)  # noqa: PT017 # it may also be read unharmed
    else:
        np.testing.assert_array_equal(case.inputs["mu"], [1, 2])


def test_a_missing_folder_or_file_is_named(tmp_path, write):
    with pytest.raises(UnreadableError, match="no YAML file"):
        load((tmp_path / "nowhere",))
    with pytest.raises(UnreadableError, match="No such file"):
        write(arrays=None)


def test_broken_arrays_are_named(tmp_path, write):
    write()
    whole = (tmp_path / "theirs.npz").read_bytes()
    for broken in (b"", b"PK", whole[: len(whole) // 2], whole[:60] + b"\0" * 9 + whole[69:]):
        (tmp_path / "theirs.npz").write_bytes(broken)
        with pytest.raises(UnreadableError, match=r"theirs"):
            load((tmp_path,))


def test_nothing_is_unpickled(tmp_path, write):
    write()
    pickled = io.BytesIO()
    np.lib.format.write_array(pickled, np.array([{}, {}]), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "theirs.npz", "w") as archive:
        archive.writestr("kl/a/in/mu.npy", pickled.getvalue())
    with pytest.raises(UnreadableError, match=r"declared as f32\[2\], stored as object"):
        load((tmp_path,))


@pytest.mark.parametrize("text", ["f32[]", "u8[3]", "bf16[2, 3]", "pred[1]", "s64[4,5]"])
def test_declarations_are_read_as_they_are_written(text):
    assert str(Declaration.parse(text)) == text.replace("4,5", "4, 5")
