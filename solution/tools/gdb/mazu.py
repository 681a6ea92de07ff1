"""The kernel, as GDB sees it: commands and pretty-printers.

    (gdb) mazu                  what there is
    (gdb) mazu klog             the kernel log, also of a kernel that cannot print any more
    (gdb) mazu init             start-up tasks, their order, state and dependencies
    (gdb) mazu irq              interrupts and who has them
    (gdb) mazu board            what the device tree said
    (gdb) mazu frame [ADDRESS]  a trap frame (default: the one in a0)
    (gdb) mazu type TEXT        TEXT and a newline typed at the kernel's console

Everything is read from memory through the debug information; nothing calls into the kernel, so
it works at any instruction, in a core of a crash too. `make gdb` loads this file.
"""

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


def type_text(argument):
    """`make gdb` gives the console's input a name in the environment."""
    with open(os.environ["MAZU_KEYS"], "w", encoding="utf-8") as keys:
        keys.write(argument + "\n")


COMMANDS = {"klog": show_klog, "init": show_init, "irq": show_irq, "board": show_board,
            "frame": show_frame, "type": type_text}


class Mazu(gdb.Command):
    """mazu klog|init|irq|board|frame|type: what the kernel knows, read from its memory."""

    def __init__(self):
        super().__init__("mazu", gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        word, _, rest = argument.strip().partition(" ")
        if word not in COMMANDS:
            print(__doc__)
            return
        COMMANDS[word](rest.strip())

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
