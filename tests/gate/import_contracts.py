"""Two kinds of import contract that import-linter does not bring; `pyproject.toml` uses them.

Problem: "the domain imports the standard library only" and "only storage sees SQL" are rules about every library and
every module, also those that nobody has written yet. Seen: import-linter's own kinds forbid or protect a list of names,
and stop with an error when one of them is not imported anywhere. Chosen: the standard library as the interpreter lists
it, less what is not pure in it; and a confinement that holds for absent modules too.
"""

import sys
from abc import abstractmethod
from collections.abc import Iterable
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Import = tuple[str, str]


def is_within(module: str, packages: Iterable[str]) -> bool:
    """Whether `module` is one of `packages` or lies inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class _DirectImportContract(Contract):
    """A contract on single imports: it holds when `broken_by` finds none."""

    @abstractmethod
    def broken_by(self, importer: str, imported: str) -> bool:
        """Whether this one import breaks the contract."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - import-linter's signature
        """Look at every import of the project."""
        imports = (
            (importer, imported)
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
        )
        broken = [each for each in imports if self.broken_by(*each)]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import that broke the contract."""
        for importer, imported in cast("list[Import]", check.metadata["broken"]):
            output.print_error(f"- {importer} may not import {imported}", bold=False)


class StandardLibraryOnlyContract(_DirectImportContract):
    """`packages` import themselves and the standard library, but nothing of it that is listed in `apart_from`."""

    type_name = "standard_library_only"

    packages = fields.ListField(subfield=fields.StringField())
    apart_from = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def broken_by(self, importer: str, imported: str) -> bool:
        """Whether a held package leaves itself for something not allowed."""
        packages = cast("list[str]", self.packages)
        if not is_within(importer, packages) or is_within(imported, packages):
            return False
        library = imported.partition(".")[0]
        return library not in sys.stdlib_module_names or library in cast("list[str]", self.apart_from)


class ConfinedContract(_DirectImportContract):
    """`modules` are imported by `importers` and by themselves only. Either may name what does not exist yet."""

    type_name = "confined"

    modules = fields.ListField(subfield=fields.StringField())
    importers = fields.ListField(subfield=fields.StringField())

    def broken_by(self, importer: str, imported: str) -> bool:
        """Whether someone else reaches for a confined module."""
        modules = cast("list[str]", self.modules)
        allowed = (*modules, *cast("list[str]", self.importers))
        return is_within(imported, modules) and not is_within(importer, allowed)
