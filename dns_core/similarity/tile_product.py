"""A product of two small matrices whose sums stay in registers: the innermost step of compiled kernels.

LLVM vectorises loops over plain numbers well, but keeps no block of sums in registers while it walks the
depth of a product, which is what makes matrix products fast. Here that block is spelt out in vectors; LLVM
fits them to the registers that there are, so that the product is right on every processor, and fast where
the shape of the tile fits.

Reference: Goto and van de Geijn, Anatomy of high-performance matrix multiplication, TOMS 2008.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from dns_core.similarity.compiled import processor_has

WIDE = processor_has("avx512f")
"""Whether there are 32 registers of 16 numbers; elsewhere there are 16 of 8."""
LANES = 16 if WIDE else 8
"""Columns in a register."""
WORD_BYTES = 4
"""Of a number in single precision, or of two in bfloat16."""

_SINGLE, _OFFSET, _LANE = ir.FloatType(), ir.IntType(64), ir.IntType(32)


class _BFloat(ir.Type):  # type: ignore[misc]  # llvmlite has no types
    """bfloat16, which llvmlite lacks a name for."""

    def __str__(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


def _typed(  # noqa: PLR0913, PLR0917
    _context: Any, left: Any, right: Any, out: Any, shape: Any, strides: Any, paired: Any
) -> tuple[Any, Callable[..., Any]]:
    rows, vectors, depth = (size.literal_value for size in shape)
    steps = tuple(step.literal_value for step in strides)
    pairs = bool(paired.literal_value)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        at_left, at_right, at_out = (builder.inttoptr(one, _SINGLE.as_pointer()) for one in arguments[:3])
        _Tile(builder, rows, vectors, steps, pairs).write(at_left, at_right, at_out, depth)
        return context.get_dummy_value()

    return types.void(left, right, out, shape, strides, paired), generate


tile_product = cast(Callable[..., None], intrinsic(prefer_literal=True)(_typed))
"""``tile_product(left, right, out, shape, strides, paired)`` writes ``left @ right``, in compiled functions.

The first three are addresses of words: of ``left [rows, depth]``, ``right [depth, vectors * LANES]`` and
``out [rows, vectors * LANES]``. ``shape`` is ``(rows, vectors, depth)``, ``strides`` the words from row
to row of each. A word is a float32; those of both factors are, if ``paired``, two bfloat16 of
neighbouring depth, whose products are summed in single precision (only where `processor_has`
``avx512bf16``). What is no address must be a constant. Nothing is checked.
"""


class _Tile:
    """Writes the instructions of one product."""

    def __init__(self, builder: Any, rows: int, vectors: int, strides: tuple[int, ...], paired: bool) -> None:
        self._builder = builder
        self._rows, self._columns = range(rows), range(vectors)
        self._strides = strides
        self._vector = ir.VectorType(_SINGLE, LANES)
        self._factor = ir.VectorType(_BFloat(), 2 * LANES) if paired else self._vector
        name = "llvm.x86.avx512bf16.dpbf16ps.512" if paired else f"llvm.fma.v{LANES}f32"
        # The two take the sum as the first and as the last argument.
        self._sum_at = 0 if paired else 2
        arguments = [self._factor, self._factor]
        arguments.insert(self._sum_at, self._vector)
        kind = ir.FunctionType(self._vector, arguments)
        self._multiply_add = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

    def write(self, left: Any, right: Any, out: Any, depth: int) -> None:
        """Emit a loop over the depth with the sums in registers, then store them."""
        builder, before = self._builder, self._builder.block
        loop, after = builder.append_basic_block("depth"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        at = builder.phi(_OFFSET)
        at.add_incoming(ir.Constant(_OFFSET, 0), before)
        cells = [(row, column) for row in self._rows for column in self._columns]
        sums = {cell: builder.phi(self._vector) for cell in cells}
        further = self._added(left, right, at, sums)
        for cell in cells:
            sums[cell].add_incoming(ir.Constant(self._vector, [0.0] * LANES), before)
            sums[cell].add_incoming(further[cell], loop)
        following = builder.add(at, ir.Constant(_OFFSET, 1))
        at.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed("<", following, ir.Constant(_OFFSET, depth)), loop, after)
        builder.position_at_end(after)
        for (row, column), value in further.items():
            offset = ir.Constant(_OFFSET, row * self._strides[2] + column * LANES)
            builder.store(value, self._vector_at(out, offset), align=WORD_BYTES)

    def _added(self, left: Any, right: Any, at: Any, sums: dict[Any, Any]) -> dict[Any, Any]:
        """The sums after one more step of the depth."""
        builder = self._builder
        begin = builder.mul(at, ir.Constant(_OFFSET, self._strides[1]))
        vectors = []
        for column in self._columns:
            place = builder.add(begin, ir.Constant(_OFFSET, column * LANES))
            vectors.append(self._as_factor(builder.load(self._vector_at(right, place), align=WORD_BYTES)))
        added = {}
        for row in self._rows:
            place = builder.add(at, ir.Constant(_OFFSET, row * self._strides[0]))
            factor = self._as_factor(self._everywhere(builder.load(builder.gep(left, [place]))))
            for column in self._columns:
                arguments = [factor, vectors[column]]
                arguments.insert(self._sum_at, sums[row, column])
                added[row, column] = builder.call(self._multiply_add, arguments)
        return added

    def _everywhere(self, word: Any) -> Any:
        """A vector of one word."""
        unset = ir.Constant(self._vector, ir.Undefined)
        first = self._builder.insert_element(unset, word, ir.Constant(_LANE, 0))
        lanes = ir.Constant(ir.VectorType(_LANE, LANES), [0] * LANES)
        return self._builder.shuffle_vector(first, unset, lanes)

    def _as_factor(self, vector: Any) -> Any:
        return self._builder.bitcast(vector, self._factor)

    def _vector_at(self, pointer: Any, offset: Any) -> Any:
        return self._builder.bitcast(self._builder.gep(pointer, [offset]), self._vector.as_pointer())
