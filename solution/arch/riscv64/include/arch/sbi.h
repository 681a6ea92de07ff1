/*
 * The firmware's services (Supervisor Binary Interface) that only this architecture's code asks for;
 * those that any firmware has are in firmware.h.
 *
 * Extensions are probed, never assumed from a version. The legacy console is
 * the exception: it is older than probing, and every firmware for this machine
 * has it; what it does not have it refuses with an error that we ignore.
 *
 * Source: RISC-V SBI specification 1.0.
 */
#ifndef ARCH_SBI_H
#define ARCH_SBI_H

#include <mazu/types.h>

struct sbi_info {
	u64 spec_version; /* major << 24 | minor */
	u64 implementation;
	u64 implementation_version;
};

void sbi_identify(struct sbi_info *info);
bool sbi_has_time(void);
void sbi_set_timer(u64 deadline_ticks);

#endif
