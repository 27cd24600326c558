"""The npz file of arrays beside a YAML file of cases."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from golden.arrays import Array, Declaration
from golden.document import UnreadableError, sentence

_MOST_HEADER_BYTES = 10_000
"""numpy's own limit, which it looks at when the header is in memory."""


class ArrayFile:
    """An npz file, opened when the first array is wanted. Nothing in it is unpickled."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> "ArrayFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def names(self) -> list[str]:
        """The names of all arrays, none where there is no file.

        Raises:
            UnreadableError: it is no npz file.
        """
        if not self._file.exists():
            return []
        try:
            members = self._opened().namelist()
        except Exception as error:
            # zipfile raises a dozen kinds of errors on broken files.
            raise UnreadableError(f"{self._file}: {sentence(error)}") from error
        return [member.removesuffix(".npy") for member in members]

    def read(self, name: str, declared: object) -> Array:
        """The array of a name, which must be what is declared.

        Raises:
            UnreadableError: the file is missing or no npz file.
            ValueError: the array is missing, broken, or not the declared one.
        """
        declaration = Declaration.parse(declared)
        member = f"{name}.npy"
        try:
            with self._opened().open(member) as stream:
                _check_header(stream, name, declaration)
            with self._opened().open(member) as stream:
                array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        except KeyError:
            raise ValueError(f"{self._file.name} has no array {name}") from None
        except _UndeclaredError:
            raise
        except Exception as error:
            # zipfile and numpy raise a dozen kinds of errors on broken files.
            raise UnreadableError(f"{self._file}: {name}: {sentence(error)}") from error
        return array.view(declaration.dtype)

    def _opened(self) -> zipfile.ZipFile:
        if self._zip is None:
            if self._file.exists() and not self._file.is_file():
                raise ValueError("it is not a regular file")  # a named pipe never opens
            self._zip = zipfile.ZipFile(self._file)
        return self._zip


class _UndeclaredError(ValueError):
    """An array is not the declared one."""


def _check_header(stream: Any, name: str, declaration: Declaration) -> None:
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): (2, np.lib.format.read_array_header_1_0),
        (2, 0): (4, np.lib.format.read_array_header_2_0),
    }
    if version not in read:
        raise ValueError(f"npy version {version} is not 1.0 or 2.0")
    length = stream.read(read[version][0])
    size = int.from_bytes(length, "little")
    if size > _MOST_HEADER_BYTES:
        raise ValueError(f"its header has {size} bytes; at most {_MOST_HEADER_BYTES} are read")
    shape, _, dtype = read[version][1](io.BytesIO(length + stream.read(size)))
    if (shape, dtype) != (declaration.shape, declaration.stored):
        stored = f"{dtype}{list(shape)}"
        raise _UndeclaredError(f"{name} is declared as {declaration}, stored as {stored}")
