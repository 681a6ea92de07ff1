/*
 * mmio.h - device registers.
 *
 * Each access happens once, with its stated width, in program order with other accesses to
 * devices (the platform's I/O regions are strongly ordered). Order against ordinary memory,
 * where a device reads it, is the driver's business.
 */
#ifndef MAZU_MMIO_H
#define MAZU_MMIO_H

#include <mazu/types.h>

static inline u8 mmio_read8(uptr address)
{
	return *(volatile u8 *)address;
}

static inline void mmio_write8(uptr address, u8 value)
{
	*(volatile u8 *)address = value;
}

static inline u32 mmio_read32(uptr address)
{
	return *(volatile u32 *)address;
}

static inline void mmio_write32(uptr address, u32 value)
{
	*(volatile u32 *)address = value;
}

#endif
