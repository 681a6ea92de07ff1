"""The machinery of the grader: machines, their wires, the verdicts, and the runs made of them."""
