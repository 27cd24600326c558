"""What a run was made with, for who wants to repeat it."""

import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax

from artifex_compat.evaluation.score import library_versions

LIBRARIES = ("flax", "optax", "orbax-checkpoint", "jaxlib", "matplotlib")


def used(arguments: Sequence[str]) -> dict[str, Any]:
    """The command, the time, the machine, and the versions of the libraries.

    Args:
        arguments: of the command line.
    """
    versions = dict(library_versions())
    for library in LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return {
        "command": command(*arguments),
        "started": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "devices": [f"{device.platform}: {device.device_kind}" for device in jax.devices()],
        "versions": dict(sorted(versions.items())),
    }


def command(*arguments: str) -> str:
    """A command of ours as a shell takes it."""
    return shlex.join(("python", "-m", "artifex_compat", *arguments))
