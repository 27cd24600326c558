"""One number for a tree of arrays, which every format and every program comes to."""

import hashlib

from edifice_py.interchange.arrays import BY_DTYPE, to_bytes
from edifice_py.interchange.trees import Tree, leaves


def digest(tree: Tree) -> str:
    """SHA-256 of names, types, shapes and little-endian numbers.

    It is that of `encoder/mu/kernel f32[5, 2];` and the bytes of the array, for each of them, in
    the order of their names.
    """
    total = hashlib.sha256()
    for path, array in sorted(leaves(tree), key=lambda leaf: leaf[0]):
        described = f"{'/'.join(path)} {BY_DTYPE[array.dtype]}{list(array.shape)};"
        total.update(described.encode("utf-8", "surrogatepass"))
        total.update(to_bytes(array, "little"))
    return total.hexdigest()
