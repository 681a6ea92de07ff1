/*
 * pcpu.h - what a hart keeps for itself.
 *
 * this_cpu() is the running hart's entry of `pcpus` for as long as the kernel runs; reaching a
 * field takes one instruction and no lock: only its own hart touches it, with interrupts off
 * where an interrupt handler does too. Trap entry knows the first members by offset, and preempt.h that
 * the word at the very beginning can be changed by one instruction.
 *
 * A task that may be preempted may be on another hart at the next instruction. So it reads one field at a time
 * (its own `current` is right on any hart), and whatever takes two looks is done with preemption or
 * interrupts off, and asks for this_cpu() inside.
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
struct trap_frame;

struct held_lock {
	enum lock_rank rank;
	uptr where; /* in the code that took it */
};

struct pcpu {
	u32 preempt; /* may it switch, should it (preempt.h) */
	u32 index;   /* 0..CONFIG_CPU_MAX - 1 */
	struct arch_pcpu arch;
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
	u64 explore;			/* where it is set to sooner: a random state; 0: nowhere */
	u32 spins;			/* turns in vain: explore_nap */
	u32 ipi_reasons;		/* atomic: what others want of it (smp.h) */
	u64 ipi_count;			/* interrupts for that */
	u64 lock_waits;			/* relaxed: how often it had to wait for a lock */
	bool stopped;			/* atomic: for good, */
	const struct trap_frame *stopped_frame; /* in the middle of this; NULL: unknown */
	struct page_cache *pages;		/* free pages at hand (kernel/mm/page.c) */
	struct object_cache *objects;		/* free objects at hand (kernel/mm/kmalloc.c) */
	struct addrspace *space;		/* the program's memory; NULL: none */
	bool in_interrupt; /* debug builds, like the next: in a handler of one */
	u32 lock_count;	   /* locks held, */
	struct held_lock locks[PCPU_LOCKS_MAX]; /* in the order of taking (lockdep.h) */
} __per_hart;

extern struct pcpu pcpus[CONFIG_CPU_MAX];

#endif
