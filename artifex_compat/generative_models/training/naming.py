"""Names for files and folders of another run, which are kept."""

from itertools import count
from pathlib import Path


def free_name(path: Path) -> Path:
    """The first name with a number that is free beside a file or folder: `runs-1`, `rows-1.csv`."""
    stem, suffix = (path.name, "") if path.is_dir() else (path.stem, path.suffix)
    names = (path.with_name(f"{stem}-{number}{suffix}") for number in count(1))
    return next(name for name in names if not name.exists() and not name.is_symlink())
