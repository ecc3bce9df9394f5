"""A TensorFlow checkpoint of the second format (tensor bundle), read without TensorFlow.

    PREFIX.index                  a table file (tf_table.py): names, and for each type, shape, place and checksum
    PREFIX.data-00000-of-00002    the shards: the tensors' bytes, one after the other

The entry of the empty name is the header. Messages are those of TensorFlow's `core/protobuf/tensor_bundle.proto`.
`PREFIX.meta`, the graph, is not needed.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from regact.engine import masked_crc32c, read_fields
from regact.errors import FormatError
from regact.pretrained.tf_table import read_table

_FLOAT32 = 1
_LITTLE_ENDIAN = 0
# Of TensorFlow's types.proto, for messages.
_TYPE_NAMES = {
    1: "float32",
    2: "float64",
    3: "int32",
    7: "string",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    19: "float16",
}


@dataclass(frozen=True)
class Variable:
    """What the index says of one tensor.

    Attributes:
        name: Its name, such as `cnn0/conv1d/kernel`.
        dtype: TensorFlow's number of its type.
        shape: Its shape.
        shard: Which data file it lies in.
        offset: Its first byte there.
        size: How many bytes it has.
        checksum: Their masked crc32c.
        slices: How many slices it was saved in; 0 where it was saved whole.
    """

    name: str
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    slices: int

    @property
    def problem(self) -> str | None:
        """Why it cannot be read as float32, None where it can."""
        if self.slices:
            return f"{self.name} was saved in slices; needed whole (save it without a partitioner)"
        if self.dtype != _FLOAT32:
            return f"{self.name} is of type {_TYPE_NAMES.get(self.dtype, self.dtype)}; needed float32"
        if self.size != 4 * prod(self.shape):
            return f"{self.name} has {self.size:,} bytes; needed {4 * prod(self.shape):,} for shape {self.shape}"
        return None


class Checkpoint:
    """An open checkpoint: `variables` by name, in the index's order, and `read` for one of them.

    Raises: FormatError where a file is missing, truncated or damaged, or the byte order is another.
    """

    def __init__(self, prefix: str | Path) -> None:
        self.prefix = _find_prefix(Path(prefix))
        self.index = self.prefix.with_name(f"{self.prefix.name}.index")
        table = read_table(self.index)
        try:
            self.n_shards = self._check_header(table.pop(b"", None))
            # A sliced tensor's parts stand under names of their own, which begin with a zero byte.
            entries = [
                _parse_entry(name.decode(), value) for name, value in table.items() if not name.startswith(b"\0")
            ]
        except ValueError as error:
            raise FormatError(self.index, f"damaged ({error})", "a whole index", "copy it again") from error
        self.variables = {entry.name: entry for entry in entries}
        self.shards = [
            self.prefix.with_name(f"{self.prefix.name}.data-{shard:05d}-of-{self.n_shards:05d}")
            for shard in range(self.n_shards)
        ]
        self._check_shards()

    @property
    def files(self) -> list[Path]:
        """The index and the shards."""
        return [self.index, *self.shards]

    def read(self, name: str) -> Float32[np.ndarray, "*shape"]:
        """The tensor called `name`, its checksum checked.

        Raises: FormatError where its bytes are damaged; KeyError, ValueError where there is none, or it cannot be read
            (`Variable.problem`).
        """
        variable = self.variables[name]
        if variable.problem:
            raise ValueError(variable.problem)
        shard = self.shards[variable.shard]
        with shard.open("rb") as file:
            file.seek(variable.offset)
            data = file.read(variable.size)
        if masked_crc32c(data) != variable.checksum:
            where = f"{name} at byte {variable.offset:,} does not have its checksum"
            raise FormatError(shard, where, "the bytes that were saved", "copy the file again")
        return np.frombuffer(data, dtype="<f4").reshape(variable.shape)

    def _check_header(self, message: bytes | None) -> int:
        """The number of shards, when byte order is ours."""
        if message is None:
            raise ValueError("no header in it")
        header = {number: value for number, value in read_fields(message) if isinstance(value, int)}
        if header.get(2, _LITTLE_ENDIAN) != _LITTLE_ENDIAN:
            raise FormatError(
                self.index, "its tensors are big-endian", "little-endian ones", "save it on another machine"
            )
        shards = header.get(1, 0)
        if shards < 1:
            raise ValueError("no shards in its header")
        return shards

    def _check_shards(self) -> None:
        missing = [shard.name for shard in self.shards if not shard.is_file()]
        if missing:
            raise FormatError(
                self.prefix,
                f"{', '.join(missing)} missing",
                f"{self.n_shards} data file{'s' if self.n_shards > 1 else ''} beside the index",
                "fetch all files of the checkpoint into one folder",
            )
        sizes = [shard.stat().st_size for shard in self.shards]
        for variable in self.variables.values():
            if variable.slices:
                continue
            if variable.shard >= self.n_shards:
                raise FormatError(self.index, f"{variable.name} lies in data file {variable.shard}", self._n_files())
            found, needed = sizes[variable.shard], variable.offset + variable.size
            if found < needed:
                raise FormatError(
                    self.shards[variable.shard],
                    f"{found:,} bytes, so that {variable.name} is cut off",
                    f"{needed:,} or more",
                    "fetch it again",
                )

    def _n_files(self) -> str:
        return f"a number below {self.n_shards}, as many as there are"


def _find_prefix(given: Path) -> Path:
    """The prefix of a checkpoint's files, also where one of its files is given."""
    name = given.name
    for suffix in (".index", ".meta"):
        name = name.removesuffix(suffix)
    prefix = given.with_name(name.partition(".data-0")[0])
    if prefix.with_name(f"{prefix.name}.index").is_file():
        return prefix
    found = f"no {prefix.name}.index there"
    if prefix.is_file():
        found += f", and {prefix.name} itself is no checkpoint of the second format"
    elif prefix.is_dir():
        names = sorted(path.name.removesuffix(".index") for path in prefix.glob("*.index"))
        found += f"; in that folder are {', '.join(names)}" if names else " and none in that folder"
    raise FormatError(prefix, found, "the prefix of a checkpoint, such as model.tf", "give its path without `.index`")


def _parse_entry(name: str, message: bytes) -> Variable:
    """A BundleEntryProto: dtype 1, shape 2, shard_id 3, offset 4, size 5, crc32c 6 (fixed32), slices 7."""
    numbers: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    checksum = slices = 0
    for number, value in read_fields(message):
        if isinstance(value, int):
            numbers[number] = value
        elif number == 2:
            shape = _parse_shape(value)
        elif number == 6:
            checksum = int.from_bytes(value, "little")
        elif number == 7:
            slices += 1
    return Variable(
        name,
        dtype=numbers.get(1, 0),
        shape=shape,
        shard=numbers.get(3, 0),
        offset=numbers.get(4, 0),
        size=numbers.get(5, 0),
        checksum=checksum,
        slices=slices,
    )


def _parse_shape(message: memoryview) -> tuple[int, ...]:
    """A TensorShapeProto: dimensions 2, of each its size 1 (0 where it is not written)."""
    sizes = []
    for number, dimension in read_fields(message):
        if number == 2 and not isinstance(dimension, int):
            sizes.append(next((size for n, size in read_fields(dimension) if n == 1 and isinstance(size, int)), 0))
    return tuple(sizes)
