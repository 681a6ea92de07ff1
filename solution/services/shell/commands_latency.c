/*
 * latency: how long interrupts and preemption were off, and how long tasks waited for the hart.
 */
#include <mazu/latency.h>
#include <mazu/shell.h>
#include <mazu/symbols.h>

/* A row of the histogram; the usual short moment without interrupts is not counted at all. */
static void bin_print(struct shell *sh, const struct latency *latency, u32 bin)
{
	u64 all = 0;

	for (u32 kind = 0; kind < LATENCY_KINDS; kind++)
		all += latency->kinds[kind].bins[bin];
	if (!all)
		return;
	shell_printf(sh, "%c %-7lu", bin == LATENCY_BINS - 1 ? '>' : '<',
		     bin == LATENCY_BINS - 1 ? 1UL << (LATENCY_BIN_SHIFT + bin - 1)
					     : 1UL << (LATENCY_BIN_SHIFT + bin));
	for (u32 kind = 0; kind < LATENCY_KINDS; kind++)
		if (kind == LATENCY_IRQ_OFF && bin == 0)
			shell_printf(sh, " %12s", "-");
		else
			shell_printf(sh, " %12lu", latency->kinds[kind].bins[bin]);
	shell_printf(sh, "\n");
}

/* Where the longest ended. */
static void where_print(struct shell *sh, const struct latency *latency, enum latency_kind kind)
{
	const struct latency_histogram *histogram = &latency->kinds[kind];
	struct symbol symbol = symbol_find_return(histogram->where);

	if (histogram->max)
		shell_printf(sh, "longest %.*s ended in %.*s+0x%lx\n",
			     STR_ARG(latency_kind_name(kind)), STR_ARG(symbol.name), symbol.offset);
}

static void latency_print(struct shell *sh, u32 hart, const struct latency *latency)
{
	shell_printf(sh, "hart %-4u", hart);
	for (u32 kind = 0; kind < LATENCY_KINDS; kind++)
		shell_printf(sh, " %12.*s", STR_ARG(latency_kind_name(kind)));
	shell_printf(sh, "   cycles\nlongest  ");
	for (u32 kind = 0; kind < LATENCY_KINDS; kind++)
		shell_printf(sh, " %12lu", latency->kinds[kind].max);
	shell_printf(sh, "\n");
	for (u32 kind = 0; kind < LATENCY_KINDS; kind++)
		where_print(sh, latency, kind);
	for (u32 bin = 0; bin < LATENCY_BINS; bin++)
		bin_print(sh, latency, bin);
}

SHELL_COMMAND(latency, "[reset]", "how long interrupts were off, preemption was, tasks waited")
{
	struct latency latency;

	if (str_eq(arguments, STR("reset"))) {
		latency_reset();
		return;
	}
	if (!str_is_empty(arguments)) {
		shell_printf(sh, "usage: latency [reset]\n");
		return;
	}
	for (u32 hart = 0; hart < CONFIG_CPU_MAX; hart++)
		if (pcpus[hart].latency && !latency_read(hart, &latency))
			latency_print(sh, hart, &latency);
}
