/*
 * The platform-level interrupt controller: devices on one side, harts on the other.
 *
 * Each source has a priority; each context (a hart in a privilege mode) has a bit per source to
 * enable it and a threshold. We use one priority for all: 1 above a threshold of 0. Which
 * context a hart has is in the device tree (board.harts[].context).
 *
 * A claim marks the source as being served and a complete ends that; in between it does not
 * interrupt again. Enable bits of several sources share a word, so they change under irq_lock
 * only (enable, disable, set_affinity are called with it held).
 *
 * Source: RISC-V Platform-Level Interrupt Controller specification 1.0.0.
 */
#include <arch/cpu.h>
#include <mazu/board.h>
#include <mazu/init.h>
#include <mazu/irq.h>
#include <mazu/mmio.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>

#define PLIC_PRIORITY(irq) (4UL * (irq))
#define PLIC_ENABLE(context, irq) (0x2000 + 0x80UL * (context) + (irq) / 32 * 4UL)
#define PLIC_THRESHOLD(context) (0x200000 + 0x1000UL * (context))
#define PLIC_CLAIM(context) (0x200004 + 0x1000UL * (context))

static uptr plic; /* written once, at boot, like the next two; the second by each hart */
static uptr claim_registers[CONFIG_CPU_MAX];
static u32 sources;
static u64 targets[IRQ_COUNT]; /* irq_lock: harts (by index) that take each source */

static bool context_is_there(u32 context)
{
	return context != BOARD_NO_CONTEXT && board.plic.reg.size >= PLIC_CLAIM(context) + 4;
}

static void enable_write(u32 context, u32 irq, bool on)
{
	uptr reg = plic + PLIC_ENABLE(context, irq);
	u32 bit = 1U << irq % 32;
	u32 word = mmio_read32(reg);

	mmio_write32(reg, on ? word | bit : word & ~bit);
}

static void enable_write_all(u32 irq, u64 harts)
{
	for (u32 i = 0; i < board.hart_count; i++)
		if (context_is_there(board.harts[i].context))
			enable_write(board.harts[i].context, irq, harts >> i & 1);
}

static void plic_enable(u32 irq)
{
	mmio_write32(plic + PLIC_PRIORITY(irq), 1);
	enable_write_all(irq, targets[irq]);
}

static void plic_disable(u32 irq)
{
	enable_write_all(irq, 0);
	mmio_write32(plic + PLIC_PRIORITY(irq), 0);
}

static enum error plic_set_affinity(u32 irq, u64 harts)
{
	u64 able = 0;

	if (irq > sources)
		return ERR_RANGE;
	for (u32 i = 0; i < board.hart_count; i++)
		if (context_is_there(board.harts[i].context))
			able |= 1UL << i;
	if ((harts & able) == 0)
		return ERR_NODEV;
	targets[irq] = harts & able;
	if (mmio_read32(plic + PLIC_PRIORITY(irq)))
		enable_write_all(irq, targets[irq]);
	return OK;
}

/* This hart's. */
static inline uptr claim_register(void)
{
	return claim_registers[this_cpu()->index];
}

static u32 plic_claim(void)
{
	return mmio_read32(claim_register());
}

static void plic_complete(u32 irq)
{
	mmio_write32(claim_register(), irq);
}

/* A hart without a context takes none, and plic_set_affinity steers none to it. */
static void plic_init_hart(void)
{
	u32 context = board.harts[this_cpu()->index].context;

	if (!context_is_there(context))
		return;
	claim_registers[this_cpu()->index] = plic + PLIC_CLAIM(context);
	mmio_write32(plic + PLIC_THRESHOLD(context), 0);
}

static const struct irq_chip plic_chip = {
	.name = STR("plic"),
	.enable = plic_enable,
	.disable = plic_disable,
	.init_hart = plic_init_hart,
	.set_affinity = plic_set_affinity,
	.claim = plic_claim,
	.complete = plic_complete,
};

static enum error plic_init(void)
{
	if (!board.plic.present || !context_is_there(board.harts[0].context))
		return ERR_NODEV;
	plic = board.plic.reg.base;
	sources = MIN(board.plic_sources, (u32)IRQ_COUNT - 1);
	for (u32 irq = 1; irq <= sources; irq++)
		plic_disable(irq);
	irq_set_chip(&plic_chip);
	return OK;
}
INIT_TASK(plic, plic_init);
