/*
 * init.h - what runs at boot, and in what order.
 *
 * Two kinds of start-up code register themselves through the linker:
 *
 *	INIT_HOOK(CORE, irq_table_init);
 *		needs nothing but what lower levels set up, and cannot fail
 *
 *	INIT_TASK(uart, uart_init, "plic", "time");
 *		has a name, may fail, and names the tasks that must have succeeded before it
 *
 * Hooks run level by level. Then the tasks run in an order that respects every dependency. A task
 * that depends on one that failed, or on itself through others, or on nothing that exists,
 * does not run; the boot says so by name and goes on with the rest.
 */
#ifndef MAZU_INIT_H
#define MAZU_INIT_H

#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

#define INIT_DEPENDENCIES_MAX 8
#define INIT_TASKS_MAX 64

enum init_level { INIT_EARLY, INIT_CORE, INIT_LATE, INIT_LEVELS };

struct init_hook {
	enum init_level level;
	void (*run)(void);
};

struct init_task {
	struct str name;
	enum error (*run)(void);
	struct str dependencies[INIT_DEPENDENCIES_MAX]; /* empty names at the end */
};

#define INIT_HOOK(level_, function)                                                                \
	static const struct init_hook init_hook_##function                                         \
		__attribute__((used, section("init_hooks"))) = { INIT_##level_, function }

#define INIT_TASK(name_, function, ...)                                                            \
	static const struct init_task init_task_##name_                                            \
		__attribute__((used, section("init_tasks"), aligned(8))) = {                       \
			STR(#name_), function, { INIT_NAMES(__VA_ARGS__) }                         \
		}

/* INIT_NAMES("a", "b") is STR("a"), STR("b"). */
#define INIT_NAMES(...)                                                                            \
	INIT_PICK(_, ##__VA_ARGS__, INIT_N8, INIT_N7, INIT_N6, INIT_N5, INIT_N4, INIT_N3, INIT_N2, \
		  INIT_N1, INIT_N0)                                                                \
	(__VA_ARGS__)
#define INIT_PICK(_0, _1, _2, _3, _4, _5, _6, _7, _8, pick, ...) pick
#define INIT_N0()
#define INIT_N1(a) STR(a)
#define INIT_N2(a, ...) STR(a), INIT_N1(__VA_ARGS__)
#define INIT_N3(a, ...) STR(a), INIT_N2(__VA_ARGS__)
#define INIT_N4(a, ...) STR(a), INIT_N3(__VA_ARGS__)
#define INIT_N5(a, ...) STR(a), INIT_N4(__VA_ARGS__)
#define INIT_N6(a, ...) STR(a), INIT_N5(__VA_ARGS__)
#define INIT_N7(a, ...) STR(a), INIT_N6(__VA_ARGS__)
#define INIT_N8(a, ...) STR(a), INIT_N7(__VA_ARGS__)

/* ---- The order ---- */

/* A task as the sort sees it: numbers for names. */
struct init_node {
	u16 dependency_count;
	u16 dependencies[INIT_DEPENDENCIES_MAX]; /* indices of nodes; may repeat */
};

/*
 * Orders nodes 0..count-1 so that each comes after all its dependencies; of those that could
 * come next, the one that became free first, and by index where that is equal. Writes the
 * order to `order` (room for count) and returns how many nodes it holds: fewer than count when
 * there is a cycle, and then exactly the nodes that do not depend on one. Every index in
 * `nodes` is < count, and count <= INIT_TASKS_MAX.
 */
size_t init_sort(const struct init_node *nodes, size_t count, u16 *order);

/* ---- Running ---- */

enum init_state {
	INIT_WAITING, /* not its turn yet */
	INIT_DONE,
	INIT_FAILED,  /* returned an error */
	INIT_BLOCKED, /* a dependency did not succeed */
	INIT_MISSING, /* depends on a name that no task has */
	INIT_CYCLE,   /* depends on itself */
};

/* One line of the report, in the order of running; those that never ran come last. */
struct init_status {
	const struct init_task *task;
	enum init_state state;
	enum error err; /* of INIT_FAILED */
	u64 took_ns;
};

void init_run_hooks(enum init_level level);
void init_run_tasks(void);

/* ERR_NOENT after the last. */
enum error __must_check init_status(size_t index, struct init_status *status);

#endif
