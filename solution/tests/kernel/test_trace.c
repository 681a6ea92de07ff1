/*
 * The event ring: what is written is read, oldest first, and a switch leaves the right events.
 *
 * Interrupts are off while a test writes and reads what it counts, so that nobody else writes between.
 */
#include <arch/cpu.h>
#include <mazu/selftest.h>
#include <mazu/task.h>
#include <mazu/time.h>
#include <mazu/trace.h>

static u32 hart(void)
{
	return this_cpu()->index;
}

/* Event `index`; all zero where there is none. */
static struct trace_event at(u64 index)
{
	struct trace_event event = { 0 };

	if (trace_read(hart(), index, &event))
		return (struct trace_event){ 0 };
	return event;
}

static bool is_event(struct trace_event event, enum trace_type type, u32 id, u32 extra)
{
	return event.type == type && event.id == id && event.extra == extra;
}

/* Interrupts off, and nothing in the ring but its beginning; again, if one came just then. */
static bool begin_alone(void)
{
	bool irqs;

	for (;;) {
		trace_clear();
		irqs = arch_irq_save();
		if (trace_count(hart()) == 1)
			return irqs;
		arch_irq_restore(irqs);
	}
}

SELFTEST(trace_order, "events are read in the order in which they were written, all fields of them")
{
	bool irqs = begin_alone();
	struct trace_event event;

	trace(5, TRACE_MARK, 1, 0xffff);
	trace(UINT64_MAX, TRACE_TYPES, UINT32_MAX, 0x12345);
	CHECK_EQ(t, trace_count(hart()), 3);
	CHECK(t, is_event(at(0), TRACE_NONE, task_id(task_current()), 0));
	CHECK(t, is_event(at(1), TRACE_MARK, 1, 0xffff) && at(1).ticks == 5);
	CHECK(t, is_event(at(2), TRACE_TYPES, UINT32_MAX, 0x2345) && at(2).ticks == UINT64_MAX);
	CHECK_EQ(t, trace_read(hart(), 3, &event), ERR_NOENT);
	CHECK_EQ(t, trace_read(hart(), UINT64_MAX, &event), ERR_NOENT);
	arch_irq_restore(irqs);
}

SELFTEST(trace_no_hart, "a hart that is not there has no events")
{
	struct trace_event event;

	CHECK_EQ(t, trace_count(CONFIG_CPU_MAX), 0);
	CHECK_EQ(t, trace_read(CONFIG_CPU_MAX, 0, &event), ERR_RANGE);
}

SELFTEST(trace_off, "off, nothing is written; on again, the first event says who has the hart")
{
	trace_clear();
	trace_set(false);
	CHECK(t, !trace_is_on());
	trace(1, TRACE_MARK, 1, 1);
	trace_clear();
	CHECK(t, !trace_is_on());
	CHECK_EQ(t, trace_count(hart()), 0);
	trace_set(true);
	trace_set(true);
	CHECK(t, trace_is_on());
	CHECK(t, is_event(at(0), TRACE_NONE, task_id(task_current()), 0));
}

SELFTEST(trace_wraps, "the newest overwrite the oldest")
{
	bool irqs = begin_alone();
	struct trace_event event;

	for (u32 i = 0; i < TRACE_SIZE + 5; i++)
		trace(i, TRACE_MARK, i, 0);
	CHECK_EQ(t, trace_count(hart()), TRACE_SIZE);
	CHECK_EQ(t, at(0).id, 5);
	CHECK_EQ(t, at(TRACE_SIZE - 1).id, TRACE_SIZE + 4);
	CHECK_EQ(t, trace_read(hart(), TRACE_SIZE, &event), ERR_NOENT);
	arch_irq_restore(irqs);
}

/* ---- What the scheduler writes ---- */

static u64 run_nothing(void *unused)
{
	(void)unused;
	return 0;
}

/* The next event of these two tasks that says who became what; interrupts are left out. */
static struct trace_event next_of(u64 *index, u32 one, u32 other)
{
	for (; *index < trace_count(hart()); (*index)++) {
		struct trace_event event = at(*index);

		if ((event.id == one || event.id == other) &&
		    (event.type == TRACE_READY || event.type == TRACE_SWITCH ||
		     (event.type == TRACE_BLOCK && event.extra == 4))) {
			(*index)++;
			return event;
		}
	}
	return (struct trace_event){ 0 };
}

SELFTEST(trace_of_a_task, "a more urgent task: ready, runs, ends, and its creator runs again")
{
	struct task_attributes attributes = {
		.name = STR("urgent"),
		.params = { .policy = SCHED_FIFO, .priority = CONFIG_SCHED_NPRIO - 1 },
	};
	u32 own = task_id(task_current());
	struct result_task task;
	u64 index = 0;

	trace_clear();
	task = task_create(&attributes, run_nothing, NULL);
	trace_set(false);
	if (!task.err) {
		u32 id = task_id(task.value);

		CHECK(t, is_event(next_of(&index, id, own), TRACE_READY, id, 3));
		CHECK(t, next_of(&index, id, own).id == id);
		CHECK(t, is_event(next_of(&index, id, own), TRACE_BLOCK, id, 4));
		CHECK(t, next_of(&index, id, own).id == own);
		CHECK(t, !task_join(task.value).err);
	}
	trace_set(true);
	REQUIRE(t, !task.err);
}
