/*
 * The commands that look at memory: who holds how much of it, and where an address leads.
 *
 * Figures are taken once a command and printed afterwards, so lines of one answer belong to the same
 * moment: in `mem types` the types and what is free add up to the total.
 */
#include <mazu/board.h>
#include <mazu/kernel_map.h>
#include <mazu/kmalloc.h>
#include <mazu/page.h>
#include <mazu/shell.h>
#include <mazu/tlb.h>

#define PAGES_FORMAT "%-9.*s %8lu pages  %9lu KiB"
#define PAGES_ARG(name, pages) STR_ARG(name), pages, (pages) << (PAGE_SHIFT - 10)

/* ---- mem ---- */

static u64 largest_block(const struct page_statistics *s)
{
	for (u32 order = BUDDY_ORDERS; order-- > 0;)
		if (s->blocks[order] > 0)
			return 1UL << order;
	return s->cached > 0 ? 1 : 0;
}

static void mem_summary(struct shell *sh, const struct page_statistics *s)
{
	const struct {
		struct str name;
		u64 pages;
		struct str what;
	} facts[] = {
		{ STR("total"), s->total, STR("usable memory, and what was taken of it at boot") },
		{ STR("held"), s->total - s->free, STR("see mem types") },
		{ STR("free"), s->free, STR("for whoever asks") },
		{ STR("cached"), s->cached,
		  STR("of the free ones: at hand on a hart; see mem harts") },
		{ STR("largest"), largest_block(s), STR("free block; see mem blocks") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		shell_printf(sh, PAGES_FORMAT "  %.*s\n", PAGES_ARG(facts[i].name, facts[i].pages),
			     STR_ARG(facts[i].what));
}

static void mem_types(struct shell *sh, const struct page_statistics *s)
{
	for (enum page_type type = 0; type < PAGE_TYPE_COUNT; type++)
		shell_printf(sh, PAGES_FORMAT "  %.*s\n",
			     PAGES_ARG(page_type_name(type), s->held[type]),
			     STR_ARG(page_type_what(type)));
	shell_printf(sh, PAGES_FORMAT "\n", PAGES_ARG(STR("free"), s->free));
	shell_printf(sh, PAGES_FORMAT "\n", PAGES_ARG(STR("total"), s->total));
}

static void mem_slabs(struct shell *sh, __maybe_unused const struct page_statistics *s)
{
	struct kmalloc_statistics class;

	for (u32 i = 0; !kmalloc_statistics(i, &class); i++)
		shell_printf(sh, "%5u bytes %7u in use %7u at hand %7u pages\n", class.size,
			     class.in_use, class.reserved, class.slabs);
}

static void mem_blocks(struct shell *sh, const struct page_statistics *s)
{
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		shell_printf(sh, "order %2u  %5lu KiB  %8lu free\n", order,
			     PAGE_SIZE << order >> 10, s->blocks[order]);
	shell_printf(sh, "cached    %5lu KiB  %8lu free\n", PAGE_SIZE >> 10, s->cached);
}

static void mem_harts(struct shell *sh, __maybe_unused const struct page_statistics *s)
{
	for (u32 hart = 0; hart < board.hart_count; hart++) {
		shell_printf(sh, "hart %u  %4lu pages %5lu objects at hand", hart,
			     page_cached(hart), kmalloc_cached(hart));
		if (IS_ENABLED(CONFIG_SMP))
			shell_printf(sh, "  %lu shootdowns", tlb_shootdowns(hart));
		shell_printf(sh, "\n");
	}
}

SHELL_COMMAND(mem, "[WHAT]", "memory; WHAT: types, slabs, blocks or harts")
{
	static const struct {
		struct str name;
		void (*print)(struct shell *sh, const struct page_statistics *s);
	} views[] = {
		{ STR(""), mem_summary },    { STR("types"), mem_types },
		{ STR("slabs"), mem_slabs }, { STR("blocks"), mem_blocks },
		{ STR("harts"), mem_harts },
	};
	struct page_statistics s;

	page_statistics(&s);
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (str_eq(views[i].name, arguments)) {
			views[i].print(sh, &s);
			return;
		}
	shell_printf(sh, "usage: mem [types|slabs|blocks|harts]\n");
}

/* ---- pt ---- */

static void rights_print(struct shell *sh, u32 rights)
{
	static const char *const names[] = { "read", "write", "execute", "user" };
	const char *before = "rights    ";

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (rights >> i & 1) {
			shell_printf(sh, "%s%s", before, names[i]);
			before = ", ";
		}
	shell_printf(sh, "\n");
}

static void leaf_print(struct shell *sh, uptr address, u64 entry, u32 level)
{
	static const char *const sizes[PT_LEVELS] = { "4 KiB", "2 MiB", "1 GiB" };
	u64 offset = address & (pt_level_size(level) - 1);

	shell_printf(sh, "address   0x%lx\n", address);
	shell_printf(sh, "physical  0x%lx\n", pte_physical(entry) + offset);
	shell_printf(sh, "page      %s at 0x%lx\n", sizes[level], address - offset);
	rights_print(sh, pte_rights(entry));
}

SHELL_COMMAND(pt, "ADDRESS", "what the kernel's page table says of ADDRESS")
{
	struct result_u64 address = str_to_u64(arguments);

	if (address.err || address.value >= PT_ADDRESS_END) {
		shell_printf(sh, "usage: pt ADDRESS (decimal or 0x..., below 0x%lx)\n",
			     PT_ADDRESS_END);
		return;
	}
	if (!kernel_map_is_on()) {
		shell_printf(sh, "translation is off: every address is physical\n");
		return;
	}

	/* one look at one entry; the tables on the way last as long as the kernel's map */
	struct pt_slot slot = pt_walk(&kernel_pagetable, address.value);
	u64 entry = READ_ONCE(*slot.entry);

	if (pte_is_valid(entry))
		leaf_print(sh, address.value, entry, slot.level);
	else
		shell_printf(sh, "0x%lx: nothing is mapped there\n", address.value);
}
