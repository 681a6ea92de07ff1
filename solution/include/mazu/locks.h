/*
 * locks.h - every lock of the kernel, in one table.
 *
 * Locks are taken in the order of their ranks, smallest first; taking one while holding
 * another of the same or a greater rank is a bug, which debug builds report at once. A rank has
 * room before the next for what later stages bring (process, descriptor, wait-queue, TCP and
 * scheduler locks stand between IRQ and ALLOC).
 *
 * All of them are spinlocks taken with interrupts off, so "longest hold" bounds how long this
 * kernel may delay an interrupt. It is counted in instructions of the longest path.
 */
#ifndef MAZU_LOCKS_H
#define MAZU_LOCKS_H

/*	  name     rank  from interrupts?  longest hold  protects */
#define LOCK_TABLE(LOCK)                                                                           \
	LOCK(IRQ, 10, true, 400, "the interrupt descriptors: handler, argument, affinity")         \
	LOCK(KERNEL_MAP, 60, false, 8000, "the kernel's page table, the list of address spaces")   \
	LOCK(QUARANTINE, 65, true, 900, "debug builds: freed objects of kmalloc that wait")        \
	LOCK(SLABS, 70, true, 3000, "kmalloc's slabs")                                             \
	LOCK(PAGES, 80, true, 700, "the buddy allocator, and who holds how many pages")            \
	LOCK(CONSOLE, 90, true, 12000, "the console's output ring and its driver's transmitter")   \
	LOCK(KLOG, 100, true, 600, "the kernel log's rings")

enum lock_rank {
#define LOCK_RANK(name, rank, irq, hold, what) LOCK_##name = (rank),
	LOCK_TABLE(LOCK_RANK)
#undef LOCK_RANK
};

#endif
