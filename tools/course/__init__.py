"""The course tool: one source tree, the labs cut out of it, and what comes back from students.

solution/ is the only place where the kernel is written. A lab's lab.toml names the functions that
a student writes (its holes), and everything else follows from those two:

    scan        C and assembly text into tokens
    holes       where a hole lies in a source file, and whether it is still unwritten
    ctags       a second opinion on that, for the reference
    schema      lab.toml into values, every mistake named with its line
    labs        what a lab is: `load(root, number)`, `unwritten(lab, where)`
    render      the starter that a student is given, and its interface stamp
    starters    starters written to labs/, never over somebody's work
    lint        what `make lint` holds against the labs
    shadows     which files of a build are the student's
    submission  what is handed in, and the rules that each file must meet
    tarball     a reader of tar.gz files that somebody else made
    unpack      a hostile submission onto a trusted tree
    handout     the tree that may be given to students
    proof       that no answer is left in it
    globs       path patterns
    files       reading and writing text
    errors      one line a problem
    cli         the verbs

docs/course.md is the guide to lab.toml and to the verbs.
"""
