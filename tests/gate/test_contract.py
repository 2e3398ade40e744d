"""The contract does not move: the gate that keeps it, and the stubs that are made from it."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet

from tests.gate.repository import PROTOS, SHARED_CONTRACT, program

BUF = program("buf")

pytestmark = pytest.mark.skipif(not BUF.exists(), reason="buf is not installed; `make test` installs it")


def run_buf(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run buf, without raising when it refuses."""
    return subprocess.run([BUF, *arguments], capture_output=True, check=False, timeout=60)


def with_replaced(folder: Path, pattern: str, replacement: str) -> Path:
    """A copy of the protos in which one line of ledger.proto is another."""
    copy = folder / "protos"
    shutil.copytree(PROTOS, copy)
    ledger = copy / "lotkeeper" / "v1" / "ledger.proto"
    text, count = re.subn(pattern, replacement, ledger.read_text(), count=1)
    assert count == 1, f"{pattern} does not stand in ledger.proto any more"
    ledger.write_text(text)
    return copy


def forget_json_names(messages: Iterable[DescriptorProto]) -> None:
    """Clear what buf writes down and protoc leaves to be derived from the field's name."""
    for message in messages:
        for field in message.field:
            field.ClearField("json_name")
        forget_json_names(message.nested_type)


def test_the_protos_keep_buf_s_rules() -> None:
    """STANDARD and COMMENTS hold: every RPC, message and field says what it means."""
    answer = run_buf("lint", PROTOS)
    assert answer.returncode == 0, answer.stdout.decode()


@pytest.mark.skipif(not SHARED_CONTRACT.exists(), reason="the shared contract does not lie beside the repository")
def test_nothing_of_the_shared_contract_is_renamed_or_renumbered() -> None:
    """Programs written against the shared contract go on working."""
    answer = run_buf("breaking", PROTOS, "--against", SHARED_CONTRACT)
    assert answer.returncode == 0, answer.stdout.decode()


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        pytest.param(r"string entry_price = (\d+);", r"string price_of_entry = \1;", "entry_price", id="field renamed"),
        pytest.param(r"string entry_price = \d+;", "string entry_price = 999;", "entry_price", id="field renumbered"),
        pytest.param(r"SIDE_SELL = 2;", "SIDE_SOLD = 2;", "SIDE_SELL", id="value renamed"),
    ],
)
def test_the_gate_refuses_what_would_break_a_client(
    tmp_path: Path, pattern: str, replacement: str, complaint: str
) -> None:
    """A rename or a new number in a copy makes `buf breaking` fail and name what changed."""
    answer = run_buf("breaking", with_replaced(tmp_path, pattern, replacement), "--against", PROTOS)
    assert answer.returncode != 0
    assert complaint in answer.stdout.decode()


def test_the_gate_lets_an_added_field_pass(tmp_path: Path) -> None:
    """The contract may grow."""
    grown = with_replaced(tmp_path, r"(  string entry_price = \d+;)", r"\1\n  // Added.\n  string added = 999;")
    answer = run_buf("breaking", grown, "--against", PROTOS)
    assert answer.returncode == 0, answer.stdout.decode()


def test_the_committed_stubs_describe_these_protos() -> None:
    """Each stub carries the descriptor its proto compiles to; `make check-protos` compares the text as well."""
    answer = run_buf(
        "build", PROTOS, "--as-file-descriptor-set", "--exclude-source-info", "--exclude-imports", "-o", "-"
    )
    assert answer.returncode == 0, answer.stderr.decode()
    compiled = FileDescriptorSet.FromString(answer.stdout).file
    assert len(compiled) == len(list(PROTOS.rglob("*.proto")))
    for file in compiled:
        forget_json_names(file.message_type)
        stub = import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
        assert file == FileDescriptorProto.FromString(stub.DESCRIPTOR.serialized_pb), f"{file.name}: run `make protos`"
