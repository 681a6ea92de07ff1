/*
 * ring.h - bytes from one producer to one consumer, without a lock.
 *
 * The producer writes `head`, the consumer writes `tail`, nobody writes both. Both only ever
 * count up and wrap with their type; their difference is the fill level, and the index of a byte
 * is its count modulo the capacity, a power of two. So a full ring and an empty one look
 * different and no slot is wasted (the idea is in the Linux kernel's kfifo).
 *
 * Order of memory: the producer stores the bytes before it publishes them with a release store
 * to `head`; the consumer loads `head` with acquire before it reads them. The other way round,
 * the consumer is done reading before it releases `tail`, and the producer acquires `tail`
 * before it overwrites. Producer and consumer may be two harts, or an interrupt handler and
 * the code it interrupts. Several producers (or consumers) need a lock of their own.
 *
 * A byte that does not fit is refused and counted: the oldest data wins, as a UART's FIFO does.
 */
#ifndef MAZU_RING_H
#define MAZU_RING_H

#include <mazu/bytes.h>
#include <mazu/mem.h>
#include <mazu/types.h>

struct ring {
	u8 *data;
	u32 capacity; /* a power of two */
	u32 head;     /* bytes ever put; producer writes */
	u32 tail;     /* bytes ever taken; consumer writes */
	u64 dropped;  /* bytes refused; producer writes, anybody may read */
};

/* A static initialiser over an array; a size that is no power of two does not compile. */
#define RING_INIT(array)                                                                           \
	{                                                                                          \
		.data = (array),                                                                   \
		.capacity = sizeof(array) +                                                        \
			    0 * sizeof(char[1 - 2 * ((sizeof(array) & (sizeof(array) - 1)) != 0)]) \
	}

/* Bytes to read now. Exact for the consumer at that moment, a lower bound soon after. */
static inline u32 ring_used(const struct ring *ring)
{
	u32 tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - tail;
}

/* Producer: adds one byte. False, and counted as dropped, when the ring is full. */
static inline bool ring_put(struct ring *ring, u8 byte)
{
	u32 head = ring->head;

	if (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) == ring->capacity) {
		WRITE_ONCE(ring->dropped, ring->dropped + 1);
		return false;
	}
	ring->data[head & (ring->capacity - 1)] = byte;
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* Producer: how many bytes it could add now. */
static inline u32 ring_free(const struct ring *ring)
{
	return ring->capacity - (ring->head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE));
}

/* Producer: adds the bytes together, the consumer sees all of them or none. What does not fit is dropped. */
static inline void ring_write(struct ring *ring, struct byte_view bytes)
{
	u32 len = (u32)MIN(bytes.len, (size_t)ring_free(ring));
	u32 at = ring->head & (ring->capacity - 1), first = MIN(len, ring->capacity - at);

	memcpy(ring->data + at, bytes.data, first);
	memcpy(ring->data, bytes.data + first, len - first);
	WRITE_ONCE(ring->dropped, ring->dropped + (bytes.len - len));
	__atomic_store_n(&ring->head, ring->head + len, __ATOMIC_RELEASE);
}

/* Consumer: takes the oldest byte. False when the ring is empty. */
static inline bool ring_get(struct ring *ring, u8 *byte)
{
	u32 tail = ring->tail;

	if (__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) == tail)
		return false;
	*byte = ring->data[tail & (ring->capacity - 1)];
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

#endif
