"""Controls that no machine can judge: somebody looks, and the result is recorded with a name and a day."""

from policies.catalogue.control import Control, Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.verdict import Status, Verdict

AI_ACT = "https://eur-lex.europa.eu/eli/reg/2024/1689/oj"
GDPR = "https://eur-lex.europa.eu/eli/reg/2016/679/oj"


def _manual(survey: Survey) -> Verdict:
    return survey.says(Status.MANUAL, "somebody must look; record who, when and what was found with the audit")


def _control(
    id_: str, title: str, text: str, why: str, fix: str, url: str, crosswalk: dict[str, str], severity: Severity
) -> Control:
    return stack_control(
        id=id_,
        title=title,
        text=text,
        why=why,
        severity=severity,
        paths=(),
        fix=fix,
        url=url,
        crosswalk=ids(**crosswalk),
    )(_manual)


CONTROLS = (
    _control(
        "output-marks-kept",
        "Images keep their machine-readable marks",
        "Images are handed on as the model made them: the watermark stays on, signed metadata is kept, and nothing "
        "between the bucket and the public strips it.",
        "Images that cannot be recognised as artificial break the law since 2 August 2026; systems that were on the "
        "market before have until 2 December 2026.",
        "check the bucket with plantain audit, and each channel the images are published through by hand",
        AI_ACT,
        {"nist": "SI-7", "ai_act": "50(2)"},
        Severity.HIGH,
    ),
    _control(
        "deepfakes-labelled",
        "Deepfakes are labelled where they are first seen",
        "Images that show real persons, places or events as if they were real say so clearly, at the latest when they "
        "are first seen, and the label is stored with the image.",
        "Whoever publishes a deepfake without a label deceives, and owes up to 15 million euros.",
        "add the label to the asset and its text to the image's record",
        AI_ACT,
        {"ai_act": "50(4) 50(5)"},
        Severity.HIGH,
    ),
    _control(
        "ai-act-role",
        "It is decided who is provider and who is deployer",
        "For each campaign it is written down whether the organisation is provider or deployer of an AI system in the "
        "sense of the AI Act, and by whom that was decided.",
        "Who offers image generation under an own name may be the provider, with the duties of one.",
        "have counsel decide, and record the decision with the audit",
        AI_ACT,
        {"ai_act": "3 50(2)"},
        Severity.MEDIUM,
    ),
    _control(
        "ai-literacy",
        "People who work with the model know what it does",
        "Those who write prompts and publish images were told how the model fails and what the law asks of them.",
        "Most mishaps are published by somebody who did not know better.",
        "hold the training, and record who took part",
        AI_ACT,
        {"ai_act": "4", "iso": "A.6.3", "soc2": "CC1.4"},
        Severity.MEDIUM,
    ),
    _control(
        "impact-assessment",
        "The effect on persons was assessed",
        "There is a data protection impact assessment for image generation from references that show persons, or a "
        "note why none is needed.",
        "Without one nobody has asked what happens to the people in the pictures.",
        "write it with the data protection officer, and record where it lies",
        GDPR,
        {"gdpr": "35", "nist": "RA-8", "iso": "A.5.34"},
        Severity.MEDIUM,
    ),
    _control(
        "processing-records",
        "The processing is in the records",
        "The record of processing activities names the campaign's purposes, data, recipients and periods.",
        "The record is the first thing an authority asks for.",
        "add the campaign to the record, and record the entry's number",
        GDPR,
        {"gdpr": "30", "iso": "A.5.34"},
        Severity.MEDIUM,
    ),
    _control(
        "business-associate-agreement",
        "Where health data is used, Google has agreed to it",
        "If references or prompts hold health data of persons in the United States, a business associate agreement "
        "with Google covers the services in use.",
        "Without it the mere use is a violation.",
        "check the agreement, or record that no health data is used",
        "https://cloud.google.com/security/compliance/hipaa",
        {"hipaa": "164.308(b)(1)"},
        Severity.MEDIUM,
    ),
    _control(
        "access-transparency",
        "Google's staff leaves traces",
        "Access Transparency is on for the organisation, and somebody reads its log.",
        "Otherwise nobody hears when Google's staff looks at data.",
        "console, IAM and admin, Settings, Access Transparency; it needs a support plan that includes it",
        "https://cloud.google.com/assured-workloads/access-transparency/docs/enable",
        {"cis5": "2.15", "cis4": "2.14", "nist": "MA-4", "iso": "A.5.22"},
        Severity.LOW,
    ),
)
