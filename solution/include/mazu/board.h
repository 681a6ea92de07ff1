/*
 * board.h - what this machine consists of, as the device tree told us at boot.
 *
 * devtree_read() fills `board` once, before any driver runs; after that it never changes
 * and anybody may read it without a lock. Everything is bounded: what a tree holds beyond these
 * bounds is counted and reported, not stored.
 */
#ifndef MAZU_BOARD_H
#define MAZU_BOARD_H

#include <mazu/bytes.h>
#include <mazu/fdt.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define BOARD_RANGES_MAX 16
#define BOARD_VIRTIO_MAX 32

/* "This hart's external interrupts have no context in the interrupt controller." */
#define BOARD_NO_CONTEXT UINT32_MAX

struct board_ranges {
	struct fdt_range at[BOARD_RANGES_MAX];
	u32 count;
	u32 ignored; /* more than there is room for */
};

struct board_hart {
	u64 id;
	u32 intc;    /* phandle of its own interrupt controller; 0: none */
	u32 context; /* its supervisor context of the PLIC, or BOARD_NO_CONTEXT */
	bool sstc;   /* has a supervisor timer compare register */
};

struct board_device {
	bool present;
	struct fdt_range reg; /* physical addresses */
	u32 irq;	      /* number at the PLIC; 0: none */
};

struct board {
	struct str problem;    /* why the tree could not be used; empty: it was */
	size_t problem_offset; /* where, in bytes from its beginning */
	struct fdt_range tree; /* the blob itself */
	struct str model;
	struct board_ranges memory;
	struct board_ranges reserved;
	struct board_hart harts[CONFIG_CPU_MAX];
	u32 hart_count;
	u32 harts_ignored; /* enabled harts beyond CONFIG_CPU_MAX */
	bool boot_hart_unknown;
	bool timebase_assumed;
	u64 timebase_hz;
	struct board_device uart;
	u32 uart_shift; /* registers lie 1 << shift bytes apart */
	struct board_device plic;
	u32 plic_sources; /* interrupts 1..plic_sources */
	struct board_device rtc;
	struct board_device test; /* sifive,test: QEMU's exit status */
	struct board_device virtio[BOARD_VIRTIO_MAX];
	u32 virtio_count;
	struct str bootargs;
	struct byte_view rng_seed;
	struct fdt_range initrd;
};

extern struct board board;

/*
 * Reads the tree at `address` (physical, as the firmware gave it) into `board`. A tree that cannot
 * be trusted leaves board.problem set and the defaults of QEMU's virt machine in its place.
 * Prints nothing: it runs before there is a console. `boot_hart` is the hart we run on.
 */
void devtree_read(uptr address, u64 boot_hart);

/* Logs what was found, and everything about it that somebody should know. */
void devtree_report(void);

/* The board's entry for a hart id, or NULL. */
const struct board_hart *board_hart(u64 id);

#endif
