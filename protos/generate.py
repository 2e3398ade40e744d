"""Write the Python stubs of `protos/lotkeeper/v1`: `generate.py FOLDER` puts them into FOLDER/lotkeeper/v1.

Problem: stubs are committed, so that nobody needs a compiler to install the client, and committed output goes stale.
Seen: protoc writes the same bytes for the same input and version, but an empty `*_pb2_grpc.py` for a file without a
service, and leaves what an earlier run wrote for a file that is gone. Chosen: one fixed list of files in one fixed
order, gRPC stubs only where a service stands, and the old stubs removed first; then "stale" is a plain comparison of
two folders, which `make check-protos` does.

Runs in the environment of `protos/requirements.txt`, not in the project's.
"""

import re
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
PACKAGE = "lotkeeper/v1"
STUB_PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")
INIT = '"""Stubs of the contract, written by `make protos` from `protos/lotkeeper/v1`; never edited by hand."""\n'


def sources() -> list[str]:
    """The contract's files as protoc wants them named, in a fixed order."""
    return sorted(path.relative_to(PROTOS).as_posix() for path in (PROTOS / PACKAGE).glob("*.proto"))


def with_service(names: list[str]) -> list[str]:
    """Those of `names` that define a service."""
    return [name for name in names if re.search(r"^service ", (PROTOS / name).read_text(), re.MULTILINE)]


def compile_protos(*arguments: str) -> None:
    """Run protoc; its own messages go to stderr.

    Raises:
        SystemExit: protoc refused.
    """
    bundled = files("grpc_tools") / "_proto"
    if code := protoc.main(["protoc", f"--proto_path={PROTOS}", f"--proto_path={bundled}", *arguments]):
        raise SystemExit(f"generate.py: protoc ended with {code}; its message stands above")


def generate(folder: Path) -> None:
    """Replace the stubs in `folder`/lotkeeper/v1."""
    package = folder / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    for pattern in STUB_PATTERNS:
        for stale in package.glob(pattern):
            stale.unlink()
    names = sources()
    compile_protos(f"--python_out={folder}", f"--pyi_out={folder}", *names)
    compile_protos(f"--grpc_python_out={folder}", *with_service(names))
    (package / "__init__.py").write_text(INIT)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: generate.py FOLDER")
    generate(Path(sys.argv[1]))
