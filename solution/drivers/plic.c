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
#include <mazu/printk.h>

#define PLIC_PRIORITY(irq) (4UL * (irq))
#define PLIC_ENABLE(context, irq) (0x2000 + 0x80UL * (context) + (irq) / 32 * 4UL)
#define PLIC_THRESHOLD(context) (0x200000 + 0x1000UL * (context))
#define PLIC_CLAIM(context) (0x200004 + 0x1000UL * (context))

static uptr plic; /* written once, at boot, like the next two */
static uptr claim_register;
static u32 sources;
static u64 targets[IRQ_COUNT]; /* irq_lock: harts (by index) that take each source */

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
		if (board.harts[i].context != BOARD_NO_CONTEXT)
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
		if (board.harts[i].context != BOARD_NO_CONTEXT)
			able |= 1UL << i;
	if ((harts & able) == 0)
		return ERR_NODEV;
	targets[irq] = harts & able;
	if (mmio_read32(plic + PLIC_PRIORITY(irq)))
		enable_write_all(irq, targets[irq]);
	return OK;
}

static u32 plic_claim(void)
{
	return mmio_read32(claim_register);
}

static void plic_complete(u32 irq)
{
	mmio_write32(claim_register, irq);
}

static const struct irq_chip plic_chip = {
	.name = STR("plic"),
	.enable = plic_enable,
	.disable = plic_disable,
	.set_affinity = plic_set_affinity,
	.claim = plic_claim,
	.complete = plic_complete,
};

static enum error plic_init(void)
{
	u32 context = board.harts[0].context;

	if (!board.plic.present || context == BOARD_NO_CONTEXT ||
	    board.plic.reg.size < PLIC_CLAIM(context) + 4)
		return ERR_NODEV;
	plic = board.plic.reg.base;
	sources = MIN(board.plic_sources, (u32)IRQ_COUNT - 1);
	for (u32 irq = 1; irq <= sources; irq++)
		plic_disable(irq);
	mmio_write32(plic + PLIC_THRESHOLD(context), 0);
	claim_register = plic + PLIC_CLAIM(context);
	irq_set_chip(&plic_chip);
	return OK;
}
INIT_TASK(plic, plic_init);
