/*
 * make_corpus.c - writes the seeds that the fuzz targets start from.
 *
 *	make_corpus DIRECTORY
 *
 * Seeds are made, not kept: a device tree is a call of the builder, and a reviewer can read it.
 * fuzz_fdt gets trees of each shape, since a random blob hardly ever passes fdt_open().
 */
#include "../lib/fdt_builder.h"

#include <stdio.h>
#include <stdlib.h>

static void write_seed(const char *directory, const char *target, int number, struct byte_view seed)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/seed-%d", directory, target, number);
	file = fopen(path, "wb");
	if (!file || fwrite(seed.data, 1, seed.len, file) != seed.len || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static struct fdt_builder b;

static struct byte_view machine_tree(void)
{
	fdt_builder_init(&b);
	fdt_builder_reserve(&b, 0x80000000, 0x40000);
	fdt_builder_begin(&b, STR(""));
	FDT_PROP_CELLS(&b, STR("#address-cells"), 2);
	FDT_PROP_CELLS(&b, STR("#size-cells"), 2);
	fdt_builder_begin(&b, STR("memory@80000000"));
	fdt_builder_prop_str(&b, STR("device_type"), STR("memory"));
	FDT_PROP_CELLS(&b, STR("reg"), 0, 0x80000000, 0, 0x8000000);
	fdt_builder_end(&b);
	fdt_builder_begin(&b, STR("soc"));
	FDT_PROP_CELLS(&b, STR("#address-cells"), 1);
	FDT_PROP_CELLS(&b, STR("#size-cells"), 1);
	FDT_PROP_CELLS(&b, STR("ranges"), 0, 0, 0x10000000, 0x1000);
	fdt_builder_word(&b, FDT_NOP);
	fdt_builder_begin(&b, STR("uart@0"));
	fdt_builder_prop_str(&b, STR("compatible"), STR("ns16550a\0uart"));
	fdt_builder_prop_str(&b, STR("status"), STR("okay"));
	FDT_PROP_CELLS(&b, STR("reg"), 0, 0x100);
	FDT_PROP_CELLS(&b, STR("interrupts"), 10);
	fdt_builder_end(&b);
	fdt_builder_end(&b);
	fdt_builder_end(&b);
	return fdt_builder_finish(&b);
}

static struct byte_view deep_tree(void)
{
	fdt_builder_init(&b);
	for (int depth = 0; depth < FDT_DEPTH_MAX; depth++) {
		fdt_builder_begin(&b, depth ? STR("n") : STR(""));
		fdt_builder_prop(&b, STR("ranges"), (struct byte_view){ NULL, 0 });
	}
	FDT_PROP_CELLS(&b, STR("reg"), 0, 1, 2);
	for (int depth = 0; depth < FDT_DEPTH_MAX; depth++)
		fdt_builder_end(&b);
	return fdt_builder_finish(&b);
}

int main(int argc, char **argv)
{
	static const struct str formats[] = {
		STR("\x7f-2345678%d %5s %-08.3lx|%#o|%+i"),
		STR("\x10"
		    "abcdefgh%*.*d%c%%%p%zu%hhd"),
	};
	static const struct str typing[] = {
		STR("help\rech\x1b[D\x1b[Cx\x7f\x01\x0b\x1b[A\x1b[3~\n"),
		STR("\xc3\xa9\xe2\x82\xac\x02\x02\x17\x1c"
		    "abc\x10\x0e\t\x0c\x04"),
	};
	static const struct str texts[] = { STR("\x04*a?xyab"), STR("0x1f 18446744073709551615") };

	if (argc != 2)
		return 2;
	write_seed(argv[1], "fdt", 0, machine_tree());
	write_seed(argv[1], "fdt", 1, deep_tree());
	for (int i = 0; i < 2; i++) {
		write_seed(argv[1], "fmt", i, byte_view_from_str(formats[i]));
		write_seed(argv[1], "lineedit", i, byte_view_from_str(typing[i]));
		write_seed(argv[1], "str", i, byte_view_from_str(texts[i]));
	}
	return 0;
}
