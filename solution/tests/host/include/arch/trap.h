/*
 * What the allocators ask of traps: whether there is memory at an address. Here, whether it is in
 * that of the host's machine (machine.h).
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <mazu/types.h>

bool arch_readable(uptr start, size_t size);
bool arch_keeps_word(uptr address);

#endif
