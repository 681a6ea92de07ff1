"""The grader of Mazu: boots each stage in QEMU and shows that it is right and fast enough."""
