/*
 * bytes.c - appending to buffers, and cutting views without leaving them.
 *
 * Invariant of a buffer: len <= cap. Bounds are always compared as "is there so much left?",
 * never as "is the sum small enough?": the difference cannot wrap, the sum can.
 */
#include <mazu/bytes.h>
#include <mazu/mem.h>

/* Below this many bytes a call of memcpy costs more than it saves. */
#define SHORT 12

/* How many of `wanted` bytes fit; the others are counted as truncated. */
static size_t claim(struct byte_buf *buf, size_t wanted)
{
	size_t fits = MIN(wanted, byte_buf_room(buf));

	buf->truncated += wanted - fits;
	return fits;
}

void byte_buf_append_some(struct byte_buf *buf, const void *bytes, size_t len)
{
	u8 *to = buf->data + buf->len;
	const u8 *from = bytes;

	len = claim(buf, len);
	buf->len += len;
	if (len >= SHORT) {
		memcpy(to, from, len);
		return;
	}
	while (len-- > 0)
		*to++ = *from++;
}

void byte_buf_fill_some(struct byte_buf *buf, u8 byte, size_t count)
{
	u8 *to = buf->data + buf->len;

	count = claim(buf, count);
	buf->len += count;
	memset(to, byte, count);
}

struct result_byte_view byte_view_slice(struct byte_view view, size_t offset, size_t len)
{
	if (offset > view.len || len > view.len - offset)
		return result_byte_view_err(ERR_RANGE);
	return result_byte_view_ok((struct byte_view){ view.data + offset, len });
}

struct result_u32 byte_view_be32(struct byte_view view, size_t offset)
{
	if (offset > view.len || view.len - offset < sizeof(u32))
		return result_u32_err(ERR_RANGE);
	return result_u32_ok(be32_read(view.data + offset));
}

struct result_u64 byte_view_be64(struct byte_view view, size_t offset)
{
	if (offset > view.len || view.len - offset < sizeof(u64))
		return result_u64_err(ERR_RANGE);
	return result_u64_ok(be64_read(view.data + offset));
}
