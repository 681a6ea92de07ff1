# What the engine must know about RISC-V: whose gcc, and how to call it.
#
# The ISA is what every RV64 board that boots through OpenSBI has; Sstc is found at run time. gp belongs to
# the kernel (the hart's data): kernel.lds.S leaves __global_pointer$ undefined, so that the linker has
# nothing to relax through it; tools/symbols.py makes sure. _LIBC_LIMITS_H_ keeps a hosted gcc's limits.h from
# asking for a libc's.

arch-prefixes := riscv64-unknown-elf- riscv64-elf- riscv64-none-elf- riscv64-linux-gnu-
arch-flags := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mstack-protector-guard=global \
	-D_LIBC_LIMITS_H_
arch-includes := arch/riscv64/include
arch-script := arch/riscv64/kernel.lds.S
