/*
 * The kernel log: records in two rings of the same make.
 *
 * A ring is an array of 8-byte words in which records follow one another, a header of two
 * words and then the text. Positions only count up; modulo the size they are indices, so a
 * record may wrap round the end. Invariant: [tail, head) holds whole records, head - tail <=
 * size, and the record at tail has the sequence number `first`.
 *
 * The early ring takes the first lines until one does not fit; from then on it is never written
 * again. So early ends where late begins, and together they hold two runs without a gap inside.
 *
 * Readers copy a line out under the lock and hold no pointers into a ring, only a cursor: a
 * position is good as long as its record was not dropped, and its sequence number tells that.
 */
#include <mazu/klog.h>
#include <mazu/mem.h>
#include <mazu/spinlock.h>

#define WORD sizeof(u64)
#define HEADER_WORDS 2

struct klog_header {
	u64 time_ns;
	u32 len;   /* bytes of text */
	u32 level; /* enum printk_level */
};
static_assert(sizeof(struct klog_header) == HEADER_WORDS * WORD, "header is two words");

struct klog_ring {
	u64 *words;
	u32 size;  /* words; a power of two */
	u32 head;  /* words ever written */
	u32 tail;  /* words ever dropped */
	u64 first; /* sequence number of the record at tail */
	u64 next;  /* ... of the record that will come */
};

#define KLOG_RING(array)                                                                           \
	{                                                                                          \
		.words = (array), .size = ARRAY_SIZE(array)                                        \
	}

static u64 early_words[CONFIG_KLOG_EARLY_SIZE / WORD];
static u64 late_words[CONFIG_KLOG_SIZE / WORD];
static_assert((CONFIG_KLOG_EARLY_SIZE & (CONFIG_KLOG_EARLY_SIZE - 1)) == 0,
	      "CONFIG_KLOG_EARLY_SIZE is a power of two");
static_assert((CONFIG_KLOG_SIZE & (CONFIG_KLOG_SIZE - 1)) == 0,
	      "CONFIG_KLOG_SIZE is a power of two");

static struct spinlock klog_lock = SPINLOCK_INIT(LOCK_KLOG);
static struct klog_ring early = KLOG_RING(early_words); /* klog_lock */
static struct klog_ring late = KLOG_RING(late_words);	/* klog_lock */
static bool early_full;					/* klog_lock */

static u64 *ring_word(struct klog_ring *ring, u32 position)
{
	return &ring->words[position & (ring->size - 1)];
}

static struct klog_header ring_header(struct klog_ring *ring, u32 position)
{
	u64 second = *ring_word(ring, position + 1);

	return (struct klog_header){ *ring_word(ring, position), (u32)second, (u32)(second >> 32) };
}

static u32 record_words(u32 text_len)
{
	return HEADER_WORDS + ALIGN_UP(text_len, WORD) / WORD;
}

static u32 ring_room(const struct klog_ring *ring)
{
	return ring->size - (ring->head - ring->tail);
}

static void ring_drop_oldest(struct klog_ring *ring)
{
	ring->tail += record_words(ring_header(ring, ring->tail).len);
	ring->first++;
}

/* The text lies in one piece, or in two when it wraps round the end. */
static size_t ring_first_piece(const struct klog_ring *ring, u32 position, size_t len)
{
	return MIN(len, (ring->size - (position & (ring->size - 1))) * WORD);
}

static void ring_add(struct klog_ring *ring, struct klog_header header, struct str text)
{
	u32 at = ring->head + HEADER_WORDS;
	size_t first = ring_first_piece(ring, at, header.len);

	*ring_word(ring, ring->head) = header.time_ns;
	*ring_word(ring, ring->head + 1) = header.len | (u64)header.level << 32;
	memcpy(ring_word(ring, at), text.data, first);
	memcpy(ring->words, text.data + first, header.len - first);
	ring->head += record_words(header.len);
	ring->next++;
}

void klog_append(enum printk_level level, u64 time_ns, struct str text)
{
	struct klog_header header = { time_ns, (u32)MIN(text.len, (size_t)PRINTK_LINE_MAX), level };
	u32 need = record_words(header.len);
	bool irqs = spin_lock_irqsave(&klog_lock);

	if (!early_full && need > ring_room(&early)) {
		early_full = true;
		late.first = late.next = early.next;
	}
	while (early_full && ring_room(&late) < need)
		ring_drop_oldest(&late);
	ring_add(early_full ? &late : &early, header, text);
	spin_unlock_irqrestore(&klog_lock, irqs);
}

static void ring_copy_text(struct klog_ring *ring, u32 position, u32 len, struct byte_buf *text)
{
	size_t first = ring_first_piece(ring, position, len);

	byte_buf_append(text, (struct byte_view){ (u8 *)ring_word(ring, position), first });
	byte_buf_append(text, (struct byte_view){ (u8 *)ring->words, len - first });
}

enum error klog_next(struct klog_cursor *cursor, struct klog_line *line, struct byte_buf *text)
{
	bool irqs = spin_lock_irqsave(&klog_lock);
	struct klog_ring *ring = cursor->sequence < early.next ? &early : &late;
	enum error err = ERR_NOENT;

	if (cursor->sequence <= ring->first)
		*cursor = (struct klog_cursor){ ring->first, ring->tail };
	if (cursor->sequence < ring->next) {
		struct klog_header header = ring_header(ring, cursor->position);

		byte_buf_reset(text);
		ring_copy_text(ring, cursor->position + HEADER_WORDS, header.len, text);
		*line = (struct klog_line){ cursor->sequence++, header.time_ns, header.level,
					    byte_buf_to_str(text) };
		cursor->position += record_words(header.len);
		err = OK;
	}
	spin_unlock_irqrestore(&klog_lock, irqs);
	return err;
}
