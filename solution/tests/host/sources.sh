# What the host's tests and the fuzz targets share: sourced by their run scripts, from the top of the tree.
# shellcheck shell=sh disable=SC2034 # the variables are for those who source this

# All of lib/ but what the libc has.
lib_sources=
for source in solution/lib/*.c; do
	[ "$source" = solution/lib/mem.c ] || lib_sources="$lib_sources $source"
done

# The allocators and the areas: what of kernel/mm needs no page table, and what that stands on.
mm_sources="solution/kernel/lockdep.c solution/kernel/lockdep_check.c solution/kernel/bootargs.c"
for name in memmap buddy buddy_core page page_map page_boot kmalloc kmalloc_slab pool arena vma vma_check; do
	mm_sources="$mm_sources solution/kernel/mm/$name.c"
done

# The scheduler but for what waits, ends or starts on a stack; and callouts, and the clock.
sched_sources=solution/kernel/time.c
for name in sched sched_params change admission rt rt_pick rt_quantum fair fair_pick fair_check dl dl_admit dl_replenish balance_pick \
	budget domain mixed callout; do
	sched_sources="$sched_sources solution/kernel/sched/$name.c"
done

# What only the debug profile has.
mm_debug_sources=
for name in page_debug kmalloc_debug kmalloc_report alloc_trace fault_inject; do
	mm_debug_sources="$mm_debug_sources solution/kernel/mm/$name.c"
done

# The host's arch/ takes the place of the machine's; the addresses are those of machine.h.
host_flags="-include solution/tests/host/include/host_config.h
	-Isolution/tests/host/include -Isolution/include -fno-pie"
host_link="-no-pie -Wl,--defsym=_kernel_start=0x20200000,--defsym=_kernel_end=0x20300000
	-Wl,--defsym=_text_start=0x400000"
