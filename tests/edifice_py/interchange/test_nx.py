"""Files of Nx.serialize: those that Elixir wrote, those that we write, and those refused."""

import itertools
import json
import zlib

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from edifice_py import interchange, vae
from edifice_py.interchange import external_term, nx_file
from edifice_py.interchange.external_term import Atom
from edifice_py.interchange.nx_terms import ModelState
from tests.edifice_py.interchange import make

EXPECTED = json.loads((make.DATA / "expected.json").read_text())
STATES = ("encoder_state", "decoder_state")


def recorded(name):
    return make.DATA / f"{name}.nx"


def expected(name):
    return np.asarray(EXPECTED[name], np.float32)


@pytest.mark.parametrize("file", make.RECORDED, ids=lambda file: file.stem)
def test_what_is_read_is_written_to_the_same_bytes(file, tmp_path):
    document = interchange.read(file)
    interchange.save(tmp_path / "back.nx", document.params, like=document)
    assert (tmp_path / "back.nx").read_bytes() == file.read_bytes()


def test_an_encoder_of_axon_predicts_in_jax_what_it_predicts_in_elixir():
    encoder, _ = vae.build(input_size=4, latent_size=2, encoder_sizes=[6, 5])
    found = encoder.apply(interchange.load(recorded("encoder_state"), encoder), expected("input"))
    for name in ("mu", "log_var"):
        np.testing.assert_allclose(found[name], expected(name), rtol=0, atol=1e-6)


def test_a_decoder_of_axon_predicts_in_jax_what_it_predicts_in_elixir():
    _, decoder = vae.build(input_size=4, latent_size=2, decoder_sizes=[5])
    params = interchange.load(recorded("decoder_state"), decoder)
    found = decoder.apply(params, expected("latent"))
    np.testing.assert_allclose(found, expected("reconstruction"), rtol=0, atol=1e-6)


def test_a_pair_in_one_file_loads_for_both_models():
    models = vae.build(input_size=4, latent_size=2, encoder_sizes=[6, 5], decoder_sizes=[5])
    pair = interchange.load(recorded("params_map"), models)
    alone = [interchange.load(recorded(name)) for name in STATES]
    assert make.same_bits(tuple(pair), tuple(alone))


def test_types_tuples_and_scalars():
    found = interchange.load(recorded("mixed_types"))
    wanted = {
        "bf16": np.array([1.5, 2.5], ml_dtypes.bfloat16),
        "f64": np.array([1.5, -2.5]),
        "scalar": np.array(7, np.int32),
        "tuple": (np.array([1], np.int32), np.array([2], np.float32)),
        "u8": np.array([[1, 2], [3, 4]], np.uint8),
    }
    assert make.same_bits(found, wanted)


@pytest.mark.parametrize("name", STATES)
def test_a_model_state_has_all_fields_as_axon_writes_them(name, tmp_path):
    file = recorded(name)
    interchange.save(tmp_path / "made.axon", interchange.load(file))
    assert (tmp_path / "made.axon").read_bytes() == file.read_bytes()
    state = interchange.read(file).node
    assert isinstance(state, ModelState)
    assert state.parameters == {layer: ["bias", "kernel"] for layer in state.data}
    assert state.state == state.frozen_parameters == {}


def test_plain_maps_are_written_as_elixir_writes_them(tmp_path):
    for name in ("params_map", "mixed_types"):
        interchange.save(tmp_path / "made.nx", interchange.load(recorded(name)), container="map")
        assert (tmp_path / "made.nx").read_bytes() == recorded(name).read_bytes()


def test_a_pair_is_written_as_two_model_states(tmp_path):
    pair = interchange.load(recorded("params_map"))
    interchange.save(tmp_path / "pair.nx", pair)
    document = interchange.read(tmp_path / "pair.nx")
    assert {name: type(node) for name, node in document.node.items()} == {
        "decoder": ModelState,
        "encoder": ModelState,
    }
    assert make.same_bits(document.params, pair)


def test_layers_in_layers_are_a_model_state_of_nested_names():
    weights = {"kernel": np.ones((1, 1), np.float32)}
    state = nx_file.document({"block": {"dense": weights}}, "model_state").node
    assert state.parameters == {"block": {"dense": ["kernel"]}}


def test_both_endiannesses_are_read_and_kept():
    array = np.array([[1.5, -0.0, np.nan]], np.float32)
    words = array.view(np.uint32).astype(">u4").tobytes()
    data = make.nx(b"\x83" + make.tensor((1, 3)), words, endianness=1)
    document = nx_file.parse(data)
    assert make.same_bits(document.params, array)
    assert document.to_bytes() == data


@pytest.mark.parametrize("level", [1, 9])
def test_a_compressed_term_is_read_and_kept(level):
    data = recorded("encoder_state").read_bytes()
    size = int.from_bytes(data[4:12], "big")
    term = data[13 : 12 + size]
    packed = b"\x83P" + len(term).to_bytes(4, "big") + zlib.compress(term, level)
    document = nx_file.parse(make.nx(packed, data[12 + size :]))
    assert make.same_bits(document.params, interchange.load(recorded("encoder_state")))
    assert document.to_bytes() == make.nx(packed, data[12 + size :])


def test_names_of_axes_and_frozen_parameters_stay_when_numbers_change(tmp_path):
    named = make.tensor((2,), names=[make.atom("features")])
    empty = b"t\0\0\0\0"
    frozen = b"t\0\0\0\1" + make.text("mu") + make.sequence([make.text("bias")])
    fields = (("parameters", empty), ("state", empty), ("frozen_parameters", frozen))
    kept = [make.group(make.atom(name), value) for name, value in fields]
    layer = make.container("Map", [(make.text("bias"), named)])
    data = make.container("Map", [(make.text("mu"), layer)])
    state = make.container("Axon.ModelState", [(make.atom("data"), data)], make.sequence(kept))
    (tmp_path / "old.nx").write_bytes(make.nx(b"\x83" + state, bytes(8)))

    document = interchange.read(tmp_path / "old.nx")
    assert document.node.frozen_parameters == {"mu": ["bias"]}
    new = {"mu": {"bias": jnp.array([1.0, 2.0])}}
    interchange.save(tmp_path / "new.nx", new, like=document)
    numbers = np.array([1, 2], np.float32).tobytes()
    assert (tmp_path / "new.nx").read_bytes() == make.nx(b"\x83" + state, numbers)


def test_atoms_are_names_and_stay_atoms(tmp_path):
    pairs = [(make.atom("bias"), make.tensor(())), (make.text("bias2"), make.tensor((), offset=4))]
    data = make.nx(b"\x83" + make.container("Map", pairs), bytes(8))
    (tmp_path / "atoms.nx").write_bytes(data)
    params = interchange.load(tmp_path / "atoms.nx")
    assert [type(name) for name in params] == [Atom, str]
    assert params["bias"].shape == ()
    interchange.save(tmp_path / "back.nx", params, container="map")
    again = external_term.decode(interchange.read(tmp_path / "back.nx").term)
    assert [type(name) for name, _ in again[1]] == [Atom, str]


def test_a_list_is_read_as_a_tuple():
    term = make.container("List", [(b"j", make.tensor(())), (b"j", make.tensor((), offset=4))])
    assert make.same_bits(
        nx_file.parse(make.nx(b"\x83" + term, bytes(8))).params, (np.zeros((), np.float32),) * 2
    )


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (
            make.tensor(axes=make.sequence([make.group(make.atom("x"), make.number(3))])),
            "vectorize",
        ),
        (make.tensor(kind="c", bits=64), "the type 'c64'"),
        (make.tensor(kind="u", bits=4), "the type 'u4'; those that can be read are f16, bf16"),
        (make.tensor((3,)), "ends 4 bytes before the end"),
        (make.tensor((1,)), "4 bytes follow the last tensor"),
        (make.tensor(size=7), r"f32\[2\], which is 8 bytes, not 7"),
        (make.tensor(offset=4), "begins at byte 4 of the numbers, where byte 0 is due"),
        (make.tensor(offset=-4), "begins at byte -4"),
        (make.tensor((-2, -1)), r"has the shape \(-2, -1\)"),
        (make.tensor((2**62, 2**62), size=8), "has the shape"),
        (make.tensor((2**62, 2**62, 0)), "has the shape"),
        (make.tensor(kind="F"), "the type 'F32'"),
        (make.tensor(names=[]), "names for other axes"),
        (make.container("Map", [(make.text("a"), make.number(1))]), "'a' is no tensor"),
        (make.container("Date", []), "a container 'Elixir.Nx.Container.Date', which is not read"),
        (make.container("Map", [], make.number(1)), "is a container with 1"),
        (make.container("Map", [(b"j", make.tensor())]), "must be strings or atoms"),
        (make.container("Tuple", [(make.text("a"), make.tensor())]), "its members have names"),
        (make.container("Axon.ModelState", [], b"j"), "is an Axon.ModelState without data"),
        (
            make.container(
                "Map",
                [(make.text("a"), make.tensor()), (make.text("a"), make.tensor(offset=8))],
            ),
            "'a' stands there twice",
        ),
    ],
    ids=itertools.count(),
)
def test_what_cannot_be_read_is_said_in_a_sentence(term, words):
    with pytest.raises(interchange.InterchangeError, match=words):
        nx_file.parse(make.nx(b"\x83" + term, bytes(8)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "begins with b'nx', not b''"),
        (b"\x83h\x03", "Nx 0.4 or older"),
        (b"nx\1\0", "ends after 4 bytes, within its header"),
        (make.nx(b"\x83j", version=2), "version of Nx.serialize must be 1, not 2"),
        (make.nx(b"\x83j", endianness=2), "endianness must be 0 or 1, not 2"),
        (b"nx\1\0" + b"\xff" * 8, "ends [0-9]+ bytes before its Erlang term does"),
    ],
    ids=itertools.count(),
)
def test_a_header_that_is_not_of_nx_is_refused(data, words):
    with pytest.raises(interchange.InterchangeError, match=words):
        nx_file.parse(data)


@pytest.mark.parametrize(
    ("params", "options", "words"),
    [
        ({"a": [np.ones(1)]}, {}, "'a' is a list, which Nx.deserialize cannot make; give a tuple"),
        ({"a": {"b": 1.5}}, {}, "'a/b' must be an array, .* not 1.5"),
        ({"a": np.array([True])}, {}, "'a' has the type bool; those that can be written are f16"),
        ({"a": np.array(["x"])}, {}, "'a' has the type <U1"),
        ({1: np.ones(1)}, {}, "names in the whole tree must be strings, not 1"),
        ({"a" * 1024: np.ones(1)}, {}, "may have 1023 bytes, not 1024"),
        ({"\ud800": np.ones(1)}, {}, "no text of Unicode"),
        ({Atom("a" * 256): np.ones(1)}, {}, "may have 255 letters, not 256"),
        ({"a": np.ones((1,) * 33)}, {}, "has 33 axes; at most 32 are allowed"),
        ((np.ones(1),), {"container": "model_state"}, "is no dictionary of layers"),
        (
            {"a": {"b": np.ones(1), "c": {"d": np.ones(1)}}},
            {"container": "model_state"},
            "'a' has layers and arrays side by side",
        ),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(params, options, words, tmp_path):
    with pytest.raises(interchange.InterchangeError, match=words):
        interchange.save(tmp_path / "x.nx", params, **options)
    assert not list(tmp_path.iterdir())


def test_a_tree_that_is_deeper_than_what_is_read_is_not_written():
    tree = np.ones(1)
    for _ in range(40):
        tree = {"a": tree}
    with pytest.raises(interchange.InterchangeError, match="at most 32 levels deep"):
        nx_file.document(tree)
    endless = {}
    endless["a"] = endless
    with pytest.raises(interchange.InterchangeError, match="at most 32 levels deep"):
        nx_file.document(endless)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.pop("mu"), "must have the names of the file .* only: mu"),
        (lambda p: p.update(mu=np.ones(1)), "'mu' must have the names .*: bias, kernel"),
        (lambda p: p["mu"].update(bias=(np.ones(1),)), "'mu/bias' must be an array"),
        (
            lambda p: p["mu"].update(bias=np.ones(3, np.float32)),
            r"'mu/bias' is float32\[3\]; the file that it is to be like has float32\[2\]",
        ),
        (lambda p: p["mu"].update(bias=np.ones(2)), r"is float64\[2\]; .* has float32\[2\]"),
    ],
)
def test_other_parameters_than_those_of_the_file_are_refused(change, words):
    document = interchange.read(recorded("encoder_state"))
    params = {layer: dict(weights) for layer, weights in document.params.items()}
    change(params)
    with pytest.raises(interchange.InterchangeError, match=words):
        document.with_params(params)


def test_a_tuple_of_another_length_is_refused():
    document = interchange.read(recorded("mixed_types"))
    with pytest.raises(interchange.InterchangeError, match="'tuple' must be a tuple of 2"):
        document.with_params(document.params | {"tuple": ()})


def test_as_many_arrays_as_can_be_read_are_written():
    layer = {"kernel": np.ones((1, 1), np.float32), "bias": np.ones(1, np.float32)}
    layers = {f"encoder_dense_{index}": layer for index in range(1500)}
    assert len(nx_file.parse(nx_file.document(layers).to_bytes()).params) == 1500
    with pytest.raises(interchange.InterchangeError, match="more than 65536 values"):
        nx_file.document({f"dense_{index}": layer for index in range(2000)})
