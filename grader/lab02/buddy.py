"""A buddy allocator of our own, and the guest's, read from its memory.

The model promises what buddy.h does, and no more: which of several equal blocks is handed out is
the allocator's choice.  So the guest acts first, and the model follows it: it knows which blocks
would have been right, takes the one that the guest gave, and must agree on all that is left.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from grader.core.batch import Batch
from grader.core.dwarf import Layout
from grader.core.gdb import Gdb, Returned
from grader.core.structures import Structures
from grader.core.verdict import Failure, expect, expect_equal

OK, ERR_NOMEM = 0, 3
ORDER_MAX = 10
ORDERS = range(ORDER_MAX + 1)
CHUNK = 1 << ORDER_MAX
FREE, HELD = 0, 16  # enum frame_state; a free block's state has its order as well

Block = tuple[int, int]  # its order, its first frame
Operation = tuple  # ("alloc", order) or ("free", first frame)


def show(block: Block) -> str:
    return f"frame {block[1]}, order {block[0]}"


# ---- the model -----------------------------------------------------------------------------------


@dataclass
class Model:
    """Which blocks are free, held, and never used."""

    free: set[Block] = field(default_factory=set)
    fresh: set[int] = field(default_factory=set)  # first frames of chunks
    held: dict[int, int] = field(default_factory=dict)  # first frame: order

    def give(self, first: int, count: int) -> None:
        end = first + count
        while first < end:
            if first % CHUNK == 0 and end - first >= CHUNK:
                self.fresh.add(first)
                first += CHUNK
                continue
            order = next(k for k in reversed(ORDERS) if first % (1 << k) == 0 and end - first >= 1 << k)
            self._put((order, first))
            first += 1 << order

    @property
    def frames(self) -> int:
        return sum(1 << order for order, _ in self.free) + CHUNK * len(self.fresh)

    def alloc(self, order: int, got: int | None) -> None:
        """The guest gave the block at frame `got`, or none; `Failure` where that is wrong."""
        what = f"buddy_alloc({order})"
        fitting = min((k for k, _ in self.free if k >= order), default=None)
        if fitting is None and not self.fresh:
            expect(got is None, f"{what} to be ERR_NOMEM, nothing that large being free", f"frame {got}")
            return
        expect(got is not None, f"{what} to give a block", "ERR_NOMEM")
        expect(got % (1 << order) == 0, f"{what} to give a block aligned to its size", f"frame {got}")
        self._split(self._take(fitting, got, what), order, got)
        self.held[got] = order

    def _take(self, order: int | None, got: int, what: str) -> Block:
        """The block of `order`, or the fresh chunk, that `got` lies in."""
        if order is None:
            chunk = got & -CHUNK
            expect(chunk in self.fresh, f"{what} to take a fresh chunk", f"frame {got}")
            self.fresh.remove(chunk)
            return ORDER_MAX, chunk
        block = (order, got & -(1 << order))
        expect(block in self.free, f"{what} to use the smallest free block that is large enough (order {order})",
               f"frame {got}")
        self.free.remove(block)
        return block

    def _split(self, block: Block, order: int, got: int) -> None:
        """Free every half that `got` does not lie in."""
        for smaller in range(block[0] - 1, order - 1, -1):
            self.free.add((smaller, (got & -(1 << smaller)) ^ 1 << smaller))

    def release(self, first: int) -> None:
        self._put((self.held.pop(first), first))

    def _put(self, block: Block) -> None:
        order, first = block
        while order < ORDER_MAX and (order, first ^ 1 << order) in self.free:
            self.free.remove((order, first ^ 1 << order))
            first &= ~(1 << order)
            order += 1
        self.free.add((order, first))

    def counts(self) -> list[int]:
        """Free blocks by order, fresh chunks among them."""
        return [sum(k == order for k, _ in self.free) + len(self.fresh) * (order == ORDER_MAX) for order in ORDERS]

    def whole_chunks(self) -> bool:
        return all(order == ORDER_MAX for order, _ in self.free)


# ---- the guest's ----------------------------------------------------------------------------------


class Guest:
    """An allocator of `count` frames in the guest, at an address that is ours: the structure, the
    frames' records, and the loop that calls."""

    def __init__(self, machine: Gdb, layout: Layout, at: int, count: int = 4 * CHUNK):
        self.machine, self.layout, self.count = machine, layout, count
        self.fields = Structures(machine, layout)
        self.size = layout.field("struct frame").size
        self.buddy, self.counted, self.frames = at, at + 0xF00, at + 0x1000
        self.batch = Batch(machine, self.frames + count * self.size + 0x1000)
        self.model, self.live = Model(), count  # frames below `live` may be given

    def start(self, *runs: tuple[int, int], rng: random.Random | None = None) -> None:
        """An allocator with these runs of frames, (first, count) each; its records were rubbish."""
        self.machine.write_memory(self.frames, self._rubbish(rng or random.Random(0)))
        self.model, self.live = Model(), max(first + count for first, count in runs)
        calls: list[tuple] = [("buddy_init", self.buddy, self.frames, self.count)]
        for first, count in runs:
            calls.append(("buddy_give", self.buddy, first, count))
            self.model.give(first, count)
        for call, returned in zip(calls[1:], self._run(calls)[1:]):
            expect_equal(error_of(returned.a0), OK, f"buddy_give({call[2]}, {call[3]})")
        self.check("a new allocator")

    def _rubbish(self, rng: random.Random) -> bytes:
        """Records that look free, of any order, on lists that lead nowhere."""
        record = bytearray(b"\xA5" * self.size)
        state = self.layout.field("struct frame", "state").offset
        struct.pack_into("<QQ", record, self.layout.field("struct frame", "link").offset, 0x30, 0x30)
        data = record * self.count
        for index in range(self.count):
            data[index * self.size + state] = FREE + rng.randrange(ORDER_MAX + 1)
        return bytes(data)

    # -- driving it -------------------------------------------------------------------------------

    def drive(self, *operations: Operation) -> list[int | None]:
        """Do these, let the model follow, compare; the first frames that came of them."""
        returned = self._run([self._call(operation) for operation in operations])
        came = []
        for (kind, argument), result in zip(operations, returned):
            if kind == "free":
                self.model.release(argument)
                came.append(argument)
            else:
                got = self.number(result)
                self.model.alloc(argument, got)
                came.append(got)
        self.check(f"after {describe_operations(operations)}")
        return came

    def _run(self, calls: list[tuple]) -> list[Returned]:
        """The calls, and one that counts."""
        returned = self.batch.run([*calls, ("buddy_blocks", self.buddy, self.counted)])
        self.counts = list(struct.unpack(f"<{len(ORDERS)}Q", self.machine.read_memory(self.counted, 8 * len(ORDERS))))
        return returned[:-1]

    def _call(self, operation: Operation) -> tuple:
        kind, argument = operation
        if kind == "alloc":
            return "buddy_alloc", self.buddy, argument
        return "buddy_free", self.buddy, self.frames + argument * self.size, self.model.held[argument]

    def number(self, returned: Returned) -> int | None:
        """The frame in a struct result_frame; None for ERR_NOMEM."""
        if (err := error_of(returned.a1)) == ERR_NOMEM:
            return None
        expect_equal(err, OK, "the error of buddy_alloc")
        offset = returned.a0 - self.frames
        expect(0 <= offset < self.live * self.size and offset % self.size == 0,
               "buddy_alloc to return one of the frames' records", returned.a0)
        return offset // self.size

    # -- looking at it ----------------------------------------------------------------------------

    def check(self, when: str) -> None:
        """Lists, counts and the heads' states are what the model says."""
        self.records = self.machine.read_memory(self.frames, self.live * self.size)
        free = {block for order in ORDERS for block in self._list(order, when)}
        for block in sorted(self.model.free - free):
            raise Failure(f"{when}: the block at {show(block)} to be free", "it is not on its list")
        for block in sorted(free - self.model.free):
            raise Failure(f"{when}: no free block at {show(block)}", "it is on its list")
        for first in self.model.held:
            expect_equal(name_state(self._byte(first, "state")), name_state(HELD),
                         f"{when}: the state of the block that was given at frame {first}")
        expect_equal(self._fresh(), self.model.fresh, f"{when}: the chunks that were never used")
        expect_equal(self.counts, self.model.counts(), f"{when}: free blocks by order, as buddy_blocks() counts them,")

    def _list(self, order: int, when: str) -> set[Block]:
        """The free blocks of one order, by its list, which is whole."""
        link = self.layout.field("struct frame", "link").offset
        head = self.buddy + self.layout.field("struct buddy", f"free[{order}]").offset
        blocks: set[Block] = set()
        before, at = head, self._read(f"free[{order}].next")
        while at != head:
            first, rest = divmod(at - link - self.frames, self.size)
            expect(0 <= first < self.live and not rest, f"{when}: the list of order {order} to link its frames", at)
            expect((order, first) not in blocks, f"{when}: each block once on the list of order {order}", first)
            what = f"{when}: frame {first} on the list of order {order}"
            expect_equal(name_state(self._byte(first, "state")), name_state(FREE + order), f"{what}: its state")
            expect_equal(self._word(first, link + 8), before, f"{what}: its link back")
            blocks.add((order, first))
            before, at = at, self._word(first, link)
        expect_equal(self._read(f"free[{order}].prev"), before, f"{when}: the end of the list of order {order}")
        return blocks

    def _fresh(self) -> set[int]:
        count = self._read("fresh_count")
        runs = [(self._read(f"fresh[{i}].next"), self._read(f"fresh[{i}].end")) for i in range(min(count, 40))]
        return {chunk for start, end in runs for chunk in range(start, end, CHUNK)}

    def _read(self, path: str) -> int:
        return self.fields.read("struct buddy", path, self.buddy)

    def _byte(self, first: int, name: str) -> int:
        return self.records[first * self.size + self.layout.field("struct frame", name).offset]

    def _word(self, first: int, offset: int) -> int:
        return struct.unpack_from("<Q", self.records, first * self.size + offset)[0]


def name_state(state: int) -> str:
    if FREE <= state <= FREE + ORDER_MAX:
        return f"free, order {state - FREE}"
    return "held" if state == HELD else f"state {state}"


def error_of(register: int) -> int:
    """An enum in a register, whose upper half is anything."""
    return register & 0xFFFFFFFF


def describe_operations(operations: tuple[Operation, ...]) -> str:
    names = [f"{kind} {'order ' if kind == 'alloc' else 'frame '}{argument}" for kind, argument in operations]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
