/*
 * Running what registered itself to run at boot (init.h).
 *
 * Names become numbers, numbers are put in order (init_sort.c), and the tasks run, each one timed.
 * What the sort leaves over depends on itself; from any such task, following dependencies that
 * are left over too must lead round in a circle within as many steps as there are tasks, and
 * that circle is named.
 *
 * The state is written by the boot hart alone, before there is anybody to read it.
 */
#include <mazu/bytes.h>
#include <mazu/fmt.h>
#include <mazu/init.h>
#include <mazu/panic.h>
#include <mazu/printk.h>
#include <mazu/smp.h>
#include <mazu/time.h>

extern const struct init_hook __start_init_hooks[], __stop_init_hooks[];
extern const struct init_task __start_init_tasks[], __stop_init_tasks[];

static const struct init_task *const tasks = __start_init_tasks;
static size_t task_count;
static struct init_node nodes[INIT_TASKS_MAX];
static u16 order[INIT_TASKS_MAX];
static struct {
	enum init_state state;
	enum error err;
	u64 took_ns;
	bool sorted;
} results[INIT_TASKS_MAX];

void init_run_hooks(enum init_level level)
{
	for (const struct init_hook *hook = __start_init_hooks; hook < __stop_init_hooks; hook++)
		if (hook->level == level)
			hook->run();
}

static struct result_sz task_find(struct str name)
{
	for (size_t i = 0; i < task_count; i++)
		if (str_eq(tasks[i].name, name))
			return result_sz_ok(i);
	return result_sz_err(ERR_NOENT);
}

/* The dependencies of task i as numbers. One that is missing marks the task and makes no edge. */
static void task_resolve(size_t i)
{
	const struct init_task *task = &tasks[i];

	for (size_t d = 0; d < INIT_DEPENDENCIES_MAX && task->dependencies[d].len; d++) {
		struct result_sz found = task_find(task->dependencies[d]);

		if (found.err) {
			results[i].state = INIT_MISSING;
			pr_err("init: %.*s needs %.*s, which does not exist", STR_ARG(task->name),
			       STR_ARG(task->dependencies[d]));
		} else {
			nodes[i].dependencies[nodes[i].dependency_count++] = (u16)found.value;
		}
	}
}

/* ---- Cycles ---- */

/* The first dependency of i that the sort left over. A task that was left over has one. */
static u16 left_over_dependency(u16 i)
{
	for (size_t d = 0; d < nodes[i].dependency_count; d++)
		if (!results[nodes[i].dependencies[d]].sorted)
			return nodes[i].dependencies[d];
	panic("init: the sort left out task %.*s, which waits for nothing", STR_ARG(tasks[i].name));
}

static void cycle_report(u16 start)
{
	u8 text[PRINTK_LINE_MAX];
	struct byte_buf buf = BYTE_BUF(text);
	u16 at = start;

	for (size_t step = 0; step < task_count; step++)
		at = left_over_dependency(at);
	fmt(&buf, "%.*s", STR_ARG(tasks[at].name));
	for (u16 next = left_over_dependency(at), step = 0; step < task_count; step++) {
		fmt(&buf, " needs %.*s", STR_ARG(tasks[next].name));
		if (next == at)
			break;
		next = left_over_dependency(next);
	}
	pr_err("init: cycle: %.*s", STR_ARG(byte_buf_to_str(&buf)));
}

/* Appends what the sort left over to the order, for the report, and names a cycle. */
static void cycle_find(size_t sorted)
{
	size_t end = sorted;

	for (size_t i = 0; i < sorted; i++)
		results[order[i]].sorted = true;
	for (size_t i = 0; i < task_count; i++) {
		if (results[i].sorted)
			continue;
		order[end++] = (u16)i;
		if (results[i].state == INIT_WAITING)
			results[i].state = INIT_CYCLE;
	}
	if (end > sorted)
		cycle_report(order[sorted]);
}

/* ---- Running ---- */

static bool dependencies_done(u16 i)
{
	for (size_t d = 0; d < nodes[i].dependency_count; d++)
		if (results[nodes[i].dependencies[d]].state != INIT_DONE)
			return false;
	return true;
}

static void task_run(u16 i)
{
	u64 start = time_now_ns();

	results[i].err = tasks[i].run();
	results[i].state = results[i].err ? INIT_FAILED : INIT_DONE;
	results[i].took_ns = time_now_ns() - start;
	if (results[i].err)
		pr_err("init: %.*s failed: %.*s", STR_ARG(tasks[i].name),
		       STR_ARG(error_name(results[i].err)));
}

static void task_consider(u16 i)
{
	if (results[i].state != INIT_WAITING)
		return;
	if (dependencies_done(i)) {
		task_run(i);
	} else {
		results[i].state = INIT_BLOCKED;
		pr_err("init: %.*s not started: something it needs did not",
		       STR_ARG(tasks[i].name));
	}
}

void init_run_tasks(void)
{
	size_t sorted;

	ASSERT(!harts_are_many());
	task_count = (size_t)(__stop_init_tasks - __start_init_tasks);
	if (task_count > INIT_TASKS_MAX)
		panic("init: %zu tasks, room for %d", task_count, INIT_TASKS_MAX);
	for (size_t i = 0; i < task_count; i++)
		task_resolve(i);
	sorted = init_sort(nodes, task_count, order);
	cycle_find(sorted);
	for (size_t i = 0; i < sorted; i++)
		task_consider(order[i]);
}

enum error init_status(size_t index, struct init_status *status)
{
	if (index >= task_count)
		return ERR_NOENT;
	*status = (struct init_status){
		.task = &tasks[order[index]],
		.state = results[order[index]].state,
		.err = results[order[index]].err,
		.took_ns = results[order[index]].took_ns,
	};
	return OK;
}
