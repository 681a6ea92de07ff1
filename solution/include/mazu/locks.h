/*
 * locks.h - every lock of the kernel, in one table.
 *
 * Locks are taken in the order of their ranks, smallest first; taking one while holding
 * another of the same or a greater rank is a bug, which debug builds report at once. A rank has
 * room before the next for what later stages bring (process, descriptor, wait-queue, TCP and
 * scheduler locks stand between IRQ and ALLOC).
 *
 * What interrupt handlers take, too, is taken with interrupts off, so "longest hold" bounds how long
 * this kernel may delay an interrupt. The others are taken with preemption off (spin_lock), and it
 * bounds how long an urgent task may have to wait. It is counted in instructions of the longest path.
 * The latter have the smallest ranks, because an interrupt may come while one of them is held.
 */
#ifndef MAZU_LOCKS_H
#define MAZU_LOCKS_H

/*	  name     rank  from interrupts?  longest hold  protects */
#define LOCK_TABLE(LOCK)                                                                           \
	LOCK(ADMISSION, 4, false, 4000, "what SCHED_DEADLINE tasks have reserved")                 \
	LOCK(KERNEL_MAP, 8, false, 8000, "the kernel's page table, the list of address spaces")    \
	LOCK(STACKS, 9, false, 100, "stacks that are kept for the next task")                      \
	LOCK(IRQ, 10, true, 400, "the interrupt descriptors: handler, argument, affinity")         \
	LOCK(TASKS, 45, true, 400,                                                                 \
	     "the list of all tasks, their numbers, who waits for whose end")                      \
	LOCK(SCHED, 50, true, 1200, "a hart's run queue, and the tasks that belong to it")         \
	LOCK(CALLOUT, 55, true, 400, "a hart's callouts")                                          \
	LOCK(QUARANTINE, 65, true, 900, "debug builds: freed objects of kmalloc that wait")        \
	LOCK(SLABS, 70, true, 3000, "kmalloc's slabs")                                             \
	LOCK(PAGES, 80, true, 700, "the buddy allocator, and who holds how many pages")            \
	LOCK(CONSOLE, 90, true, 1500, "the console's output ring and its driver's transmitter")    \
	LOCK(KLOG, 100, true, 600, "the kernel log's rings")

enum lock_rank {
#define LOCK_RANK(name, rank, irq, hold, what) LOCK_##name = (rank),
	LOCK_TABLE(LOCK_RANK)
#undef LOCK_RANK
};

#endif
