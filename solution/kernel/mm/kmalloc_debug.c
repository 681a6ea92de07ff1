/*
 * The dress of an object in debug builds: what finds overruns, double frees, uses after free and
 * frees of the wrong size.
 *
 *	+--------+----------+------------------+-----------------------------+
 *	| record | red zone | the user's bytes | red zone to the slot's end  |
 *	+--------+----------+------------------+-----------------------------+
 *
 * The record says how many bytes the user asked for, whether the object is live, and who allocated
 * and who freed it; it lies in front because most mistakes run off the other end. Red zones hold a
 * pattern that nobody else writes, and so do the user's bytes once they are free. A freed object
 * does not go back at once: it waits in a quarantine, a ring, so that a late write hits memory that
 * is nobody's. It is looked at when it leaves, and again when it is given out. As an address the
 * pattern is one that cannot exist, so who follows a pointer from a freed object faults.
 *
 * Where a slot begins is computed from the address and its page's frame, so a pointer that somebody
 * made up is told from an object without trusting what it points to.
 *
 * A large object fills its block from the start. Its frame knows where it ends, and the rest of the
 * last page is a red zone; the pages themselves are poisoned and traced by page_debug.c.
 *
 * What is found is a broken invariant of ours, hence a panic (kmalloc_report.c).
 */
#include "kmalloc_internal.h"
#include "kmalloc_report.h"
#include "page_internal.h"

#include <mazu/mem.h>
#include <mazu/panic.h>

#define RED 0xb5
#define POISON 0x6b /* free */
#define FRESH 0x5d  /* allocated, and not written yet */
#define RED_ZONE 16
#define QUARANTINE 128

/* Mixed with the record's address and the size, so that neither a copy nor zeros look like one. */
enum record_state {
	RECORD_LIVE = 0x4c697665,
	RECORD_FREED = 0x46726565, /* in quarantine, or in a magazine or slab */
};

struct record {
	u64 next;  /* the slab's, while it has the slot */
	u32 state; /* enum record_state, mixed; 0: the slot was never used */
	u32 size;  /* the user's bytes */
	struct alloc_trace allocated;
	struct alloc_trace freed;
};

#define RECORD_ROOM (sizeof(struct record) + RED_ZONE) /* in front of the user's bytes */

static_assert(RECORD_ROOM + RED_ZONE == KMALLOC_OVERHEAD, "slots have room for the dress");
static_assert(KMALLOC_OVERHEAD % KMALLOC_ALIGN == 0 && RECORD_ROOM % KMALLOC_ALIGN == 0,
	      "objects stay aligned");

static struct {
	struct spinlock lock;
	struct record *at[QUARANTINE]; /* lock */
	u32 oldest;		       /* lock: where the next one goes */
	u32 waiting[KMALLOC_CLASSES];  /* lock */
} quarantine = { .lock = SPINLOCK_INIT(LOCK_QUARANTINE) };

/* ---- Where things are ---- */

static u8 *user_of(const struct record *record)
{
	return (u8 *)record + RECORD_ROOM;
}

static u32 class_of_record(const struct record *record)
{
	return frame_of(record)->size_class;
}

/* The record of the object at `user` in a slab, or NULL: none begins there. */
static struct record *record_find(const struct frame *slab, u8 *user)
{
	u32 slot = slot_size(slab->size_class), offset = (uptr)user & PAGE_MASK;

	if (offset % slot != RECORD_ROOM || offset / slot >= slab->carved)
		return NULL;
	return (struct record *)(user - RECORD_ROOM);
}

static u32 state_mixed(const struct record *record, enum record_state state)
{
	return (u32)state ^ (u32)(uptr)record ^ record->size;
}

static bool record_is(const struct record *record, enum record_state state)
{
	return record->state == state_mixed(record, state);
}

/* ---- Small objects ---- */

/* One past a slot's last byte, counted from the object's first. */
static long slot_end(const struct record *record)
{
	return (long)(slot_size(class_of_record(record)) - RECORD_ROOM);
}

static struct suspect suspect_small(const struct record *record, uptr caller)
{
	return (struct suspect){
		.object = user_of(record),
		.size = record->size,
		.allocated = &record->allocated,
		.freed = record_is(record, RECORD_FREED) ? &record->freed : NULL,
		.caller = caller,
	};
}

/* A free object: nobody has written to it. */
static void check_free(const struct record *record, uptr caller)
{
	struct suspect suspect = suspect_small(record, caller);
	long size = (long)record->size;

	if (!record_is(record, RECORD_FREED))
		panic_from(caller, "kmalloc: free object at 0x%lx: its record was overwritten",
			   (uptr)user_of(record));
	report_bytes(&suspect, 0, size, POISON, "use after free");
	report_bytes(&suspect, -RED_ZONE, 0, RED, "use after free");
	report_bytes(&suspect, size, slot_end(record), RED, "use after free");
}

static void *small_dress(struct record *record, size_t size, uptr caller)
{
	if (record->state != 0)
		check_free(record, caller);
	record->size = (u32)size;
	record->state = state_mixed(record, RECORD_LIVE);
	memset(user_of(record) - RED_ZONE, RED, (size_t)slot_end(record) + RED_ZONE);
	return memset(user_of(record), FRESH, size);
}

static void small_undress(struct record *record, size_t size, uptr caller)
{
	struct suspect suspect = suspect_small(record, caller);

	if (record_is(record, RECORD_FREED))
		report_double_free(&suspect);
	if (!record_is(record, RECORD_LIVE))
		report_no_object(suspect.object, size, caller);
	report_size(&suspect, size);
	report_bytes(&suspect, -RED_ZONE, 0, RED, "underrun");
	report_bytes(&suspect, (long)size, slot_end(record), RED, "overrun");
	record->state = state_mixed(record, RECORD_FREED);
	memset(user_of(record), POISON, size);
}

void kmalloc_debug_cut(void *slot)
{
	((struct record *)slot)->state = 0;
}

/* ---- The quarantine ---- */

/* Takes the place of the oldest; returns that, which may be NULL. */
static struct record *quarantine_swap(struct record *record)
{
	bool irqs = spin_lock_irqsave(&quarantine.lock);
	struct record *oldest = quarantine.at[quarantine.oldest];

	if (record)
		quarantine.waiting[class_of_record(record)]++;
	if (oldest)
		quarantine.waiting[class_of_record(oldest)]--;
	quarantine.at[quarantine.oldest] = record;
	quarantine.oldest = (quarantine.oldest + 1) % QUARANTINE;
	spin_unlock_irqrestore(&quarantine.lock, irqs);
	return oldest;
}

/* `record` waits from now on, and the one that has waited longest goes back. */
static void quarantine_pass(struct record *record, uptr caller)
{
	struct record *oldest = quarantine_swap(record);

	if (!oldest)
		return;
	check_free(oldest, caller);
	object_free(oldest, oldest->size);
}

/* ---- Large objects: frame->objects points behind the last byte; NULL: freed ---- */

static size_t red_size(size_t size)
{
	return ALIGN_UP(size, PAGE_SIZE) - size;
}

static void *large_dress(u8 *object, size_t size)
{
	frame_of(object)->objects = object + size;
	memset(object + size, RED, red_size(size));
	return object;
}

static void large_undress(struct frame *head, const u8 *object, size_t size, uptr caller)
{
	const u8 *end = head->objects;
	struct suspect suspect = { .object = object, .size = size, .caller = caller };

	if (!end)
		report_double_free(&suspect);
	suspect.size = (size_t)(end - object);
	report_size(&suspect, size);
	report_bytes(&suspect, (long)size, (long)(size + red_size(size)), RED, "overrun");
	head->objects = NULL;
}

/* ---- What kmalloc.c calls ---- */

struct result_ptr kmalloc_debug_alloc(size_t size, uptr caller)
{
	struct result_ptr memory = object_alloc(size);

	if (memory.err)
		return memory;
	if (!is_small(size))
		return result_ptr_ok(large_dress(memory.value, size));

	struct record *record = memory.value;

	memory.value = small_dress(record, size, caller);
	alloc_trace_take(&record->allocated);
	return memory;
}

void kmalloc_debug_free(void *object, size_t size, uptr caller)
{
	struct frame *frame = frame_of(object);

	if (frame && frame->type == PAGE_LARGE && (uptr)object % PAGE_SIZE == 0) {
		large_undress(frame, object, size, caller);
		return object_free(object, size);
	}

	bool is_slab = frame && frame->type == PAGE_SLAB;
	struct record *record = is_slab ? record_find(frame, object) : NULL;

	if (!record)
		report_no_object(object, size, caller);
	small_undress(record, size, caller);
	alloc_trace_take(&record->freed);
	quarantine_pass(record, caller);
}

void kmalloc_debug_drain(uptr caller)
{
	for (u32 i = 0; i < QUARANTINE; i++)
		quarantine_pass(NULL, caller);
}

u32 kmalloc_debug_waiting(u32 size_class)
{
	bool irqs = spin_lock_irqsave(&quarantine.lock);
	u32 count = quarantine.waiting[size_class];

	spin_unlock_irqrestore(&quarantine.lock, irqs);
	return count;
}
