/*
 * fdt.c - opening a flattened device tree: the header and the three blocks.
 *
 * A blob is a header of ten big-endian words, then three blocks that the header gives by offset
 * (and two of them by size): memory reservations, structure, strings. After fdt_open() each
 * block is a view that lies inside the blob, is aligned, and shares no byte with another or
 * with the header. All later code leans on that and on nothing that the header says.
 *
 * What is wrong is reported as words and an offset, for the one line that the kernel prints: a
 * person who builds boards should not have to guess.
 *
 * Called once at boot, before there is memory management; pure.
 * Left out: writing trees, and versions before 16 (their nodes spell names differently).
 * Specification: DTSpec v0.4 sections 5.1 to 5.3.
 */
#include <mazu/fdt.h>

#define FDT_MAGIC 0xd00dfeedu

/* The version that we read, and the first that has no size_dt_struct but is otherwise the same. */
#define FDT_VERSION 17
#define FDT_VERSION_OLDEST 16

/* Byte offsets of the header's fields (DTSpec 5.2). */
enum header_field {
	MAGIC = 0,
	TOTALSIZE = 4,
	OFF_DT_STRUCT = 8,
	OFF_DT_STRINGS = 12,
	OFF_MEM_RSVMAP = 16,
	VERSION = 20,
	LAST_COMP_VERSION = 24,
	BOOT_CPUID_PHYS = 28,
	SIZE_DT_STRINGS = 32,
	SIZE_DT_STRUCT = 36,
	HEADER_SIZE = 40,
};

#define RESERVATION_SIZE 16 /* two 64-bit numbers: address, size */

static u32 field(const struct fdt *fdt, enum header_field which)
{
	return be32_read(fdt->blob.data + which);
}

static enum error refuse(struct fdt *fdt, struct str problem, size_t offset)
{
	fdt->problem = problem;
	fdt->problem_offset = offset;
	return ERR_CORRUPT;
}

static enum error check_header(struct byte_view blob, struct fdt *fdt)
{
	size_t totalsize;

	if (!blob.data || blob.len < HEADER_SIZE)
		return refuse(fdt, STR("shorter than a header"), 0);
	if (be32_read(blob.data + MAGIC) != FDT_MAGIC)
		return refuse(fdt, STR("does not begin with the magic number d00dfeed"), MAGIC);

	totalsize = be32_read(blob.data + TOTALSIZE);
	if (totalsize < HEADER_SIZE)
		return refuse(fdt, STR("total size is less than a header"), TOTALSIZE);
	if (totalsize > blob.len)
		return refuse(fdt, STR("total size goes beyond what can be read"), TOTALSIZE);

	fdt->blob = (struct byte_view){ blob.data, totalsize };
	fdt->version = field(fdt, VERSION);
	fdt->boot_hart = field(fdt, BOOT_CPUID_PHYS);
	return OK;
}

static enum error check_version(struct fdt *fdt)
{
	if (fdt->version < FDT_VERSION_OLDEST) {
		(void)refuse(fdt, STR("version is older than 16"), VERSION);
		return ERR_NOTSUP;
	}
	if (field(fdt, LAST_COMP_VERSION) > FDT_VERSION) {
		(void)refuse(fdt, STR("is not compatible with version 17"), LAST_COMP_VERSION);
		return ERR_NOTSUP;
	}
	return OK;
}

/* The reservations end with an entry of two zeros, and nothing else says how many there are. */
static enum error find_reservations(struct fdt *fdt)
{
	size_t start = field(fdt, OFF_MEM_RSVMAP);
	size_t at = start;

	if (start % 8 != 0)
		return refuse(fdt, STR("memory reservations are not aligned"), OFF_MEM_RSVMAP);
	for (;; at += RESERVATION_SIZE) {
		struct result_u64 base = byte_view_be64(fdt->blob, at);
		struct result_u64 size = byte_view_be64(fdt->blob, at + sizeof(u64));

		if (base.err || size.err)
			return refuse(fdt, STR("memory reservations have no end"), start);
		if (base.value == 0 && size.value == 0)
			break;
	}
	fdt->reservations = (struct byte_view){ fdt->blob.data + start, at - start };
	return OK;
}

/* Version 16 does not give the size: the block ends where the next one begins, or the blob. */
static size_t structure_size(const struct fdt *fdt)
{
	size_t start = field(fdt, OFF_DT_STRUCT);
	size_t end = fdt->blob.len;

	if (fdt->version >= FDT_VERSION)
		return field(fdt, SIZE_DT_STRUCT);
	if (field(fdt, OFF_DT_STRINGS) > start)
		end = MIN(end, (size_t)field(fdt, OFF_DT_STRINGS));
	if (field(fdt, OFF_MEM_RSVMAP) > start)
		end = MIN(end, (size_t)field(fdt, OFF_MEM_RSVMAP));
	return end > start ? (end - start) & ~(size_t)3 : 0;
}

static enum error find_structure(struct fdt *fdt)
{
	size_t start = field(fdt, OFF_DT_STRUCT);
	size_t size = structure_size(fdt);
	struct result_byte_view block = byte_view_slice(fdt->blob, start, size);

	if (start % 4 != 0 || size % 4 != 0)
		return refuse(fdt, STR("structure block is not aligned"), OFF_DT_STRUCT);
	if (block.err)
		return refuse(fdt, STR("structure block lies outside the blob"), OFF_DT_STRUCT);
	fdt->structure = block.value;
	return OK;
}

static enum error find_strings(struct fdt *fdt)
{
	struct result_byte_view block =
		byte_view_slice(fdt->blob, field(fdt, OFF_DT_STRINGS), field(fdt, SIZE_DT_STRINGS));

	if (block.err)
		return refuse(fdt, STR("strings block lies outside the blob"), OFF_DT_STRINGS);
	fdt->strings = block.value;
	return OK;
}

static bool overlap(struct byte_view a, struct byte_view b)
{
	return a.len != 0 && b.len != 0 && a.data < b.data + b.len && b.data < a.data + a.len;
}

/* Bytes with two meanings are no accident: somebody hopes to be checked as one, used as other. */
static enum error check_overlaps(struct fdt *fdt)
{
	struct byte_view header = { fdt->blob.data, HEADER_SIZE };
	struct byte_view reservations = fdt->reservations;

	reservations.len += RESERVATION_SIZE; /* the terminator */
	if (overlap(reservations, header))
		return refuse(fdt, STR("memory reservations overlap the header"), OFF_MEM_RSVMAP);
	if (overlap(fdt->structure, header))
		return refuse(fdt, STR("structure block overlaps the header"), OFF_DT_STRUCT);
	if (overlap(fdt->strings, header))
		return refuse(fdt, STR("strings block overlaps the header"), OFF_DT_STRINGS);
	if (overlap(fdt->structure, reservations))
		return refuse(fdt, STR("structure block overlaps the memory reservations"),
			      OFF_DT_STRUCT);
	if (overlap(fdt->strings, reservations))
		return refuse(fdt, STR("strings block overlaps the memory reservations"),
			      OFF_DT_STRINGS);
	if (overlap(fdt->strings, fdt->structure))
		return refuse(fdt, STR("strings block overlaps the structure block"),
			      OFF_DT_STRINGS);
	return OK;
}

enum error fdt_open(struct byte_view blob, struct fdt *fdt)
{
	enum error err;

	*fdt = (struct fdt){ 0 };
	err = check_header(blob, fdt);
	if (!err)
		err = check_version(fdt);
	if (!err)
		err = find_reservations(fdt);
	if (!err)
		err = find_structure(fdt);
	if (!err)
		err = find_strings(fdt);
	if (!err)
		err = check_overlaps(fdt);
	return err;
}

size_t fdt_claimed_size(const u8 header[8])
{
	return be32_read(header + MAGIC) == FDT_MAGIC ? be32_read(header + TOTALSIZE) : 0;
}

struct result_fdt_range fdt_reservation(const struct fdt *fdt, size_t index)
{
	struct fdt_range range;

	if (index >= fdt->reservations.len / RESERVATION_SIZE)
		return result_fdt_range_err(ERR_NOENT);
	range.base = be64_read(fdt->reservations.data + index * RESERVATION_SIZE);
	range.size = be64_read(fdt->reservations.data + index * RESERVATION_SIZE + sizeof(u64));
	if (range.size > UINT64_MAX - range.base)
		return result_fdt_range_err(ERR_RANGE);
	return result_fdt_range_ok(range);
}
