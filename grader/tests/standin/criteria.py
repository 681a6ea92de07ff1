"""Criteria of the stand-in lab: an example of each kind."""

from grader.core.declare import graded
from grader.core.verdict import expect_equal


@graded("double.boot", points=1, task=1, hint="01-standin#task-1-double")
def test_boot(console):
    """The kernel reaches its prompt."""
    console.expect("mazu> ", within=1)


@graded("double.value", points=3, task=1, needs=["double.boot"], seeds=range(2))
def test_double(gdb, rng):
    """`twice` doubles any number."""
    stub = gdb("idle")
    number = rng.randrange(1 << 40)
    expect_equal(stub.call("twice", number).a0, 2 * number, f"twice({number})")


@graded("triple.value", points=4, task=2)
def test_triple(gdb):
    """`thrice` triples."""
    expect_equal(gdb("kernel_main").call("thrice", 14).signed, 42, "thrice(14)")


@graded("triple.speed", points=2, task=2, needs=["triple.value"], profile="release")
def test_speed(icount, latency):
    """`thrice` takes a few instructions."""
    latency(lambda: icount("kernel_main").call("thrice", 14).cycles)
