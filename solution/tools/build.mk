# The engine: one configuration and one choice of sources in, one $(O)/mazu.elf out.
#
# The front desk (../../Makefile) calls it from the top of the tree and has checked the variables; what
# each of them means stands in docs/build.md. It is one make process for the whole kernel: a directory's
# Makefile only lists objects (obj-y += x.o sub/) and is read from here, as Linux's Kbuild files are.
#
# What makes a rebuild right, without a clean one:
#   headers        gcc's -MMD -MP writes x.d beside x.o; a header that is gone is no error
#   configuration  is derived anew at every start, and written only when its content changed
#   commands       x.cmd holds the command that makes x.o, source path and compiler version included; it is
#                  written when it differs, and x.o depends on it. So a new flag, another compiler, or a
#                  student's file in place of ours rebuilds exactly the objects that it concerns
# What makes two builds equal: relative paths, prefix maps for the others, no date, no build id.
#
# Left out on purpose: link-time optimisation (benchmarks call through real calls), and objects that depend
# on single options: a change of the configuration recompiles everything, in a few seconds.

MAKEFLAGS += -rR --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
all:

# ---- which build ------------------------------------------------------------------------------------

S := solution
ARCH := riscv64
TOP_STAGE := 4

PROFILE := $(or $(PROFILE),debug)
CONFIG := $(or $(CONFIG),$(if $(LAB),lab$(LAB),defconfig))
usual-dir := build/$(notdir $(CONFIG))$(if $(filter-out debug,$(PROFILE)),-$(PROFILE))
links := $(if $(O),,build/mazu.elf build/compile_commands.json)
override O := $(or $(O),$(usual-dir))
# One short line a command; the whole command with V=1; nothing with make -s.
quiet := $(if $(filter 1,$(V)),,@)
silent := $(findstring s,$(firstword -$(MAKEFLAGS)))

include $(S)/arch/$(ARCH)/flags.mk

# ---- tools ------------------------------------------------------------------------------------------

PYTHON := $(shell tools/python 2>/dev/null)
ifeq ($(PYTHON),)
$(error no Python that has kconfiglib and pyelftools: run tools/setup)
endif

CROSS_COMPILE ?= $(shell for p in $(arch-prefixes); do command -v $${p}gcc >/dev/null && echo $$p && break; done)
CC := $(CROSS_COMPILE)gcc
compiler := $(shell $(CC) --version 2>/dev/null | head -n 1)
ifeq ($(compiler),)
$(error no compiler for $(ARCH) ($(or $(CROSS_COMPILE),$(arch-prefixes))): run tools/setup)
endif

# ---- the configuration: base, profile, fragments, what menuconfig saved, then the make line -----------

configs := $(S)/configs/$(CONFIG) $(S)/configs/fragments/$(PROFILE).config $(FRAGMENTS)
kconfig = $(PYTHON) $(S)/tools/kconfig.py $1 --source $(S) --out $(O) --stage $(or $(LAB),$(TOP_STAGE)) \
	$(if $(DEBUG),--set DEBUG_LEVEL=$(DEBUG)) $(configs)

ifeq ($(filter %config,$(MAKECMDGOALS)),)
complaint := $(shell $(call kconfig,derive) 2>&1)
ifneq ($(.SHELLSTATUS),0)
$(error $(complaint))
endif
include $(O)/auto.conf
endif

menuconfig savedefconfig:
	@$(call kconfig,$@)

defconfig:
	@rm -f $(O)/local.config && $(call kconfig,derive) && echo "$(O)/.config is $(strip $(configs)) again"

# ---- the sources: ours, and with LAB the student's in their place --------------------------------------

ifneq ($(LAB),)
ifeq ($(filter 1,$(SOLUTION)),)
complaint := $(shell tools/course/run shadows --lab $(LAB) $(if $(filter 1,$(CARRY)),--carry) \
	$(if $(SHADOW),--shadow $(SHADOW)) 2>&1 >$(O)/shadow.mk)
ifneq ($(.SHELLSTATUS),0)
$(error $(complaint))
endif
include $(O)/shadow.mk
endif
endif

# read-directory(dir/): adds the objects that its Makefile lists, then those of its "sub/" entries.
define read-directory
obj-y :=
include $$(S)/$1Makefile
objects += $$(addprefix $1,$$(filter %.o,$$(obj-y)))
$$(foreach o,$$(filter %.o,$$(obj-y)),$$(eval flags-$1$$o := $$$$(CFLAGS_$$o))$$(eval undefine CFLAGS_$$o))
$$(foreach d,$$(filter %/,$$(obj-y)),$$(eval $$(call read-directory,$1$$d)))
endef
objects :=
$(eval $(call read-directory,))

# shadow(x.o), source(x.o): the student's file if there is one; the file that x.o is made from.
shadow = $(or $(shadow-$(1:.o=.c)),$(shadow-$(1:.o=.S)))
source = $(or $(shadow),$(wildcard $(S)/$(1:.o=.c) $(S)/$(1:.o=.S)),$(error no source for $(S)/$1))

# ---- flags ------------------------------------------------------------------------------------------

# $$PWD stays for the shell: it may hold blanks, and a tree that moves keeps its objects. gcc tells the
# assembler of debug-prefix-map only.
map := "-ffile-prefix-map=$$PWD=." "-fdebug-prefix-map=$$PWD=." -ffile-prefix-map=$(O)=build

CPPFLAGS := -I$(S)/include $(addprefix -I$(S)/,$(arch-includes)) -include $(O)/include/generated/autoconf.h

CFLAGS := -std=gnu11 -O2 -g $(arch-flags) $(map) -ffreestanding -fno-pic -fno-common \
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables
CFLAGS += -Wall -Wextra -Werror -Wundef -Wshadow -Wvla -Wpointer-arith -Wwrite-strings \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wredundant-decls -Wformat-security \
	-Wimplicit-fallthrough -Wlogical-op -Wduplicated-cond -Wdate-time -Wframe-larger-than=4096
CFLAGS += $(if $(CONFIG_STACKPROTECTOR),-fstack-protector-strong,-fno-stack-protector)
CFLAGS += $(if $(CONFIG_UBSAN),-fsanitize=undefined -fsanitize-undefined-trap-on-error)
CFLAGS += $(EXTRA_CFLAGS)

# A student's file sees LAB_TODO; what a half-written hole leaves unused is worth a warning, not an error.
shadow-flags := -include mazu/lab.h \
	$(addprefix -Wno-error=unused-,variable but-set-variable parameter function label value)

LDFLAGS := $(arch-flags) -nostdlib -static -no-pie -T $(O)/kernel.lds \
	-Wl,--build-id=none,--fatal-warnings,-z,noexecstack,-z,max-page-size=4096

# ---- one rule an object -----------------------------------------------------------------------------

# say(WORD,file,command): the command, as loud as it should be.
say = $(quiet)$(if $(quiet),$(if $(silent),,printf '  %-7s %s\n' $1 $2 && ))$3

# stamp(x,command): the last command for x is the value of saved-x, kept in x.cmd, a file that make reads; it
# is written only when it differs. (Not $(file <...): make 4.3 misreads that in some environments.)
differ = $(subst $1,,$2)$(subst $2,,$1)
stamp = $(if $(call differ,$(value saved-$1),$2),$(file >$(O)/$1.cmd,$(call saved,$1,$2)))
define saved
define saved-$1
$2
endef
endef

compile = $(CC) $(CPPFLAGS) -iquote $(S)/$(dir $1) $(CFLAGS) $(if $(shadow),$(shadow-flags)) $(flags-$1) \
	-MMD -MP -c -o $(O)/$1 $2

# rule(target,prerequisites,WORD,command): a target under $(O) that is made anew when its command changes.
define rule
command-$1 := $$(call $4,$1,$2)
$$(call stamp,$1,$$(command-$1) | $$(compiler))
$(O)/$1: $2 $(O)/$1.cmd
	$$(call say,$3,$(if $(word 2,$2),$(O)/$1,$2),$$(command-$1))
endef

# REFOBJ names a tree of objects that are taken as they are (the grader's, for one task at a time).
copy = cp $2 $(O)/$1
reference = $(if $(REFOBJ),$(wildcard $(REFOBJ)/$1))
object = $(if $(reference),$(call rule,$1,$(reference),COPY,copy),$(call rule,$1,$(source),CC,compile))

linked := kernel.lds symtab-empty.o symtab.o unnamed.elf
include $(wildcard $(objects:%=$(O)/%.cmd) $(linked:%=$(O)/%.cmd))

$(shell mkdir -p $(sort $(dir $(addprefix $(O)/,$(objects)))))
$(foreach o,$(objects),$(eval $(call object,$o)))

# ---- the link, twice --------------------------------------------------------------------------------
#
# The kernel carries its own function names. They are known only after a link, so the first one takes an
# empty table, and the second the real one. The table lies behind .text: symbols.py --check proves that no
# function moved in between.

symbols := $(PYTHON) $(S)/tools/symbols.py
script = $(CC) $(CPPFLAGS) $(arch-flags) -E -P -x assembler-with-cpp -MMD -MP -MT $(O)/$1 -MF $(O)/$1.d \
	-o $(O)/$1 $2
link = $(CC) $(LDFLAGS) -Wl,-Map=$(O)/$(1:.elf=.map) -o $(O)/$1 $(filter %.o,$2) -lgcc

$(eval $(call rule,kernel.lds,$(S)/$(arch-script),CPP,script))
$(eval $(call rule,symtab-empty.o,$(O)/symtab-empty.S,CC,compile))
$(eval $(call rule,symtab.o,$(O)/symtab.S,CC,compile))
$(eval $(call rule,unnamed.elf,$(addprefix $(O)/,$(objects) symtab-empty.o kernel.lds),LD,link))

$(O)/symtab-empty.S: $(S)/tools/symbols.py
	@$(symbols) >$@
$(O)/symtab.S: $(O)/unnamed.elf
	@$(symbols) $< >$@

command-mazu.elf := $(call link,mazu.elf,$(addprefix $(O)/,$(objects) symtab.o))
$(O)/mazu.elf: $(O)/unnamed.elf $(O)/symtab.o
	$(call say,LD,$@,$(command-mazu.elf) && $(symbols) --check $@ $<)

# ---- goals ------------------------------------------------------------------------------------------

$(O)/compile_commands.json: $(S)/tools/compile_commands.py $(objects:%=$(O)/%.cmd)
	@$(PYTHON) $< $(objects:%=$(O)/%.cmd) >$@

# The editor and the debugger look here for what was built last.
build/%: $(O)/% FORCE
	@[ "$$(readlink $@)" = "$(<:build/%=%)" ] || ln -sfn $(<:build/%=%) $@

all: $(O)/mazu.elf $(O)/compile_commands.json $(links)
FORCE:
.PHONY: all FORCE menuconfig savedefconfig defconfig

# A source that has moved still stands in x.d until x.o is made anew.
%.c %.S: ;

-include $(objects:%.o=$(O)/%.d) $(O)/kernel.lds.d
