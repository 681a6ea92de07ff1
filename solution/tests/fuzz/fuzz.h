/*
 * fuzz.h - what every fuzz target shares: libFuzzer's entry point, and an assertion that stops it.
 *
 * A target checks what must hold for every input, not what one input gives. __builtin_trap() is
 * a finding for libFuzzer as a sanitizer's report is.
 */
#ifndef MAZU_TESTS_FUZZ_H
#define MAZU_TESTS_FUZZ_H

#include <mazu/types.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			__builtin_trap();                                                          \
	} while (0)

#endif
