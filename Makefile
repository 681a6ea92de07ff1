# The front desk: everything that one can ask of Mazu, a line each. `make help` lists it.
#
# Reading this file needs make and a shell, nothing else. A target first has tools/setup install what is
# missing (one visible step; nothing when all is there), then asks whoever does the work:
#   solution/tools/build.mk   builds       tools/course/run   starters, handouts, submissions
#   grader/run                grades       tools/*            the longer recipes
#
# What to build is said on the make line only: a stray DEBUG or O in the environment changes nothing.

.DEFAULT_GOAL := build
.SUFFIXES:
.NOTPARALLEL:

build-vars := LAB SOLUTION CARRY SHADOW REFOBJ PROFILE CONFIG FRAGMENTS DEBUG EXTRA_CFLAGS O V
other-vars := MEM SMP APPEND TEST SEED GDB OUT FORCE SUBMISSIONS
$(foreach v,$(build-vars) $(other-vars),$(if $(filter environment,$(origin $v)),$(eval undefine $v)))

-include .handout

# ---- a bad request ends in one line -------------------------------------------------------------------

must-be = $(if $(filter-out $2,$($1)),$(error $1=$($1): must be one of $2))
$(foreach v,SOLUTION CARRY V GDB FORCE,$(call must-be,$v,0 1))
$(call must-be,DEBUG,0 1 2 3)
$(call must-be,PROFILE,debug release ubsan)

labs := $(strip $(foreach n,1 2 3 4 5 6 7 8,$(if $(wildcard labs/0$n-*),$n)))
known-lab = $(if $(filter 1,$(words $1)),$(filter $(labs),$1))
check-lab = $(if $(known-lab),,$(error there is no lab $1 here (there is: $(or $(labs),none yet))))
$(if $(LAB),$(call check-lab,$(LAB)))
$(foreach g,$(filter grade-lab%,$(MAKECMDGOALS)),$(call check-lab,$(g:grade-lab%=%)))

replay-needs := LAB TEST SEED
submit-needs := LAB
handout-needs := LAB OUT
grade-class-needs := LAB SUBMISSIONS
$(foreach g,$(MAKECMDGOALS),$(foreach v,$($g-needs),$(if $($v),,$(error $g needs $v=...))))

course-only := test lint starters handout grade-class check check-graders hosttest fuzz soak-sched selftest-seeds \
	soak bench-smp
ifneq ($(wildcard .handout),)
$(foreach g,$(filter $(course-only),$(MAKECMDGOALS)),$(error $g is for the course's own tree; this is a handout))
endif

# ---- who does the work --------------------------------------------------------------------------------

# The engine gets a job a processor, unless -j says otherwise.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))
engine = +@$(MAKE) --no-print-directory $(jobs) -f solution/tools/build.mk LAB='$(LAB)'

# The others may call make for builds of their own, so they start without our flags.
tool = @env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL

elf = $(or $(O),build)/mazu.elf
machine = MEM='$(MEM)' SMP='$(SMP)' ICOUNT='$(ICOUNT)' APPEND='$(APPEND)'

flag = $(if $(filter 1,$($1)),$2)
option = $(if $($1),$2 '$($1)')
grading = $(call flag,SOLUTION,--solution) $(call flag,CARRY,--carry) $(call option,TEST,--test) \
	$(call flag,GDB,--gdb) $(call flag,V,-v)

##@ Every day
build: setup-run  ## build/mazu.elf (the default goal)
	$(engine)

run: build  ## boot it here; Ctrl-A X leaves
	$(tool) $(machine) tools/run-qemu $(elf)

gdb: setup-test build  ## boot it stopped, under gdb with Mazu's commands
	$(tool) $(machine) tools/gdb $(elf)

selftest: build  ## boot it into its self-tests [TEST=pattern]
	$(tool) $(machine) ICOUNT=1 APPEND='selftest$(if $(TEST),=$(TEST)) $(APPEND)' tools/run-qemu $(elf)

##@ A lab
grade-lab%: setup-test  ## grade lab N: your files [SOLUTION=1: ours] [TEST=name] [GDB=1] [V=1]
	$(tool) grader/run grade --lab $* $(grading)

replay: setup-test  ## run one failed seed again under gdb: LAB=N TEST=name SEED=n
	$(tool) grader/run replay --lab $(LAB) $(call option,SEED,--seed) $(grading)

submit: setup-test  ## pack what you hand in: LAB=N
	$(tool) tools/course/run submit --lab $(LAB)

##@ The course
starters: setup-test  ## write the starters from solution/ [FORCE=1: over edited ones]
	$(tool) tools/course/run starters $(call flag,FORCE,--force)

handout: setup-test  ## the tree that a student gets: LAB=N OUT=dir
	$(tool) tools/course/run handout --lab $(LAB) --out '$(OUT)' $(call flag,CARRY,--carry)

grade-class: setup-test  ## grade a class: LAB=N SUBMISSIONS=dir
	$(tool) grader/run class --lab $(LAB) --submissions '$(SUBMISSIONS)'

##@ Tests
test: setup-test  ## all of the following, with short fuzzing (about 20 minutes on two cores)
	$(tool) tools/test

lint: setup-test  ## format, starters' drift, static analysis
	$(tool) tools/lint

hosttest: setup-test  ## the pure logic on this machine, under ASan and UBSan
	$(tool) solution/tests/host/run

check: setup-test  ## integration tests against a booted system [TEST=name]
	$(tool) grader/run check $(call option,TEST,--test) $(call flag,V,-v)

check-selftest: setup-run  ## the self-tests in every profile and on several machines
	$(tool) tools/check-selftest

check-graders: setup-test  ## do the wrong answers fail as they should? [LAB=N]
	$(tool) grader/run mutants $(call option,LAB,--lab)

fuzz: setup-test  ## parsers and allocators on this machine, 60 s each
	$(tool) solution/tests/fuzz/run 60

soak-sched: setup-test  ## a minute of random tasks, ten seeds, invariants on [SEED=n]
	$(tool) tools/soak-sched $(SEED)

selftest-seeds: setup-run  ## the self-tests over 100 interleavings of several harts (an hour)
	$(tool) tools/selftest-seeds

soak: setup-run  ## half an hour of self-tests on eight harts, again and again, checks on
	$(tool) tools/soak

bench: setup-test  ## latencies in guest instructions, against their limits
	$(tool) grader/run bench

bench-smp: setup-run  ## what a second hart is worth, in wall-clock time (two free cores)
	$(tool) tools/bench-smp

##@ Configuration and the rest
menuconfig defconfig savedefconfig: setup-run  ## edit it, forget the edits, save it as a short file
	$(engine) $@

setup: setup-test  ## only install what is missing

loc: setup-run  ## code lines by subsystem
	$(tool) tools/loc

dist:  ## the committed tree as build/mazu-*.tar.gz
	$(tool) tools/dist

clean:  ## remove build/
	@rm -rf build

help:  ## this
	@tools/help Makefile

setup-run setup-test: setup-%:
	@tools/setup $*

.PHONY: build run gdb selftest replay submit starters handout grade-class test lint hosttest check check-selftest \
	check-graders fuzz soak-sched selftest-seeds soak bench bench-smp menuconfig defconfig savedefconfig setup \
	setup-run setup-test loc dist clean help
