/*
 * fdt.h - reading the flattened device tree, the description of the machine.
 *
 * "DTSpec" below is the Devicetree Specification v0.4, chapters 2 (the tree) and 5 (the blob).
 *
 * The blob comes from outside and is trusted in nothing. Three layers, each of which relies
 * on the one before and on nothing else:
 *
 *	fdt_open		checks the header and cuts the blob into its three blocks
 *	fdt_next		reads one token of the structure block, bounds and all
 *	fdt_for_each_node	puts tokens together into nodes and calls a visitor for each
 *
 * All names and values handed out are views into the blob and live as long as it does. A node
 * lives only during the call of its visitor; its ancestors, through `parent`, as long.
 * Nothing allocates, recurses or keeps state outside its arguments.
 */
#ifndef MAZU_FDT_H
#define MAZU_FDT_H

#include <mazu/bytes.h>
#include <mazu/error.h>
#include <mazu/str.h>
#include <mazu/types.h>

/* How deep a tree may nest, the root included. QEMU's virt machine uses 5 of them. */
#define FDT_DEPTH_MAX 16

/*
 * The longest name of a node or property. DTSpec asks for 31 at most, trees in use go beyond. There
 * must be some bound, or many properties that share one endless name make a walk quadratic.
 */
#define FDT_NAME_MAX 255

/* ---- The blob ---- */

struct fdt {
	struct byte_view blob;	       /* totalsize bytes, header included */
	struct byte_view reservations; /* memory reservation block without its terminator */
	struct byte_view structure;    /* structure block */
	struct byte_view strings;      /* strings block: property names */
	u32 version;		       /* of the blob's format, 16 or above */
	u32 boot_hart;		       /* boot_cpuid_phys */
	struct str problem;	       /* after an error: what is wrong, in words */
	size_t problem_offset;	       /* ... and where: byte offset in the blob */
};

/*
 * Checks the header and fills `fdt`. `blob` may be longer than the tree: pass the most that
 * may be read. ERR_CORRUPT with fdt->problem set when the header contradicts itself,
 * ERR_NOTSUP for a version that we cannot read.
 */
enum error __must_check fdt_open(struct byte_view blob, struct fdt *fdt);

/* Bytes that the header claims, for a caller who has only a pointer: 0 if it is no device tree. */
size_t fdt_claimed_size(const u8 header[8]);

/* An address range, both in bytes; base + size does not wrap. */
struct fdt_range {
	u64 base;
	u64 size;
};
RESULT_TYPE(fdt_range, struct fdt_range);

/* The index-th memory reservation; ERR_NOENT after the last, ERR_RANGE if it wraps. */
struct result_fdt_range __must_check fdt_reservation(const struct fdt *fdt, size_t index);

/* ---- Tokens ---- */

enum fdt_token_kind {
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4, /* never handed out: fdt_next skips it */
	FDT_END = 9,
};

struct fdt_token {
	enum fdt_token_kind kind;
	struct str name;	/* BEGIN_NODE: "uart@10000000"; PROP: "reg"; else empty */
	struct byte_view value; /* PROP only, else empty */
};

/*
 * Reads the token at *offset (bytes into the structure block, a multiple of 4; start with 0) and
 * moves *offset past it. ERR_CORRUPT, *offset unchanged, when the token is unknown or anything
 * that belongs to it lies outside its block; running off the end of the block counts.
 * Each success moves *offset forward by at least 4, so a walk ends whatever the bytes are.
 */
enum error __must_check fdt_next(const struct fdt *fdt, size_t *offset, struct fdt_token *token);

/* ---- Nodes ---- */

/*
 * One node with the properties that everybody asks for. A property that is absent has
 * data == NULL; one that is present but empty has len == 0 and data != NULL.
 */
struct fdt_node {
	const struct fdt *fdt;
	const struct fdt_node *parent; /* NULL: this is the root */
	struct str name;	       /* "uart@10000000"; empty for the root */
	u32 depth;		       /* 0: the root */
	u32 address_cells;	       /* for the reg of the children; default 2 */
	u32 size_cells;		       /* for the reg of the children; default 1 */
	u32 phandle;		       /* 0: none */
	u32 interrupt_parent;	       /* phandle, inherited from the ancestors; 0: none */
	size_t properties;	       /* where they begin in the structure block */
	struct byte_view compatible;
	struct byte_view device_type;
	struct byte_view status;
	struct byte_view reg;
	struct byte_view ranges;
	struct byte_view interrupts;
	struct byte_view interrupts_extended;
	struct byte_view clock_frequency;
};

/* Called once a node, parents before children. Anything but OK stops the walk. */
typedef enum error fdt_visitor(const struct fdt_node *node, void *arg);

/*
 * Walks the whole tree. Returns OK, or what the visitor returned, or ERR_CORRUPT with
 * fdt->problem and fdt->problem_offset set (nodes before that point were visited). Uses about
 * 3 KiB of stack.
 */
enum error __must_check fdt_for_each_node(struct fdt *fdt, fdt_visitor *visit, void *arg);

/* Any property of a node: its value, or ERR_NOENT. Reads the node's own properties only. */
struct result_byte_view __must_check fdt_node_property(const struct fdt_node *node,
						       struct str name);

/* Appends the node's full path ("/soc/uart@10000000"). */
void fdt_node_path(const struct fdt_node *node, struct byte_buf *out);

/* Whether the node's name without its unit address ("memory" of "memory@80000000") is `name`. */
bool fdt_node_is(const struct fdt_node *node, struct str name);

/* Whether `compatible` lists the string. */
bool fdt_is_compatible(const struct fdt_node *node, struct str compatible);

/* Whether the node may be used: no status, "okay" or "ok" (DTSpec 2.3.4). */
bool fdt_is_enabled(const struct fdt_node *node);

/*
 * The index-th range of `reg` as a CPU address: translated through the `ranges` of every
 * ancestor bus (DTSpec 2.3.8; empty: identity). ERR_NOENT: no such range. ERR_NOTSUP: an
 * address of more than 64 bits, or a bus without `ranges`, which cannot be addressed from
 * the CPU. ERR_RANGE: outside the bus's windows, or base + size wraps. ERR_CORRUPT: a length
 * that is no multiple of its entries.
 */
struct result_fdt_range __must_check fdt_reg(const struct fdt_node *node, size_t index);

/* The same in the parent bus's own terms, for what is no memory address (a hart's id). */
struct result_fdt_range __must_check fdt_reg_raw(const struct fdt_node *node, size_t index);

/* ---- Values ---- */

/* The index-th 32-bit cell; ERR_NOENT beyond the end or when the property is absent. */
struct result_u32 __must_check fdt_value_u32(struct byte_view value, size_t index);

/* A number of one or two cells (clock-frequency, timebase-frequency); else ERR_CORRUPT. */
struct result_u64 __must_check fdt_value_number(struct byte_view value);

/* A property that is one string: ERR_CORRUPT unless its first NUL is its last byte. */
struct result_str __must_check fdt_value_str(struct byte_view value);

/* The index-th string of a list; ERR_NOENT after the last, ERR_CORRUPT if it is not terminated. */
struct result_str __must_check fdt_value_str_at(struct byte_view value, size_t index);

#endif
