/*
 * From the device tree to `board`: one walk, one visitor, a table of what we know.
 *
 * The tree comes from the firmware, but nothing in it is believed: lib/fdt.c checks every
 * bound, and here every number that does not fit is counted instead of stored. Where the tree
 * as a whole is broken we go on with the addresses of QEMU's virt machine, the one platform that we
 * know by heart, and say so in the log; a tree that is sound but lacks a device is
 * believed: then the device is not there.
 *
 * Runs once on the boot hart, before anything can be printed (kernel_main); the report comes later.
 *
 * Source: Devicetree Specification v0.4, chapter 3; RISC-V PLIC 1.0.0; Linux's bindings for
 * riscv,cpu-intc, sifive,plic-1.0.0, ns16550a, virtio,mmio, sifive,test0, google,goldfish-rtc.
 */
#include <arch/trap.h>
#include <mazu/board.h>

/* No blob of an honest machine is larger; QEMU's own limit is 1 MiB. */
#define DEVTREE_SIZE_MAX (2UL << 20)

/* Supervisor external interrupt: how a PLIC context names itself (Privileged spec, table 4.2). */
#define INTERRUPT_SUPERVISOR_EXTERNAL 9

#define VIRT_TIMEBASE_HZ (10 * 1000 * 1000)

struct board board;

static u64 boot_hart; /* the hart we run on; written once, before the walk */

const struct board_hart *board_hart(u64 id)
{
	for (u32 i = 0; i < board.hart_count; i++)
		if (board.harts[i].id == id)
			return &board.harts[i];
	return NULL;
}

static void ranges_add(struct board_ranges *ranges, struct fdt_range range)
{
	if (range.size == 0)
		return;
	if (ranges->count < BOARD_RANGES_MAX)
		ranges->at[ranges->count++] = range;
	else
		ranges->ignored++;
}

/* All ranges of a node's reg. Bounded by its length: each index needs bytes of its own. */
static void ranges_add_reg(struct board_ranges *ranges, const struct fdt_node *node)
{
	for (size_t i = 0;; i++) {
		struct result_fdt_range range = fdt_reg(node, i);

		if (range.err)
			return;
		ranges_add(ranges, range.value);
	}
}

/* Those of the memory reservation block; one that wraps reserves nothing. Bounded by the block. */
static void ranges_add_reservations(struct board_ranges *ranges, const struct fdt *fdt)
{
	struct result_fdt_range range;

	for (size_t i = 0; (range = fdt_reservation(fdt, i)).err != ERR_NOENT; i++)
		ranges_add(ranges, range.value);
}

/* ---- Devices: the first enabled one of its kind counts ---- */

static enum error device_read(const struct fdt_node *node, struct board_device *device)
{
	struct result_fdt_range reg = fdt_reg(node, 0);
	struct result_u32 irq = fdt_value_u32(node->interrupts, 0);

	if (reg.err || device->present)
		return OK;
	*device = (struct board_device){ .present = true, .reg = reg.value, .irq = irq.value };
	return OK;
}

static u32 property_u32(const struct fdt_node *node, struct str name, u32 otherwise)
{
	struct result_byte_view value = fdt_node_property(node, name);
	struct result_u32 number = fdt_value_u32(value.value, 0);

	return value.err || number.err ? otherwise : number.value;
}

static enum error uart_read(const struct fdt_node *node)
{
	if (!board.uart.present)
		board.uart_shift = property_u32(node, STR("reg-shift"), 0) & 3;
	return device_read(node, &board.uart);
}

/* interrupts-extended lists, for each context in turn, a hart's controller and a cause. */
static void plic_read_contexts(struct byte_view pairs)
{
	for (u32 context = 0;; context++) {
		struct result_u32 intc = fdt_value_u32(pairs, 2 * (size_t)context);
		struct result_u32 cause = fdt_value_u32(pairs, 2 * (size_t)context + 1);

		if (intc.err || cause.err)
			return;
		for (u32 i = 0; i < board.hart_count; i++)
			if (board.harts[i].intc == intc.value &&
			    cause.value == INTERRUPT_SUPERVISOR_EXTERNAL)
				board.harts[i].context = context;
	}
}

static enum error plic_read(const struct fdt_node *node)
{
	if (!board.plic.present) {
		board.plic_sources = property_u32(node, STR("riscv,ndev"), 0);
		plic_read_contexts(node->interrupts_extended);
	}
	return device_read(node, &board.plic);
}

static enum error rtc_read(const struct fdt_node *node)
{
	return device_read(node, &board.rtc);
}

static enum error test_read(const struct fdt_node *node)
{
	return device_read(node, &board.test);
}

static enum error virtio_read(const struct fdt_node *node)
{
	if (board.virtio_count < BOARD_VIRTIO_MAX &&
	    device_read(node, &board.virtio[board.virtio_count]) == OK)
		board.virtio_count += board.virtio[board.virtio_count].present;
	return OK;
}

static const struct {
	struct str compatible;
	enum error (*read)(const struct fdt_node *node);
} devices[] = {
	{ STR("ns16550a"), uart_read },	    { STR("sifive,plic-1.0.0"), plic_read },
	{ STR("riscv,plic0"), plic_read },  { STR("google,goldfish-rtc"), rtc_read },
	{ STR("sifive,test0"), test_read }, { STR("virtio,mmio"), virtio_read },
};

/* ---- Harts, memory, /chosen ---- */

/* "rv64imac_zicsr_sstc": extensions of more than a letter stand between underscores. */
static bool isa_has(struct str isa, struct str extension)
{
	while (!str_is_empty(isa)) {
		struct result_sz at = str_find_char(isa, '_');
		struct str word = { isa.data, at.err ? isa.len : at.value };

		if (str_eq(word, extension))
			return true;
		isa = str_skip(isa, word.len + 1);
	}
	return false;
}

static enum error hart_read(const struct fdt_node *node)
{
	struct result_fdt_range id = fdt_reg_raw(node, 0);
	struct result_byte_view isa = fdt_node_property(node, STR("riscv,isa"));

	if (id.err || !fdt_is_enabled(node))
		return OK;
	if (board.hart_count == CONFIG_CPU_MAX) {
		board.harts_ignored++;
		if (id.value.base != boot_hart)
			return OK;
		board.hart_count--;
	}
	board.harts[board.hart_count++] = (struct board_hart){
		.id = id.value.base,
		.context = BOARD_NO_CONTEXT,
		.sstc = !isa.err && isa_has(fdt_value_str(isa.value).value, STR("sstc")),
	};
	return OK;
}

/* The interrupt controller inside a hart's node: it belongs to the hart visited last. */
static void hart_read_intc(const struct fdt_node *node)
{
	struct result_fdt_range id = fdt_reg_raw(node->parent, 0);

	for (u32 i = 0; i < board.hart_count; i++)
		if (!id.err && board.harts[i].id == id.value.base)
			board.harts[i].intc = node->phandle;
}

static u64 chosen_number(const struct fdt_node *node, struct str name)
{
	struct result_byte_view value = fdt_node_property(node, name);

	return value.err ? 0 : fdt_value_number(value.value).value;
}

static enum error chosen_read(const struct fdt_node *node)
{
	u64 start = chosen_number(node, STR("linux,initrd-start"));
	u64 end = chosen_number(node, STR("linux,initrd-end"));

	board.bootargs = fdt_value_str(fdt_node_property(node, STR("bootargs")).value).value;
	board.rng_seed = fdt_node_property(node, STR("rng-seed")).value;
	if (start < end)
		board.initrd = (struct fdt_range){ start, end - start };
	return OK;
}

static enum error cpus_read(const struct fdt_node *node)
{
	struct result_byte_view hz = fdt_node_property(node, STR("timebase-frequency"));

	if (!hz.err)
		board.timebase_hz = fdt_value_number(hz.value).value;
	return OK;
}

static bool node_has_type(const struct fdt_node *node, struct str type)
{
	return str_eq(fdt_value_str(node->device_type).value, type);
}

static enum error devtree_visit(const struct fdt_node *node, void *arg)
{
	(void)arg;
	if (node->depth == 0)
		board.model = fdt_value_str(fdt_node_property(node, STR("model")).value).value;
	else if (node->depth == 1 && fdt_node_is(node, STR("cpus")))
		return cpus_read(node);
	else if (node->depth == 1 && fdt_node_is(node, STR("chosen")))
		return chosen_read(node);
	else if (node_has_type(node, STR("cpu")))
		return hart_read(node);
	else if (fdt_is_compatible(node, STR("riscv,cpu-intc")))
		hart_read_intc(node);
	else if (node_has_type(node, STR("memory")) && fdt_is_enabled(node))
		ranges_add_reg(&board.memory, node);
	else if (fdt_node_is(node->parent, STR("reserved-memory")))
		ranges_add_reg(&board.reserved, node);

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (fdt_is_compatible(node, devices[i].compatible) && fdt_is_enabled(node))
			return devices[i].read(node);
	return OK;
}

/* ---- The tree as a whole ---- */

static enum error devtree_parse(uptr address)
{
	const u8 *header = (const u8 *)address;
	struct fdt fdt = { .problem = STR("no device tree at this address") };
	enum error err = ERR_CORRUPT;
	size_t claimed = 0;

	if (address != 0 && address % 8 == 0 && arch_readable(address, 8))
		claimed = fdt_claimed_size(header);
	if (claimed > DEVTREE_SIZE_MAX)
		fdt.problem = STR("larger than any device tree");
	else if (!arch_readable(address, claimed))
		fdt.problem = STR("reaches beyond the memory");
	else if (claimed != 0)
		err = fdt_open((struct byte_view){ header, claimed }, &fdt);
	if (!err)
		err = fdt_for_each_node(&fdt, devtree_visit, NULL);
	if (!err)
		ranges_add_reservations(&board.reserved, &fdt);
	board.problem = err ? fdt.problem : STR("");
	board.problem_offset = fdt.problem_offset;
	board.tree = (struct fdt_range){ address, claimed };
	return err;
}

/* What QEMU's virt machine has, whatever its options (hw/riscv/virt.c, the memory map). */
static void board_assume_virt(void)
{
	board = (struct board){
		.problem = board.problem,
		.problem_offset = board.problem_offset,
		.tree = board.tree,
		.model = STR("riscv-virtio,qemu (assumed)"),
		.memory = { .at = { { 0x80000000, 64UL << 20 } }, .count = 1 },
		.harts = { { .id = boot_hart, .context = 2 * (u32)boot_hart + 1 } },
		.hart_count = 1,
		.timebase_hz = VIRT_TIMEBASE_HZ,
		.uart = { true, { 0x10000000, 0x100 }, 10 },
		.plic = { true, { 0xc000000, 0x600000 }, 0 },
		.plic_sources = 95,
		.rtc = { true, { 0x101000, 0x1000 }, 11 },
		.test = { true, { 0x100000, 0x1000 }, 0 },
	};
}

/*
 * The hart we run on becomes number 0. One that the tree does not know runs us all the same: if
 * need be it takes another's place.
 */
static void board_put_boot_hart_first(void)
{
	struct board_hart first = { .id = boot_hart, .context = BOARD_NO_CONTEXT };
	u32 at = 0;

	while (at < board.hart_count && board.harts[at].id != boot_hart)
		at++;
	board.boot_hart_unknown = at == board.hart_count;
	if (!board.boot_hart_unknown)
		first = board.harts[at];
	else if (board.hart_count < CONFIG_CPU_MAX)
		board.hart_count++;
	else
		at = CONFIG_CPU_MAX - 1, board.harts_ignored++;
	board.harts[at] = board.harts[0];
	board.harts[0] = first;
}

/* ---- What the tree says of devices, and what is so ---- */

static bool is_memory(struct fdt_range range)
{
	for (u32 i = 0; i < board.memory.count; i++)
		if (range.base - board.memory.at[i].base < board.memory.at[i].size)
			return true;
	return false;
}

static void device_check(struct board_device *device, bool (*answers)(uptr address), u64 offset)
{
	if (device->present && (is_memory(device->reg) || !answers(device->reg.base + offset)))
		device->present = false;
}

/* A sound tree may still lie: a device that a first load does not find is not there. */
static void devices_check(void)
{
	device_check(&board.uart, arch_answers_byte, 5UL << board.uart_shift);
	device_check(&board.plic, arch_answers_word, 0);
	device_check(&board.rtc, arch_answers_word, 0);
	device_check(&board.test, arch_answers_word, 0);
}

void devtree_read(uptr address, u64 hart)
{
	boot_hart = hart;
	if (devtree_parse(address))
		board_assume_virt();
	devices_check();
	board_put_boot_hart_first();
	board.timebase_assumed = board.timebase_hz < 1000 || board.timebase_hz > 10000000000;
	if (board.timebase_assumed)
		board.timebase_hz = VIRT_TIMEBASE_HZ;
}
