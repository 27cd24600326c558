"""A folder of pictures, with a folder for each class or none."""

import mimetypes
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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
from edifice_py.interchange import disk
from edifice_terminal import printable

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""All that is opened, whatever a file is called: other formats of Pillow start programs."""

_MODES = {1: "L", 3: "RGB"}
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 0x0102


def read_image_folder(
    folder: str | Path,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    most_bytes: int = MOST_BYTES,
) -> Examples:
    """The pictures of a folder, in the order of their names, with pixels in [0, 1].

    Where pictures are in folders within it, at any depth, the outermost of these is their class:
    the factor counts the classes in the order of their names, from 0, and `value_names` has the
    names. Hidden files and folders, whose names begin with a dot, are passed over.

    They are turned as their EXIF orientation says, and transparent ones are laid on white. 16 bits
    of grey are read as such, of colour as 8.

    Args:
        folder: where it is. Files of other kinds in it, by their endings, are passed over, with a
            warning where they are pictures too.
        size: `(height, width)` to bring all pictures to; without it they must be of one size.
        channels: 1 for grey, 3 for colour; where not given, colour if one of them has it.
        most_bytes: refuse to read more than this, counted as float32.

    Raises:
        DataError: there are no pictures, or some beside folders of others; one is broken, animated,
            of another size, or of numbers without a known range; a folder is there twice; or they
            are larger than allowed.
        ImportError: Pillow is not installed.
        ValueError: `channels` is neither 1 nor 3.
    """
    if channels is not None and channels not in _MODES:
        raise ValueError(f"channels must be 1 (grey) or 3 (colour), not {channels!r}.")
    pillow = extra_module("PIL.Image", "Pillow", "read_image_folder()")
    transposed = extra_module("PIL.ImageOps", "Pillow", "read_image_folder()").exif_transpose
    root = Path(folder).expanduser()
    with reading(root, "a folder of pictures"):
        found = _Found(root)
    files = found.pictures
    if not files:
        raise DataError(f"{root} must have pictures in it, and has none ({', '.join(SUFFIXES)}).")
    found.report()
    colours = [_has_colour(pillow, file, most_bytes) for file in files]
    count = channels or (3 if any(colours) else 1)
    with _opened(pillow, files[0]) as picture:
        width, height = transposed(picture).size if size is None else reversed(size)
    check_size(root, len(files) * height * width * count, most_bytes)
    x: Array = np.empty((len(files), height, width, count), np.float32)
    for index, file in enumerate(files):
        with _opened(pillow, file) as picture:
            upright = transposed(picture)
            if size is None and upright.size != (width, height):
                raise DataError(
                    f"{file} must be {height} x {width} pixels as the first picture is, not "
                    f"{upright.height} x {upright.width}; or bring all to one size with "
                    f"size={(height, width)}."
                )
            shown, white = _shown(pillow, picture, upright, count)
            x[index] = _pixels(shown, (height, width)) / white
    names, labels = np.unique(found.classes, return_inverse=True)
    if len(names) == 1:
        return Examples(x, copy=False)
    value_names = {"class": tuple(names.tolist())}
    return Examples(x, labels[:, None], ("class",), value_names, copy=False)


class _Found:
    """What is in a folder.

    Attributes:
        pictures: in the order of their names.
        classes: for each, the outermost folder that it is in, or nothing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._others: list[Path] = []
        self._empty: list[str] = []
        self._known: dict[tuple[int, int], Path] = {}
        here, folders = self._listed(root, ())
        inner = {folder.name: self._within(folder, (root,)) for folder in folders}
        self._empty = [name for name, pictures in inner.items() if not pictures]
        classes = [name for name, pictures in inner.items() if pictures]
        if here and classes:
            raise DataError(
                f"{here[0]} stands beside folders of pictures, which are classes, like "
                f"{classes[0]!r}: move it into one of them, or away."
            )
        self.pictures = here + [file for name in classes for file in inner[name]]
        self.classes = [""] * len(here) + [name for name in classes for _ in inner[name]]

    def report(self) -> None:
        """Warn of what was left out."""
        if self._others:
            words = (
                f"{self._root}: {len(self._others)} pictures were left out, like "
                f"{self._others[0].name}: those that are read end with {', '.join(SUFFIXES)}."
            )
            warnings.warn(printable(words), stacklevel=3)
        if self._empty and self.classes[0]:
            words = (
                f"{self._root}: {', '.join(map(repr, self._empty[:5]))} is no class, since no "
                "picture is in it."
            )
            warnings.warn(printable(words), stacklevel=3)

    def _within(self, folder: Path, outer: tuple[Path, ...]) -> list[Path]:
        pictures, folders = self._listed(folder, outer)
        for inner in folders:
            pictures += self._within(inner, (*outer, folder))
        return pictures

    def _listed(self, folder: Path, outer: tuple[Path, ...]) -> tuple[list[Path], list[Path]]:
        """Pictures and folders in a folder; nothing for one that leads to an outer one of itself.

        Raises:
            DataError: the folder was listed under another name.
        """
        status = folder.stat()
        before = self._known.setdefault((status.st_dev, status.st_ino), folder)
        if before in outer:
            return [], []
        if before != folder:
            raise DataError(
                f"{folder} is the same folder as {before}, whose pictures would count twice."
            )
        pictures, folders = [], []
        for path in sorted(folder.iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                folders.append(path)
            elif path.suffix.lower() in SUFFIXES:
                pictures.append(path)
            elif (mimetypes.guess_type(path.name)[0] or "").startswith("image/"):
                self._others.append(path)
        return pictures, folders


@contextmanager
def _opened(pillow: Any, file: Path) -> Iterator[Any]:
    with (
        reading(file, "a picture"),
        warnings.catch_warnings(),
        disk.opened(file) as data,
    ):
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        try:
            picture = pillow.open(data, formats=_FORMATS)
        except pillow.UnidentifiedImageError:
            raise ValueError(f"it is none of {', '.join(_FORMATS)}") from None
        with picture:
            yield picture


def _has_colour(pillow: Any, file: Path, most_bytes: int) -> bool:
    """Whether a picture has colour, from its header alone, which must be of one picture."""
    with _opened(pillow, file) as picture:
        check_size(file, picture.height * picture.width, most_bytes)
        frames = getattr(picture, "n_frames", 1)
        if frames > 1 and picture.format != "MPO":  # a photograph, and smaller ones of it
            raise ValueError(f"it has {frames} frames; save one of them as a picture")
        return picture.mode not in _GREY and not _is_grey(picture)


def _is_grey(picture: Any) -> bool:
    """Whether a picture has a palette of greys."""
    if picture.mode not in ("P", "PA"):
        return False
    colours = np.reshape(picture.getpalette("RGB"), (-1, 3))
    return bool((colours == colours[:, :1]).all())


def _shown(pillow: Any, picture: Any, upright: Any, channels: int) -> tuple[Any, int]:
    """A picture as it is to be seen, and the number that stands for white."""
    white = _white(picture)
    if white == 255:
        return _on_white(pillow, upright).convert(_MODES[channels]), white
    if "transparency" in picture.info:
        raise ValueError("it has 16 bits and a transparent grey; save it with 8 bits, or without")
    return pillow.fromarray(np.asarray(upright).astype(np.float32)), white


def _pixels(picture: Any, size: tuple[int, int]) -> Array:
    """Pixels as float32 `[height, width, channels]`, brought to a size."""
    height, width = size
    if picture.size == (width, height):
        return np.asarray(picture, np.float32).reshape(height, width, -1)
    least, most = np.min(picture), np.max(picture)
    resized = np.asarray(picture.resize((width, height)), np.float32).reshape(height, width, -1)
    return np.clip(resized, least, most)  # a cubic overshoots


def _white(picture: Any) -> int:
    """The number that stands for white.

    Raises:
        ValueError: nobody knows it.
    """
    if picture.mode.startswith("I;16"):
        bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
        return 2 ** int(np.max(bits)) - 1
    if picture.mode == "I" and picture.format == "PNG":  # how an older Pillow reads 16 bits
        return 2**16 - 1
    if picture.mode in ("I", "F"):
        raise ValueError(
            f"it has numbers of the mode {picture.mode!r}, whose range nobody knows; save it with "
            "8 or 16 bits, or all of them as floats from 0 to 1 in an npz file"
        )
    return 255


def _on_white(pillow: Any, picture: Any) -> Any:
    """A picture without transparency."""
    if not picture.has_transparency_data:
        return picture
    white = pillow.new("RGBA", picture.size, "white")
    return pillow.alpha_composite(white, picture.convert("RGBA"))
