/*
 * Addresses are what they are on the machine: the host's tests put their memory at low ones.
 */
#include "../../../../arch/riscv64/include/arch/memory.h"
