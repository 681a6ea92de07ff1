/*
 * pcpu.h - what a hart keeps for itself.
 *
 * this_cpu() is the running hart's entry of `pcpus` for as long as the kernel runs; reaching a
 * field takes one instruction and no lock: only its own hart touches it, with interrupts off
 * where an interrupt handler does too. Trap entry knows the first two members by offset.
 */
#ifndef MAZU_PCPU_H
#define MAZU_PCPU_H

#include <arch/pcpu.h>
#include <mazu/locks.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define PCPU_LOCKS_MAX 8

struct addrspace;
struct callout_queue;
struct latency;
struct object_cache;
struct page_cache;
struct runqueue;
struct task;
struct trace_ring;

struct pcpu {
	struct arch_pcpu arch;
	u32 preempt;			/* may it switch, should it (preempt.h) */
	u32 index;			/* 0..CONFIG_CPU_MAX - 1 */
	u64 hart_id;			/* the hart's name at the firmware */
	u64 entry_cycles;		/* cycle counter at the kernel's first instruction */
	struct task *current;		/* what runs here; NULL: there are no tasks yet */
	struct runqueue *rq;		/* who wants to (kernel/sched/) */
	struct callout_queue *callouts; /* what wants to be called (callout.h) */
	struct trace_ring *trace;	/* what happened (trace.h); NULL: nobody wants to know */
	struct latency *latency;	/* how long it took (latency.h) */
	u64 irq_off_since;		/* cycles: interrupts are off, */
	u64 preempt_off_since;		/* or preemption is */
	u64 timer_ticks;		/* what the hardware timer is set to */
	struct page_cache *pages;	/* free pages at hand (kernel/mm/page.c) */
	struct object_cache *objects;	/* free objects at hand (kernel/mm/kmalloc.c) */
	struct addrspace *space;	/* the program's memory; NULL: none */
	u32 lock_count;			/* debug builds: locks held, */
	enum lock_rank locks[PCPU_LOCKS_MAX]; /* and their ranks in order of taking */
} __attribute__((aligned(64)));

extern struct pcpu pcpus[CONFIG_CPU_MAX];

#endif
