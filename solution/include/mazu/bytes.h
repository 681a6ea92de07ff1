/*
 * bytes.h - memory with a length, and who may change it in the type.
 *
 *	struct byte_view	somebody's bytes, to read
 *	struct byte_array	bytes to overwrite; the length is fixed
 *	struct byte_buf		bytes to append to, up to a capacity
 *
 * None owns its memory. A buffer never grows and never fails: what does not fit is counted in
 * `truncated`, so a writer can go on to the end and the reader can ask once whether the text
 * is whole. A slice is checked once, when it is made; after that no reader needs to look
 * at anything but its length.
 *
 * All functions are pure: no state, any context. One buffer has one writer at a time.
 */
#ifndef MAZU_BYTES_H
#define MAZU_BYTES_H

#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

struct byte_view {
	const u8 *data;
	size_t len;
};

struct byte_array {
	u8 *data;
	size_t len;
};

struct byte_buf {
	u8 *data;
	size_t len;	  /* bytes in use, <= cap */
	size_t cap;	  /* bytes there are */
	size_t truncated; /* bytes that were appended but did not fit; 0: nothing is missing */
};

RESULT_TYPE(byte_view, struct byte_view);

/* An array object (char or u8) as an array of bytes, or as an empty buffer. */
#define BYTE_ARRAY(array)                                                                          \
	((struct byte_array){ (u8 *)(array), sizeof(array) + 0 * ARRAY_SIZE(array) })
#define BYTE_BUF(array)                                                                            \
	((struct byte_buf){ (u8 *)(array), 0, sizeof(array) + 0 * ARRAY_SIZE(array), 0 })

static inline struct byte_view byte_view_from_str(struct str s)
{
	return (struct byte_view){ (const u8 *)s.data, s.len };
}

static inline struct str byte_view_to_str(struct byte_view view)
{
	return (struct str){ (const char *)view.data, view.len };
}

static inline struct byte_view byte_array_view(struct byte_array array)
{
	return (struct byte_view){ array.data, array.len };
}

static inline struct byte_view byte_buf_view(const struct byte_buf *buf)
{
	return (struct byte_view){ buf->data, buf->len };
}

static inline struct str byte_buf_to_str(const struct byte_buf *buf)
{
	return (struct str){ (const char *)buf->data, buf->len };
}

static inline size_t byte_buf_room(const struct byte_buf *buf)
{
	return buf->cap - buf->len;
}

/* Empties a buffer and forgets that it was truncated. */
static inline void byte_buf_reset(struct byte_buf *buf)
{
	buf->len = 0;
	buf->truncated = 0;
}

/* The working halves of append and fill, which are inline so that nothing costs next to nothing. */
void byte_buf_append_some(struct byte_buf *buf, const void *bytes, size_t len);
void byte_buf_fill_some(struct byte_buf *buf, u8 byte, size_t count);

/* Append; what does not fit is dropped from the end and counted. */
static inline void byte_buf_append(struct byte_buf *buf, struct byte_view bytes)
{
	if (bytes.len > 0)
		byte_buf_append_some(buf, bytes.data, bytes.len);
}

static inline void byte_buf_append_str(struct byte_buf *buf, struct str s)
{
	byte_buf_append(buf, byte_view_from_str(s));
}

static inline void byte_buf_append_byte(struct byte_buf *buf, u8 byte)
{
	if (buf->len < buf->cap)
		buf->data[buf->len++] = byte;
	else
		buf->truncated++;
}

/* Appends `count` copies of one byte; takes no longer than there is room. */
static inline void byte_buf_fill(struct byte_buf *buf, u8 byte, size_t count)
{
	if (count > 0)
		byte_buf_fill_some(buf, byte, count);
}

/* Bytes [offset, offset + len) of a view, or ERR_RANGE; no sum that could wrap is formed. */
struct result_byte_view __must_check byte_view_slice(struct byte_view view, size_t offset,
						     size_t len);

/* A big-endian number at any offset, aligned or not; ERR_RANGE outside the view. */
struct result_u32 __must_check byte_view_be32(struct byte_view view, size_t offset);
struct result_u64 __must_check byte_view_be64(struct byte_view view, size_t offset);

/* The same where the caller has checked the bounds. */
static inline u32 be32_read(const u8 *bytes)
{
	return (u32)bytes[0] << 24 | (u32)bytes[1] << 16 | (u32)bytes[2] << 8 | bytes[3];
}

static inline u64 be64_read(const u8 *bytes)
{
	return (u64)be32_read(bytes) << 32 | be32_read(bytes + 4);
}

#endif
