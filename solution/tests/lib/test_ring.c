/* test_ring.c - criteria for ring.h. Concurrency is for the machine's tests; this is the logic. */
#include <mazu/ring.h>
#include <mazu/selftest.h>

SELFTEST(ring_order, "bytes come out in the order in which they went in, across the wrap")
{
	u8 room[8];
	struct ring ring = RING_INIT(room);
	u8 byte = 0;

	for (u32 i = 0; i < 100; i++) {
		CHECK(t, ring_put(&ring, (u8)i));
		CHECK(t, ring_put(&ring, (u8)(i + 100)));
		CHECK_EQ(t, ring_used(&ring), 2);
		CHECK(t, ring_get(&ring, &byte) && byte == (u8)i);
		CHECK(t, ring_get(&ring, &byte) && byte == (u8)(i + 100));
	}
	CHECK(t, !ring_get(&ring, &byte));
	CHECK_EQ(t, ring.dropped, 0);
}

SELFTEST(ring_full, "a full ring refuses and counts new bytes and keeps the old ones")
{
	u8 room[4];
	struct ring ring = RING_INIT(room);
	u8 byte = 0;

	for (u8 i = 0; i < 6; i++)
		CHECK_EQ(t, ring_put(&ring, i), i < 4);
	CHECK_EQ(t, ring.dropped, 2);
	CHECK_EQ(t, ring_used(&ring), 4);
	for (u8 i = 0; i < 4; i++)
		CHECK(t, ring_get(&ring, &byte) && byte == i);
	CHECK(t, !ring_get(&ring, &byte));
}

SELFTEST(ring_count_wrap, "the counters may wrap around 2^32 while the ring is in use")
{
	u8 room[4];
	struct ring ring = RING_INIT(room);
	u8 byte = 0;

	ring.head = ring.tail = UINT32_MAX - 1;
	for (u8 i = 0; i < 5; i++)
		CHECK_EQ(t, ring_put(&ring, i), i < 4);
	CHECK_EQ(t, ring_used(&ring), 4);
	for (u8 i = 0; i < 4; i++)
		CHECK(t, ring_get(&ring, &byte) && byte == i);
}

SELFTEST(ring_write,
	 "many bytes at once, across the end of the room; what does not fit is dropped, "
	 "and counted")
{
	u8 room[8];
	struct ring ring = RING_INIT(room);
	u8 byte = 0;

	for (u8 i = 0; i < 20; i++) {
		const u8 bytes[] = { i, 100, 101, 102, i };

		ring_write(&ring, (struct byte_view){ bytes, sizeof(bytes) });
		CHECK_EQ(t, ring_free(&ring), 3);
		for (u32 at = 0; at < sizeof(bytes); at++)
			CHECK(t, ring_get(&ring, &byte) && byte == bytes[at]);
	}
	CHECK_EQ(t, ring.dropped, 0);
	ring_write(&ring, (struct byte_view){ (const u8 *)"abcdefghij", 10 });
	CHECK_EQ(t, ring_free(&ring), 0);
	CHECK_EQ(t, ring.dropped, 2);
	for (u8 i = 0; i < 8; i++)
		CHECK(t, ring_get(&ring, &byte) && byte == 'a' + i);
	CHECK(t, !ring_get(&ring, &byte));
}
