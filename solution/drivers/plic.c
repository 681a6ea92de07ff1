/*
 * The platform-level interrupt controller: devices on one side, harts on the other.
 *
 * Each source has a priority; each context (a hart in a privilege mode) has a bit per source to
 * enable it and a threshold. We use one priority for all: 1 above a threshold of 0. Which
 * context a hart has is in the device tree (board.harts[].context).
 *
 * A claim marks the source as being served and a complete ends that; in between it does not
 * interrupt again. A completion counts only where the source is enabled. So a hart's enable bits, of which many share
 * a word, are changed by that hart alone, interrupts off, after it has completed what it claimed; to turn a
 * source off for all is to lower its priority, a word of its own.
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
#include <mazu/smp.h>

#define PLIC_PRIORITY(irq) (4UL * (irq))
#define PLIC_ENABLE(context, irq) (0x2000 + 0x80UL * (context) + (irq) / 32 * 4UL)
#define PLIC_THRESHOLD(context) (0x200000 + 0x1000UL * (context))
#define PLIC_CLAIM(context) (0x200004 + 0x1000UL * (context))

static uptr plic;			     /* written once, at boot */
static uptr claim_registers[CONFIG_CPU_MAX]; /* each: its hart */

static bool context_is_there(u32 context)
{
	return context != BOARD_NO_CONTEXT && board.plic.reg.size >= PLIC_CLAIM(context) + 4;
}

/* Of this hart, or at boot of any. */
static void enable_write(u32 context, u32 irq, bool on)
{
	uptr reg = plic + PLIC_ENABLE(context, irq);
	u32 bit = 1U << irq % 32;
	u32 word = mmio_read32(reg);

	mmio_write32(reg, on ? word | bit : word & ~bit);
}

static void plic_enable(u32 irq)
{
	mmio_write32(plic + PLIC_PRIORITY(irq), 1);
}

static void plic_disable(u32 irq)
{
	mmio_write32(plic + PLIC_PRIORITY(irq), 0);
}

static void plic_steer(u32 irq, bool here)
{
	u32 context = board.harts[this_cpu()->index].context;

	if (context_is_there(context))
		enable_write(context, irq, here);
}

static u64 plic_harts(void)
{
	u64 able = 0;

	for (u32 i = 0; i < board.hart_count; i++)
		if (context_is_there(board.harts[i].context))
			able |= hart_bit(i);
	return able;
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

/* A hart without a context takes none, and is not among plic_harts(). */
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
	.steer = plic_steer,
	.init_hart = plic_init_hart,
	.harts = plic_harts,
	.claim = plic_claim,
	.complete = plic_complete,
};

/* Whatever the firmware left. */
static void source_off(u32 irq)
{
	plic_disable(irq);
	for (u32 i = 0; i < board.hart_count; i++)
		if (context_is_there(board.harts[i].context))
			enable_write(board.harts[i].context, irq, false);
}

static enum error plic_init(void)
{
	u32 sources = MIN(board.plic_sources, (u32)IRQ_COUNT - 1);

	if (!board.plic.present || !context_is_there(board.harts[0].context))
		return ERR_NODEV;
	plic = board.plic.reg.base;
	for (u32 irq = 1; irq <= sources; irq++)
		source_off(irq);
	irq_set_chip(&plic_chip, sources);
	return OK;
}
INIT_TASK(plic, plic_init);
