"""The kernel, as GDB sees it: commands and pretty-printers.

    (gdb) mazu                  what there is
    (gdb) mazu klog             the kernel log, also of a kernel that cannot print any more
    (gdb) mazu init             start-up tasks, their order, state and dependencies
    (gdb) mazu irq              interrupts and who has them
    (gdb) mazu board            what the device tree said
    (gdb) mazu frame [ADDRESS]  a trap frame (default: the one in a0)
    (gdb) mazu mem              who holds how many pages, and the free blocks
    (gdb) mazu pt VA [ROOT]     the page table's entries for an address (default: the table in use)
    (gdb) mazu vmas [SPACE]     a program's areas (default: those of the program that runs)
    (gdb) mazu type TEXT        TEXT and a newline typed at the kernel's console

Everything is read from memory through the debug information; nothing calls into the kernel, so
it works at any instruction, in a core of a crash too. The kernel's addresses are physical ones, and
that is how QEMU is asked for them, so it works with a program's rights as well. `make gdb` loads
this file.
"""

import contextlib
import os

import gdb

STATES = ("waiting", "done", "failed", "blocked", "missing", "cycle")
REGISTERS = ("pc ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 "
             "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6").split()


# ---- Reading --------------------------------------------------------------------------------------


def variable(name, file=None):
    """A global or file-local variable of the kernel."""
    place = f"'{file}'::{name}" if file else name
    return gdb.parse_and_eval(place)


def memory(address, length):
    return bytes(gdb.selected_inferior().read_memory(int(address), int(length))) if length else b""


def text(value):
    """A struct str (or struct byte_view) as Python text."""
    return memory(value["data"], value["len"]).decode("utf-8", "replace")


def table(name):
    """The entries of a linker table, between __start_NAME and __stop_NAME."""
    first = variable(f"__start_{name}")
    element = first.type.target()
    start = int(first.address)
    end = int(variable(f"__stop_{name}").address)
    pointer = gdb.Value(start).cast(element.pointer())
    return [pointer[i] for i in range((end - start) // element.sizeof)]


@contextlib.contextmanager
def physical_memory():
    """QEMU reads at physical addresses meanwhile; whoever else is behind GDB reads as always."""
    def ask(mode):
        with contextlib.suppress(gdb.error):
            gdb.execute(f"maintenance packet Qqemu.PhyMemMode:{mode}", to_string=True)

    ask(1)
    try:
        yield
    finally:
        ask(0)


class Unknown(Exception):
    """Something that this kernel does not have, or not now."""


def memory_variable(name, file=None):
    try:
        return variable(name, file)
    except gdb.error:
        raise Unknown("this kernel is of a stage without memory management") from None


def names_of(enum, prefix):
    """The enumerators of a type by value, in lower case."""
    return {field.enumval: field.name.removeprefix(prefix).lower()
            for field in gdb.lookup_type(f"enum {enum}").fields()}


# ---- The log --------------------------------------------------------------------------------------


def log_lines(ring):
    """The records of one ring (kernel/klog.c): header of two words, then the text."""
    size = int(ring["size"])
    words = memory(ring["words"], 8 * size)
    at, head = int(ring["tail"]), int(ring["head"])
    while at != head:
        place = at % size * 8
        time_ns = int.from_bytes(words[place:place + 8], "little")
        second = (at + 1) % size * 8
        length = int.from_bytes(words[second:second + 4], "little")
        level = int.from_bytes(words[second + 4:second + 8], "little")
        start = (at + 2) % size * 8
        yield time_ns, level, (words + words)[start:start + length].decode("utf-8", "replace")
        at = (at + 2 + (length + 7) // 8) % 2**32


def show_klog(_argument):
    for name in ("early", "late"):
        for time_ns, level, line in log_lines(variable(name, "klog.c")):
            us = time_ns // 1000
            print(f"[{us // 1000000:5}.{us % 1000000:06}] {level} {line}")


# ---- Start-up -------------------------------------------------------------------------------------


def dependencies(task):
    names = task["dependencies"]
    first, last = names.type.range()
    return [text(names[i]) for i in range(first, last + 1) if int(names[i]["len"])]


def show_init(_argument):
    tasks = table("init_tasks")
    results = variable("results", "init.c")
    order = variable("order", "init.c")
    ordered = any(int(order[i]) for i in range(len(tasks)))
    if not ordered:
        print("(not in order yet)")
    for i in range(len(tasks)):
        index = int(order[i]) if ordered else i
        state = STATES[int(results[index]["state"])]
        needs = " ".join(dependencies(tasks[index]))
        print(f"{i:2}  {text(tasks[index]['name']):10} {state:8} needs {needs}".rstrip())


# ---- Interrupts and devices -----------------------------------------------------------------------


def show_irq(_argument):
    descriptors = variable("descriptors", "irq.c")
    first, last = descriptors.type.range()
    for irq in range(first, last + 1):
        statistics = descriptors[irq]["statistics"]
        counts = statistics["counts"]
        total = [int(counts[i]) for i in range(counts.type.range()[1] + 1)]
        if int(statistics["name"]["len"]) or sum(total):
            print(f"{irq:3}  {text(statistics['name']):10} {total} harts {int(statistics['affinity']):#x}"
                  f" handler {descriptors[irq]['handler']}")


def show_board(_argument):
    board = variable("board")
    print(f"model    {text(board['model'])}")
    print(f"bootargs {text(board['bootargs'])}")
    for kind in ("memory", "reserved"):
        for i in range(int(board[kind]["count"])):
            at = board[kind]["at"][i]
            print(f"{kind:8} {int(at['base']):#x} {int(at['size']) >> 10} KiB")
    for i in range(int(board["hart_count"])):
        hart = board["harts"][i]
        print(f"hart     {int(hart['id'])} plic context {int(hart['context'])} sstc {bool(hart['sstc'])}")
    for device in ("uart", "plic", "rtc", "test"):
        if board[device]["present"]:
            print(f"{device:8} {int(board[device]['reg']['base']):#x} irq {int(board[device]['irq'])}")


def show_frame(argument):
    address = gdb.parse_and_eval(argument or "$a0")
    frame = address.cast(gdb.lookup_type("struct trap_frame").pointer()).dereference()
    values = [int(frame[name]) for name in REGISTERS]
    for i in range(0, len(REGISTERS), 4):
        print("  ".join(f"{n:3} {v:016x}" for n, v in list(zip(REGISTERS, values))[i:i + 4]))
    cause = int(frame["cause"])
    kind = "interrupt" if cause >> 63 else "exception"
    print(f"{kind} {cause & ~(1 << 63)}, value {int(frame['value']):#x}, from "
          f"{'kernel' if int(frame['status']) >> 8 & 1 else 'user'}")
    gdb.execute(f"info symbol {int(frame['pc']):#x}")


# ---- Memory ---------------------------------------------------------------------------------------

PAGE_SHIFT = 12
LEVELS, INDEX_BITS = 3, 9
ADDRESS_BITS, ALL_ONES = PAGE_SHIFT + LEVELS * INDEX_BITS, (1 << 64) - 1
SATP_MODE_SHIFT, SATP_SV39, SATP_ASID_SHIFT = 60, 8, 44
FLAGS = "vrwxugad"  # of an entry, from bit 0 on
LONGEST_LIST = 1 << 20


def elements(array):
    return [array[i] for i in range(array.type.range()[1] + 1)]


def list_length(head):
    """How many a struct list links."""
    at, length = int(head["next"]), 0
    while at not in (0, int(head.address)) and length < LONGEST_LIST:
        at = int.from_bytes(memory(at, 8), "little")
        length += 1
    return length


def free_blocks(buddy):
    """How many of each order, by the lists, with what was never used. The last list is no list."""
    blocks = [list_length(head) for head in elements(buddy["free"])[:-1]]
    for i in range(int(buddy["fresh_first"]), int(buddy["fresh_count"])):
        blocks[-1] += int(buddy["fresh"][i]["end"] - buddy["fresh"][i]["next"]) >> len(blocks) - 1
    return blocks


def show_pages(name, pages):
    print(f"{name:9} {pages:8} pages  {pages << PAGE_SHIFT - 10:9} KiB")


def show_mem(_argument):
    total = int(memory_variable("page_total"))
    if total == 0:
        raise Unknown("no memory has been taken over yet (page_init)")
    caches = elements(variable("page_caches"))
    blocks = free_blocks(variable("page_buddy"))
    cached = sum(int(cache["count"]) for cache in caches)
    free = cached + sum(count << order for order, count in enumerate(blocks))
    held = 0
    for value, name in sorted(names_of("page_type", "PAGE_").items()):
        if name != "type_count":
            pages = sum(int(cache["held"][value]) for cache in caches)
            show_pages(name, pages)
            held += pages
    show_pages("free", free)
    show_pages("total", total)
    if held + free != total:
        print(f"{held + free} pages are accounted for, not {total}: a page is on its way, or lost")
    print(f"free blocks: {cached} x 4 KiB cached" +
          "".join(f", {count} x {4 << order} KiB" for order, count in enumerate(blocks) if count))


def table_in_use():
    satp = int(gdb.parse_and_eval("$satp"))
    if satp >> SATP_MODE_SHIFT & 15 != SATP_SV39:
        raise Unknown("translation is off: addresses are physical")
    print(f"asid {satp >> SATP_ASID_SHIFT & 0xffff}")
    return (satp & (1 << SATP_ASID_SHIFT) - 1) << PAGE_SHIFT


def flags_of(entry):
    return "".join(flag if entry >> bit & 1 else "-" for bit, flag in enumerate(FLAGS))


def show_entry(level, at, entry):
    """One line; returns whether the walk goes on."""
    target, leaf = entry >> 10 << PAGE_SHIFT & (1 << 56) - 1, entry & 0b1110
    meaning = "empty" if not entry & 1 else f"{'page' if leaf or not level else 'table'} {target:#x}"
    print(f"level {level}  {at:#x}: {entry:#018x}  {flags_of(entry)}  {meaning}")
    return bool(entry & 1 and not leaf and level)


def show_pt(argument):
    word, _, rest = argument.partition(" ")
    if not word:
        raise Unknown("usage: mazu pt VA [ROOT]")
    address = int(gdb.parse_and_eval(word).cast(gdb.lookup_type("unsigned long")))
    if address >> ADDRESS_BITS - 1 not in (0, ALL_ONES >> ADDRESS_BITS - 1):
        raise Unknown(f"{address:#x} is no address that a table of three levels knows")
    table = int(gdb.parse_and_eval(rest)) if rest.strip() else table_in_use()
    for level in reversed(range(LEVELS)):
        shift = PAGE_SHIFT + INDEX_BITS * level
        at = table + 8 * (address >> shift & (1 << INDEX_BITS) - 1)
        entry = int.from_bytes(memory(at, 8), "little")
        if not show_entry(level, at, entry):
            break
        table = entry >> 10 << PAGE_SHIFT
    if entry & 1:
        offset = address & (1 << shift) - 1
        print(f"{address:#x} is at {(entry >> 10 << PAGE_SHIFT) + offset:#x}")
    else:
        print(f"{address:#x} is nowhere")


def rights_of(rights):
    return "".join(flag if rights >> bit & 1 else "-" for bit, flag in enumerate("rwx"))


def show_vmas(argument):
    memory_variable("kernel_pagetable")
    space = gdb.parse_and_eval(argument or "pcpus[0].space")
    if space.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        if int(space) == 0:
            raise Unknown("no program runs on hart 0")
        space = space.dereference()
    quota, areas = space["quota"], space["areas"]
    print(f"{int(space['start']):#x}..{int(space['end']) - 1:#x}  table {int(space['pt']['root']):#x}, "
          f"asid {int(space['pt']['asid'])}, {int(quota['used'])} of {int(quota['limit'])} pages")
    kinds = names_of("vma_kind", "VMA_")
    for i in range(int(areas["count"])):
        area = areas["at"][i]
        start, end = int(area["start"]), int(area["end"])
        print(f"{start:#x}..{end - 1:#x}  {rights_of(int(area['rights']))}  "
              f"{kinds.get(int(area['kind']), '?'):6}  {end - start >> 10} KiB")


# ---- The command ----------------------------------------------------------------------------------


def type_text(argument):
    """`make gdb` gives the console's input a name in the environment."""
    with open(os.environ["MAZU_KEYS"], "w", encoding="utf-8") as keys:
        keys.write(argument + "\n")


COMMANDS = {"klog": show_klog, "init": show_init, "irq": show_irq, "board": show_board,
            "frame": show_frame, "mem": show_mem, "pt": show_pt, "vmas": show_vmas,
            "type": type_text}


class Mazu(gdb.Command):
    """mazu klog|init|irq|board|frame|mem|pt|vmas|type: what the kernel knows, read from its memory."""

    def __init__(self):
        super().__init__("mazu", gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        word, _, rest = argument.strip().partition(" ")
        if word not in COMMANDS:
            print(__doc__)
            return
        try:
            with physical_memory():
                COMMANDS[word](rest.strip())
        except Unknown as reason:
            print(reason)

    def complete(self, typed, _word):
        return [name for name in COMMANDS if name.startswith(typed)]


# ---- Pretty-printers ------------------------------------------------------------------------------


class TextPrinter:
    """struct str as a string of its own length."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return text(self.value)

    def display_hint(self):
        return "string"


class BytesPrinter:
    """byte_view, byte_array, byte_buf: length and the first bytes."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        length = int(self.value["len"])
        first = memory(self.value["data"], min(length, 32)).hex(" ")
        return f"{length} bytes: {first}{' ...' if length > 32 else ''}"


class ResultPrinter:
    """A result: its value, or its error."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        error = self.value["err"]
        return f"{self.value['value']}" if int(error) == 0 else f"error {error}"


def printer_for(value):
    tag = value.type.strip_typedefs().tag or ""
    if tag == "str":
        return TextPrinter(value)
    if tag in ("byte_view", "byte_array", "byte_buf"):
        return BytesPrinter(value)
    return ResultPrinter(value) if tag.startswith("result_") else None


Mazu()
gdb.pretty_printers.append(printer_for)
