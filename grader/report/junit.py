"""JUnit XML, for whatever CI shows it; verdicts are the failures' types."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from grader.core.score import Grade
from grader.core.verdict import Verdict

NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(grade: Grade) -> str:
    verdicts = [outcome.verdict for outcome in grade.outcomes]
    blocked = verdicts.count(Verdict.BLOCKED)
    failed = len(verdicts) - verdicts.count(Verdict.PASS) - blocked
    suite = ElementTree.Element(
        "testsuite",
        name=f"lab{grade.lab.number:02}",
        tests=str(len(verdicts)),
        failures=str(failed),
        errors="0",
        skipped=str(blocked),
    )
    for outcome in grade.outcomes:
        case = ElementTree.SubElement(suite, "testcase", classname=f"task{outcome.criterion.task}",
                                      name=outcome.criterion.name)
        properties = ElementTree.SubElement(case, "properties")
        for name, value in (("verdict", outcome.verdict), ("points", outcome.points),
                            ("max_points", outcome.criterion.points)):
            ElementTree.SubElement(properties, "property", name=name, value=str(value))
        if outcome.verdict is Verdict.BLOCKED:
            ElementTree.SubElement(case, "skipped", message=outcome.sentence)
        elif outcome.verdict is not Verdict.PASS:
            failure = ElementTree.SubElement(case, "failure", type=str(outcome.verdict),
                                             message=NOT_XML.sub("?", outcome.sentence))
            failure.text = grade.rerun(outcome)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
