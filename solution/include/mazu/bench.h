/*
 * bench.h - measuring the kernel in its own instructions.
 *
 *	BENCHMARK(page_alloc, NULL, NULL) { ...one operation... }
 *
 * `bench[=PATTERN]` on the command line runs them at the prompt and prints, one line each,
 *
 *	bench NAME mean N worst N
 *
 * in clock cycles, which QEMU's -icount shift=0,sleep=off makes instructions. An operation runs
 * BENCH_ROUNDS times; the cost of calling an empty one is subtracted from each. With `histogram` on the command
 * line too, every cost that a figure had is a line `hist NAME COST COUNT`: tools/histograms draws them.
 */
#ifndef MAZU_BENCH_H
#define MAZU_BENCH_H

#include <mazu/str.h>
#include <mazu/types.h>

#define BENCH_ROUNDS 1000

/* From stage 3 on: benchmarks run in a task of this fixed priority. */
#define BENCH_PRIORITY 20

struct benchmark {
	struct str name;
	void (*begin)(void); /* or NULL */
	/* 0: count the whole call; else this many cycles, for what the body timed itself. */
	u64 (*run)(void);
	void (*end)(void); /* or NULL */
	u32 rounds;
};

/* A line of a histogram, where they are wanted. */
void bench_histogram_line(struct str name, u64 cost, u64 count);

#define BENCHMARK(name_, begin_, end_) BENCHMARK_ROUNDS(name_, BENCH_ROUNDS, begin_, end_)

#define BENCHMARK_ROUNDS(name_, rounds_, begin_, end_)                                             \
	static u64 bench_##name_(void);                                                            \
	static const struct benchmark benchmark_##name_                                            \
		__attribute__((used, section("benchmarks"), aligned(8))) = { STR(#name_), begin_,  \
									     bench_##name_, end_,  \
									     rounds_ };            \
	static u64 bench_##name_(void)

#endif
