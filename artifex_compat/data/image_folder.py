"""A folder of pictures, with a folder for each class or none."""

from pathlib import Path
from typing import Any

import numpy as np

from artifex_compat.data.examples import Examples
from artifex_compat.data.extras import extra_module
from artifex_compat.data.files import (
    MOST_BYTES,
    Array,
    DataError,
    check_size,
    reading,
)

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_MODES = {1: "L", 3: "RGB"}


def read_image_folder(
    folder: str | Path,
    *,
    size: tuple[int, int] | None = None,
    channels: int = 1,
    most_bytes: int = MOST_BYTES,
) -> Examples:
    """The pictures of a folder, in the order of their names, with pixels in [0, 1].

    Where pictures are in folders within it, the name of the folder is their class: the factor
    counts the classes in the order of their names, from 0.

    Args:
        folder: where it is. Files of other kinds in it, by their endings, are passed over.
        size: `(height, width)` to bring all pictures to; without it they must be of one size.
        channels: 1 for grey, 3 for colour.
        most_bytes: refuse to read more than this, counted as float32.

    Raises:
        DataError: there are no pictures, one is broken or of another size, or they are larger
            than allowed.
        ImportError: Pillow is not installed.
        ValueError: `channels` is neither 1 nor 3.
    """
    if channels not in _MODES:
        raise ValueError(f"channels must be 1 (grey) or 3 (colour), not {channels!r}.")
    pillow = extra_module("PIL.Image", "Pillow", "read_image_folder()")
    root = Path(folder)
    with reading(root, "a folder of pictures"):
        files = sorted(file for file in _pictures(root))
        first = _size(pillow, files[0]) if files else (0, 0)
    if not files:
        raise DataError(f"{root} must have pictures in it, and has none ({', '.join(SUFFIXES)}).")
    height, width = size or first
    check_size(root, len(files) * height * width * channels, most_bytes)
    pixels: Array = np.empty((len(files), height, width, channels), np.uint8)
    for index, file in enumerate(files):
        with reading(file, "a picture"):
            _check(pillow, file, first, size, most_bytes)
            with pillow.open(file) as picture:
                grey = picture.convert(_MODES[channels])
                fitted = grey if size is None else grey.resize((width, height))
                pixels[index] = np.asarray(fitted).reshape(height, width, channels)
    classes = [file.parent.relative_to(root).as_posix() for file in files]
    names, labels = np.unique(classes, return_inverse=True)
    x = pixels.astype(np.float32) / 255
    return Examples(x) if len(names) == 1 else Examples(x, labels[:, None], ("class",))


def _pictures(root: Path) -> list[Path]:
    """Pictures in the folder, and in the folders right within it."""
    places = [root, *(place for place in root.iterdir() if place.is_dir())]
    return [
        file
        for place in places
        for file in place.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]


def _size(pillow: Any, file: Path) -> tuple[int, int]:
    """Height and width, from the header alone."""
    with reading(file, "a picture"), pillow.open(file) as picture:
        return picture.height, picture.width


def _check(pillow: Any, file: Path, first: tuple[int, int], size: Any, most_bytes: int) -> None:
    found = _size(pillow, file)
    check_size(file, found[0] * found[1], most_bytes)
    if size is None and found != first:
        raise DataError(
            f"{file} must be {first[0]} x {first[1]} pixels as the first picture is, "
            f"not {found[0]} x {found[1]}; or bring all to one size with size={first}."
        )
