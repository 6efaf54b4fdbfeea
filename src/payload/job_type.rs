//! What can be submitted, and which values Oracle documents for each part of it.

/// The job types whose payload is documented. Any other comes as a whole payload only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobType {
    /// An integration of Data Integration (PREST `fdmee_integration_jobtype`).
    Integration,
    /// A load rule of Data Management (PREST `fdmee_run_data_rule`).
    DataRule,
    /// A batch (PREST `fdmee_run_batch`).
    Batch,
    /// A pipeline (PREST `fdmee_run_pipeline`).
    Pipeline,
    /// An import of member mappings (PREST `fdmee_import_data_mapping`).
    MappingImport,
    /// An export of member mappings.
    MappingExport,
    /// A report of Data Management.
    Report,
}

/// A part of the payload that has a flag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `jobName`
    JobName,
    /// `importMode`
    ImportMode,
    /// `exportMode`
    ExportMode,
    /// `periodName`
    PeriodName,
    /// `startPeriod`
    StartPeriod,
    /// `endPeriod`
    EndPeriod,
    /// `fileName`
    FileName,
    /// `variables`
    Variables,
}

impl Field {
    /// All of them, in the order in which a payload spells them.
    pub const ALL: [Self; 8] = [
        Self::JobName,
        Self::PeriodName,
        Self::StartPeriod,
        Self::EndPeriod,
        Self::ImportMode,
        Self::ExportMode,
        Self::FileName,
        Self::Variables,
    ];

    /// The key in the payload, as Oracle spells it.
    pub fn key(self) -> &'static str {
        match self {
            Self::JobName => "jobName",
            Self::ImportMode => "importMode",
            Self::ExportMode => "exportMode",
            Self::PeriodName => "periodName",
            Self::StartPeriod => "startPeriod",
            Self::EndPeriod => "endPeriod",
            Self::FileName => "fileName",
            Self::Variables => "variables",
        }
    }

    /// The flag's name, without its dashes.
    pub fn flag(self) -> &'static str {
        match self {
            Self::JobName => "job-name",
            Self::ImportMode => "import-mode",
            Self::ExportMode => "export-mode",
            Self::PeriodName => "period-name",
            Self::StartPeriod => "start-period",
            Self::EndPeriod => "end-period",
            Self::FileName => "file-name",
            Self::Variables => "variable",
        }
    }
}

impl JobType {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Integration,
        Self::DataRule,
        Self::Batch,
        Self::Pipeline,
        Self::MappingImport,
        Self::MappingExport,
        Self::Report,
    ];

    /// The type as the payload spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Integration => "INTEGRATION",
            Self::DataRule => "DATARULE",
            Self::Batch => "BATCH",
            Self::Pipeline => "PIPELINE",
            Self::MappingImport => "MAPPINGIMPORT",
            Self::MappingExport => "MAPPINGEXPORT",
            Self::Report => "REPORT",
        }
    }

    /// The type of that name, in any case.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word))
    }

    /// Whether its payload has this part.
    pub fn takes(self, field: Field) -> bool {
        use Field::{EndPeriod, ExportMode, FileName, ImportMode, JobName, PeriodName, StartPeriod, Variables};
        match self {
            Self::Integration => matches!(field, JobName | PeriodName | ImportMode | ExportMode | FileName),
            Self::DataRule => {
                matches!(field, JobName | StartPeriod | EndPeriod | ImportMode | ExportMode | FileName)
            }
            Self::Pipeline => matches!(field, JobName | Variables),
            Self::MappingImport => matches!(field, JobName | ImportMode | FileName),
            Self::MappingExport => matches!(field, JobName | FileName),
            Self::Batch | Self::Report => field == JobName,
        }
    }

    /// The documented values of a mode (epm-api.md §2.1, §2.3, §2.5), spelled as EPM wants them: they are
    /// case-sensitive there.
    pub(super) fn modes(self, field: Field) -> &'static [&'static str] {
        match (self, field) {
            (Self::Integration, Field::ImportMode) => &["Append", "Replace", "Map and Validate", "No Import", "Direct"],
            (Self::Integration, Field::ExportMode) => {
                &["Merge", "Replace", "Accumulate", "Subtract", "No Export", "Check"]
            }
            (Self::DataRule, Field::ImportMode) => &["APPEND", "REPLACE", "RECALCULATE", "NONE"],
            // The last two are those of Financial Consolidation and Close and of Tax Reporting.
            (Self::DataRule, Field::ExportMode) => {
                &["STORE_DATA", "ADD_DATA", "SUBTRACT_DATA", "REPLACE_DATA", "NONE", "REPLACE", "MERGE"]
            }
            (Self::MappingImport, Field::ImportMode) => &["MERGE", "REPLACE"],
            _ => &[],
        }
    }

    /// Where a value that this type does not take belongs instead.
    pub(super) fn instead(self, field: Field) -> Option<String> {
        let sentence = match (self, field) {
            (_, Field::JobName) => return None,
            (Self::Pipeline, Field::PeriodName | Field::StartPeriod) => "set `--variable STARTPERIOD=...`".to_owned(),
            (Self::Pipeline, Field::EndPeriod) => "set `--variable ENDPERIOD=...`".to_owned(),
            (Self::Pipeline, _) => format!("set `--variable {}=...`", field.key().to_uppercase()),
            (Self::DataRule, Field::PeriodName) => "set `--start-period` and `--end-period`".to_owned(),
            (Self::Integration, Field::StartPeriod | Field::EndPeriod) => "set `--period-name`".to_owned(),
            (_, Field::Variables) => "variables belong to `--job-type PIPELINE`".to_owned(),
            _ => format!("leave `--{}` out, or give the whole body with `--payload`", field.flag()),
        };
        Some(sentence)
    }
}
