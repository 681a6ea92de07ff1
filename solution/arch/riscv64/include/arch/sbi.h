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

/* HSM, IPI and RFENCE are all there. */
bool sbi_has_harts(void);
/* Not 0: the firmware's error. */
long sbi_hart_start(u64 hart_id, u64 entry_physical, u64 opaque);
/* To harts base + n, for each bit n of mask. The second returns when all have done it; asid 0: all spaces. */
void sbi_send_ipi(u64 mask, u64 base);
void sbi_remote_flush(u64 mask, u64 base, u64 start, u64 size, u16 asid);

#endif
