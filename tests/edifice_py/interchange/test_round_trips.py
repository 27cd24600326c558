"""What is written is read to the same bits, in every format, over random trees."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edifice_py.interchange import nx_file, safetensors_file
from edifice_py.interchange.digest import digest
from tests.edifice_py.interchange import make


@settings(deadline=None)
@given(make.trees() | make.arrays() | st.lists(make.arrays()).map(tuple))
def test_nx(tree):
    data = nx_file.document(tree, "map").to_bytes()
    document = nx_file.parse(data)
    assert make.same_bits(document.params, tree)
    assert document.to_bytes() == data


@settings(deadline=None)
@given(make.trees(empty=False))
def test_safetensors(tree):
    found, metadata = safetensors_file.parse(safetensors_file.serialize(tree))
    assert make.same_bits(found, tree)
    assert not metadata


@settings(deadline=None)
@given(make.trees(empty=False))
def test_from_one_format_to_the_other_and_back(tree):
    there, _ = safetensors_file.parse(
        safetensors_file.serialize(nx_file.parse(nx_file.document(tree, "map").to_bytes()).params)
    )
    assert make.same_bits(there, tree)
    assert digest(there) == digest(tree)


LAYERS = st.dictionaries(
    make.NAMES, st.dictionaries(make.NAMES, make.arrays(), min_size=1, max_size=3), min_size=1
)


@settings(deadline=None)
@given(LAYERS)
def test_model_states(tree):
    document = nx_file.parse(nx_file.document(tree, "model_state").to_bytes())
    assert make.same_bits(document.params, tree)
    assert document.node.parameters == {name: sorted(layer) for name, layer in tree.items()}


@settings(deadline=None)
@given(make.arrays(), st.sampled_from("CF"), st.booleans())
def test_order_and_endianness_in_memory_do_not_matter(array, order, swapped):
    held = np.asarray(array, order=order)
    if swapped and array.dtype.name != "bfloat16":
        held = held.byteswap().view(held.dtype.newbyteorder("S"))
    for serialize in (lambda tree: nx_file.document(tree).to_bytes(), safetensors_file.serialize):
        assert serialize({"a": held}) == serialize({"a": array})
