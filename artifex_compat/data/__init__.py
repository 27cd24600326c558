"""Data: sprites with known factors, digits, and readers of a user's own files."""

from artifex_compat.data.digits import digits
from artifex_compat.data.examples import Examples, check_examples
from artifex_compat.data.files import DataError
from artifex_compat.data.idx import idx_array, read_idx
from artifex_compat.data.image_folder import read_image_folder
from artifex_compat.data.npz import read_npz
from artifex_compat.data.sprites import Sprites

__all__ = [
    "DataError",
    "Examples",
    "Sprites",
    "check_examples",
    "digits",
    "idx_array",
    "read_idx",
    "read_image_folder",
    "read_npz",
]
