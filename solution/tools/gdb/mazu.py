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
    (gdb) mazu tasks            all tasks
    (gdb) mazu runq             who runs on each hart, who waits for it in which order, who is held
    (gdb) mazu locks            the locks that each hart has, where it took them, and what it waits for
    (gdb) mazu bt TASK          the backtrace of a task, by its number
    (gdb) mazu timeline [FILE]  the event ring as a picture (default: timeline.svg; *.json: for Perfetto)
    (gdb) mazu type TEXT        TEXT and a newline typed at the kernel's console

Everything is read from memory through the debug information; nothing calls into the kernel, so
it works at any instruction, in a core of a crash too. The kernel's addresses are physical ones, and
that is how QEMU is asked for them, so it works with a program's rights as well. `make gdb` loads
this file.
"""

import contextlib
import itertools
import os
import sys

import gdb

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
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


# ---- Tasks ----------------------------------------------------------------------------------------

HOLDS = ("budget", "domain", "mode", "change")
TASK_STATES = ("new", "ready", "blocked", "dead")


def scheduler_variable(name, file=None):
    try:
        return variable(name, file)
    except gdb.error:
        raise Unknown("this kernel is of a stage without tasks") from None


def container_of(pointer, kind, member):
    """What a member (perhaps of a member) lies in."""
    kind = at = gdb.lookup_type(kind)
    offset = 0
    for name in member.split("."):
        offset += at[name].bitpos // 8
        at = at[name].type
    return gdb.Value(int(pointer) - offset).cast(kind.pointer()).dereference()


def tree_nodes(tree):
    """The nodes of a struct rb_tree, in order."""
    at, above = tree["root"], []
    while int(at) or above:
        while int(at):
            above.append(at)
            at = at["left"]
        at = above.pop()
        yield at
        at = at["right"]


def list_items(head, kind, member):
    at = head["next"]
    while int(at) not in (0, int(head.address)):
        yield container_of(at, kind, member)
        at = at["next"]


def all_tasks():
    return [container_of(node, "struct task", "by_id") for node in tree_nodes(scheduler_variable("tasks"))]


def run_queues():
    """Those of the harts that have begun."""
    queues = elements(scheduler_variable("runqueues", "sched.c"))
    found = [queue for queue in queues if int(queue["idle"])]
    if not found:
        raise Unknown("there are no tasks yet (task_init)")
    return found


def task_by_number(number):
    for queue in run_queues():
        for task in (*all_tasks(), queue["idle"].dereference()):
            if int(task["id"]) == number:
                return task
    raise Unknown(f"there is no task {number}")


def task_name(task):
    return memory(task["name"].address, task["name_len"]).decode("utf-8", "replace")


def is_running(task):
    return int(task["rq"]["current"]) == int(task.address)


def task_state(task):
    state = TASK_STATES[int(task["state"])]
    if is_running(task):
        return "running"
    holds = [name for bit, name in enumerate(HOLDS) if int(task["held"]) >> bit & 1]
    return "held: " + ", ".join(holds) if holds and state == "ready" else state


def task_params(task):
    params = task["params"]
    policy = names_of("sched_policy", "SCHED_")[int(params["policy"])]
    number = {"other": int(params["nice"]), "deadline": ""}.get(policy, int(params["priority"]))
    runtime, deadline, period = (int(params[f"{name}_ns"]) // 1000
                                 for name in ("runtime", "deadline", "period"))
    times = f"{runtime}/{deadline or period}/{period} us" if period else ""
    criticality = ("", "LO", "HI")[int(params["criticality"])]
    return " ".join(filter(None, (policy, str(number), times, criticality)))


def ticks_hz():
    return int(variable("board")["timebase_hz"])


def ms_of(ticks):
    return ticks * 1000 / ticks_hz()


def show_task(task, *more):
    print(f"{int(task['id']):5}  {task_name(task):15} {task_state(task):14} {task_params(task):28}",
          *more)


def show_tasks(_argument):
    run_queues()
    for task in all_tasks():
        jobs = task["jobs"]
        counts = " ".join(f"{int(jobs[name])} {name}" for name in ("done", "misses", "overruns", "throttles")
                          if int(task["params"]["period_ns"]))
        show_task(task, f"{ms_of(int(task['run_ticks'])):10.3f} ms  {counts}".rstrip())


def until(ticks, queue):
    return f"{ms_of(ticks - int(queue['charged'])):+.3f} ms"


def show_longest(queue):
    """The maxima of a hart, where they are measured."""
    hart = int(queue["hart"])
    with contextlib.suppress(gdb.error):
        kinds = variable("latencies")[hart]["kinds"]
        names = names_of("latency_kind", "LATENCY_")
        print("longest, in cycles: " + ", ".join(
            f"{names[kind].replace('_', '-')} {int(histogram['max'])}"
            for kind, histogram in enumerate(elements(kinds))))
    callouts = variable("pcpus")[hart]["callouts"]["statistics"]
    print(f"callouts: {int(callouts['run'])} ran, at most {ms_of(int(callouts['late_max_ticks'])):.3f} ms late")


def show_runq(_argument):
    for queue in run_queues():
        mode = ("", "LO", "HI")[int(queue["mode"]["now"])]
        print(f"hart {int(queue['hart'])}: {int(queue['switches'])} switches, mode {mode}")
        show_longest(queue)
        show_task(queue["current"].dereference())
        for node in tree_nodes(queue["dl"]["tree"]):
            show_queued(container_of(node, "struct task", "edf"),
                        f"deadline {until(int(node['key']), queue)}")
        for head in reversed(elements(queue["rt"]["lists"])):
            for task in list_items(head, "struct task", "rt.link"):
                show_queued(task, f"priority {int(task['params']['priority'])}")
        for node in tree_nodes(queue["fair"]["tree"]):
            show_queued(container_of(node, "struct task", "fair.node"), "share")
        for task in all_tasks():
            if task_state(task).startswith("held") and int(task["rq"]) == int(queue.address):
                show_task(task)


def show_queued(task, why):
    if not is_running(task):
        show_task(task, why)


def show_locks(_argument):
    """What lockdep has written down; a debug build's."""
    queues = {int(queue["hart"]): queue for queue in run_queues()}
    for hart, cpu in enumerate(itertools.islice(elements(variable("pcpus")), max(queues) + 1)):
        if hart in queues:
            print(f"hart {hart}: task {task_name(queues[hart]['current'].dereference())}, "
                  f"{int(cpu['lock_count'])} locks")
            for held in itertools.islice(elements(cpu["locks"]), int(cpu["lock_count"])):
                print(f"    {held['rank']} at {place(int(held['where']))}")


# ---- The stack of a task that does not run ----------------------------------------------------------

GUARD = 1 << PAGE_SHIFT
LONGEST_BACKTRACE = 64


def symbol_address(name):
    return int(variable(f"(unsigned long)&{name}"))


def function_of(pc):
    """The name of the function whose code is at an address, whatever was inlined there; None: no code."""
    if not symbol_address("_text_start") <= pc < symbol_address("_text_end"):
        return None
    name, block = None, gdb.block_for_pc(pc)
    while block:
        name, block = block.function.name if block.function else name, block.superblock
    return name or gdb.execute(f"info symbol {pc:#x}", to_string=True).split()[0]


def place(pc):
    at = gdb.find_pc_line(pc)
    return f"{function_of(pc)}{f' at {at.symtab.filename}:{at.line}' if at.symtab else ''}"


def frames(task):
    """Addresses in code, of calls where they return to, by frame pointers as arch/riscv64/backtrace.c says."""
    low, trap_return = int(task["stack"]), symbol_address("trap_return")
    high = low + symbol_address("boot_stack_top") - symbol_address("boot_stack") - GUARD
    pc, fp, ra = int(task["context"]["ra"]) - 1, int(task["context"]["s"][0]), None
    while function_of(pc):
        yield pc
        if fp % 8 or not low + 16 <= fp <= high:
            return
        caller_fp, saved = (int.from_bytes(memory(fp - 16 + at, 8), "little") for at in (0, 8))
        if ra not in (None, saved) and function_of(ra - 1) not in (None, function_of(pc)):
            pc, fp, ra = ra - 1, fp if function_of(saved) else saved, None  # a leaf that was interrupted
        elif saved == trap_return:
            yield saved
            trap = gdb.Value(fp).cast(gdb.lookup_type("struct trap_frame").pointer()).dereference()
            pc, fp, ra = (int(trap[name]) for name in ("pc", "fp", "ra"))
        elif caller_fp > fp or not caller_fp:
            pc, fp, ra = saved - 1, caller_fp, None
        else:
            return


def show_bt(argument):
    if not argument.isdigit():
        raise Unknown("usage: mazu bt TASK, a number that mazu tasks shows")
    task = task_by_number(int(argument))
    if is_running(task):
        raise Unknown(f"task {argument} has the hart: bt shows its stack")
    for number, pc in enumerate(itertools.islice(frames(task), LONGEST_BACKTRACE)):
        print(f"#{number:<3} {place(pc)}")


# ---- The event ring ---------------------------------------------------------------------------------


def read_trace(events):
    """What tools/trace makes pictures of, from memory; `events` is the module that knows the format."""
    rings = elements(memory_of_trace())
    found = []
    for hart, ring in enumerate(rings):
        if int(ring):
            found.append(events.decode(memory(ring, ring.dereference().type.sizeof), hart))
    known = {}
    for task in all_tasks():
        params = task["params"]
        times = [int(params[name]) for name in ("runtime_ns", "deadline_ns", "period_ns")]
        times[1] = times[1] or times[2]
        known[int(task["id"])] = events.Task(int(task["id"]), task_name(task), int(params["policy"]),
                                             int(params["priority"]), *times)
    return events.Trace(events.merge(found), known, ticks_hz(), int(variable("clock_start", "time.c")))


def memory_of_trace():
    try:
        return variable("trace_rings", "trace.c")
    except gdb.error:
        raise Unknown("this kernel keeps no events (CONFIG_TRACE)") from None


def show_timeline(argument):
    sys.path.insert(0, TOP)
    try:
        from solution.tools.trace import events, perfetto, timeline
    finally:
        del sys.path[0]
    trace, name = read_trace(events), argument or "timeline.svg"
    if not trace.events:
        raise Unknown("nothing has happened yet")
    words = perfetto.convert(trace) if name.endswith(".json") else timeline.draw(trace)
    with open(name, "w", encoding="utf-8") as file:
        file.write(words)
    print(f"{name}: {len(trace.events)} events of {len(trace.tasks)} tasks")


# ---- The command ----------------------------------------------------------------------------------


def type_text(argument):
    """`make gdb` gives the console's input a name in the environment."""
    with open(os.environ["MAZU_KEYS"], "w", encoding="utf-8") as keys:
        keys.write(argument + "\n")


COMMANDS = {"klog": show_klog, "init": show_init, "irq": show_irq, "board": show_board,
            "frame": show_frame, "mem": show_mem, "pt": show_pt, "vmas": show_vmas,
            "tasks": show_tasks, "runq": show_runq, "locks": show_locks, "bt": show_bt, "timeline": show_timeline,
            "type": type_text}


class Mazu(gdb.Command):
    """mazu klog|init|irq|board|frame|mem|pt|vmas|tasks|runq|bt|timeline|type: what the kernel knows, read from its memory."""

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
