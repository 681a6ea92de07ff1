/*
 * What locks are used for: see lockdep.h.
 *
 * Each hart has a stack of the locks that it holds, with the places where they were taken. What is remembered
 * for all harts is written once, by whoever was the first to do it: the stack at that moment, who, and where (a
 * chain). A report shows the chain of now and that of then.
 *
 * While the kernel panics, order and ownership no longer matter: whatever was locked at that
 * moment stays locked for ever, and the panic message must come out all the same.
 *
 * Interrupts may be on (spin_lock). One that comes takes locks of its own and has released them when it returns,
 * so it disturbs only who is between writing a lock down and counting it.
 */
#include <arch/cpu.h>
#include <mazu/atomic.h>
#include <mazu/bootargs.h>
#include <mazu/init.h>
#include <mazu/lockdep.h>
#include <mazu/mem.h>
#include <mazu/panic.h>
#include <mazu/pcpu.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/spinlock.h>
#include <mazu/symbols.h>
#include <mazu/task.h>

struct chain {
	struct held_lock
		held[PCPU_LOCKS_MAX + 1]; /* in the order of taking; the last is what it is about */
	u32 count;
	u32 hart, task;
	u8 name[TASK_NAME_MAX];
	u32 name_len;
	bool in_interrupt;
};

/* Written once each, by who sets the bit. */
static struct chain order_chains[LOCK_CLASSES][LOCK_CLASSES]; /* [held][taken] */
static struct chain context_chains[LOCK_CONTEXTS][LOCK_CLASSES];

static u32 after[LOCK_CLASSES]; /* atomic, like the next: see lockdep_follows */
static u32 seen[LOCK_CONTEXTS]; /* see lockdep_conflicts */

static const struct {
	enum lock_rank rank;
	struct str name;
} classes[LOCK_CLASSES] = {
#define LOCK_NAME(name, rank, irq, hold, what) { rank, STR(#name) },
	LOCK_TABLE(LOCK_NAME)
#undef LOCK_NAME
};

static enum lock_class class_of(const struct spinlock *lock)
{
	for (u32 i = 0; i < LOCK_CLASSES; i++)
		if (classes[i].rank == lock->rank)
			return i;
	panic("a lock of rank %d is not in the table", lock->rank);
}

/* How `holder` names this hart. */
static u32 self(void)
{
	return this_cpu()->index + 1;
}

/* ---- Chains ---- */

/* What a hart holds: this one, or one that stands still. */
static void chain_of(struct chain *chain, const struct pcpu *cpu)
{
	struct str name = task_name_on(cpu);

	*chain = (struct chain){ .count = MIN(cpu->lock_count, (u32)PCPU_LOCKS_MAX),
				 .hart = cpu->index,
				 .task = task_id_on(cpu),
				 .name_len = (u32)MIN(name.len, (size_t)TASK_NAME_MAX),
				 .in_interrupt = cpu->in_interrupt };
	memcpy(chain->name, name.data, chain->name_len);
	memcpy(chain->held, cpu->locks, chain->count * sizeof(cpu->locks[0]));
}

/* What this hart holds, and `lock`, which it is about to take at `where`; NULL: none. */
static void chain_take(struct chain *chain, const struct spinlock *lock, uptr where)
{
	chain_of(chain, this_cpu());
	if (lock)
		chain->held[chain->count++] = (struct held_lock){ lock->rank, where };
}

static void link_print(const struct held_lock *held)
{
	struct symbol symbol = symbol_find_return(held->where);

	for (u32 i = 0; i < LOCK_CLASSES; i++)
		if (classes[i].rank == held->rank)
			pr_panic("    %.*s (rank %d) at %.*s+0x%lx", STR_ARG(classes[i].name),
				 held->rank, STR_ARG(symbol.name), symbol.offset);
}

static void chain_print(const char *what, const struct chain *chain)
{
	pr_panic("  %s: task %u (%.*s) on hart %u%s", what, chain->task, (int)chain->name_len,
		 (const char *)chain->name, chain->hart,
		 chain->in_interrupt ? ", in an interrupt" : "");
	for (u32 i = 0; i < chain->count; i++)
		link_print(&chain->held[i]);
}

/* ---- Reports ---- */

static struct chain owner; /* of a lock that is not released. The hart that panics, like the next */

/* What the panic prints behind its first line. */
static struct {
	struct chain now;
	const struct chain *then; /* NULL: nobody ever did it the other way */
	bool all;		  /* whoever has or wants a lock */
} report;

static void report_print(void)
{
	chain_print("now", &report.now);
	if (report.then)
		chain_print(report.then == &owner ? "owner" : "before", report.then);
	for_each_hart(hart, report.all ? harts_other() : 0)
	{
		chain_of(&owner, &pcpus[hart]);
		if (owner.count)
			chain_print("beside", &owner);
	}
}

static void report_begin(const struct spinlock *lock, uptr where, const struct chain *then)
{
	chain_take(&report.now, lock, where);
	report.then = then;
	panic_explain(report_print);
}

/* ---- Order ---- */

static bool follows(enum lock_class from, enum lock_class to)
{
	return IS_ENABLED(CONFIG_LOCKDEP) && lockdep_follows(after, from, to);
}

/* One step of the way that leads from `from` back to `to` already, the first. */
static const struct chain *way_back(enum lock_class from, enum lock_class to)
{
	for (u32 c = 0; c < LOCK_CLASSES; c++)
		if (after[from] >> c & 1 && (c == to || follows(c, to)))
			return &order_chains[from][c];
	return NULL;
}

static void check_order(const struct spinlock *lock, enum lock_class class, uptr where)
{
	const struct pcpu *cpu = this_cpu();

	for (u32 i = 0; i < cpu->lock_count; i++) {
		struct spinlock other = { .rank = cpu->locks[i].rank };
		enum lock_class held = class_of(&other);
		bool circle = follows(class, held);

		if (!circle && other.rank < lock->rank)
			continue;
		report_begin(lock, where, way_back(class, held));
		panic_from(where, "lockdep: %.*s is taken while %.*s is held, %s",
			   STR_ARG(classes[class].name), STR_ARG(classes[held].name),
			   circle ? "which others do the other way round" : "against the ranks");
	}
}

static void note_order(const struct spinlock *lock, enum lock_class class, uptr where)
{
	const struct pcpu *cpu = this_cpu();

	for (u32 i = 0; i < cpu->lock_count; i++) {
		struct spinlock other = { .rank = cpu->locks[i].rank };
		enum lock_class held = class_of(&other);

		if (atomic_load_relaxed(&after[held]) >> class & 1)
			continue;
		if (!(atomic_or_relaxed(&after[held], 1U << class) >> class & 1))
			chain_take(&order_chains[held][class], lock, where);
	}
}

/* ---- Interrupts ---- */

static void note_context(const struct spinlock *lock, enum lock_class class,
			 enum lock_context context, uptr where)
{
	if (atomic_load_relaxed(&seen[context]) >> class & 1)
		return;
	if (!(atomic_or_relaxed(&seen[context], 1U << class) >> class & 1))
		chain_take(&context_chains[context][class], lock, where);
	atomic_fence_full(); /* pairs with note_context(): of two harts, one sees the other */
}

/* Noted first, so that of two contexts that meet for the first time the second is a conflict. */
static void check_context(const struct spinlock *lock, enum lock_class class, uptr where)
{
	enum lock_context context = lockdep_context(this_cpu()->in_interrupt, arch_irq_enabled());
	enum lock_context other = context == LOCK_IN_INTERRUPT ? LOCK_INTERRUPTIBLE
							       : LOCK_IN_INTERRUPT;

	note_context(lock, class, context, where);
	if (!lockdep_conflicts(seen, class, context))
		return;
	report_begin(lock, where, &context_chains[other][class]);
	panic_from(where, "lockdep: %.*s is taken in interrupts, and with interrupts on",
		   STR_ARG(classes[class].name));
}

void lockdep_interrupt(bool begins)
{
	this_cpu()->in_interrupt = begins;
}

/* ---- Taking and releasing ---- */

static void held_push(const struct spinlock *lock, uptr where)
{
	struct pcpu *cpu = this_cpu();
	bool irqs;

	if (cpu->lock_count == PCPU_LOCKS_MAX)
		panic("more than %d locks held", PCPU_LOCKS_MAX);
	irqs = arch_irq_save();
	cpu->locks[cpu->lock_count++] = (struct held_lock){ lock->rank, where };
	arch_irq_restore(irqs);
}

static void held_pop(const struct spinlock *lock)
{
	struct pcpu *cpu = this_cpu();

	if (!cpu->lock_count || cpu->locks[cpu->lock_count - 1].rank != lock->rank)
		panic("lock of rank %d released out of order", lock->rank);
	cpu->lock_count--;
}

void spin_check_take(const struct spinlock *lock)
{
	uptr where = (uptr)__builtin_return_address(0);
	enum lock_class class;

	if (panic_in_progress())
		return;
	class = class_of(lock);
	if (lock->holder == self()) {
		report_begin(lock, where, NULL);
		panic_from(where, "lockdep: %.*s is taken twice", STR_ARG(classes[class].name));
	}
	check_order(lock, class, where);
	if (IS_ENABLED(CONFIG_LOCKDEP)) {
		note_order(lock, class, where);
		check_context(lock, class, where);
	}
	held_push(lock, where);
}

void spin_check_taken(struct spinlock *lock)
{
	if (!IS_ENABLED(CONFIG_SMP) && lock->holder && !panic_in_progress())
		panic("lock of rank %d is held by nobody who is here", lock->rank);
	lock->holder = self();
}

/* The chain of now ends with the lock that is waited for: spin_check_take() has put it there. */
void spin_check_stuck(const struct spinlock *lock)
{
	u32 holder = READ_ONCE(lock->holder);
	struct str name = classes[class_of(lock)].name;

	report_begin(NULL, 0, NULL);
	report.all = !holder;
	if (!holder)
		panic("lockdep: %.*s is nobody's, and not to be had: %lu drawn, %lu served",
		      STR_ARG(name), READ_ONCE(lock->next), READ_ONCE(lock->serving));
	chain_of(&owner, &pcpus[holder - 1]);
	report.then = &owner;
	panic("lockdep: hart %u waits for %.*s, which hart %u does not release", this_cpu()->index,
	      STR_ARG(name), holder - 1);
}

void spin_check_release(struct spinlock *lock)
{
	if (panic_in_progress())
		return;
	if (lock->holder != self())
		panic("lock of rank %d released by who does not hold it", lock->rank);
	lock->holder = 0;
	held_pop(lock);
}

void spin_check_held(const struct spinlock *lock)
{
	if (lock->holder != self() && !panic_in_progress() && !spin_is_left_out(lock))
		panic("lock of rank %d is not held", lock->rank);
}

void lockdep_check_free(const char *what)
{
	uptr where = (uptr)__builtin_return_address(0);

	if (!this_cpu()->lock_count || panic_in_progress())
		return;
	report_begin(NULL, 0, NULL);
	panic_from(where, "lockdep: task %.*s %s while it holds a lock",
		   STR_ARG(task_current_name()), what);
}

/* ---- A class that is left out ---- */

enum lock_rank lock_left_out;

static void leave_out(void)
{
	struct str name = bootargs_find(STR("unlocked")).value;

	if (str_is_empty(name))
		return;
	for (u32 i = 0; i < LOCK_CLASSES; i++)
		if (str_eq(classes[i].name, name))
			lock_left_out = classes[i].rank;
	pr_warn("lockdep: unlocked=%.*s: %s", STR_ARG(name),
		lock_left_out ? "expect the worst" : "there is no such lock");
}
INIT_HOOK(EARLY, leave_out);
