//! What is known to be harmless: Oracle's keys and words, and those of plain technical English. Everything else is
//! replaced, so a word that is missing here costs the record a word, and one too many could be somebody's name.

use std::sync::LazyLock;

/// What stands under a key, and so what may be kept of it. The keys are Oracle's (epm-api.md §2 to §4, §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A job's id.
    Id,
    /// The numeric status.
    Status,
    /// A number of items, beside the list of them.
    Count,
    /// A word of Oracle's.
    Word,
    /// How data is loaded.
    Mode,
    /// What the customer called something.
    Name,
    /// A user.
    User,
    /// The path of a file on the server.
    File,
    /// A period, or a range of them in braces.
    Period,
    /// A value that the customer chose.
    Value,
    /// A URL.
    Link,
    /// A release, such as `26.04.40`.
    Build,
    /// An hour of the day.
    Hour,
    /// The version of an API, such as `V1`.
    Version,
    /// Sentences.
    Text,
    /// An object whose keys the customer chose.
    Chosen,
    /// Anything else.
    Unknown,
}

/// The keys of each class, separated by spaces. A key that is a plain technical word needs no entry here.
const KEYS: [(Class, &str); 16] = [
    (Class::Id, "jobId jobID processId lastJobId"),
    (Class::Status, "status"),
    (Class::Count, "limit offset count totalResults stageSequence jobSeq"),
    (
        Class::Word,
        "jobStatus descriptiveStatus detailedStatus lastJobStatus processType jobType reportFormatType rel action method type lifecycle varType varDefaultParam paramLevel \
         operation locktype snapshotType timeZone",
    ),
    (Class::Mode, "importMode exportMode executionMode validationMode"),
    (
        Class::Name,
        "jobName name displayName pipelineName stageName stageDisplayName jobObject jobConnection locationName location \
         application applicationName category partName partitionkey varName varDisplayName varValObject paramName",
    ),
    (Class::User, "executedBy proxyAdminUser username userName user"),
    (Class::File, "logFileName outputFileName outputFilename fileName logFile extDirPath"),
    (Class::Period, "periodName periodname startPeriod endPeriod period"),
    (Class::Value, "value paramValue varDefaultValue"),
    (Class::Link, "href"),
    (Class::Build, "buildVersion"),
    (Class::Hour, "amwTime"),
    (Class::Version, "version"),
    (Class::Text, "details message error error_description title detail"),
    (Class::Chosen, "variables sourceFilters targetOptions parameters"),
];

/// What a key ends with that is none of these, and what that says: `targetApplication` names an application, whoever
/// thought of the key.
const ENDINGS: [(Class, &str); 4] = [
    (
        Class::Name,
        "name rule integration location application pipeline stage category dimension member entity account scenario \
         cube plan target source ledger batch group connection agent mapping job",
    ),
    (Class::User, "user by owner"),
    (Class::File, "file"),
    (Class::Period, "period year"),
];

/// The class of a key of Oracle's.
pub(super) fn known_class(key: &str) -> Option<Class> {
    let found = KEYS.iter().find(|(_, keys)| is_among(keys, key));
    found.map(|(class, _)| *class)
}

/// What stands under this key.
pub(super) fn class_of(key: &str) -> Class {
    let ending = || {
        let last = parts(key.rsplit('_').next()?).first()?.to_ascii_lowercase();
        ENDINGS.iter().find(|(_, endings)| is_among(endings, &last)).map(|(class, _)| *class)
    };
    known_class(key).or_else(ending).unwrap_or(Class::Unknown)
}

/// Whether a word is one of these, which are separated by spaces.
fn is_among(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

/// The variables that Oracle gives every pipeline (epm-api.md §2.2); all others are the customer's.
const VARIABLES: &str = "STARTPERIOD ENDPERIOD IMPORTMODE EXPORTMODE ATTACH_LOGS SEND_MAIL SEND_TO";

/// What stands under a key of an object that the customer fills, where the key is Oracle's all the same.
pub(super) fn class_of_variable(key: &str) -> Option<Class> {
    let class = if matches!(key, "IMPORTMODE" | "EXPORTMODE" | "ATTACH_LOGS") { Class::Mode } else { Class::Value };
    is_among(VARIABLES, key).then_some(class)
}

/// How data can be loaded (epm-api.md §2.1 to §2.3), separated by bars.
const MODES: &str = "Append|Replace|Map and Validate|No Import|Direct|Merge|Accumulate|Subtract|No Export|Check|APPEND|REPLACE|\
    RECALCULATE|NONE|MERGE|STORE_DATA|ADD_DATA|SUBTRACT_DATA|REPLACE_DATA|SYNC|ASYNC|true|false|Y|N|Yes|No";

/// Whether Oracle documents this mode.
pub(super) fn is_mode(text: &str) -> bool {
    MODES.split('|').any(|known| known == text)
}

/// Words that stand for themselves whole, whatever their parts are, and under whatever key.
const WHOLE: &str = "Etc/UTC UTC GMT {GLOBAL_POV} GLOBAL_POV COMM_LOAD_BALANCES COMM_BATCH EXPORT_MAPPING MAPPINGIMPORT MAPPINGEXPORT \
    DATARULE LCM EXTERNAL SYNC ASYNC XLSX PDF HTML EXCEL RUNNING SUCCESS FAILED WARNING PENDING PROCESSING";

/// What Oracle says only where one of its words is expected, separated by bars (epm-api.md §3, §7).
const ENUMS: &str = "RUNNING|SUCCESS|FAILED|WARNING|PENDING|PROCESSING|COMPLETED|SUCCEEDED|ERROR|CANCELLED|CANCELED|QUEUED|IN PROGRESS|Running|Success|Failed|Warning|Pending|\
    Processing|Completed|Cancelled|Error|Completed with Warnings|GET|POST|PUT|DELETE|PATCH|self|job-details|Job Status|active|\
    INTEGRATION|PIPELINE|pipeline|BATCH|REPORT|LIST|LOOKUP|TEXT|NUMBER|Y|N";

/// Plain technical words in lower case: those of Oracle's keys and of its known messages (epm-api.md §10), of Java's and
/// its own exceptions, and of the sentences around them. No word that a customer names things by, such as a month or a
/// member. In order.
const WORDS: &str = "\
    a about access accumulate action active add admin administrator after aif all allowed already also am amw an and \
    any app append application applications applied apply applying apps are argument array as async at attach \
    attempt attempted attribute audience auth authentication authorization automate available balances batch be \
    because been before begin being between body bound bounds broken buffer build but by bytes call can canceled \
    cancelled cannot caught cause caused cell change changed check class client close closed cloud code column com \
    comm command commit complete completed component concurrent condition config configuration configured connect \
    connecting connection connections connector constraint contact content contents context continue convert copy \
    core could count create created critical cube current currently daily data database date day days debug default \
    define defined definition delete denied description descriptive destination detail detailed details did direct \
    directory disabled disk display do document does down download driver due dump duplicate during each elapsed \
    empty enabled encountered end ended ending ends engine enter entry env environment epm epmfdm error errors \
    essbase even event exceeded exception exceptions exclusive execute executed executing execution exist existing \
    exists exit expected expired export exported exporting external fail failed fails failure fatal fault fdm fdmee \
    fetch field fields file files filter filters final find finish finished first flow folder following for \
    forbidden format found from full function gateway general generate generated get getting given global group had \
    handle handler has have header here high home host hour hours href http https hyperion id identifier idle if \
    illegal import imported importing in inactive inbox index info information init initialize inner input insert \
    inside insufficient integration integrations internal interrupted interval into invalid invoke io is isolation \
    it item items its java javax jdbc job jobs journal jvm key keys kind label lang last latest ldap level libraries \
    library life lifecycle limit line lines link links list load loaded loading loads lob local locale location lock \
    locked log logged logger login logs long lookup lost low mail maintenance manager mandatory map mapped mapping \
    mappings maps match matched max maximum may memory merge message messages metadata method min minutes missing \
    mode model module more most must name named names native net never new next no non none normal not nothing null \
    number object objects occurred odi of off offset old on one only open operation option optional options or \
    oracle order other our out outbox output over own owner package page parallel param parameter parameters parent \
    parse parser parsing part partial parts password path pattern pending percent period periods permission \
    permissions pipeline pipelines planning please pointer policy pool port post pov prefix prepare previous \
    privilege privileges problem procedure process processed processes processing profile progress properties \
    property protocol provided provider proxy put query queue queued raw read reading ready reason recalculate \
    record recorded records reference refused register reject rejected rejects release remote remove replace \
    replaced report reports request requested required rerun reset resolve resource resources response rest restart \
    result results resume retries retry return returned returns right role roles rollback root row rows rule rules \
    run running runs runtime scheduled schema script scripting search seconds security see select self send sequence \
    server servers service services session set setting settings setup shape should show shutdown signal size skip \
    skipped snapshot so socket some source sql stack stage stages standard start started starting starts state \
    statement status step steps still stop stopped storage store stream string submit submitted subtract success \
    successful successfully such sun suspended system table target task tasks temp template temporary terminated \
    test text than that the their them then there these they this those thread throttled through throw thrown time \
    timed timeout timestamp title to token too total trace tracking transaction transfer transformation try type \
    types unable unauthorized unavailable unexpected unique unit unknown unmapped unresolved unsupported until up \
    update updated upload uploaded url use used user users using util utils valid validate validated validating \
    validation value values variable variables version versions via view wait waiting warn warning warnings was way \
    we web weblogic were when where which while will with within without word work worker workflow would write \
    writing written wrong xml yes yet you your zip zone";

/// They are looked up for each word of each answer.
static KNOWN: LazyLock<Vec<&str>> = LazyLock::new(|| WORDS.split_ascii_whitespace().collect());

/// Whether a word is a plain technical one, in lower case, in capitals, or capitalised.
pub(super) fn is_plain(word: &str) -> bool {
    let mut rest = word.chars().skip(1);
    let is_cased = word.chars().all(|char| char.is_ascii_uppercase()) || rest.all(|char| char.is_ascii_lowercase());
    is_cased && KNOWN.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

/// Whether a word is made of plain ones: `FileNotFoundException`, `COMM_LOAD_BALANCES`, `jobID`.
pub(super) fn is_composed(word: &str) -> bool {
    !word.is_empty() && word.split('_').all(|part| parts(part).into_iter().all(is_plain))
}

/// Whether a key is built as Oracle builds its own: `rejectedRowCount`, and not `DailyLoad`.
pub(super) fn is_like_a_key(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_lowercase()) && !key.contains('_') && is_composed(key)
}

/// Whether a text is a word that Oracle gives a meaning, wherever it stands.
pub(super) fn is_word(text: &str) -> bool {
    is_among(WHOLE, text)
}

/// Whether a text is what Oracle says where one of its words is expected.
pub(super) fn is_enum(text: &str) -> bool {
    ENUMS.split('|').any(|known| known == text)
}

/// What comes before the name of something, in a sentence: `the application General Core`.
const NAMING: &str = "account agent application batch category connection cube currency database dimension directory domain entity file \
    filter folder group integration job ledger location mapping member model module name parameter period pipeline plan process \
    property role rule ruleset scenario schema script server snapshot source stage system table target task user username \
    variable version view workflow year";

/// Whether the words after this one may be a name.
pub(super) fn is_naming(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    is_among(NAMING, &word) || word.strip_suffix('s').is_some_and(|one| is_among(NAMING, one)) || word == "categories"
}

/// What a name ends before, in a sentence.
const FUNCTION: &str = "a after already an and are as at be because been before being but by can cannot could did do does during for \
    from had has have if in into is it its may must no not of on or since so than that the then there these this those to until \
    was were when where which while who will with within without would";

/// Whether a word only ties others together.
pub(super) fn is_function(word: &str) -> bool {
    is_among(FUNCTION, &word.to_ascii_lowercase())
}

/// Where capitals begin a word: `logFileName` is three, `IOException` two.
fn parts(word: &str) -> Vec<&str> {
    let bytes = word.as_bytes();
    let begins = |at: usize| {
        let follows_lower = bytes[at - 1].is_ascii_lowercase();
        let precedes_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        bytes[at].is_ascii_uppercase() && (follows_lower || precedes_lower)
    };
    let mut rest = word;
    let mut parts = Vec::new();
    for at in (1..word.len()).rev().filter(|at| begins(*at)) {
        let Some((before, part)) = rest.split_at_checked(at) else { return vec![word] };
        parts.push(part);
        rest = before;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_oracle_are_kept_and_names_are_not() {
        for word in
            ["FileNotFoundException", "COMM_LOAD_BALANCES", "jobID", "IOException", "logFileName", "SQLException"]
        {
            assert!(is_composed(word), "{word}");
        }
        for word in ["", "_", "GLDATA", "Vision", "Jan", "FY26", "lOad", "JobX", "jobÄ", "Äjob", "26", "dddsx", "load_"]
        {
            assert!(!is_composed(word), "{word}");
        }
        assert!(is_word("WARNING") && is_word("Etc/UTC") && is_word("COMM_LOAD_BALANCES"));
        assert!(!is_word("Load") && !is_word("Y") && !is_word("Final") && !is_word(""));
        assert!(is_enum("Completed") && is_enum("WARNING") && !is_enum("Load"));
        assert!(is_mode("Map and Validate") && !is_mode("Final"));
    }

    #[test]
    fn a_key_that_ends_with_what_is_named_names_it() {
        for key in ["ruleName", "loadRule", "targetApplication", "RULE_NAME", "rule", "integration"] {
            assert_eq!((known_class(key), class_of(key)), (None, Class::Name), "{key}");
        }
        assert_eq!((class_of("createdBy"), class_of("startYear")), (Class::User, Class::Period));
        assert_eq!((class_of("rejectedRows"), class_of("rename")), (Class::Unknown, Class::Unknown));
        assert!(is_like_a_key("rejectedRowCount") && !is_like_a_key("DailyLoad") && !is_like_a_key("daily_load"));
    }

    #[test]
    fn the_words_stand_in_their_order() {
        assert!(KNOWN.is_sorted_by(|one, next| one < next));
        assert!(KNOWN.iter().all(|word| is_plain(word)));
    }

    #[test]
    fn every_key_that_the_gate_reads_has_its_class() {
        assert_eq!((class_of("jobId"), class_of("jobID"), class_of("status")), (Class::Id, Class::Id, Class::Status));
        assert_eq!((class_of("logFileName"), class_of("href")), (Class::File, Class::Link));
        assert_eq!(
            (class_of("executedBy"), class_of("JOBID"), class_of("")),
            (Class::User, Class::Unknown, Class::Unknown)
        );
    }
}
