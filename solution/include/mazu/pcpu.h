/*
 * pcpu.h - what a hart keeps for itself.
 *
 * this_cpu() is the running hart's entry of `pcpus` for as long as the kernel runs; reaching a
 * field takes one instruction and no lock: only its own hart touches it, with interrupts off
 * where an interrupt handler does too. Trap entry knows the first member by offset.
 */
#ifndef MAZU_PCPU_H
#define MAZU_PCPU_H

#include <arch/pcpu.h>
#include <mazu/locks.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define PCPU_LOCKS_MAX 8

struct addrspace;
struct object_cache;
struct page_cache;

struct pcpu {
	struct arch_pcpu arch;
	u32 index;			      /* 0..CONFIG_CPU_MAX - 1 */
	u64 hart_id;			      /* the hart's name at the firmware */
	u64 entry_cycles;		      /* cycle counter at the kernel's first instruction */
	struct str task;		      /* what runs here, for reports */
	u32 interrupt_depth;		      /* > 0: in an interrupt handler */
	struct page_cache *pages;	      /* free pages at hand (kernel/mm/page.c) */
	struct object_cache *objects;	      /* free objects at hand (kernel/mm/kmalloc.c) */
	struct addrspace *space;	      /* the program's memory; NULL: none */
	u32 lock_count;			      /* debug builds: locks held, */
	enum lock_rank locks[PCPU_LOCKS_MAX]; /* and their ranks in order of taking */
} __attribute__((aligned(64)));

extern struct pcpu pcpus[CONFIG_CPU_MAX];

#endif
