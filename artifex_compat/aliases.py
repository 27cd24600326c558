"""`import artifex...` and `import workshop...` land here, once this module has been imported.

Every name gives the very module of `artifex_compat`, so that a class is one class under all three
names. `pytest -p artifex_compat.aliases` and `python -m artifex_compat SCRIPT.py` import it too.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

HOME = "artifex_compat"
ALIASES = ("artifex", "workshop")
OVERRIDE = "ARTIFEX_COMPAT_OVERRIDE"

_own_specs: dict[str, ModuleSpec | None] = {}


class _SameModule(Loader):
    """Gives the module of `artifex_compat` for its alias, as it is."""

    def __init__(self, home: str) -> None:
        self._home = home

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002
        """The module, imported under its own name."""
        module = import_module(self._home)
        # The import system is about to write the alias' specification over the module's own. Only
        # the first one seen is kept: another thread may be loading the other alias right now.
        _own_specs.setdefault(self._home, module.__spec__)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is executed twice; the module gets its own specification back."""
        module.__spec__ = _own_specs[self._home]


class _Finder(MetaPathFinder):
    """Finds the modules of `artifex_compat` under its other names."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The specification of a module under an alias, None for all other names.

        Raises:
            ModuleNotFoundError: `artifex_compat` has no such module.
        """
        alias, _, rest = fullname.partition(".")
        if alias not in ALIASES:
            return None
        home = f"{HOME}.{rest}" if rest else HOME
        own = find_spec(home)
        if own is None:
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: artifex_compat has no {home!r}.", name=fullname
            )
        is_package = own.submodule_search_locations is not None
        return ModuleSpec(fullname, _SameModule(home), origin=own.origin, is_package=is_package)


def install() -> None:
    """Put the aliases in force, once.

    Raises:
        ImportError: a real module of one of these names is installed.
    """
    if any(type(finder).__module__ == __name__ for finder in sys.meta_path):
        return
    if os.environ.get(OVERRIDE) != "1":
        for alias in ALIASES:
            _refuse_real(alias)
    # What was imported under these names before, a mere folder or the overridden, stands aside.
    for name in [name for name in sys.modules if name.partition(".")[0] in ALIASES]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder())


def _refuse_real(alias: str) -> None:
    place = _place_of(alias)
    if place is not None:
        raise ImportError(
            f"a real {alias!r} is installed at {place}: uninstall it, or set {OVERRIDE}=1 to have "
            "artifex_compat in its place."
        )


def _place_of(alias: str) -> str | None:
    """Where a module of that name is; a mere folder, a namespace package, is none."""
    loaded = sys.modules.get(alias)
    if loaded is None:
        spec = find_spec(alias)
        return spec.origin if spec else None
    file = getattr(loaded, "__file__", None)
    if file is None and hasattr(loaded, "__path__"):
        return None
    return file or "sys.modules"


install()
